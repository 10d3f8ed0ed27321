from __future__ import annotations

import array
import asyncio
import gc
import gzip
import io
import json
import os
import threading
import types
import weakref
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from aiohttpx.errors import ClientPayloadError
from aiohttpx.message import payload as module
from aiohttpx.message.payload import (
    PAYLOAD_REGISTRY,
    TOO_LARGE_BYTES_BODY,
    AsyncIterablePayload,
    BufferedReaderPayload,
    BytesIOPayload,
    BytesPayload,
    IOBasePayload,
    IteratorPayload,
    JsonBytesPayload,
    JsonPayload,
    Order,
    Payload,
    PayloadRegistry,
    StreamReaderPayload,
    StringIOPayload,
    StringPayload,
    TextIOPayload,
    get_payload,
    payload_type,
)
from aiohttpx.message.sources import CHUNK_SIZE
from aiohttpx.net.reader import StreamReader
from aiohttpx.typedefs import Byteish

from ..turns import turns_during


class Written:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    async def write(self, chunk: Byteish) -> None:
        self.chunks.append(bytes(chunk))

    @property
    def data(self) -> bytes:
        return b"".join(self.chunks)


async def written(payload: Payload, length: int | None = None) -> bytes:
    writer = Written()
    await payload.write_with_length(writer, length)
    return writer.data


async def agen(*items: Any) -> AsyncIterator[Any]:
    for item in items:
        yield item


async def closed(file: Any) -> bool:
    """The file is closed, or will be very soon."""
    for _ in range(1000):
        if file.closed:
            return True
        await asyncio.sleep(0.001)
    return False


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(b"0123456789")
    return path


# -- which payload, content type and size


def test_types_of_bodies(path: Path) -> None:
    with path.open("rb") as raw, path.open(encoding="utf-8") as text, path.open("rb", buffering=0) as unbuffered:
        for data, kind, content_type, size in [
            (b"abc", BytesPayload, "application/octet-stream", 3),
            (bytearray(b"abc"), BytesPayload, "application/octet-stream", 3),
            (memoryview(array.array("H", [1, 2])), BytesPayload, "application/octet-stream", 4),
            (memoryview(b"abcdef")[::2], BytesPayload, "application/octet-stream", 3),
            ("ä", StringPayload, "text/plain; charset=utf-8", 2),
            (io.StringIO("ä"), StringIOPayload, "text/plain; charset=utf-8", 2),
            (io.BytesIO(b"abc"), BytesIOPayload, "application/octet-stream", 3),
            (raw, BufferedReaderPayload, "image/png", 10),
            (unbuffered, IOBasePayload, "image/png", 10),
            (text, TextIOPayload, "text/plain; charset=utf-8", 10),
            (agen(), AsyncIterablePayload, "application/octet-stream", None),
            (StreamReader(), StreamReaderPayload, "application/octet-stream", None),
            (iter([b"a"]), IteratorPayload, "application/octet-stream", None),
        ]:
            payload = get_payload(data, disposition=None)
            assert (type(payload), payload.content_type, payload.size) == (kind, content_type, size)
            assert payload.headers == {"Content-Type": content_type}
            assert get_payload(payload) is payload


