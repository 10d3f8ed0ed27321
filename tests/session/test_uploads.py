"""Uploads of every kind, over real sockets: what arrives, how far it is said to be, and how they end early."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
import trustme

from aiohttpx import (
    ClientConnectionError,
    ClientPayloadError,
    ClientSession,
    ClientTimeout,
    FormData,
    ServerTimeoutError,
    StreamReader,
    TCPConnector,
    UnixConnector,
)
from aiohttpx.net import writer as writer_module
from aiohttpx.testing import (
    Close,
    Expect,
    ExpectRequest,
    HalfClose,
    LoopbackServer,
    Reset,
    Response,
    Route,
    ScriptedPeer,
    StallForever,
    StopReading,
)
from aiohttpx.testing import Request as Received
from aiohttpx.testing.script import Script

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SIZE = 3 * 2**20 + 5
CONTENT = os.urandom(SIZE)
REFUSAL = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge"


def digest(request: Received) -> Response:
    return Response.text(f"{request.body_size} {hashlib.sha256(request.body).hexdigest()} {request.content_length}")


def whole(content: bytes, length: int | None = -1) -> str:
    return f"{len(content)} {hashlib.sha256(content).hexdigest()} {len(content) if length == -1 else length}"


ROUTES = {
    "/": digest,
    "/form": lambda request: Response(200, (), request.body),
    "/again": lambda _: Response(307, {"Location": "/"}),
}


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with LoopbackServer(ROUTES) as server:
        yield server.url


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "content.bin"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def by_system(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much the system sent of files, call by call."""
    sent: list[int] = []
    sendfile = writer_module._sendfile
    if sendfile is None:
        pytest.skip("this system has no sendfile")

    def spy(*arguments: Any) -> int:
        count = sendfile(*arguments)
        sent.append(count)
        return count

    monkeypatch.setattr(writer_module, "_sendfile", spy)
    return sent


async def closed(file: IO[Any]) -> bool:
    """A thread closes it."""
    while not file.closed:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    return True


# -- files, by the system


@pytest.mark.every_loop
@pytest.mark.parametrize("mode", ["buffered", "raw", "text"])
async def test_a_file_is_sent_by_the_system(url: str, tmp_path: Path, by_system: list[int], mode: str) -> None:
    path = tmp_path / "letters.txt"
    content = bytes(range(97, 123)) * 100_000
    path.write_bytes(content)
    kinds = {"buffered": ("rb", -1), "raw": ("rb", 0), "text": ("r", -1)}
    file = open(path, kinds[mode][0], kinds[mode][1], encoding="utf-8" if mode == "text" else None)  # noqa: ASYNC230, SIM115
    async with ClientSession() as session, session.post(url, data=file) as response:
        assert await response.text() == whole(content)
    assert sum(by_system) == len(content)
    assert await closed(file)


@pytest.mark.every_loop
async def test_a_file_is_sent_from_where_it_stands(url: str, path: Path, by_system: list[int]) -> None:
    file = path.open("rb")
    file.read(1000)
    async with ClientSession() as session, session.post(url, data=file) as response:
        assert await response.text() == whole(CONTENT[1000:])
    assert sum(by_system) == SIZE - 1000


@pytest.mark.every_loop
async def test_files_of_a_form_are_sent_by_the_system_too(url: str, path: Path, by_system: list[int]) -> None:
    form = FormData({"before": "1"}, boundary="b")
    form.add_field("one", path.open("rb"), content_type="a/b")
    form.add_field("large", b"x" * 1_000_000)  # in the transport's buffer when the next file's turn comes
    form.add_field("two", path.open("rb"), content_type="a/b")
    async with ClientSession() as session, session.post(f"{url}/form", data=form) as response:
        body = await response.read()
    assert body.count(CONTENT) == 2
    assert body.startswith(b"--b\r\n")
    assert body.endswith(CONTENT + b"\r\n--b--\r\n")
    assert sum(by_system) == 2 * SIZE


