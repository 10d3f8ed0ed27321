from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aiohttpx import (
    BodyTooLarge,
    ClientConnectorError,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    ContentTypeError,
    EventSource,
    ServerSentEvent,
)
from aiohttpx.testing import ExpectRequest, LoopbackServer, Pause, Request, Reset, Response, Script, ScriptedPeer

from ..message.answering import answer, both_ways

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
ENDED = HEAD + b"Connection: close\r\n\r\n"
GONE = b"HTTP/1.1 204 No Content\r\n\r\n"


def stream(events: bytes) -> bytes:
    """A response that is whole."""
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(events) + events


def message(data: str, id: str = "", event: str = "message") -> ServerSentEvent:
    return ServerSentEvent(event, data, id)


# -- the events of one response


@both_ways
async def test_the_events_of_a_response(streamed: bool) -> None:
    wire = b"\xef\xbb\xbf: hi\nevent: add\ndata: 1\nid: x\n\ndata: \xc3\xa9\r\n\r\ndata: lost"
    async with answer(wire, "Content-Type: text/event-stream; charset=utf-8", streamed=streamed) as response:
        assert [event async for event in response.events()] == [message("1", "x", "add"), message("é", "x")]


async def test_they_come_as_they_are_sent() -> None:
    asked = asyncio.Event()

    async def two(request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            await asked.wait()
            yield b"data: 2\n\n"

        return Response(200, [("Content-Type", "text/event-stream")], body(), length=None)

    async with LoopbackServer({"/": two}) as server, ClientSession() as session, session.get(server.url) as response:
        events = response.events()
        assert (await anext(events)).data == "1"
        asked.set()
        assert (await anext(events)).data == "2"
        with pytest.raises(StopAsyncIteration):
            await anext(events)


async def test_what_is_no_event_stream_has_no_events() -> None:
    async with answer(b"data: 1\n\n", "Content-Type: text/plain") as response:
        with pytest.raises(ContentTypeError, match="text/plain"):
            response.events()
        assert [event.data async for event in response.events(content_type=None, last_event_id="7")] == ["1"]


async def test_an_event_has_a_limit() -> None:
    async with answer(b"data: " + b"x" * 100, "Content-Type: text/event-stream") as response:
        with pytest.raises(BodyTooLarge, match="max_event_size"):
            await anext(response.events(max_event_size=50))


# -- a stream that goes on


@asynccontextmanager
async def source(*scripts: Script, **kwargs: Any) -> AsyncIterator[tuple[EventSource, ScriptedPeer]]:
    async with (
        ScriptedPeer(*scripts) as peer,
        ClientSession() as session,
        session.sse(peer.url, **{"retry": 0.01, **kwargs}) as events,
    ):
        yield events, peer


def requests(peer: ScriptedPeer) -> list[bytes]:
    return peer.received.split(b"\r\n\r\n")[:-1]


@pytest.mark.every_loop
async def test_goes_on_behind_the_last_event_until_there_is_no_content() -> None:
    first = [ExpectRequest(), ENDED + b"retry: 20\nid: 1\ndata: one\n\nid: 2\n\ndata: lost", Pause(0.01), Reset()]
    then = [ExpectRequest(), stream(b"data: two\n\n"), ExpectRequest(), stream(b"id\ndata: three\n\n"), ExpectRequest(), GONE]
    async with source(first, then) as (events, peer):
        assert [event async for event in events] == [message("one", "1"), message("two", "2"), message("three")]
        assert events.response is not None
        assert events.response.status == 204
        with pytest.raises(StopAsyncIteration):
            await anext(events)
        fields = [request.partition(b"Last-Event-ID: ")[2][:1] for request in requests(peer)]
        assert fields == [b"", b"2", b"2", b""]
        assert all(b"Accept: text/event-stream\r\nCache-Control: no-store\r\n" in request for request in requests(peer))


async def test_without_async_with() -> None:
    async with ScriptedPeer([ExpectRequest(), stream(b"data: 1\n\n"), ExpectRequest(), GONE]) as peer, ClientSession() as session:
        assert [event.data async for event in session.sse(peer.url, retry=0)] == ["1"]


async def test_what_the_request_says() -> None:
    script = [ExpectRequest(), stream(b"data: 1\n\n"), ExpectRequest(), GONE]
    said: dict[str, Any] = {"headers": {"accept": "x/y", "X-Own": "1"}, "json": {"q": 1}, "params": {"a": "b"}}
    async with source(script, method="POST", last_event_id="é7", **said) as (events, peer):
        assert [event async for event in events] == [message("1", "é7")]
        heads = requests(peer)
        assert len(heads) == 2
        for head in heads:
            assert b"POST /?a=b HTTP/1.1\r\n" in head
            assert b"accept: x/y\r\nX-Own: 1\r\n" in head
            assert "Last-Event-ID: é7\r\n".encode() in head


async def test_the_first_connection_has_to_succeed() -> None:
    async with ClientSession() as session:
        with pytest.raises(ClientConnectorError):
            await anext(session.sse("http://127.0.0.1:9/"))


async def test_a_later_one_is_tried_until_it_does() -> None:
    script = [
        [ExpectRequest(), ENDED + b"data: 1\n\n"],
        [ExpectRequest(), Reset()],
        [ExpectRequest(), Reset()],
        [ExpectRequest(), GONE],
    ]
    scripts: list[Any] = script
    scripts[0] = [ExpectRequest(), stream(b"data: 1\n\n"), Pause(0.005), Reset()]
    async with source(*scripts, retry=0.02) as (events, peer):
        assert [event.data async for event in events] == ["1"]
        assert len(peer.connections) >= 4


@pytest.mark.parametrize(
    ("wire", "error"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", ClientResponseError),
        (b"HTTP/1.1 206 Partial Content\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n", ClientResponseError),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n", ContentTypeError),
        (stream(b"data: " + b"x" * 100), BodyTooLarge),
    ],
    ids=["503", "206", "html", "too large"],
)
@pytest.mark.parametrize("later", [False, True], ids=["first", "later"])
async def test_what_ends_it_for_good(wire: bytes, error: type[Exception], later: bool) -> None:
    script: Script = [ExpectRequest(), stream(b"data: 1\n\n"), ExpectRequest(), wire] if later else wire
    async with ScriptedPeer(script) as peer, ClientSession() as session:
        events = session.sse(peer.url, retry=0.01, max_event_size=50)
        if later:
            assert (await anext(events)).data == "1"
        with pytest.raises(error):
            await anext(events)
        with pytest.raises(StopAsyncIteration):
            await anext(events)


async def test_leaving_ends_the_connection() -> None:
    async with source([ExpectRequest(), ENDED + b"data: 1\n\n"]) as (events, _):
        async for event in events:
            assert event.data == "1"
            break
        assert events.response is not None
        assert not events.response.closed
    assert events.response.closed


async def test_the_session_s_limit_in_time_is_not_that_of_a_stream() -> None:
    async with (
        ScriptedPeer([ExpectRequest(), ENDED, Pause(0.1), b"data: 1\n\n"]) as peer,
        ClientSession(timeout=0.05) as session,
        session.sse(peer.url) as events,
    ):
        assert (await anext(events)).data == "1"


async def test_a_silent_stream_is_lost_by_sock_read() -> None:
    scripts: list[Any] = [[ExpectRequest(), ENDED + b"data: 1\n\n", Pause(30)], [ExpectRequest(), GONE]]
    async with source(*scripts, timeout=ClientTimeout(sock_read=0.1)) as (events, _):
        assert [event.data async for event in events] == ["1"]


def waits(seconds: list[float]) -> Callable[[float], Any]:
    async def sleep(delay: float, result: object = None) -> None:
        if delay:  # others sleep too
            seconds.append(delay)

    return sleep


async def test_attempts_in_vain_are_made_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    left = 8

    async def ask(headers: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 7:
            return await session.get(peer.url, headers=headers)
        if left:
            raise ClientConnectorError(None, OSError(111, "refused"))
        return await session.get(peer.url, headers=headers)

    seconds: list[float] = []
    script = [ExpectRequest(), stream(b"retry: 4000\ndata: 1\n\n"), ExpectRequest(), GONE]
    async with ScriptedPeer(script) as peer, ClientSession() as session:
        monkeypatch.setattr("aiohttpx.session.sse.asyncio.sleep", waits(seconds))
        events = EventSource(ask, None, "", 3.0, 100)
        assert [event.data async for event in events] == ["1"]
    assert seconds == [4, 8, 16, 32, 60, 60, 60]
