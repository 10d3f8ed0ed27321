"""How a WebSocket ends: from either side, in every state, and when the peer breaks the protocol."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from aiohttpx import (
    ClientConnectionResetError,
    ClientOSError,
    ClientSession,
    ClientWebSocketResponse,
    ClientWSTimeout,
    ServerDisconnectedError,
    TCPConnector,
    WebSocketError,
    WSCloseCode,
    WSMessage,
    WSMsgType,
)

from .websocket_peer import Talk, WebSocketPeer, close_frame, frame, say_nothing, until

TEXT, CLOSE, CLOSING, CLOSED, ERROR = (
    *(WSMsgType.TEXT, WSMsgType.CLOSE, WSMsgType.CLOSING),
    *(WSMsgType.CLOSED, WSMsgType.ERROR),
)
SAID_CLOSED = WSMessage(CLOSED, None, None)


@pytest.mark.every_loop
async def test_closed_from_here() -> None:
    heard: list[WSMessage] = []

    async def serve(talk: Talk) -> None:
        await talk.open()
        heard.append(await talk.hear())
        await talk.write(frame(TEXT, "never received") + close_frame(4001))
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url)
        assert await ws.close(code=4000, message=b"bye") is True
        assert heard == [WSMessage(CLOSE, 4000, "bye")]
        assert ws.closed
        assert ws.close_code == 4001
        assert ws.exception() is None
        assert await ws.close() is False
        assert [await ws.receive(), await ws.receive()] == [SAID_CLOSED] * 2
        for sending in (ws.send_str(""), ws.send_bytes(b""), ws.ping(), ws.pong(), ws.send_json({})):
            with pytest.raises(ClientConnectionResetError, match="Cannot write to closing transport"):
                await sending


@pytest.mark.every_loop
@pytest.mark.parametrize("code", [1000, 1001, 1011, 3000, 4999, 0])
async def test_closed_by_the_peer(code: int) -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(frame(TEXT, "last") + (close_frame(code, "why") if code else frame(CLOSE)))
        assert await talk.hear() == WSMessage(CLOSE, code, "")  # its own code comes back to it
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        assert (await ws.receive()).data == "last"
        assert await ws.receive() == WSMessage(CLOSE, code, "why" if code else "")
        assert ws.closed
        assert ws.close_code == code
        assert isinstance(ws.close_code, WSCloseCode) is (code in (1000, 1001, 1011))
        assert await ws.receive() == SAID_CLOSED
        assert await ws.close() is False


async def test_the_peers_close_frame_before_it_was_received() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(frame(TEXT, "unread") + close_frame(1001))
        assert (await talk.hear()).data == 1001
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url)
        await until(lambda: len(ws._messages) == 2)
        assert not ws.closed
        assert await ws.close()
        assert ws.close_code == 1001


async def test_autoclose_can_be_left_to_the_caller() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(close_frame(4444, "x"))
        assert (await talk.hear()).data == "goodbye"
        assert (await talk.hear()).data == 4444
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, autoclose=False)
        assert (await ws.receive()).type is CLOSE
        assert not ws.closed
        assert ws.close_code == 4444
        await ws.send_str("goodbye")
        assert await ws.receive() == SAID_CLOSED  # to receive once more is to close
        assert ws.closed


async def test_a_subclass_decides_how_to_close() -> None:
    class Own(ClientWebSocketResponse[Any]):
        async def close(self, *, code: int = 4009, message: str | bytes = b"") -> bool:
            return await super().close(code=code, message=message)

    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(close_frame(1001))
        assert (await talk.hear()).data == 4009
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession(ws_response_class=Own) as session, session.ws_connect(peer.url) as ws:
        assert (await ws.receive()).type is CLOSE
        assert ws.closed


async def test_closing_while_another_task_receives() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.hear()
        await talk.write(close_frame())
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url)
        receiving = asyncio.create_task(ws.receive())
        await asyncio.sleep(0)
        assert await ws.close()
        assert await receiving == WSMessage(CLOSING, None, None)
        assert await ws.receive() == SAID_CLOSED


async def test_many_tasks_close_at_once() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        assert (await talk.hear()).type is CLOSE
        await talk.write(close_frame())
        await talk.hear_end()
        assert len(talk.heard) == 2 + 4 + 2  # one frame

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url)
        receiving = asyncio.create_task(ws.receive())
        await asyncio.sleep(0)
        assert sorted(await asyncio.gather(*(ws.close() for _ in range(5)))) == [False] * 4 + [True]
        assert (await receiving).type in (CLOSING, CLOSED)


@pytest.mark.parametrize(
    ("code", "message"), [(1005, b""), (1006, b""), (1015, b""), (999, b""), (5000, b""), (1000, b"x" * 124)]
)
async def test_a_close_that_cannot_be_sent_changes_nothing(code: int, message: bytes) -> None:
    async with WebSocketPeer() as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        with pytest.raises(ValueError, match="close"):
            await ws.close(code=code, message=message)
        await ws.send_str("still open")
        assert await ws.receive_str() == "still open"


async def test_a_peer_that_never_answers() -> None:
    async with WebSocketPeer(say_nothing) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, timeout=ClientWSTimeout(ws_close=0.02))
        assert await ws.close()
        assert ws.close_code is WSCloseCode.ABNORMAL_CLOSURE
        assert isinstance(ws.exception(), TimeoutError)


async def test_a_flood_does_not_prolong_the_close() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        try:
            while True:
                await talk.write(frame(TEXT, "x" * 1000) * 50)
        except ConnectionError:
            pass

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, timeout=ClientWSTimeout(ws_close=0.1))
        await ws.receive()
        await ws.close()
        assert isinstance(ws.exception(), TimeoutError)
        assert not ws._messages


async def test_the_close_is_cancelled() -> None:
    async with WebSocketPeer(say_nothing) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url)
        closing = asyncio.create_task(ws.close())
        await asyncio.sleep(0.01)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert ws.closed
        assert ws.exception() is None
        assert ws.close_code is WSCloseCode.ABNORMAL_CLOSURE


async def test_a_peer_that_reads_nothing_cannot_keep_the_connection() -> None:
    release = asyncio.Event()

    async def serve(talk: Talk) -> None:
        await talk.open()
        talk._writer.transport.pause_reading()  # type: ignore[attr-defined]
        await talk.write(close_frame())
        await release.wait()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, timeout=ClientWSTimeout(ws_close=0.05))
        sending = [asyncio.create_task(ws.send_bytes(bytes(5_000_000))) for _ in range(2)]
        assert (await ws.receive()).type is CLOSE
        conn = ws._conn
        await until(lambda: conn.protocol is None)
        assert all(
            isinstance(result, ClientConnectionResetError) for result in await asyncio.gather(*sending, return_exceptions=True)
        )
        release.set()


@pytest.mark.every_loop
@pytest.mark.parametrize("how", [Talk.close, Talk.reset])
@pytest.mark.parametrize(
    "said", [b"", b"\x81", b"\x81\x05hel", frame(TEXT, "a", fin=False)], ids=["", "head", "payload", "message"]
)
async def test_the_connection_ends_without_a_close_frame(how: Callable[[Talk], None], said: bytes) -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.say(TEXT, "whole")
        await talk.hear()
        await talk.write(said)
        how(talk)

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        assert await ws.receive_str() == "whole"
        await ws.send_str("go on")
        assert await ws.receive() == SAID_CLOSED
        assert ws.closed
        assert ws.close_code is WSCloseCode.ABNORMAL_CLOSURE
        assert isinstance(ws.exception(), (ServerDisconnectedError, ClientOSError))
        with pytest.raises(ClientConnectionResetError):
            await ws.send_str("nobody hears")
    assert await ws.close() is False


async def test_what_came_before_the_end_is_received_after_it() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(frame(TEXT, "1") + frame(TEXT, "2") + close_frame())
        talk.close()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url)
        await until(lambda: ws._reader.ended)
        assert not ws.closed
        received = [await ws.receive() for _ in range(4)]
        assert [message.data for message in received] == ["1", "2", 1000, None]
        assert ws.close_code is WSCloseCode.OK


async def test_nobody_reads_and_the_peer_goes() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url)
        await until(lambda: ws.closed)
        assert ws.close_code is WSCloseCode.ABNORMAL_CLOSURE
        assert isinstance(ws.exception(), ServerDisconnectedError)
        assert await ws.close() is True
        assert ws.close_code is WSCloseCode.ABNORMAL_CLOSURE


VIOLATIONS = {
    "reserved bits": (b"\x91\x01a", 1002, "reserved bits"),
    "no extension": (b"\xc1\x01a", 1002, "reserved bits"),
    "opcode": (b"\x83\x01a", 1002, "opcode"),
    "masked": (b"\x81\x81abcda", 1002, "masked"),
    "continuation": (b"\x80\x01a", 1002, "continu"),
    "long control": (b"\x89\x7e\x00\x7e", 1002, "control"),
    "fragmented control": (b"\x09\x00", 1002, "control"),
    "text": (frame(TEXT, b"\xff"), 1007, "UTF-8"),
    "text, in time": (frame(TEXT, b"\xc0\x80", fin=False), 1007, "UTF-8"),
    "reason": (frame(CLOSE, b"\x03\xe8\xff"), 1007, "UTF-8"),
    "close code": (frame(CLOSE, b"\x03\xed"), 1002, "1005"),
    "half a code": (frame(CLOSE, b"\x03"), 1002, "half"),
    "announced size": (b"\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x00", 1009, "limit"),
    "sum of fragments": (frame(2, bytes(600), fin=False) + frame(0, bytes(600)), 1009, "limit"),
}


@pytest.mark.every_loop
@pytest.mark.parametrize(("said", "code", "text"), VIOLATIONS.values(), ids=VIOLATIONS)
async def test_a_violation(said: bytes, code: int, text: str) -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(frame(TEXT, "fine") + said + frame(TEXT, "never heard"))
        assert await talk.hear() == WSMessage(CLOSE, code, "")
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url, max_msg_size=1000) as ws:
        assert await ws.receive_str() == "fine"
        message = await ws.receive()
        assert message.type is ERROR
        assert type(message.data) is WebSocketError
        assert message.data.code == code
        assert text in str(message.data)
        assert message.extra is None
        assert ws.close_code == code
        assert await ws.receive() == SAID_CLOSED
        assert ws.closed
        assert ws.close_code == code
        assert ws.exception() is None


async def test_what_came_before_a_violation_can_be_answered() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(frame(TEXT, "first") + frame(TEXT, "second") + b"\xff")
        assert [(await talk.hear()).data for _ in range(3)] == ["first", "second", 1002]
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        messages = []
        async for message in ws:
            messages.append(message)
            if message.type is TEXT:
                await ws.send_str(message.data)
        assert [message.type for message in messages] == [TEXT, TEXT, ERROR]


async def test_a_violation_is_told_when_what_came_before_is_not_taken() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(frame(TEXT, "first") + b"\xff")
        assert (await talk.hear()).data == 1002
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url)
        await until(lambda: len(ws._reader.messages) == 2)
        await ws.close()
        assert ws.close_code == 1002


async def test_a_violation_ends_the_connection_though_nobody_reads() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(b"\xff" * 100)
        assert (await talk.hear()).data == 1002
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url)
        await until(lambda: ws._conn.protocol is None)
        assert [message.type async for message in ws] == [ERROR]
        assert ws.closed


@pytest.mark.every_loop
async def test_the_session_is_closed_while_someone_reads() -> None:
    async with WebSocketPeer(say_nothing) as peer:
        session = ClientSession()
        sockets = [await session.ws_connect(peer.url, heartbeat=20) for _ in range(3)]
        receiving = [asyncio.create_task(ws.receive()) for ws in sockets]
        await asyncio.sleep(0)
        await session.close()
        assert [await task for task in receiving] == [SAID_CLOSED] * 3
        assert {ws.close_code for ws in sockets} == {WSCloseCode.ABNORMAL_CLOSURE}


async def test_a_socket_nobody_keeps_is_ended_with_a_warning() -> None:
    async with WebSocketPeer(say_nothing) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, heartbeat=20)
        text = r"Unclosed WebSocket <ClientWebSocketResponse ws://127\.0\.0\.1:\d+/ open>"
        with pytest.warns(ResourceWarning, match=text):  # noqa: PT031
            del ws
            gc.collect()
        # its peer sees the end, or it would still talk


async def receive(ws: ClientWebSocketResponse[Any]) -> None:
    await ws.receive()


async def send_much(ws: ClientWebSocketResponse[Any]) -> None:
    while True:
        await ws.send_bytes(bytes(1_000_000))


@pytest.mark.parametrize("act", [receive, send_much, ClientWebSocketResponse.close])
async def test_a_cancelled_task_leaves_nothing_behind(act: Callable[[Any], Awaitable[object]]) -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        talk._writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(0.05)
        talk._writer.transport.resume_reading()  # type: ignore[attr-defined]
        await talk.hear_end()

    connector = TCPConnector(limit=1)
    async with WebSocketPeer(serve) as peer, ClientSession(connector=connector) as session:
        for _ in range(3):  # each needs the only slot
            ws = await session.ws_connect(peer.url, timeout=ClientWSTimeout(ws_close=0.01))
            task = asyncio.ensure_future(act(ws))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await ws.close()
            assert ws.closed


async def test_the_handshake_is_cancelled() -> None:
    asked = asyncio.Event()

    async def serve(talk: Talk) -> None:
        await talk._reader.readuntil(b"\r\n\r\n")
        asked.set()
        await talk.hear_end()

    connector = TCPConnector(limit=1)
    async with WebSocketPeer(serve) as peer, ClientSession(connector=connector) as session:
        for _ in range(3):
            asked.clear()
            opening = asyncio.ensure_future(session.ws_connect(peer.url))
            await asked.wait()
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
