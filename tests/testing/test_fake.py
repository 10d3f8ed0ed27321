from __future__ import annotations

import asyncio
import gzip
import io
from collections.abc import AsyncIterator

import pytest

from aiohttpx import ClientConnectorError, ClientPayloadError, ClientSession, ServerTimeoutError
from aiohttpx.errors import BodyTooLarge
from aiohttpx.testing import FakeConnector, Request, Response, echo, payload


def asked(request: Request) -> Response:
    return Response.text(f"{request.method} {request.url} {request.text()}")


@pytest.mark.every_loop
async def test_a_handler_answers_for_every_host() -> None:
    async with ClientSession(connector=FakeConnector(asked)) as session:
        async with session.post("https://example.org/a%2Fb?c=d", data="body") as response:
            assert await response.text() == "POST https://example.org/a%2Fb?c=d body"
            assert response.connection_info is not None
            assert response.connection_info.peer == ("example.org", 443)
        async with session.get("http://[::1]:8080/") as response:
            assert await response.text() == "GET http://[::1]:8080/ "


async def test_connections_are_used_again_if_that_is_wanted() -> None:
    async with ClientSession(connector=FakeConnector(echo, force_close=False)) as session:
        for reused in (False, True):
            async with session.get("http://example.org/") as response:
                assert response.status == 200
                assert response.connection_info is not None
                assert response.connection_info.reused is reused


async def test_the_engine_decompresses_and_limits() -> None:
    def handler(request: Request) -> Response:
        return Response(200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(100_000)))

    async with ClientSession(connector=FakeConnector(handler)) as session:
        async with session.get("http://example.org/") as response:
            assert await response.read() == bytes(100_000)
        with pytest.raises(BodyTooLarge):
            async with session.get("http://example.org/", max_body_size=1000) as response:
                await response.read()


@pytest.mark.every_loop
async def test_large_bodies_stream_both_ways() -> None:
    content = payload(3_000_000)

    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 100_000):
            yield content[start : start + 100_000]

    def handler(request: Request) -> Response:
        assert request.body == content
        return Response(200, [], body(), length=len(content) if request.query else None)

    async with ClientSession(connector=FakeConnector(handler)) as session:
        for query in ("", "?length"):
            async with session.put(f"http://example.org/{query}", data=body()) as response:
                assert await response.read() == content
        async with session.put("http://example.org/", data=io.BytesIO(content)) as response:
            pieces = []
            async for piece in response.content.iter_chunked(50_000):
                await asyncio.sleep(0)
                pieces.append(piece)
            assert b"".join(pieces) == content


async def test_what_a_handler_raises_the_request_raises() -> None:
    def handler(request: Request) -> Response:
        raise {"/key": KeyError("no"), "/os": ConnectionRefusedError(111, "refused")}[request.path]

    async with ClientSession(connector=FakeConnector(handler)) as session:
        with pytest.raises(KeyError):
            await session.get("http://example.org/key")
        with pytest.raises(ClientConnectorError, match=r"example\.org:80"):
            await session.get("http://example.org/os")


async def test_a_body_that_fails_is_cut_short() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"some"
        raise ValueError

    answers = {"/raises": Response(200, [], body()), "/short": Response(200, [], b"some", length=5)}
    async with ClientSession(connector=FakeConnector(lambda request: answers[request.path])) as session:
        for path in answers:
            async with session.get(f"http://example.org{path}") as response:
                assert await response.content.readany() == b"some"
                with pytest.raises(ClientPayloadError):
                    await response.read()


async def test_the_length_of_a_body_that_is_not_sent_can_be_told() -> None:
    async with (
        ClientSession(connector=FakeConnector(lambda request: Response(200, [], b"", length=12345))) as session,
        session.head("http://example.org/") as response,
    ):
        assert response.content_length == 12345


async def test_limits_in_time_hold_and_nothing_stays_behind() -> None:
    ended = asyncio.Event()

    async def handler(request: Request) -> Response:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return Response()

    connector = FakeConnector(handler)
    async with ClientSession(connector=connector) as session:
        with pytest.raises(ServerTimeoutError):
            await session.get("http://example.org/", timeout=0.01)
        await ended.wait()
        ended.clear()
        task = asyncio.create_task(_get(session))
        await asyncio.sleep(0.01)
        await connector.close()
        assert ended.is_set()
        with pytest.raises(Exception, match="closed"):
            await task


async def _get(session: ClientSession) -> None:
    await session.get("http://example.org/")