def test_a_file_says_what_it_is_for_when_asked_to(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    with open(tmp_path / "a.txt", "rb") as file:
        payload = get_payload(file, disposition="inline")
        assert payload.headers == {"Content-Type": "text/plain", "Content-Disposition": 'inline; filename="a.txt"'}
    assert get_payload(io.BytesIO(b"abc"), disposition="inline").headers == {"Content-Type": "application/octet-stream"}


@pytest.mark.parametrize("data", [None, 1, {}, [], [b"a"], object()], ids=repr)
def test_other_types_have_no_payload(data: Any) -> None:
    with pytest.raises(module.LookupError):
        get_payload(data)
    with pytest.raises(LookupError):
        get_payload(data)


def test_content_type_and_charset_of_texts() -> None:
    assert StringPayload("ä", encoding="latin-1").value == b"\xe4"
    assert StringPayload("ä", encoding="latin-1").content_type == "text/plain; charset=latin-1"
    assert StringPayload("ä", content_type="text/x; charset=latin-1").value == b"\xe4"
    assert StringPayload("ä", content_type="text/x").encoding == "utf-8"
    with pytest.raises(UnicodeEncodeError):
        StringPayload("€", encoding="latin-1")
    with pytest.raises(LookupError):
        StringPayload("a", encoding="no-such-charset")


def test_json() -> None:
    value = {"a": ["ä", 1.5, None]}
    payload = JsonPayload(value)
    assert payload.content_type == "application/json"
    assert payload.value == json.dumps(value).encode()
    assert JsonPayload(value, dumps=lambda _: "ä").size == 2
    assert JsonPayload(value, dumps=lambda _: "ä", encoding="latin-1").value == b"\xe4"
    binary = JsonBytesPayload(value, dumps=lambda _: b"[]", content_type="application/x+json")
    assert (binary.value, binary.content_type) == (b"[]", "application/x+json")
    with pytest.raises(TypeError):
        JsonBytesPayload(value, dumps=json.dumps)  # type: ignore[arg-type]


def test_a_name_decides_the_type_unless_one_is_given(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(b"")
    with (tmp_path / "a.html").open("rb") as file:
        assert get_payload(file).filename == "a.html"
        assert get_payload(file).content_type == "text/html"
        assert get_payload(file, content_type="a/b").content_type == "a/b"
        assert get_payload(file, filename="b.unknown").content_type == "application/octet-stream"
    named = io.BytesIO()
    named.name = "/x/y.png"  # type: ignore[attr-defined]
    assert (get_payload(named).filename, get_payload(named).content_type) == ("y.png", "image/png")
    named.name = "<stdin>"  # type: ignore[attr-defined]
    assert get_payload(named).filename is None


def test_fields_can_be_given_and_changed() -> None:
    payload = BytesPayload(b"", headers={"X-A": "1", "content-type": "a/b"})
    assert isinstance(payload.headers, CIMultiDict)
    assert payload.content_type == "a/b"
    payload.headers["Content-Type"] = "c/d"
    assert payload.content_type == "c/d"
    assert payload.headers == {"X-A": "1", "Content-Type": "c/d"}


def test_bytes_are_bytes() -> None:
    for value in ("a", 1, None, [1]):
        with pytest.raises(TypeError, match=type(value).__name__):
            BytesPayload(value)  # type: ignore[arg-type]


async def test_a_body_stays_as_it_was_given() -> None:
    buffer = bytearray(b"abc")
    payload = get_payload(buffer)
    buffer += b"d"
    assert payload.size == 3
    assert await written(payload) == b"abc"


def test_a_large_body_in_memory_is_worth_a_warning() -> None:
    BytesPayload(bytes(TOO_LARGE_BYTES_BODY))
    with pytest.warns(ResourceWarning, match="1048577 bytes"):
        BytesPayload(bytes(TOO_LARGE_BYTES_BODY + 1))


# -- written, again, and in part


def bodies(path: Path) -> Iterator[Payload]:
    middle = io.BytesIO(b"abc0123456789")
    middle.seek(3)
    yield BytesPayload(b"0123456789")
    yield BytesPayload(bytearray(b"0123456789"))
    yield BytesPayload(memoryview(b"0123456789"))
    yield StringPayload("0123456789")
    yield StringIOPayload(io.StringIO("0123456789"))
    yield JsonPayload(123456789, dumps="0{}".format)
    yield BytesIOPayload(middle)
    yield IOBasePayload(io.BytesIO(b"0123456789"))
    yield get_payload(path.open("rb"))
    yield get_payload(path.open("rb", buffering=0))
    yield get_payload(path.open(encoding="ascii"), encoding="ascii")
    yield get_payload(path.open(encoding="latin-1"))
    yield TextIOPayload(io.StringIO("0123456789"))


async def test_replayable_bodies_are_the_same_every_time(path: Path) -> None:
    for payload in bodies(path):
        assert payload.replayable
        for _ in range(2):
            assert await written(payload) == b"0123456789"
            assert await written(payload, 4) == b"0123"
            assert await written(payload, 0) == b""
            assert await written(payload, 99) == b"0123456789"
            assert await payload.as_bytes() == b"0123456789"
            assert payload.decode() == "0123456789"
        writer = Written()
        await payload.write(writer)
        assert writer.data == b"0123456789"
        assert payload.replayable
        assert not payload.consumed
        assert payload.size in (10, None)
        await payload.close()


def once() -> dict[str, Callable[[], Payload]]:
    def stream() -> StreamReader:
        reader = StreamReader()
        reader.feed_data(b"01234")
        reader.feed_data(b"56789")
        reader.feed_eof()
        return reader

    return {
        "async generator": lambda: get_payload(agen(b"0123", bytearray(b"45"), memoryview(b"6789"))),
        "stream": lambda: get_payload(stream()),
        "iterator": lambda: get_payload(iter([b"0123", b"", b"456789"])),
        "generator": lambda: get_payload(chunk for chunk in (b"0123", b"456789")),
        "array": lambda: get_payload(agen(memoryview(array.array("H", [0x3130] * 5)))),
    }


@pytest.mark.parametrize("make", once().values(), ids=once())
async def test_other_bodies_are_sent_once(make: Callable[[], Payload]) -> None:
    payload = make()
    assert (payload.size, payload.replayable, payload.consumed) == (None, False, False)
    with pytest.raises(TypeError, match="as_bytes"):
        payload.decode()
    assert len(await written(payload)) == 10
    assert (payload.replayable, payload.consumed) == (False, True)
    for again in (payload.write(Written()), payload.write_with_length(Written(), 3), payload.as_bytes()):
        with pytest.raises(ClientPayloadError, match="consumed"):
            await again


@pytest.mark.parametrize("make", once().values(), ids=once())
async def test_as_bytes_keeps_them(make: Callable[[], Payload]) -> None:
    payload = make()
    whole = await payload.as_bytes()
    assert len(whole) == 10
    assert payload.replayable
    assert not payload.consumed
    assert payload.decode() == whole.decode()
    for _ in range(2):
        assert await written(payload) == whole
        assert await written(payload, 3) == whole[:3]


@pytest.mark.parametrize("make", once().values(), ids=once())
async def test_they_are_cut_at_the_length(make: Callable[[], Payload]) -> None:
    assert await written(make(), 3) == (await make().as_bytes())[:3]


async def test_a_write_that_fails_consumes() -> None:
    class Broken:
        async def write(self, chunk: Byteish) -> None:
            raise ConnectionResetError

    payload = get_payload(agen(b"a", b"b"))
    with pytest.raises(ConnectionResetError):
        await payload.write(Broken())
    assert payload.consumed


async def test_a_generator_runs_to_its_end_when_its_length_is_reached_and_is_closed_when_it_goes_on() -> None:
    ended = []

    async def exact() -> AsyncIterator[bytes]:
        yield b"ab"
        ended.append("exact")

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"ab"
        finally:
            ended.append("endless")

    assert await written(get_payload(exact()), 2) == b"ab"
    assert await written(get_payload(endless()), 3) == b"aba"
    assert ended == ["exact", "endless"]


@pytest.mark.parametrize("make", [lambda *items: agen(*items), lambda *items: iter(items), lambda *items: (i for i in items)])
async def test_what_is_not_bytes_is_refused_by_its_type(make: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="str: 'text'"):
        await written(get_payload(make(b"a", "text")))
    with pytest.raises(TypeError, match="int: 1"):
        await get_payload(make(1)).as_bytes()


def test_async_iterable_payload_needs_an_async_iterable() -> None:
    with pytest.raises(TypeError, match="AsyncIterable"):
        AsyncIterablePayload([b"a"])  # type: ignore[arg-type]


async def test_large_bodies_go_in_pieces_and_leave_the_loop_its_turns() -> None:
    size = 5 * CHUNK_SIZE + 1
    with pytest.warns(ResourceWarning):
        in_memory = BytesPayload(bytes(size))
    for payload in (in_memory, BytesIOPayload(io.BytesIO(bytes(size))), get_payload(bytes(CHUNK_SIZE // 4) for _ in range(21))):
        writer = Written()
        assert await turns_during(payload.write(writer)) >= 5
        assert len(writer.data) >= size
        assert max(map(len, writer.chunks)) <= CHUNK_SIZE


async def test_many_small_pieces_leave_the_loop_its_turns_too() -> None:
    turn = asyncio.Event()
    asyncio.get_running_loop().call_soon(turn.set)
    empty = 0

    def pieces() -> Iterator[bytes]:
        nonlocal empty
        while not turn.is_set():
            empty += 1
            yield b""

    assert await written(get_payload(pieces())) == b""
    assert 1 < empty < 10_000


# -- files


class Watched(io.FileIO):
    """Notes how it is read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.sizes: list[int] = []
        self.threads: set[int] = set()

    def read(self, size: int | None = -1, /) -> bytes:
        self.sizes.append(-1 if size is None else size)
        self.threads.add(threading.get_ident())
        return super().read(-1 if size is None else size)


async def test_files_are_read_in_pieces_and_in_another_thread(tmp_path: Path) -> None:
    path = tmp_path / "large"
    content = os.urandom(2 * CHUNK_SIZE + 5)
    path.write_bytes(content)
    with Watched(path) as file:
        payload = get_payload(file)
        assert await written(payload) == content
        assert file.sizes == [CHUNK_SIZE, CHUNK_SIZE, 5]
        assert threading.get_ident() not in file.threads


async def test_a_file_is_sent_from_where_it_stands_every_time(path: Path) -> None:
    for mode, size in (("rb", 7), ("r", None)):
        with path.open(mode) as file:
            file.read(3)
            payload = get_payload(file)
            assert payload.size == size
            file.read(2)
            assert [await written(payload) for _ in range(2)] == [b"3456789"] * 2
            assert payload.size == size


async def test_a_file_that_grows_is_sent_as_large_as_it_was(path: Path) -> None:
    with path.open("rb") as file:
        payload = get_payload(file)
        with path.open("ab") as more:
            more.write(b"more")
        assert payload.size == 10
        assert await written(payload) == b"0123456789"


async def test_a_file_that_shrinks_is_sent_as_far_as_it_goes(path: Path) -> None:
    with path.open("rb") as file:
        payload = get_payload(file)
        os.truncate(path, 1)
        assert await written(payload, payload.size) == b"0"


async def test_closing_closes_the_file_of_the_caller_and_nothing_more(path: Path) -> None:
    for mode in ("rb", "r"):
        file = path.open(mode)
        payload = get_payload(file)
        assert not payload.autoclose
        await payload.close()
        await payload.close()
        assert await closed(file)
        assert (payload.replayable, payload.consumed) == (False, True)
        with pytest.raises(ClientPayloadError, match="closed"):
            await written(payload)
    for memory in (io.BytesIO(b"a"), io.StringIO("a")):
        payload = get_payload(memory)
        assert payload.autoclose
        await payload.close()
        assert not memory.closed
        assert await written(payload) == b"a"


@pytest.mark.parametrize("mode", ["rb", "r"])
async def test_a_file_is_held_until_it_is_closed(path: Path, mode: str) -> None:
    busy = threading.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    waiting = loop.run_in_executor(None, busy.wait)
    payload = get_payload(file := path.open(mode), encoding="utf-8")
    held = weakref.ref(file)
    await payload.close()
    del file, payload
    gc.collect()  # would warn of a file that was not closed
    assert held() is not None
    busy.set()
    await waiting


async def test_a_pipe_is_sent_once_with_unknown_size_and_closed() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"abc")
    os.close(writing)
    file = open(reading, "rb")  # noqa: ASYNC230, SIM115
    payload = get_payload(file)
    assert (payload.size, payload.replayable, payload.consumed) == (None, False, False)
    assert await written(payload) == b"abc"
    assert payload.consumed
    with pytest.raises(ClientPayloadError, match="cannot be sent again"):
        await written(payload)
    await payload.close()
    assert await closed(file)


async def test_the_size_of_a_compressed_file_is_not_that_of_its_content(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.gz", "wb") as file:
        file.write(bytes(10_000))
    for mode in ("rb", "rt"):
        with gzip.open(tmp_path / "a.gz", mode) as file:
            payload = get_payload(file)
            assert payload.size is None
            assert await written(payload) == bytes(10_000)


async def test_devices_have_no_size() -> None:
    with open("/dev/zero", "rb") as file:  # noqa: ASYNC230
        payload = get_payload(file)
        assert payload.size is None
        assert await written(payload, 5) == bytes(5)


async def test_anything_that_reads_can_be_a_file() -> None:
    class Minimal:
        closed = False

        def __init__(self) -> None:
            self.parts = [b"ab", b"c"]

        def read(self, size: int) -> bytes:
            return self.parts.pop(0) if self.parts else b""

        def close(self) -> None:
            self.closed = True

    file = Minimal()
    payload = IOBasePayload(file)  # type: ignore[arg-type]
    assert (payload.size, payload.replayable) == (None, False)
    assert await written(payload) == b"abc"
    await payload.close()
    assert await closed(file)


async def test_a_read_left_over_from_a_request_given_up_does_not_disturb_the_next(path: Path) -> None:
    entered, go_on = threading.Event(), threading.Event()

    class Slow(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if not entered.is_set():
                entered.set()
                go_on.wait()
            return super().read(2)

    with Slow(path) as file:
        payload = get_payload(file)
        first = asyncio.create_task(written(payload))
        await asyncio.to_thread(entered.wait)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        second = asyncio.create_task(written(payload))
        await asyncio.sleep(0.01)
        go_on.set()
        assert await second == b"0123456789"


async def test_a_file_cannot_be_sent_by_two_requests_at_once(path: Path) -> None:
    class Slow(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(1)

    with Slow(path) as file:
        payload = get_payload(file)
        results = await asyncio.gather(written(payload), written(payload), return_exceptions=True)
        assert b"0123456789" in results
        assert [type(result) for result in results if result != b"0123456789"] == [ClientPayloadError]


# -- texts


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "shift_jis"])
async def test_a_text_file_of_the_same_encoding_is_sent_as_it_is(tmp_path: Path, encoding: str) -> None:
    content = "Ärger\r\nmit\nText ".replace("Ä", "A" if encoding == "shift_jis" else "Ä").encode(encoding)
    (tmp_path / "a.txt").write_bytes(content)
    with (tmp_path / "a.txt").open(encoding=encoding) as file:
        payload = get_payload(file, encoding=encoding.upper())
        assert payload.size == len(content)
        assert [await written(payload) for _ in range(2)] == [content] * 2
        assert payload.decode() == content.decode(encoding)


async def test_a_text_file_of_another_encoding_is_encoded_with_unknown_size(tmp_path: Path) -> None:
    text = "Ä" * (CHUNK_SIZE + 10)
    (tmp_path / "a.txt").write_text(text, encoding="latin-1")
    for encoding in ("utf-8", "utf-16"):  # the latter begins with a byte order mark: once, not in every piece
        with (tmp_path / "a.txt").open(encoding="latin-1") as file:
            payload = get_payload(file, encoding=encoding)
            assert payload.size is None
            assert payload.content_type == f"text/plain; charset={encoding}"
            assert [await written(payload) == text.encode(encoding) for _ in range(2)] == [True, True]


async def test_an_encoding_with_a_state_is_brought_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("日本", encoding="utf-8")
    with (tmp_path / "a.txt").open(encoding="utf-8") as file:
        assert await written(get_payload(file, encoding="iso2022_jp")) == "日本".encode("iso2022_jp")


@pytest.mark.parametrize("encoding", ["utf-16", "iso2022_jp"])
async def test_a_part_of_a_text_file_is_encoded_as_a_whole(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_text("日本語", encoding=encoding)
    with (tmp_path / "a.txt").open(encoding=encoding) as file:
        file.read(1)
        payload = get_payload(file, encoding=encoding)
        assert [await written(payload) for _ in range(2)] == ["本語".encode(encoding)] * 2


async def test_a_text_file_that_was_iterated_over_is_sent_from_there_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n", encoding="utf-8")
    with (tmp_path / "a.txt").open(encoding="utf-8") as file:
        assert next(file) == "one\n"
        payload = get_payload(file)
        assert (payload.size, payload.replayable) == (None, False)
        assert await written(payload) == b"two\n"


def test_a_text_file_needs_a_known_encoding(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        TextIOPayload(io.StringIO(), encoding="no-such-charset")


# -- generators that wait


async def test_a_generator_based_coroutine_may_wait() -> None:
    async def slowly(value: bytes) -> bytes:
        await asyncio.sleep(0.001)
        await asyncio.sleep(0)
        return value

    @types.coroutine
    def body() -> Generator[Any, Any, None]:
        first = yield from slowly(b"one")
        yield first
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.001, future.set_result, b"two")
        second = yield from future
        yield second
        future = asyncio.get_running_loop().create_future()
        future.set_result(b"three")
        third = yield future
        yield third

    writer = Written()
    await get_payload(body()).write(writer)
    assert writer.chunks == [b"one", b"two", b"three"]


async def test_errors_of_what_it_waits_for_reach_the_generator() -> None:
    def body(seen: list[BaseException]) -> Generator[Any, Any, None]:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(OSError("gone"))
        try:
            yield future
        except OSError as error:
            seen.append(error)
        yield b"handled"
        future = asyncio.get_running_loop().create_future()
        future.set_exception(OSError("again"))
        yield from future

    seen: list[BaseException] = []
    writer = Written()
    with pytest.raises(OSError, match="again"):
        await get_payload(body(seen)).write(writer)
    assert [str(error) for error in seen] == ["gone"]
    assert writer.data == b"handled"


async def test_cancellation_reaches_the_generator_and_what_it_waits_for() -> None:
    future = asyncio.get_running_loop().create_future()
    seen = []

    def body() -> Generator[Any, Any, None]:
        yield b"a"
        try:
            yield from future
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.create_task(written(get_payload(body())))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]
    assert future.cancelled()


async def test_a_generator_is_closed_when_its_body_cannot_be_sent() -> None:
    ended = []

    def body() -> Iterator[Any]:
        try:
            yield "text"
        finally:
            ended.append(True)

    generator = body()
    with pytest.raises(TypeError):
        await written(get_payload(generator))
    assert ended == [True]


async def test_the_content_of_a_response_can_be_a_body_while_it_arrives() -> None:
    reader = StreamReader()
    writer = Written()
    task = asyncio.create_task(get_payload(reader).write(writer))
    for part in (b"one", b"two"):
        reader.feed_data(part)
        await asyncio.sleep(0.01)
        assert writer.chunks[-1] == part
    reader.feed_eof()
    await task
    assert writer.chunks == [b"one", b"two"]


# -- payloads and registries of others


class Own(Payload):
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return str(self._value)

    async def write(self, writer: Any) -> None:
        for character in str(self._value):
            await writer.write(character.encode(self._encoding or "utf-8"))


async def test_a_payload_of_one_s_own_needs_write_and_decode() -> None:
    payload = Own("käse", encoding="latin-1", filename="a.txt")
    assert (payload.size, payload.content_type, payload.filename) == (None, "text/plain", "a.txt")
    assert (payload.replayable, payload.consumed, payload.autoclose) == (True, False, False)
    assert await written(payload) == b"k\xe4se"
    assert await written(payload, 2) == b"k\xe4"
    assert await payload.as_bytes() == b"k\xe4se"
    await payload.close()


class Thing:
    pass


class Part(Thing):
    pass


class Other(Own):
    pass


def test_a_registry_asks_first_exact_normal_and_last() -> None:
    registry = PayloadRegistry()
    registry.register(Own, Thing)
    assert type(registry.get(Part())) is Own
    registry.register(Other, Part)
    assert type(registry.get(Part())) is Other
    assert type(registry.get(Thing())) is Own
    registry.register(Other, (Thing, int), order=Order.try_first)
    assert type(registry.get(Thing(), encoding="utf-8")) is Other
    registry.register(Own, object, order=Order.try_last)
    assert type(registry.get("a")) is Own
    payload = Own("a")
    assert registry.get(payload) is payload
    with pytest.raises(ValueError, match="Unsupported order"):
        registry.register(Own, str, order="first")  # type: ignore[arg-type]


def test_what_a_registry_lacks_it_lacks_until_more_is_registered() -> None:
    registry = PayloadRegistry()
    assert not registry.lacks(dict)
    with pytest.raises(module.LookupError):
        registry.get({})
    assert registry.lacks(dict)
    registry.register(Own, dict)
    assert not registry.lacks(dict)
    assert type(registry.get({})) is Own


def test_payload_type_registers_for_everyone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.PAYLOAD_REGISTRY is PAYLOAD_REGISTRY
    monkeypatch.setattr(module, "PAYLOAD_REGISTRY", PayloadRegistry())

    @payload_type(Thing)
    class ThingPayload(Own):
        pass

    assert type(get_payload(Part())) is ThingPayload


def test_repr() -> None:
    assert repr(BytesPayload(b"abc")) == "<BytesPayload application/octet-stream size=3>"