async def test_a_file_is_sent_again_by_the_system(url: str, path: Path, by_system: list[int]) -> None:
    async with ClientSession() as session, session.put(f"{url}/again", data=path.open("rb")) as response:
        assert await response.text() == whole(CONTENT)
    assert sum(by_system) == 2 * SIZE


@pytest.mark.skipif(sys.platform == "win32", reason="needs Unix sockets")
@pytest.mark.every_loop
async def test_the_system_sends_over_unix_sockets_too(tmp_path: Path, path: Path, by_system: list[int]) -> None:
    socket_path = str(tmp_path / "socket")
    async with (
        LoopbackServer(ROUTES, unix_path=socket_path),
        ClientSession(connector=UnixConnector(socket_path)) as session,
        session.post("http://server.example/", data=path.open("rb")) as response,
    ):
        assert await response.text() == whole(CONTENT)
    assert sum(by_system) == SIZE


class OwnReading(io.BufferedReader):
    """What it gives is not what is in the file."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size).swapcase()


@pytest.mark.parametrize(
    ("make", "options", "length"),
    [
        (lambda path: path.open("rb"), {"chunked": True}, None),
        (lambda path: path.open("rb"), {"compress": "deflate"}, None),
        (lambda path: path.open("r+b"), {}, -1),  # it may have in its buffer what is not in the file
        (lambda path: OwnReading(io.FileIO(path)), {}, -1),
    ],
    ids=["chunked", "compressed", "random", "a subclass"],
)
async def test_other_files_are_read(
    url: str, path: Path, by_system: list[int], make: Callable[[Path], Any], options: dict[str, Any], length: int | None
) -> None:
    file = make(path)
    content = CONTENT.swapcase() if isinstance(file, OwnReading) else CONTENT
    async with ClientSession() as session, session.post(url, data=file, **options) as response:
        text = await response.text()
    if "compress" not in options:
        assert text == whole(content, length)
    assert not by_system
    assert await closed(file)


@pytest.mark.every_loop
async def test_over_tls_a_file_is_read(tmp_path: Path, path: Path, by_system: list[int]) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with (
        LoopbackServer(ROUTES, ssl_context=context) as server,
        ClientSession(connector=TCPConnector(ssl=False)) as session,
        session.post(server.url, data=path.open("rb")) as response,
    ):
        assert await response.text() == whole(CONTENT)
    assert not by_system


async def test_where_the_system_cannot_a_file_is_read(url: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> int:
        raise OSError(22, "Invalid argument")

    for sendfile in (refuse, None):
        monkeypatch.setattr(writer_module, "_sendfile", sendfile)
        async with ClientSession() as session, session.post(url, data=path.open("rb")) as response:
            assert await response.text() == whole(CONTENT)


@pytest.mark.every_loop
async def test_a_file_that_grows_meanwhile_is_sent_as_large_as_it_was(url: str, path: Path, by_system: list[int]) -> None:
    async with ClientSession() as session:
        task = asyncio.create_task(session._request("POST", url, data=path.open("rb")))
        await asyncio.sleep(0)
        with path.open("ab") as more:
            more.write(b"more" * 1000)
        async with await task as response:
            assert await response.text() == whole(CONTENT)
    assert sum(by_system) == SIZE


@pytest.mark.every_loop
async def test_a_file_that_shrinks_meanwhile_is_an_error(url: str, path: Path, by_system: list[int]) -> None:
    file = path.open("rb")
    async with ClientSession() as session:
        task = asyncio.create_task(session._request("POST", url, data=file))
        await asyncio.sleep(0)
        os.truncate(path, 1000)
        with pytest.raises(ClientPayloadError, match=f"{SIZE - 1000} bytes shorter than its Content-Length"):
            await task
        async with session.get(url) as response:  # the server did not take it for whole, and another connection serves
            assert response.status == 200
    assert await closed(file)


@pytest.mark.every_loop
@pytest.mark.parametrize("how", ["cancel", "write", "total", "close"])
async def test_a_file_that_is_not_taken(path: Path, by_system: list[int], how: str) -> None:
    os.truncate(path, 100 * 2**20)
    file = path.open("rb")
    limits = {"write": ClientTimeout(write=0.1, ceil_threshold=10), "total": ClientTimeout(total=0.1, ceil_threshold=10)}
    before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    async with ScriptedPeer([Expect(), StopReading(), StallForever()]) as peer:
        async with ClientSession(timeout=limits.get(how, ClientTimeout())) as session:
            task = asyncio.create_task(session._request("POST", peer.url, data=file))
            error: type[BaseException] = ServerTimeoutError
            if how in ("cancel", "close"):
                while not by_system or peer.connections[0].transport.is_reading():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.05)
                error = asyncio.CancelledError if how == "cancel" else ClientConnectionError
                if how == "cancel":
                    task.cancel()
                else:
                    await session.close()
            with pytest.raises(error):
                await task
        assert await closed(file)
        assert 0 < sum(by_system) < 100 * 2**20
    if before:
        await asyncio.sleep(0.01)
        assert len(os.listdir("/proc/self/fd")) <= before


async def test_a_file_whose_owner_closes_it_meanwhile(url: str, path: Path, by_system: list[int]) -> None:
    """The system has a descriptor of ours, which is no other file's."""
    file = path.open("rb")
    async with ClientSession() as session:
        task = asyncio.create_task(session._request("POST", url, data=file))
        while not by_system:  # noqa: ASYNC110
            await asyncio.sleep(0)
        file.close()
        async with await task as response:
            assert await response.text() == whole(CONTENT)


