"""Heartbeats: with a reader and without one."""

from __future__ import annotations

import asyncio

import pytest

from aiohttpx import ClientSession, ServerTimeoutError, WSCloseCode, WSMsgType

from .websocket_peer import Talk, WebSocketPeer, echo, frame, say_nothing, until

TEXT, PING, PONG = WSMsgType.TEXT, WSMsgType.PING, WSMsgType.PONG


async def answer(talk: Talk) -> None:
    """Answer three pings, then say so."""
    await talk.open()
    for _ in range(3):
        message = await talk.hear()
        assert message.type is PING
        await talk.say(PONG, message.data)
    await talk.say(TEXT, "three")
    await talk.hear_end()


@pytest.mark.every_loop
async def test_a_silent_peer_is_given_up_though_nobody_reads() -> None:
    async with WebSocketPeer(say_nothing) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, heartbeat=0.02)
        await until(lambda: ws.closed)
        assert ws.close_code is WSCloseCode.ABNORMAL_CLOSURE
        assert isinstance(ws.exception(), ServerTimeoutError)
        assert (await ws.receive()).type is WSMsgType.CLOSED
    assert peer.talks[0].heard[0:2] == b"\x89\x80"


@pytest.mark.every_loop
async def test_a_silent_peer_is_given_up_and_the_reader_is_told() -> None:
    async with WebSocketPeer(say_nothing) as peer, ClientSession() as session, session.ws_connect(peer.url, heartbeat=0.02) as ws:
        message = await ws.receive()
        assert message.type is WSMsgType.ERROR
        assert isinstance(message.data, ServerTimeoutError)
        assert str(message.data) == "No PONG received after 0.01 seconds"
        assert ws.close_code is WSCloseCode.ABNORMAL_CLOSURE
        assert (await ws.receive()).type is WSMsgType.CLOSED


async def test_answered_pings_keep_it_open_and_measure() -> None:
    async with WebSocketPeer(answer) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, heartbeat=0.05)
        assert ws.latency is None
        assert (await ws.receive()).data == "three"
        assert ws.latency is not None
        assert 0 < ws.latency < 5


async def test_whatever_comes_is_a_sign_of_life() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        for byte in frame(TEXT, "x" * 50):
            await talk.write(bytes([byte]))
            await asyncio.sleep(0.005)
        assert not talk.heard
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, heartbeat=0.2)
        assert await ws.receive_str() == "x" * 50
        await session.close()


async def test_a_peer_is_not_given_up_because_nothing_is_taken() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(frame(TEXT, "x" * 1000) * 10_000)
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, heartbeat=0.05)
        await until(lambda: ws._reader.paused)
        await asyncio.sleep(0.2)
        assert not ws.closed
        for _ in range(10_000):
            assert len(await ws.receive_str()) == 1000
        await session.close()


async def test_a_ping_that_cannot_be_sent() -> None:
    async with WebSocketPeer(say_nothing) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, heartbeat=0.01)

        async def broken(*args: object) -> None:
            raise OSError("no route")

        ws._writer.send_frame = broken  # type: ignore[method-assign]
        message = await ws.receive()
        assert message.type is WSMsgType.ERROR
        assert str(message.data) == "no route"
        assert ws.closed


async def test_closing_ends_the_heartbeat() -> None:
    async with WebSocketPeer(echo) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, heartbeat=0.02)
        await ws.close()
        await asyncio.sleep(0.05)
        assert ws.close_code is WSCloseCode.OK
        assert b"\x89" not in peer.talks[0].heard[:1]
