"""More than is taken, both ways: nothing grows without bound, and nothing is lost. And the same with compression."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

import pytest

from aiohttpx import ClientSession, WebSocketError, WSMessage, WSMsgType
from aiohttpx.net.websocket import MESSAGES_AHEAD, READ_AHEAD
from aiohttpx.wire.deflate import Deflater, Inflater

from .websocket_peer import Talk, WebSocketPeer, close_frame, frame, until

TEXT, BINARY, PING, PONG, CLOSE = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG, WSMsgType.CLOSE

DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


@pytest.mark.every_loop
@pytest.mark.parametrize(("size", "count"), [(0, 100_000), (100, 30_000), (10_000, 1_000), (1_000_000, 10)])
async def test_messages_that_nobody_takes_wait_at_the_peer(size: int, count: int) -> None:
    sent = 0

    async def serve(talk: Talk) -> None:
        nonlocal sent
        await talk.open()
        block = 1 + 100_000 // (size + 10)
        while sent < count:
            await talk.write(frame(BINARY, bytes(size)) * min(block, count - sent))
            sent += block
        await talk.write(close_frame())
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        await until(lambda: ws._reader.paused)
        await asyncio.sleep(0.01)
        waiting = len(ws._messages)
        # one read may bring this much more than is allowed
        assert waiting <= MESSAGES_AHEAD + 2**18 // (size + 2) + 1
        assert waiting * size <= READ_AHEAD + 2**18 + size
        received = [len(message.data) async for message in ws]
    assert received == [size] * count


@pytest.mark.every_loop
async def test_many_tasks_send_to_a_peer_that_is_slow() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        talk._writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(0.05)
        talk._writer.transport.resume_reading()  # type: ignore[attr-defined]
        heard: list[Any] = []
        while (message := await talk.hear()).type is not CLOSE:
            heard.append(message.data)
        for n in range(5):
            assert [data for data in heard if data[0] == n] == [bytes([n]) * 100_000] * 20
        await talk.write(close_frame())
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:

        async def send(n: int) -> None:
            for _ in range(20):
                await ws.send_bytes(bytes([n]) * 100_000)
                transport = ws._conn.transport
                assert transport.get_write_buffer_size() <= 5 * 110_000 + 65_536

        await asyncio.gather(*map(send, range(5)))


async def test_a_flood_of_pings_is_answered_no_faster_than_it_is_read() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        talk._writer.transport.pause_reading()  # type: ignore[attr-defined]
        for n in range(50):
            await talk.write(frame(PING, b"%125d" % n) * 600)
        await talk.write(frame(PING, b"last") + frame(TEXT, "enough"))
        talk._writer.transport.resume_reading()  # type: ignore[attr-defined]
        while (message := await talk.hear()) != WSMessage(PONG, b"last", ""):
            assert message.type is PONG
        await talk.write(close_frame())
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        receiving = asyncio.create_task(ws.receive())
        while not receiving.done():
            assert ws._conn.transport.get_write_buffer_size() < 200_000
            assert len(ws._messages) <= 1
            await asyncio.sleep(0)
        assert (await receiving).data == "enough"
        assert (await ws.receive()).type is CLOSE


# -- compressed


async def echo_deflated(talk: Talk) -> None:
    await talk.open(more=DEFLATE)
    inflater, deflater = Inflater(0), Deflater()
    while (message := await talk.hear()).type != CLOSE:
        if message.type is PING:
            continue
        data = inflater.inflate(message)  # type: ignore[arg-type]
        while data is None:
            data = inflater.inflate()
        payload = data.data.encode() if data.type is TEXT else data.data
        await talk.say(data.type, deflater.deflate(payload), rsv1=True)
    await talk.write(close_frame())
    await talk.hear_end()


@pytest.mark.every_loop
async def test_compressed_both_ways() -> None:
    peer = WebSocketPeer(echo_deflated)
    async with peer, ClientSession() as session, session.ws_connect(peer.url, compress=15) as ws:
        assert (ws.compress, ws.client_notakeover) == (15, False)
        for text in ("", "a", "Grüße " * 100, "Grüße " * 100, "x" * 2_000_000):
            await ws.send_str(text)
            assert await ws.receive_str() == text
        await ws.send_bytes(bytes(5000))
        assert await ws.receive_bytes() == bytes(5000)
        await ws.ping()
    assert len(peer.talks[0].heard) < 20_000


async def test_large_and_small_messages_compressed_by_many_tasks() -> None:
    peer = WebSocketPeer(echo_deflated)
    async with peer, ClientSession() as session, session.ws_connect(peer.url, compress=15) as ws:
        texts = [str(n) * (100_000 if n % 3 == 0 else 10) for n in range(1, 30)]
        await asyncio.gather(*map(ws.send_str, texts))
        assert sorted([await ws.receive_str() for _ in texts]) == sorted(texts)


async def test_a_large_message_that_is_given_up_is_sent_all_the_same() -> None:
    peer = WebSocketPeer(echo_deflated)
    async with peer, ClientSession() as session, session.ws_connect(peer.url, compress=15) as ws:
        sending = asyncio.create_task(ws.send_str("x" * 1_000_000))
        await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await ws.send_str("next")  # it builds on the one before
        assert [len(await ws.receive_str()), await ws.receive_str()] == [1_000_000, "next"]


async def test_receiving_a_large_compressed_message_can_be_given_up_and_taken_up() -> None:
    text = "0123456789" * 300_000

    async def serve(talk: Talk) -> None:
        deflater = Deflater()
        await talk.open(more=DEFLATE)
        await talk.write(frame(TEXT, deflater.deflate(text.encode()), rsv1=True) + frame(TEXT, deflater.deflate(b"b"), rsv1=True))
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, compress=15)
        await until(lambda: ws._messages)
        for _ in range(3):
            receiving = asyncio.create_task(ws.receive())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            receiving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await receiving
        assert await ws.receive_str() == text
        assert await ws.receive_str() == "b"
        await session.close()


async def test_a_message_need_not_be_compressed() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open(more=DEFLATE)
        assert await talk.hear() == WSMessage(TEXT, "plain", "")
        await talk.say(TEXT, "plain, too")
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, compress=15)
        await ws.send_str("plain", compress=0)
        assert await ws.receive_str() == "plain, too"
        await session.close()


@pytest.mark.parametrize(
    ("answer", "compress", "notakeover"),
    [
        (b"permessage-deflate; client_max_window_bits=10", 10, False),
        (b"permessage-deflate; client_no_context_takeover; server_no_context_takeover", 15, True),
        (b"permessage-deflate; server_max_window_bits=9", 15, False),
        (b"permessage-deflate; client_max_window_bits=8", 8, False),
    ],
)
async def test_what_was_agreed_on(answer: bytes, compress: int, notakeover: bool) -> None:
    messages = ["abc" * 1000, "abc" * 1000, "abc" * 1000]

    async def serve(talk: Talk) -> None:
        await talk.open(more=b"Sec-WebSocket-Extensions: " + answer + b"\r\n")
        assert talk.field("Sec-WebSocket-Extensions") == "permessage-deflate; client_max_window_bits"
        inflater = Inflater(0, max(compress, 9), not notakeover)
        for text in messages:
            message = await talk.hear()
            if compress == 8:  # zlib cannot, so it goes as it is
                assert message == WSMessage(TEXT, text, "")
            else:
                assert inflater.inflate(message).data == text  # type: ignore[union-attr, arg-type]
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, compress=15)
        assert (ws.compress, ws.client_notakeover) == (compress, notakeover)
        for text in messages:
            await ws.send_str(text)
        await session.close()


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(9, wbits=-15)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


@pytest.mark.parametrize(
    ("payload", "code"),
    [(raw_deflate(bytes(50_000_000)), 1009), (raw_deflate(b"\xff"), 1007), (b"\xff\xff\xff", 1002)],
    ids=["bomb", "text", "garbage"],
)
async def test_a_compressed_violation(payload: bytes, code: int) -> None:
    async def serve(talk: Talk) -> None:
        await talk.open(more=DEFLATE)
        await talk.write(frame(TEXT, payload, rsv1=True) + frame(TEXT, raw_deflate(b"never heard"), rsv1=True))
        assert (await talk.hear()).data == code
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url, compress=15) as ws:
        message = await ws.receive()
        assert message.type is WSMsgType.ERROR
        assert type(message.data) is WebSocketError
        assert message.data.code == ws.close_code == code
        assert (await ws.receive()).type is WSMsgType.CLOSED


@pytest.mark.every_loop
async def test_large_and_small_messages_in_turns() -> None:
    said = [
        (BINARY, bytes(1_000_000)),
        (TEXT, "a" * 700_000),
        (TEXT, "small"),
        (TEXT, "\N{SNOWMAN}" * 300_000),
        (BINARY, b""),
    ] * 2

    async def serve(talk: Talk) -> None:
        await talk.open()
        for kind, data in said:
            await talk.say(kind, data)
        assert (await talk.hear()).data == "all"
        for kind, data in said:
            await talk.say(kind, data)
        # what breaks the protocol within a message that is received where it would stay
        await talk.write(frame(TEXT, b"a" * 1_000_000 + b"\xff"))
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        assert [tuple(await ws.receive())[:2] for _ in said] == said
        await ws.send_str("all")
        await until(lambda: ws._reader.paused)
        assert [tuple(await ws.receive())[:2] for _ in said] == said
        message = await ws.receive()
        assert (message.type, message.data.code) == (WSMsgType.ERROR, 1007)


@pytest.mark.every_loop
async def test_large_messages_arrive_as_they_were_sent() -> None:
    said = [bytes(range(256)) * (size // 256) + b"end"[: size % 256] for size in (2**18, 2**18 + 1, 2**18 + 3, 2**20 + 2)]

    async def serve(talk: Talk) -> None:
        await talk.open()
        assert [(await talk.hear()).data for _ in said] == said
        await talk.write(close_frame())

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_connect(peer.url) as ws:
        for data in said:
            await ws.send_bytes(memoryview(data))
        assert (await ws.receive()).type is CLOSE
