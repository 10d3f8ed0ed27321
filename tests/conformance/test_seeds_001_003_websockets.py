"""Seeds 001 and 003, "WebSockets": the example as it stands, with a URL that exists."""

from __future__ import annotations

import asyncio

import pytest

import aiohttpx as aiohttp
from aiohttpx import ClientWebSocketResponse, WSMsgType

from ..session.websocket_peer import Serve, Talk, WebSocketPeer, close_frame, frame

TEXT = WSMsgType.TEXT


async def close_cmd(talk: Talk) -> None:
    await talk.open()
    await talk.write(frame(TEXT, "a") + frame(WSMsgType.BINARY, b"ignored") + frame(TEXT, "b"))
    assert [(await talk.hear()).data for _ in range(2)] == ["a/answer", "b/answer"]
    await talk.say(TEXT, "close cmd")
    assert (await talk.hear()).data == 1000
    await talk.write(close_frame())
    await talk.hear_end()


async def error(talk: Talk) -> None:
    await talk.open()
    await talk.say(TEXT, b"\xff")
    assert (await talk.hear()).data == 1007
    await talk.hear_end()


async def closed_by_the_server(talk: Talk) -> None:
    await talk.open()
    await talk.write(close_frame())
    assert (await talk.hear()).data == 1000
    await talk.hear_end()


@pytest.mark.parametrize("serve", [close_cmd, error, closed_by_the_server])
async def test_the_loop_of_messages(serve: Serve) -> None:
    async with WebSocketPeer(serve) as peer, aiohttp.ClientSession() as session:
        url = peer.url.replace("ws://", "http://")

        async with session.ws_connect(url) as ws:
            async for msg in ws:
                if msg.type == aiohttp.WSMsgType.TEXT:
                    if msg.data == "close cmd":
                        await ws.close()
                        break
                    else:
                        await ws.send_str(msg.data + "/answer")
                elif msg.type == aiohttp.WSMsgType.ERROR:
                    break

        assert isinstance(ws, ClientWebSocketResponse)
        assert ws.closed


async def test_one_task_reads_and_many_write() -> None:
    heard = []

    async def serve(talk: Talk) -> None:
        await talk.open()
        for _ in range(50):
            heard.append((await talk.hear()).data)
        await talk.write(frame(TEXT, "all") + close_frame())
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, aiohttp.ClientSession() as session, session.ws_connect(peer.url) as ws:

        async def write(n: int) -> None:
            for _ in range(10):
                await ws.send_str(f"data {n}")
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as writers:
            for n in range(5):
                writers.create_task(write(n))
            assert [msg.data async for msg in ws] == ["all"]
    assert sorted(heard) == sorted([f"data {n}" for n in range(5)] * 10)
