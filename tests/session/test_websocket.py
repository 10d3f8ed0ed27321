"""Messages both ways, on a WebSocket that is open."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from aiohttpx import (
    ClientSession,
    ClientWebSocketResponse,
    ClientWSTimeout,
    WSCloseCode,
    WSMessage,
    WSMessageTypeError,
    WSMsgType,
)

from .websocket_peer import Talk, WebSocketPeer, close_frame, frame, until

TEXT, BINARY, PING, PONG = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG


def now(coroutine: Any) -> Any:
    """What `coroutine` returns, if it returns without waiting for anything."""
    with pytest.raises(StopIteration) as returned:
        coroutine.send(None)
    return returned.value.value


@pytest.mark.every_loop
async def test_every_way_to_send_and_to_receive() -> None:
    async with WebSocketPeer() as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        await ws.send_str("Grüße")
        assert await ws.receive() == WSMessage(TEXT, "Grüße", "")
        await ws.send_str("")
        assert await ws.receive_str() == ""
        for data in (b"", b"\x00\xff", bytearray(b"ab"), memoryview(b"cd")):
            await ws.send_bytes(data)
            assert await ws.receive_bytes() == bytes(data)
        await ws.send_json({"a": [1, None]})
        assert await ws.receive_json() == {"a": [1, None]}
        await ws.send_json_bytes({"b": 2}, dumps=lambda data: json.dumps(data).encode())
        assert (await ws.receive()).json() == {"b": 2}
        await ws.send_frame(b"frame", BINARY)
        assert await ws.receive_bytes() == b"frame"
        assert not ws.closed
        assert ws.close_code is None
        assert ws.exception() is None
    assert ws.closed


@pytest.mark.every_loop
@pytest.mark.parametrize("size", [125, 126, 65535, 65536, 3_000_000])
async def test_messages_of_every_form_of_length(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    async with WebSocketPeer() as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        await ws.send_bytes(data)
        assert await ws.receive_bytes() == data
        await ws.send_str("x" * size)
        assert await ws.receive_str() == "x" * size


@pytest.mark.parametrize("cut", [None, 1, 2, 3, 7])
async def test_the_outcome_does_not_depend_on_how_the_bytes_come(cut: int | None) -> None:
    said = [
        frame(TEXT, "Grü", fin=False) + frame(PING, b"between") + frame(0, "ße"),
        frame(BINARY, b"\x00" * 200),
        frame(TEXT, ""),
        close_frame(4000, "done"),
    ]

    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(b"".join(said), cut)
        assert await talk.hear() == WSMessage(PONG, b"between", "")
        assert (await talk.hear()).data == 4000
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        received = [await ws.receive() for _ in range(5)]
    assert received == [
        WSMessage(TEXT, "Grüße", ""),
        WSMessage(BINARY, b"\x00" * 200, ""),
        WSMessage(TEXT, "", ""),
        WSMessage(WSMsgType.CLOSE, 4000, "done"),
        WSMessage(WSMsgType.CLOSED, None, None),
    ]


async def test_frames_that_come_with_the_head_are_heard() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open(early=frame(TEXT, "at once") + frame(TEXT, "and more")[:3])
        await asyncio.sleep(0.01)
        await talk.write(frame(TEXT, "and more")[3:] + close_frame())
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        assert [message.data async for message in ws] == ["at once", "and more"]


async def test_what_has_arrived_is_received_without_waiting() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(b"".join(frame(TEXT, str(n)) for n in range(100)))
        await talk.hear()

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        assert await ws.receive_str() == "0"
        assert [now(ws.receive()).data for _ in range(9)] == [str(n) for n in range(1, 10)]
        assert now(ws.receive_str()) == "10"
        assert now(ws.__anext__()).data == "11"
        assert now(ws.receive(timeout=5)).data == "12"
        now(ws.send_str("enough"))


async def test_each_message_is_one_masked_frame_and_no_mask_comes_twice() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        while (await talk.hear()).type != WSMsgType.CLOSE:
            pass
        await talk.write(close_frame())
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        for _ in range(500):
            await ws.send_str("same")
    heard = peer.talks[0].heard
    frames = [heard[at : at + 10] for at in range(0, 5000, 10)]
    assert {frame[:2] for frame in frames} == {b"\x81\x84"}
    assert len({frame[2:6] for frame in frames}) == 500
    assert {bytes(a ^ b for a, b in zip(frame[2:6], frame[6:], strict=True)) for frame in frames} == {b"same"}


async def test_text_as_bytes() -> None:
    async with WebSocketPeer() as peer, ClientSession() as session, session.ws_connect(peer.url, decode_text=False) as ws:
        await ws.send_str('{"a": 1}')
        message = await ws.receive()
        assert message.type is TEXT
        assert message.data == b'{"a": 1}'
        assert message.json() == {"a": 1}
        await ws.send_str("[2]")
        assert await ws.receive_json(loads=lambda data: json.loads(data.decode())) == [2]
        await ws.send_bytes(b"\xff")
        assert await ws.receive_bytes() == b"\xff"


async def test_what_cannot_be_sent() -> None:
    async with WebSocketPeer() as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        for wrong in (ws.send_str(b"a"), ws.send_bytes("a"), ws.send_json({1, 2})):  # type: ignore[arg-type]
            with pytest.raises(TypeError):
                await wrong
        for too_long in (ws.ping(bytes(126)), ws.pong(bytes(126)), ws.send_frame(bytes(126), PING)):
            with pytest.raises(ValueError, match="at most 125 bytes"):
                await too_long
        await ws.send_str("still open")
        assert await ws.receive_str() == "still open"


async def test_another_type_of_message_than_the_one_asked_for() -> None:
    async with WebSocketPeer() as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        await ws.send_bytes(b"b")
        with pytest.raises(WSMessageTypeError, match=r"Received message 2:b'b' is not WSMsgType\.TEXT"):
            await ws.receive_str()
        await ws.send_str("t")
        with pytest.raises(TypeError, match=r"Received message 1:'t' is not WSMsgType\.BINARY"):
            await ws.receive_bytes()


async def test_one_task_receives_at_a_time() -> None:
    async with WebSocketPeer() as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        receiving = asyncio.create_task(ws.receive_str())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match=r"Concurrent call to receive\(\) is not allowed"):
            await ws.receive()
        await ws.send_str("for the first")
        assert await receiving == "for the first"


async def test_a_timeout_or_a_cancellation_loses_nothing() -> None:
    async with (
        WebSocketPeer() as peer,
        ClientSession() as session,
        session.ws_connect(peer.url, timeout=ClientWSTimeout(ws_receive=0.01)) as ws,
    ):
        with pytest.raises(TimeoutError):
            await ws.receive()
        with pytest.raises(TimeoutError):
            await ws.receive_str(timeout=0.02)
        receiving = asyncio.create_task(ws.receive(timeout=10))
        await asyncio.sleep(0)
        receiving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await receiving
        assert not ws.closed
        await ws.send_str("still here")
        assert await ws.receive_str(timeout=10) == "still here"


async def test_pings_are_answered_though_nobody_reads() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.say(PING, b"1")
        assert await talk.hear() == WSMessage(PONG, b"1", "")
        await talk.say(PONG, b"unasked")
        await talk.say(TEXT, "not a ping")
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url)
        assert await ws.receive() == WSMessage(TEXT, "not a ping", "")
        assert peer.talks[0].heard.startswith(b"\x8a\x81")
    assert await ws.receive() == WSMessage(WSMsgType.CLOSED, None, None)


async def test_pings_and_pongs_by_hand() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.say(PING, b"theirs")
        assert await talk.hear() == WSMessage(PONG, b"by hand", "")
        assert await talk.hear() == WSMessage(PING, b"ours", "")
        await talk.say(PONG, b"ours")
        assert (await talk.hear()).type is WSMsgType.CLOSE
        await talk.write(close_frame())

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url, autoping=False) as ws:
        assert await ws.receive() == WSMessage(PING, b"theirs", "")
        await ws.pong(b"by hand")
        assert ws.latency is None
        await ws.ping(b"ours")
        assert await ws.receive() == WSMessage(PONG, b"ours", "")
        assert ws.latency is not None
        assert 0 < ws.latency < 10


async def test_attributes() -> None:
    class Own(ClientWebSocketResponse[Any]):
        pass

    async with WebSocketPeer() as peer, ClientSession(ws_response_class=Own) as session:
        async with session.ws_connect(peer.url) as ws:
            assert type(ws) is Own
            assert ws.protocol is None
            assert (ws.compress, ws.client_notakeover) == (0, False)
            assert f"{ws.get_extra_info('peername')[1]}" in peer.url
            assert ws.get_extra_info("nothing", 7) == 7
            assert repr(ws) == f"<Own {peer.url} open>"
            assert ws._response.status == 101
            # Consumers of aiohttp look here before they receive.
            assert len(ws._conn.protocol._payload._buffer) == 0
            await ws.send_str("a")
            await until(lambda: ws._conn.protocol._payload._buffer)
            await ws.receive()
        assert ws.get_extra_info("socket") is None
        assert ws.close_code is WSCloseCode.OK
        assert repr(ws) == f"<Own {peer.url} closed 1000>"
