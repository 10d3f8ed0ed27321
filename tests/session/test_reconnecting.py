"""`ws_stream`: messages over one connection after another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aiohttpx import (
    ClientConnectionError,
    ClientSession,
    ClientWebSocketResponse,
    WebSocketError,
    WSMsgType,
    WSServerHandshakeError,
)

from .websocket_peer import Talk, WebSocketPeer, close_frame, echo, frame, say_nothing

TEXT = WSMsgType.TEXT
AT_ONCE = (0.0, 0.0)


class Feed:
    """Sends what is subscribed to, numbered on; each connection ends in another way."""

    def __init__(self, *ways: str) -> None:
        self.ways = list(ways)
        self.number = 0
        self.subscribed: list[str] = []

    async def __call__(self, talk: Talk) -> None:
        way = self.ways.pop(0) if self.ways else "stay"
        if way.isdigit():
            await talk.open(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % int(way))
            return
        await talk.open()
        if way == "lose at once":
            return
        self.subscribed.append((await talk.hear()).data)
        for _ in range(2):
            await talk.say(TEXT, f"{self.number}")
            self.number += 1
        if way == "close":
            await talk.write(close_frame(1012))
        elif way == "reset":
            talk.reset()
        elif way == "violate":
            await talk.write(b"\xff\xff")
        elif way == "stay":
            await talk.hear()
            await talk.write(close_frame())
        if way != "lose":
            await talk.hear_end()


async def subscribe(ws: ClientWebSocketResponse[Any]) -> None:
    await ws.send_str("prices")


@pytest.mark.every_loop
async def test_it_goes_on_whatever_happens() -> None:
    feed = Feed("close", "lose", "503", "reset", "429", "violate", "lose at once", "stay")
    async with WebSocketPeer(feed) as peer, ClientSession() as session:
        async with session.ws_stream(peer.url, on_connect=subscribe, backoff=AT_ONCE) as stream:
            received = []
            async for message in stream:
                received.append(message.data)
                if len(received) == 10:
                    break
            assert stream.ws is not None
        assert stream.ws.closed
        assert received == [f"{n}" for n in range(10)]
        assert feed.subscribed == ["prices"] * 5
        assert stream.connections in (5, 6)  # the one that is lost at once may be lost before it is open


async def test_what_is_refused_for_good_is_raised() -> None:
    async with WebSocketPeer(Feed("close", "401")) as peer, ClientSession() as session:
        stream = session.ws_stream(peer.url, on_connect=subscribe, backoff=AT_ONCE)
        assert [(await anext(stream)).data for _ in range(2)] == ["0", "1"]
        with pytest.raises(WSServerHandshakeError) as raised:
            await anext(stream)
        assert raised.value.status == 401
        await stream.close()


@pytest.mark.parametrize(("way", "error"), [("500", WSServerHandshakeError), ("lose at once", ClientConnectionError)])
async def test_it_gives_up_after_so_many_attempts(way: str, error: type[Exception]) -> None:
    feed = Feed(*[way] * 3)
    async with WebSocketPeer(feed) as peer, ClientSession() as session:
        stream = session.ws_stream(peer.url, backoff=AT_ONCE, attempts=3)
        with pytest.raises(error):
            await anext(stream)
        assert not feed.ways


async def test_a_violation_is_the_last_error() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(b"\xff\xff")
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        with pytest.raises(WebSocketError, match="reserved bits"):
            await anext(session.ws_stream(peer.url, backoff=AT_ONCE, attempts=2))
        assert len(peer.talks) == 2


async def test_nobody_listens() -> None:
    async with ClientSession() as session:
        with pytest.raises(ClientConnectionError, match=r"127\.0\.0\.1:9"):
            await anext(session.ws_stream("ws://127.0.0.1:9/", backoff=AT_ONCE, attempts=2))


async def test_an_error_of_the_callers_own_ends_it() -> None:
    async def fail(ws: Any) -> None:
        raise LookupError("no such feed")

    async with WebSocketPeer(echo) as peer, ClientSession() as session:
        stream = session.ws_stream(peer.url, on_connect=fail)
        with pytest.raises(LookupError, match="no such feed"):
            await anext(stream)
        assert stream.ws is None


async def test_it_is_closed_while_it_waits() -> None:
    async with WebSocketPeer(Feed("503")) as peer, ClientSession() as session:
        stream = session.ws_stream(peer.url, backoff=(60, 60))
        waiting = asyncio.ensure_future(anext(stream, None))
        while not peer.talks:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        await stream.close()
        assert await waiting is None


async def test_it_is_closed_while_it_receives() -> None:
    async with WebSocketPeer(echo) as peer, ClientSession() as session:
        stream = session.ws_stream(peer.url)
        waiting = asyncio.ensure_future(anext(stream, None))
        while stream.ws is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert repr(stream) == f"<WebSocketStream <ClientWebSocketResponse {peer.url} open> connections=1>"
        await stream.close()
        assert await waiting is None


async def test_the_session_is_closed() -> None:
    async with WebSocketPeer(say_nothing) as peer:
        session = ClientSession()
        stream = session.ws_stream(peer.url)
        waiting = asyncio.ensure_future(anext(stream, None))
        while stream.ws is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await session.close()
        assert await waiting is None


@pytest.mark.parametrize("options", [{"backoff": (2, 1)}, {"backoff": (-1, 1)}, {"attempts": 0}])
async def test_what_makes_no_sense(options: dict[str, Any]) -> None:
    async with ClientSession() as session:
        with pytest.raises(ValueError, match=r"backoff|attempts"):
            session.ws_stream("ws://example.org/", **options)


async def test_text_and_binary_only() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open()
        await talk.write(frame(WSMsgType.PING) + frame(TEXT, "a") + frame(WSMsgType.PONG) + frame(WSMsgType.BINARY, b"b"))
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session, session.ws_stream(peer.url, autoping=False) as stream:
        assert [(await anext(stream)).data, (await anext(stream)).data] == ["a", b"b"]
        await session.close()
