"""How much of an answer is taken."""

from __future__ import annotations

import gzip
from contextlib import suppress
from typing import Any

import pytest

from aiohttpx import BodyTooLarge, ClientPayloadError, ClientResponseError, ClientSession
from aiohttpx.testing import ExpectRequest, LoopbackServer, Request, Response, ScriptedPeer

from ..message.answering import answer, both_ways

CONTENT = bytes(range(256)) * 400


@both_ways
@pytest.mark.parametrize("limits", [{"session": {"max_body_size": 1000}}, {"max_body_size": 1000}], ids=["session", "request"])
@pytest.mark.parametrize("coding", ["", "gzip"])
@pytest.mark.parametrize("way", ["read", "content"])
async def test_a_body_over_the_limit_is_an_error(streamed: bool, limits: dict[str, Any], coding: str, way: str) -> None:
    fields = [f"Content-Encoding: {coding}"] if coding else []
    for size in (1000, 1001):
        body = gzip.compress(CONTENT[:size]) if coding else CONTENT[:size]
        async with answer(body, *fields, streamed=streamed, **limits) as response:
            read = response.read if way == "read" else response.content.read
            if size == 1000:
                assert await read() == CONTENT[:1000]
            else:
                with pytest.raises(BodyTooLarge, match=r"larger than 1000 bytes \(max_body_size\)") as caught:
                    await read()
                assert caught.value.limit == 1000
                assert isinstance(caught.value, ClientPayloadError)
                with pytest.raises(BodyTooLarge):
                    await response.content.readany()


@both_ways
async def test_without_a_limit_there_is_none(streamed: bool) -> None:
    for limit in (0, None):
        async with answer(CONTENT, streamed=streamed, max_body_size=limit) as response:
            assert await response.read() == CONTENT
    async with answer(CONTENT, streamed=streamed, session={"max_body_size": 10}, max_body_size=0) as response:
        assert await response.read() == CONTENT


async def test_an_announced_length_over_the_limit_is_an_error_before_a_byte_is_read() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    async with ScriptedPeer([ExpectRequest(), head]) as peer, ClientSession(max_body_size=1000) as session:
        async with session.get(peer.url) as response:
            assert response.status == 200
            with pytest.raises(BodyTooLarge):
                await response.read()
        async with session.head(peer.url) as response:
            assert response.content_length == 1_000_000_000
            assert await response.read() == b""


@pytest.mark.parametrize("coded", [False, True], ids=["plain", "gzip"])
async def test_an_endless_body_ends_at_the_limit_and_memory_does_not_grow(coded: bool) -> None:
    block = gzip.compress(bytes(10_000_000), 1) if coded else bytes(10_000_000)
    fields = [("Content-Encoding", "gzip")] if coded else []

    async def endless() -> Any:
        while True:
            yield block

    def serve(request: Request) -> Response:
        return Response(200, fields, endless(), length=None)

    async with LoopbackServer({"/": serve}) as server, ClientSession(max_body_size=300_000) as session:
        async with session.get(server.url) as response:
            pieces = response.content.iter_any()
            got = 0
            with suppress(BodyTooLarge):
                async for piece in pieces:
                    got += len(piece)
            assert got <= 300_000
            with pytest.raises(BodyTooLarge):
                await response.read()
        assert session.connector is not None
        assert not session.connector._conns  # nothing more may come through that connection


async def test_the_connection_of_a_body_that_came_whole_is_used_again() -> None:
    async with LoopbackServer() as server, ClientSession(max_body_size=100) as session:
        for _ in range(3):
            async with session.get(f"{server.url}/bytes/101") as response:
                with pytest.raises(BodyTooLarge):
                    await response.read()
            async with session.get(f"{server.url}/bytes/100") as response:
                assert len(await response.read()) == 100


async def test_an_error_of_status_comes_before_the_limit() -> None:
    async with answer(CONTENT, status="500 No", max_body_size=10) as response:
        with pytest.raises(ClientResponseError) as caught:
            response.raise_for_status()
    assert caught.value.status == 500


@pytest.mark.parametrize("limits", [{"session": {"max_line_size": 17}}, {"max_line_size": 17}], ids=["session", "request"])
async def test_a_status_line_over_the_limit_is_an_error(limits: dict[str, Any]) -> None:
    async with answer(b"x", "X-Long: " + "x" * 100, status="200 Fine", **limits) as response:
        assert response.reason == "Fine"
    with pytest.raises(ClientResponseError, match="The line is longer than 17 bytes"):
        async with answer(b"", status="200 Finer", **limits):
            pass


def test_the_older_forms_of_a_session_s_timeout() -> None:
    with pytest.warns(DeprecationWarning, match="read_timeout is deprecated"):
        session = ClientSession(read_timeout=7)
    assert session.timeout.total == 7
    assert session.timeout.sock_connect == 30
    with pytest.warns(DeprecationWarning, match="conn_timeout is deprecated"):
        assert ClientSession(conn_timeout=8).timeout.connect == 8
    with pytest.raises(ValueError, match="read_timeout and conn_timeout and timeout parameters conflict"):
        ClientSession(read_timeout=7, conn_timeout=8, timeout=9)


@both_ways
async def test_how_much_is_read_ahead(streamed: bool) -> None:
    async with answer(b"content", streamed=streamed, session={"read_bufsize": 2}) as response:
        assert response.content.get_read_buffer_limits() == (2, 4)
    async with answer(b"content", streamed=streamed, session={"read_bufsize": 2}, read_bufsize=4) as response:
        assert response.content.get_read_buffer_limits() == (4, 8)
        assert await response.read() == b"content"
