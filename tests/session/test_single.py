"""session/single.py: one request, without a session of the caller's."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Generator
from typing import Any

import pytest

import aiohttpx
from aiohttpx import ClientConnectorError, ClientPayloadError, ClientResponse, TCPConnector
from aiohttpx.testing import ExpectRequest, HalfClose, LoopbackServer, Reset, Script, ScriptedPeer, StallForever, payload

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


async def awaited(url: str, **kwargs: Any) -> str:
    response = await aiohttpx.request("GET", url, **kwargs)
    return await response.text()


async def entered(url: str, **kwargs: Any) -> str:
    async with aiohttpx.request("GET", url, **kwargs) as response:
        return await response.text()


async def yielded_from(url: str, **kwargs: Any) -> str:
    @types.coroutine
    def old() -> Generator[Any, Any, str]:
        response: ClientResponse = yield from aiohttpx.request("GET", url, **kwargs)
        text: str = yield from response.text().__await__()
        return text

    return await old()


async def in_a_task(url: str, **kwargs: Any) -> str:
    response = await asyncio.create_task(aiohttpx.request("GET", url, **kwargs))
    return await response.text()


async def waited_for(url: str, **kwargs: Any) -> str:
    response = await asyncio.wait_for(aiohttpx.request("GET", url, **kwargs), 10)
    return await response.text()


async def gathered(url: str, **kwargs: Any) -> str:
    (response,) = await asyncio.gather(aiohttpx.request("GET", url, **kwargs))
    return await response.text()


FORMS = [awaited, entered, yielded_from, in_a_task, waited_for, gathered]
SCRIPTS: dict[str, Script] = {"at once": OK, "later": [ExpectRequest(), OK[:-2], b"ok", StallForever()]}


@pytest.mark.every_loop
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("form", FORMS)
async def test_its_forms(form: Any, script: Script) -> None:
    async with ScriptedPeer(script) as peer, asyncio.timeout(10):
        assert await form(peer.url) == "ok"
        assert b"\r\nConnection: close\r\n" in peer.received
        await peer.connections[0].wait_closed()


@pytest.mark.every_loop
@pytest.mark.parametrize("form", FORMS)
async def test_a_connector_of_the_callers_stays_open(form: Any) -> None:
    async with ScriptedPeer(OK) as peer, TCPConnector() as connector, asyncio.timeout(10):
        for _ in range(3):
            assert await form(peer.url, connector=connector) == "ok"
        assert not connector.closed
        assert len(peer.connections) == 1


@pytest.mark.parametrize("ending", ["read", "release", "close", "leave"])
async def test_what_ends_the_awaited_form(ending: str) -> None:
    async with LoopbackServer() as server, asyncio.timeout(10):
        response = await aiohttpx.request("GET", f"{server.url}/bytes/1000000")
        assert response.connection is not None
        connector: Any = response.connection.connector  # type: ignore[attr-defined]
        if ending == "read":
            assert await response.read() == payload(1_000_000)
        elif ending == "leave":
            async with response:
                pass
        else:
            getattr(response, ending)()
        assert response.connection is None
        assert connector.closed


async def test_many_at_once() -> None:
    async with LoopbackServer() as server, asyncio.timeout(20):
        bodies = await asyncio.gather(*(awaited(f"{server.url}/anything/{number}") for number in range(50)))
        assert all(f'"/anything/{number}"' in body for number, body in enumerate(bodies))


@pytest.mark.parametrize("form", FORMS)
async def test_a_request_that_fails(form: Any) -> None:
    with pytest.raises(ClientConnectorError):
        await form("http://127.0.0.1:9")
    with pytest.raises(aiohttpx.InvalidURL):
        await form("ftp://example.org")
    with pytest.raises(TypeError):
        await form("http://127.0.0.1:9", nonsense=1)


@pytest.mark.parametrize("ending", [HalfClose(), Reset()], ids=["FIN", "RST"])
@pytest.mark.parametrize("form", [awaited, entered, yielded_from])
async def test_a_body_that_is_cut_short(form: Any, ending: Any) -> None:
    """However early it is cut, the hidden session ends."""
    async with ScriptedPeer([ExpectRequest(), HEAD + b"he", ending]) as peer, asyncio.timeout(10):
        with pytest.raises(ClientPayloadError):
            await form(peer.url)


@pytest.mark.every_loop
@pytest.mark.parametrize("started", [False, True])
async def test_a_task_that_is_cancelled(started: bool) -> None:
    async with ScriptedPeer([StallForever()]) as peer, asyncio.timeout(10):
        task = asyncio.create_task(aiohttpx.request("GET", peer.url))
        if started:
            while not peer.received:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        if started:
            await peer.connections[0].wait_closed()


async def test_a_timeout_of_the_callers() -> None:
    async with ScriptedPeer([StallForever()]) as peer, asyncio.timeout(10):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(aiohttpx.request("GET", peer.url), 0.05)
        with pytest.raises(aiohttpx.ServerTimeoutError):
            await aiohttpx.request("GET", peer.url, timeout=0.2)


def test_it_can_be_made_without_a_loop() -> None:
    async def use() -> None:
        async with ScriptedPeer(OK) as peer:
            request = await asyncio.to_thread(aiohttpx.request, "GET", peer.url)
            async with request as response:
                assert await response.text() == "ok"

    asyncio.run(use())