async def test_a_file_that_is_closed_before_is_an_error_that_says_so(url: str, path: Path) -> None:
    file = path.open("rb")
    file.close()
    async with ClientSession() as session:
        with pytest.raises(ValueError, match="closed file"):
            await session.post(url, data=file)


@pytest.mark.parametrize("mode", ["ab", "w"])
async def test_a_file_that_cannot_be_read_is_an_error_that_names_it(url: str, path: Path, mode: str) -> None:
    with path.open(mode) as file:
        async with ClientSession() as session:
            with pytest.raises(ValueError, match=r"content\.bin.* not open for reading"):
                await session.post(url, data=file)


# -- answers that come early

EARLY: dict[str, Script] = {
    "and the peer reads no more": [Expect(), REFUSAL, StopReading(), StallForever()],
    "and the peer closes": [Expect(), REFUSAL, Close()],
    "and the peer ends": [Expect(), REFUSAL, HalfClose(), StopReading(), StallForever()],
}


def endless() -> Iterator[bytes]:
    while True:
        yield b"x" * 100_000


async def endless_async() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 100_000


BODIES: dict[str, Callable[[Path], Any]] = {
    "file": lambda path: path.open("rb"),
    "bytes": lambda path: bytes(50 * 2**20),
    "iterator": lambda path: endless(),
    "async iterator": lambda path: endless_async(),
}


