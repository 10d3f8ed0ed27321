"""net/upload.py: what an `UploadTracker` says of an upload."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aiohttpx import (
    ClientConnectionError,
    ClientConnectorError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    InvalidURL,
    UploadAbortedError,
    UploadTracker,
)
from aiohttpx.testing import (
    Close,
    Expect,
    ExpectRequest,
    LoopbackServer,
    Request,
    Response,
    Route,
    ScriptedPeer,
    StallForever,
    StopReading,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def count(request: Request) -> Response:
    return Response.text(str(request.body_size))


def redirect(status: int) -> Route:
    return Route(lambda _: Response(status, {"Location": "/"}), keep_body=False)


ROUTES = {"/": Route(count, keep_body=False), "/307": redirect(307), "/303": redirect(303)}


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with LoopbackServer(ROUTES) as server:
        yield server.url


async def pieces(sizes: tuple[int, ...] = (1000,) * 50) -> AsyncIterator[bytes]:
    for size in sizes:
        yield bytes(size)


def outcome(tracker: UploadTracker) -> Any:
    complete = tracker.upload_complete
    return "waiting" if not complete.done() else type(complete.exception()) if complete.exception() else "whole"


def test_it_needs_a_loop() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        UploadTracker()


async def test_a_new_one() -> None:
    tracker = UploadTracker()
    assert (tracker.attempts, tracker.bytes_written, outcome(tracker)) == (0, 0, "waiting")
    assert repr(tracker) == "<UploadTracker attempts=0 bytes_written=0>"


@pytest.mark.parametrize("options", [{}, {"compress": "deflate"}, {"chunked": True}], ids=str)
@pytest.mark.parametrize("kind", ["bytes", "iterator", "file", "form"])
@pytest.mark.every_loop
async def test_all_of_a_body(url: str, tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    (tmp_path / "file").write_bytes(bytes(700_000))
    make: dict[str, Callable[[], Any]] = {
        "bytes": lambda: b"x" * 500,
        "iterator": pieces,
        "file": lambda: (tmp_path / "file").open("rb"),
        "form": lambda: {"a": b"x" * 300_000, "file": (tmp_path / "file").open("rb")},
    }
    seen: list[tuple[int, int | None]] = []
    tracker = UploadTracker(lambda written, size: seen.append((written, size)))
    async with ClientSession() as session, session.post(url, data=make[kind](), upload_tracker=tracker, **options) as response:
        size = int(await response.text())
        if not options.get("compress"):
            assert tracker.bytes_written == size
    assert (tracker.attempts, outcome(tracker)) == (1, "whole")
    written = [written for written, _ in seen]
    assert written == sorted(set(written))  # more each time
    assert written[-1] == tracker.bytes_written
    known = kind != "iterator"
    assert {size for _, size in seen} == ({tracker.bytes_written} if known else {None})


async def test_no_body(url: str) -> None:
    tracker = UploadTracker()
    async with ClientSession() as session, session.get(url, upload_tracker=tracker):
        assert (tracker.attempts, tracker.bytes_written, outcome(tracker)) == (1, 0, "whole")


async def test_it_belongs_to_one_request(url: str) -> None:
    tracker = UploadTracker()
    async with ClientSession() as session:
        async with session.post(url, data=b"abc", upload_tracker=tracker):
            pass
        with pytest.raises(RuntimeError, match="already bound"):
            await session.post(url, data=b"more", upload_tracker=tracker)
    assert (tracker.bytes_written, outcome(tracker)) == (3, "whole")


async def test_someone_else_s_request_does_not_end_it() -> None:
    async with ScriptedPeer([Expect(b"abc"), StallForever()]) as peer, ClientSession() as session:
        tracker = UploadTracker()
        task = asyncio.create_task(session._request("POST", peer.url, data=b"abc", upload_tracker=tracker))
        while not peer.received:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        with pytest.raises(RuntimeError, match="already bound"):
            await session.post(peer.url, data=b"more", upload_tracker=tracker)
        assert outcome(tracker) == "waiting"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert outcome(tracker) == "whole"  # that it was


async def test_redirects_are_attempts(url: str) -> None:
    async with ClientSession() as session:
        for path, written in (("/307", 5000), ("/303", 0)):
            tracker = UploadTracker()
            async with session.post(url + path, data=b"x" * 5000, upload_tracker=tracker) as response:
                assert response.status == 200
            assert (tracker.attempts, tracker.bytes_written, outcome(tracker)) == (2, written, "whole")


async def test_retries_are_attempts() -> None:
    async with ScriptedPeer([ExpectRequest(), OK, Expect(), Close()], OK) as peer, ClientSession() as session:
        async with session.put(peer.url, data=b"x"):
            pass
        tracker = UploadTracker()
        async with session.put(peer.url, data=b"x" * 1000, upload_tracker=tracker) as response:
            assert response.status == 200
        assert (tracker.attempts, tracker.bytes_written, outcome(tracker)) == (2, 1000, "whole")


async def test_what_waits_in_the_transport_is_not_counted() -> None:
    tracker = UploadTracker()
    async with ScriptedPeer([Expect(), StopReading(), StallForever()]) as peer, ClientSession() as session:
        body = pieces((2**20,) * 40)
        task = asyncio.create_task(session._request("POST", peer.url, data=body, upload_tracker=tracker))
        before = -1
        while tracker.bytes_written > before or not tracker.bytes_written:
            before = tracker.bytes_written
            await asyncio.sleep(0.05)
        assert 0 < tracker.bytes_written < 40 * 2**20
        assert outcome(tracker) == "waiting"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert outcome(tracker) is UploadAbortedError
        assert 0 < tracker.bytes_written < 40 * 2**20


async def test_an_answer_before_the_body_was_sent() -> None:
    tracker = UploadTracker()
    refusal = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"
    async with ScriptedPeer([Expect(), refusal, StopReading(), StallForever()]) as peer, ClientSession() as session:
        async with session.post(peer.url, data=pieces((2**20,) * 100), upload_tracker=tracker) as response:
            assert response.status == 413
        with pytest.raises(UploadAbortedError, match="not sent whole"):
            await tracker.upload_complete


async def test_a_response_while_the_body_is_sent() -> None:
    go_on = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await go_on.wait()
        yield b"last"

    tracker = UploadTracker()
    script = [Expect(b"first"), b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", Expect(b"last\r\n0\r\n\r\n"), b"done"]
    async with (
        ScriptedPeer(script) as peer,
        ClientSession() as session,
        session.post(peer.url, data=body(), upload_tracker=tracker) as response,
    ):
        assert outcome(tracker) == "waiting"
        go_on.set()
        await tracker.upload_complete
        assert tracker.bytes_written == 9
        assert await response.read() == b"done"


async def test_a_body_that_raises(url: str) -> None:
    def body() -> Iterator[bytes]:
        yield b"abc"
        raise ValueError("no more")

    tracker = UploadTracker()
    async with ClientSession() as session:
        with pytest.raises(ClientConnectionError) as caught:
            await session.post(url, data=body(), upload_tracker=tracker)
    assert tracker.upload_complete.exception() is caught.value


async def test_what_keeps_a_request_from_being_sent_at_all() -> None:
    async with ClientSession() as session:
        cases: list[tuple[dict[str, Any], Any, int]] = [
            ({"url": "http://127.0.0.1:9/", "data": b"x"}, ClientConnectorError, 1),
            ({"url": "http://127.0.0.1:9/", "data": b"x", "json": 1}, ValueError, 0),
            ({"url": "http://127.0.0.1:9/", "json": object()}, TypeError, 0),
            ({"url": "http://127.0.0.1:9/", "data": object()}, TypeError, 0),
            ({"url": "ftp://127.0.0.1/"}, InvalidURL, 0),
        ]
        for arguments, error, attempts in cases:
            tracker = UploadTracker()
            with pytest.raises(error):
                await session.post(**arguments, upload_tracker=tracker)
            assert (tracker.attempts, outcome(tracker)) == (attempts, UploadAbortedError)


async def test_progress_that_raises_ends_the_upload(url: str) -> None:
    def progress(written: int, size: int | None) -> None:
        raise ValueError("no interest")

    async with ClientSession() as session:
        with pytest.raises(ClientConnectionError, match="no interest"):
            await session.post(url, data=pieces(), upload_tracker=UploadTracker(progress))


async def test_an_error_of_the_system_is_the_tracker_s(url: str) -> None:
    class Broken(AsyncIterator[bytes]):
        async def __anext__(self) -> bytes:
            raise OSError(5, "the disk is broken")

    tracker = UploadTracker()
    async with ClientSession() as session:
        with pytest.raises(ClientOSError):
            await session.post(url, data=Broken(), upload_tracker=tracker)
    assert outcome(tracker) is ClientOSError


@pytest.mark.parametrize("times", [0, 1, 2])
async def test_a_middleware_decides_how_often_it_is_sent(url: str, times: int) -> None:
    async def middleware(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = kept
        for _ in range(times):
            response = await handler(request)
        return response

    tracker = UploadTracker()
    async with ClientSession() as session:
        kept = await session.get(url)
        async with session.post(url, data=b"x" * 1000, middlewares=[middleware], upload_tracker=tracker) as response:
            assert (response is kept) == (times == 0)
    assert (tracker.attempts, outcome(tracker)) == (times, "whole" if times else UploadAbortedError)
