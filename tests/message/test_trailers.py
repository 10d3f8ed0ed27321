"""message/trailers.py: fields after a body."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aiohttpx import ClientConnectionError, ClientSession
from aiohttpx.message.trailers import TrailedPayload
from aiohttpx.testing import ExpectRequest, ScriptedPeer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
AGAIN = b"HTTP/1.1 307 Again\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"data": b"body"}, b"application/octet-stream"),
        ({"data": "body"}, b"text/plain; charset=utf-8"),
        ({"data": iter([b"body"])}, b"application/octet-stream"),
        ({"json": {"a": 1}}, b"application/json"),
        ({"data": {"a": "1"}}, b"application/x-www-form-urlencoded"),
    ],
)
async def test_they_follow_the_last_chunk(body: dict[str, Any], content_type: bytes) -> None:
    trailers = {"X-Checksum": "abc", "x-count": lambda: "1", "X-Key": "é"}
    async with ScriptedPeer(OK) as peer, ClientSession() as session:
        async with session.post(peer.url, **body, trailers=trailers) as response:
            assert response.status == 200
            assert response.request_info.headers["Trailer"] == "X-Checksum, x-count, X-Key"
        head, _, content = peer.received.partition(b"\r\n\r\n")
    assert b"\r\nTrailer: X-Checksum, x-count, X-Key" in head
    assert b"\r\nTransfer-Encoding: chunked" in head
    assert b"\r\nContent-Type: " + content_type in head
    assert b"Content-Length" not in head
    assert content.endswith("\r\n0\r\nX-Checksum: abc\r\nx-count: 1\r\nX-Key: é\r\n\r\n".encode())


async def test_a_value_may_be_known_when_the_body_was_sent() -> None:
    digest = hashlib.sha256()

    def body() -> Iterator[bytes]:
        for piece in (b"some", b"thing"):
            digest.update(piece)
            yield piece

    async with ScriptedPeer(OK) as peer, ClientSession() as session:
        await session.post(peer.url, data=body(), trailers={"Digest": lambda: digest.hexdigest()}, compress="deflate")
        assert peer.received.endswith(b"\r\n0\r\nDigest: %s\r\n\r\n" % hashlib.sha256(b"something").hexdigest().encode())


async def test_they_go_along_with_a_redirected_body_and_are_asked_for_again() -> None:
    asked: list[int] = []

    def value() -> str:
        asked.append(1)
        return str(len(asked))

    async with ScriptedPeer([*_answer(AGAIN), *_answer(OK)]) as peer, ClientSession() as session:
        async with session.post(peer.url, data=b"body", trailers={"X-A": value}) as response:
            assert response.status == 200
        first, second = peer.received.split(b"POST ")[1:]
    assert first.endswith(b"0\r\nX-A: 1\r\n\r\n")
    assert second.endswith(b"0\r\nX-A: 2\r\n\r\n")


async def test_they_stay_behind_with_the_body() -> None:
    see_other = AGAIN.replace(b"307", b"303")
    async with ScriptedPeer([*_answer(see_other), *_answer(OK)]) as peer, ClientSession() as session:
        async with session.post(peer.url, data=b"body", trailers={"X-A": "1"}) as response:
            assert response.status == 200
        following = peer.received.partition(b"GET ")[2]
    assert b"Trailer" not in following
    assert following.endswith(b"\r\n\r\n")


def _answer(answer: bytes) -> list[Any]:
    return [ExpectRequest(), answer]


@pytest.mark.parametrize(
    ("trailers", "said"),
    [
        ({"Content-Length": "1"}, "Content-Length cannot be a trailer"),
        ({"transfer-encoding": "chunked"}, "transfer-encoding cannot be a trailer"),
        ({"Authorization": "secret"}, "Authorization cannot be a trailer"),
        ({"X A": "1"}, "field name"),
        ({"X-A": "1\r\nX-B: 2"}, "field value"),
        ({"X-A\n": "1"}, "field name"),
    ],
)
async def test_what_cannot_be_a_trailer(trailers: dict[str, str], said: str) -> None:
    async with ScriptedPeer(OK) as peer, ClientSession() as session:
        with pytest.raises(ValueError, match=said) as caught:
            await session.post(peer.url, data=b"body", trailers=trailers)
        assert "secret" not in str(caught.value)
        assert not peer.received


async def test_trailers_need_a_body_in_chunks() -> None:
    async with ClientSession() as session:
        with pytest.raises(ValueError, match="follow a body"):
            await session.post("http://127.0.0.1:9", trailers={"X-A": "1"})
        with pytest.raises(ValueError, match="trailers can not be set if Content-Length"):
            await session.post("http://127.0.0.1:9", data=b"x", trailers={"X-A": "1"}, headers={"Content-Length": "1"})


@pytest.mark.parametrize("value", [lambda: "1\r\n", lambda: 1 / 0])
async def test_a_late_value_that_cannot_be_sent_ends_the_upload(value: Callable[[], Any]) -> None:
    async with ScriptedPeer(OK) as peer, ClientSession() as session:
        with pytest.raises(ClientConnectionError):
            await session.post(peer.url, data=b"x", trailers={"X-A": value})
        assert not peer.received.endswith(b"0\r\n\r\n")


async def test_a_payload_of_its_own() -> None:
    payload = TrailedPayload("body", {"X-A": "1"})
    assert payload.size is None
    assert (payload.replayable, payload.consumed, payload.autoclose) == (True, False, True)
    assert payload.decode() == "body"
    assert await payload.as_bytes() == b"body"
    assert payload.headers["Trailer"] == "X-A"
    await payload.close()
