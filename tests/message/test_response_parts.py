"""What comes before, behind and in pieces: informational responses, trailers, lines, and JSON by codecs of the user's."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from aiohttpx import ClientPayloadError, ClientSession, InformationalResponse
from aiohttpx.testing import ExpectRequest, ScriptedPeer

from .answering import Gate, answer, both_ways

TRAILERS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nDigest: a\r\ndigest: b\r\n\r\n"

# -- trailers


@pytest.mark.parametrize("cut", [len(TRAILERS), 47, 57], ids=["whole", "head first", "in the body"])
async def test_trailers(cut: int) -> None:
    gate = Gate()
    async with ScriptedPeer([ExpectRequest(), TRAILERS[:cut], gate, TRAILERS[cut:]]) as peer, ClientSession() as session:
        async with session.get(peer.url) as response:
            if cut < len(TRAILERS):
                assert not response.trailers
            gate.open()
            assert await response.read() == b"hello"
            assert response.trailers.getall("Digest") == ["a", "b"]
            assert "Digest" not in response.headers
        assert response.trailers["DIGEST"] == "a"  # valid when all is over


@both_ways
async def test_most_responses_have_no_trailers(streamed: bool) -> None:
    async with answer(b"body", streamed=streamed) as response:
        await response.read()
        assert len(response.trailers) == 0


# -- informational responses

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def test_informational_responses_are_told_of_before_the_response() -> None:
    told: list[InformationalResponse] = []
    wire = b"HTTP/1.1 102 Processing\r\n\r\n" + HINTS + OK
    async with ScriptedPeer(wire) as peer, ClientSession() as session:
        async with session.get(peer.url, on_informational=told.append) as response:
            assert await response.read() == b"ok"
        async with session.get(peer.url) as response:
            assert await response.read() == b"ok"
    assert [(hint.status, hint.reason) for hint in told] == [(102, "Processing"), (103, "Early Hints")]
    assert told[1].headers.getall("link") == ["</a.css>; rel=preload", "</b.js>; rel=preload"]


async def test_they_are_told_of_when_they_come() -> None:
    gate = Gate()
    told: asyncio.Future[InformationalResponse] = asyncio.get_running_loop().create_future()
    async with ScriptedPeer([ExpectRequest(), HINTS, gate, OK]) as peer, ClientSession() as session:
        request = asyncio.ensure_future(session.get(peer.url, on_informational=told.set_result))
        assert (await told).status == 103
        assert not request.done()
        gate.open()
        async with await request as response:
            assert response.status == 200


async def test_what_the_callback_raises_ends_the_request() -> None:
    def refuse(hint: InformationalResponse) -> None:
        raise LookupError("not this one")

    async with ScriptedPeer(HINTS + OK) as peer, ClientSession() as session:
        with pytest.raises(LookupError, match="not this one"):
            await session.get(peer.url, on_informational=refuse)
        assert session.connector is not None
        assert not session.connector._conns


# -- lines


@both_ways
async def test_lines_of_text(streamed: bool) -> None:
    async with answer("één\r\ntwo\nthree\u2028 and\x0b".encode(), "Content-Type: text/plain", streamed=streamed) as response:
        assert [line async for line in response.iter_lines()] == ["één", "two", "three\u2028 and\x0b"]


async def test_lines_of_text_in_its_charset() -> None:
    async with answer(b"\xe9\n", "Content-Type: text/plain; charset=latin-1") as response:
        assert [line async for line in response.iter_lines()] == ["é"]
    async with answer(b"\xe9\n", "Content-Type: text/plain; charset=nonsense") as response:
        with pytest.raises(UnicodeDecodeError):
            await anext(response.iter_lines())
    async with answer(b"\xe9\n") as response:
        assert [line async for line in response.iter_lines(encoding="cp1252")] == ["é"]


@both_ways
async def test_json_lines(streamed: bool) -> None:
    async with answer(b'{"a": 1}\r\n\n[2, "\xc3\xa9"]\n  \nnull', streamed=streamed) as response:
        assert [value async for value in response.iter_jsonl()] == [{"a": 1}, [2, "é"], None]
    async with answer(b"1.5\n", streamed=streamed) as response:
        assert [value async for value in response.iter_jsonl(loads=str)] == ["1.5\n"]
    async with answer(b"1.5\n", streamed=streamed) as response:
        assert [value async for value in response.iter_jsonl(loads_bytes=len)] == [4]


async def test_json_lines_that_are_wrong() -> None:
    async with answer(b'{"a": 1}\n{"a"\n') as response:
        values = response.iter_jsonl()
        assert await anext(values) == {"a": 1}
        with pytest.raises(ValueError, match="delimiter"):
            await anext(values)
    async with answer(b"[" + b" " * 100 + b"]\n") as response:
        with pytest.raises(ClientPayloadError, match="more than 50 bytes"):
            await anext(response.iter_jsonl(max_line_length=50))


# -- codecs


def from_bytes(body: bytes) -> Any:
    assert type(body) is bytes
    return {"decoded": json.loads(body)}


@both_ways
async def test_json_by_a_codec_of_bytes(streamed: bool) -> None:
    kind = "Content-Type: application/json"
    async with answer(b'["\xc3\xa9"]', kind, streamed=streamed) as response:
        assert await response.json(loads_bytes=from_bytes) == {"decoded": ["é"]}
        assert await response.json() == ["é"]
    async with answer(b'["\xc3\xa9"]', kind, streamed=streamed, session={"json_deserialize_bytes": from_bytes}) as response:
        assert await response.json() == {"decoded": ["é"]}
        assert await response.json(loads=len) == 5
    async with answer(b"[1]\n", kind, streamed=streamed, session={"json_deserialize_bytes": from_bytes}) as response:
        assert [value async for value in response.iter_jsonl()] == [{"decoded": [1]}]
    async with answer(b"", kind, streamed=streamed, session={"json_deserialize_bytes": from_bytes}) as response:
        assert await response.json() is None


async def test_a_codec_of_bytes_gets_utf8_whatever_came() -> None:
    async with answer(b'["\xe9"]', "Content-Type: application/json; charset=latin-1") as response:
        assert await response.json(loads_bytes=from_bytes) == {"decoded": ["é"]}