@pytest.mark.filterwarnings("ignore:A body of .* bytes is held in memory:ResourceWarning")
@pytest.mark.every_loop
@pytest.mark.parametrize("make", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("script", EARLY.values(), ids=EARLY)
async def test_an_early_answer_ends_the_upload(path: Path, script: Script, make: Callable[[Path], Any]) -> None:
    """Though the peer resets the connection after it: what has arrived is read."""
    os.truncate(path, 50 * 2**20)
    async with ScriptedPeer(script, OK) as peer, ClientSession() as session:
        async with session.post(peer.url, data=make(path)) as response:
            assert response.status == 413
            assert await response.read() == b"large"
        async with session.get(peer.url) as response:
            assert response.status == 200
        assert len(peer.connections) == 2


@pytest.mark.every_loop
async def test_the_head_of_an_early_refusal_is_enough() -> None:
    ended = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 100
                await asyncio.sleep(0.001)
        finally:
            ended.set()

    async with (
        ScriptedPeer([Expect(), REFUSAL[:-5], StallForever()]) as peer,
        ClientSession() as session,
        session.post(peer.url, data=body()) as response,
    ):
        assert response.status == 413
        await ended.wait()


async def test_an_early_answer_that_is_none_does_not_end_the_upload() -> None:
    """What a peer says while it is being told may depend on it."""
    go_on = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"question"
        await go_on.wait()
        yield b"another"

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nan"
    script: Script = [Expect(b"question"), head, Expect(b"another\r\n0\r\n\r\n"), b"swer!"]
    async with ScriptedPeer(script) as peer, ClientSession() as session, session.post(peer.url, data=body()) as response:
        assert response.status == 200
        assert await response.content.readexactly(2) == b"an"
        go_on.set()
        assert await response.read() == b"swer!"


async def test_a_final_head_ends_an_upload_that_waits_for_100() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    async with ScriptedPeer([Expect(), head, StallForever()]) as peer, ClientSession() as session:
        async with session.post(peer.url, data=endless(), expect100=True) as response:
            assert response.status == 200
        assert b"x" not in peer.received.partition(b"\r\n\r\n")[2]


# -- what the server must not take for whole


def raising(error: Exception, first: bytes = b"abc") -> Iterator[bytes]:
    yield first
    raise error


async def raising_async(error: Exception) -> AsyncIterator[bytes]:
    yield b"abc"
    raise error


@pytest.mark.every_loop
@pytest.mark.parametrize("make", [raising, raising_async])
@pytest.mark.parametrize("length", [None, "100"])
async def test_an_iterator_that_raises_midway(make: Callable[[Exception], Any], length: str | None) -> None:
    """The connection ends within the body, and none of it is retried."""
    arrived: list[Received] = []

    def note(request: Received) -> Response:
        arrived.append(request)
        return Response.text("never")

    async with LoopbackServer({"/": note}) as server, ClientSession() as session:
        headers = {} if length is None else {"Content-Length": length}
        with pytest.raises(ClientConnectionError, match="no more") as caught:
            await session.put(server.url, data=make(ValueError("no more")), headers=headers)
        assert isinstance(caught.value.__cause__, ValueError)
        await asyncio.sleep(0.05)
        assert not arrived
        assert server.connections == 1


@pytest.mark.parametrize("piece", ["text", None, 1, ["a"]], ids=repr)
async def test_what_is_not_bytes_ends_the_upload(url: str, piece: Any) -> None:
    async def body() -> AsyncIterator[Any]:
        yield b"abc"
        yield piece

    async with ClientSession() as session:
        with pytest.raises(ClientConnectionError, match=type(piece).__name__):
            await session.post(url, data=body())


async def test_a_source_that_is_cut_short_ends_the_upload_that_passes_it_on(url: str) -> None:
    script: Script = [ExpectRequest(), b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", Reset()]
    async with ScriptedPeer(script) as peer, ClientSession() as session, session.get(peer.url) as source:
        with pytest.raises(ClientPayloadError):
            await session.post(url, data=source.content)


# -- streams


@pytest.mark.every_loop
async def test_the_content_of_a_response_is_passed_on(url: str) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, SIZE, 100_000):
            yield CONTENT[start : start + 100_000]

    async with (
        LoopbackServer({"/": lambda _: Response(200, (), parts(), length=SIZE)}) as server,
        ClientSession() as session,
        session.get(server.url) as source,
        session.post(url, data=source.content) as response,
    ):
        assert await response.text() == whole(CONTENT, None)


async def test_a_stream_that_is_fed_by_hand(url: str) -> None:
    stream = StreamReader()
    async with ClientSession() as session:
        task = asyncio.create_task(session._request("POST", url, data=stream))
        for start in range(0, SIZE, 500_000):
            await asyncio.sleep(0)
            stream.feed_data(CONTENT[start : start + 500_000])
        stream.feed_eof()
        async with await task as response:
            assert await response.text() == whole(CONTENT, None)


# -- memory


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kind", ["file", "chunked file", "iterator", "async iterator", "form"])
async def test_a_large_upload_takes_little_memory(tmp_path: Path, kind: str) -> None:
    """64 MiB here; benchmarks/memory.py does it with a GiB."""
    size = 64 * 2**20
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, size)
    piece = bytes(2**16)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(size // len(piece)):
            yield piece

    makes: dict[str, Callable[[], Any]] = {
        "file": lambda: path.open("rb"),
        "chunked file": lambda: path.open("rb"),
        "iterator": lambda: (piece for _ in range(size // len(piece))),
        "async iterator": pieces,
        "form": lambda: {"name": "value", "file": path.open("rb")},
    }
    with LoopbackServer(
        {"/": Route(lambda request: Response.text(str(request.body_size)), keep_body=False)}
    ).in_thread() as server:
        async with ClientSession() as session:
            peak = 0

            async def watch() -> None:
                nonlocal peak
                while True:
                    peak = max(peak, resident())
                    await asyncio.sleep(0.005)

            async with session.post(server.url, data=(piece for _ in range(100))) as response:
                await response.read()  # warm by now
            idle = resident()
            watching = asyncio.create_task(watch())
            async with session.post(server.url, data=makes[kind](), chunked=True if kind == "chunked file" else None) as response:
                assert size <= int(await response.text()) < size + 1000
            watching.cancel()
        assert peak - idle < 16 * 2**20  # the server is in this process, too


# -- bodies that fit into one write


class Writes:
    """Counts the writes to the transport."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        transport = asyncio.selector_events._SelectorSocketTransport
        write = transport.write

        def spy(this: Any, data: Any) -> None:
            self.sizes.append(len(data))
            write(this, data)

        monkeypatch.setattr(transport, "write", spy)


SMALL: dict[str, Callable[[], dict[str, Any]]] = {
    "bytes": lambda: {"data": b"body"},
    "with fields": lambda: {"data": b"body", "headers": {"X-A": "1"}},
    "with its length": lambda: {"data": b"body", "headers": {"Content-Length": "4"}},
    "form": lambda: {"data": {"a": "1"}},
    "files": lambda: {"files": {"a": ("name", b"body")}, "data": {"b": "2"}},
    "file in memory": lambda: {"data": io.BytesIO(b"body")},
    "json": lambda: {"json": {"a": 1}, "headers": {"X-A": "1"}},
}


@pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
async def test_a_small_body_goes_with_its_head(monkeypatch: pytest.MonkeyPatch, make: Callable[[], dict[str, Any]]) -> None:
    async with ScriptedPeer(OK) as peer, ClientSession() as session:
        writes = Writes(monkeypatch)
        async with session.post(peer.url, **make()) as response:
            assert response.status == 200
        assert len(peer.received) in writes.sizes


async def test_a_small_body_of_another_length_than_is_said_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedPeer(OK) as peer, ClientSession() as session:
        async with session.post(peer.url, data=b"body", headers={"Content-Length": "2"}) as response:
            assert response.status == 200
        assert peer.received.endswith(b"\r\n\r\nbo")


# -- generator-based coroutines


async def test_a_generator_may_await(url: str) -> None:
    async def read_some(left: list[bytes]) -> bytes:
        await asyncio.sleep(0)
        return left.pop(0) if left else b""

    def sender(left: list[bytes]) -> Iterator[Any]:
        while chunk := (yield from read_some(left).__await__()):  # type: ignore[misc]
            yield chunk

    async with ClientSession() as session, session.post(url, data=sender([b"abc", b"def"])) as response:
        assert await response.text() == whole(b"abcdef", None)
