"""WebSockets with servers that others have written."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from aiohttpx import ClientSession, ClientWebSocketResponse, WSCloseCode, WSMessage, WSMsgType

from .websocket_servers import PLAIN, SERVERS

pytestmark = [pytest.mark.parametrize("name", SERVERS), pytest.mark.filterwarnings("ignore::DeprecationWarning:(?!aiohttpx)")]

SIZES = (0, 1, 125, 126, 127, 65535, 65536, 2_000_000)


async def echo(ws: ClientWebSocketResponse[Any]) -> None:
    source = random.Random(7)
    for size in SIZES:
        data = source.randbytes(size // 2) + bytes(size - size // 2)
        await ws.send_bytes(data)
        assert await ws.receive_bytes() == data
        text = "aü€𝄞" * (size // 10)
        await ws.send_str(text)
        assert await ws.receive_str() == text
    for n in range(200):
        await ws.send_json({"n": n})
    assert [(await ws.receive_json())["n"] for _ in range(200)] == list(range(200))


@pytest.mark.every_loop
async def test_echo(name: str) -> None:
    async with SERVERS[name]() as url, ClientSession() as session:
        async with session.ws_connect(url, max_msg_size=2**24) as ws:
            assert ws.compress == 0
            await echo(ws)
        assert ws.close_code is WSCloseCode.OK
        assert ws.exception() is None


@pytest.mark.parametrize("compress", [9, 15])
async def test_compressed_echo(name: str, compress: int) -> None:
    async with SERVERS[name]() as url, ClientSession() as session:
        async with session.ws_connect(url, max_msg_size=2**24, compress=compress) as ws:
            assert bool(ws.compress) is (name not in PLAIN)
            await echo(ws)
        assert ws.close_code is WSCloseCode.OK


async def test_pings_both_ways_and_a_heartbeat(name: str) -> None:
    async with SERVERS[name]() as url, ClientSession() as session, session.ws_connect(url, heartbeat=0.02) as ws:
        await ws.send_str("ping")
        assert await ws.receive_str() == "ponged"
        await asyncio.sleep(0.1)
        assert not ws.closed
        assert ws.latency is not None
        assert ws.latency < 5


async def test_the_server_closes(name: str) -> None:
    async with SERVERS[name]() as url, ClientSession() as session, session.ws_connect(url) as ws:
        await ws.send_str("close")
        assert await ws.receive() == WSMessage(WSMsgType.CLOSE, 4001, "so long")
        assert ws.closed
        assert ws.close_code == 4001


async def test_the_server_goes(name: str) -> None:
    async with SERVERS[name]() as url, ClientSession() as session, session.ws_connect(url) as ws:
        await ws.send_str("abort")
        assert (await ws.receive()).type is WSMsgType.CLOSED
        assert ws.close_code is WSCloseCode.ABNORMAL_CLOSURE


async def test_a_subprotocol(name: str) -> None:
    async with SERVERS[name]() as url, ClientSession() as session, session.ws_connect(url, protocols=["other", "chat"]) as ws:
        assert ws.protocol == "chat"
        assert await ws.close(code=3333, message="end")
        assert ws.close_code == 3333 if name != "aiohttp" else ws.close_code in (1000, 3333)
