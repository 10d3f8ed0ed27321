"""Seed 003, "Timeouts": the examples, the fields, the default and the ceiling."""

from __future__ import annotations

import asyncio
import math
from dataclasses import asdict

import pytest

import aiohttpx as aiohttp
from aiohttpx.testing import ExpectRequest, LoopbackServer, ScriptedPeer, StallForever


async def test_overridden_for_the_session_and_for_a_request() -> None:
    async with LoopbackServer() as server:
        url = f"{server.url}/delay/5"

        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            assert session.timeout == timeout

            timeout = aiohttp.ClientTimeout(total=0.05)
            with pytest.raises(TimeoutError):
                async with session.get(url, timeout=timeout):
                    pass


def test_the_default() -> None:
    session = aiohttp.ClientSession()
    # The total is five minutes; that of connecting, which leaves time for another address, is 30 seconds.
    given = {name: value for name, value in asdict(session.timeout).items() if value is not None}
    assert given == {"total": 5 * 60, "sock_connect": 30, "ceil_threshold": 5}


@pytest.mark.parametrize(
    ("field", "error"),
    [("total", aiohttp.ServerTimeoutError), ("sock_read", aiohttp.SocketTimeoutError)],
)
async def test_limits_of_reading(field: str, error: type[Exception]) -> None:
    async with ScriptedPeer([ExpectRequest(), StallForever()]) as peer, aiohttp.ClientSession() as session:
        with pytest.raises(error, match=field):
            await session.get(peer.url, timeout=aiohttp.ClientTimeout(**{field: 0.05}))


async def test_connect_is_for_a_free_connection_too() -> None:
    script = [ExpectRequest(), b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", StallForever()]
    connector = aiohttp.TCPConnector(limit=1)
    async with ScriptedPeer(script) as peer, aiohttp.ClientSession(connector=connector) as session, session.get(peer.url):
        with pytest.raises(aiohttp.ConnectionTimeoutError, match=r"^Connection timeout .*connect, 0\.05 s, in pool"):
            await session.get(peer.url, timeout=aiohttp.ClientTimeout(connect=0.05))


async def test_sock_connect_is_not_for_a_connection_from_the_pool() -> None:
    timeout = aiohttp.ClientTimeout(sock_connect=0.1)
    connector = aiohttp.TCPConnector(limit=1)
    async with LoopbackServer() as server, aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        responses = await asyncio.gather(*(session.get(f"{server.url}/delay/0.2") for _ in range(2)))
        assert [response.status for response in responses] == [200, 200]
        assert server.connections == 1


@pytest.mark.parametrize("nothing", [None, 0])
async def test_none_and_zero_disable_a_check(nothing: float | None) -> None:
    timeout = aiohttp.ClientTimeout(total=nothing, connect=nothing, sock_connect=nothing, sock_read=nothing)
    async with LoopbackServer() as server, aiohttp.ClientSession(timeout=timeout) as session:
        response = await session.get(f"{server.url}/delay/0.05")
        assert response.status == 200


@pytest.mark.parametrize(("seconds", "threshold", "ceiled"), [(5, 5, True), (4.2, 5, False), (4.2, 4, True), (70.5, 5, True)])
async def test_from_the_threshold_on_they_end_on_a_whole_second(seconds: float, threshold: float, ceiled: bool) -> None:
    loop = asyncio.get_running_loop()
    async with ScriptedPeer([ExpectRequest(), StallForever()]) as peer, aiohttp.ClientSession() as session:
        timeout = aiohttp.ClientTimeout(total=seconds, ceil_threshold=threshold)
        before = loop.time()
        asked = asyncio.ensure_future(session.get(peer.url, timeout=timeout))
        async with asyncio.timeout(20):
            while not peer.received:  # noqa: ASYNC110
                await asyncio.sleep(0)
        times = [timer.when() for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        [when] = [when for when in times if before + seconds <= when <= loop.time() + seconds + 1]
        assert (when == math.ceil(when)) == ceiled
        asked.cancel()
        await asyncio.wait([asked])
