"""net/writer.py: how the body of a request goes out."""

from __future__ import annotations

import array
import asyncio
import zlib
from collections.abc import Iterable
from typing import Any

import pytest

from aiohttpx.errors import ClientConnectionResetError, ClientPayloadError
from aiohttpx.net.connection import HTTPConnection
from aiohttpx.net.writer import AbstractStreamWriter, StreamWriter
from aiohttpx.wire.codings import make_encoder


class Sink(asyncio.Transport):
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.writes = 0
        self.closing = False

    def write(self, data: Any) -> None:
        self.writes += 1
        self.sent += bytes(data)

    def writelines(self, parts: Iterable[Any]) -> None:
        self.write(b"".join(parts))

    def is_closing(self) -> bool:
        return self.closing


class Out:
    """A connection, what was sent on it, and a writer."""

    def __init__(self, **options: Any) -> None:
        self.connection = HTTPConnection(asyncio.get_running_loop())
        self.connection.peer = "example.org:80"
        self.sink = Sink()
        self.connection.connection_made(self.sink)
        self.writer = StreamWriter(self.connection, **options)


async def test_a_plain_body_goes_out_as_it_is() -> None:
    out = Out()
    await out.writer.write(b"abc")
    await out.writer.write(b"")
    await out.writer.write(bytearray(b"def"))
    await out.writer.write(memoryview(b"ghi"))
    await out.writer.write_eof()
    assert out.sink.sent == b"abcdefghi"
    assert out.writer.output_size == 9
    assert out.sink.writes == 3


async def test_it_is_what_a_payload_writes_itself_to() -> None:
    assert isinstance(Out().writer, AbstractStreamWriter)


async def test_a_length_is_counted() -> None:
    out = Out(length=6)
    await out.writer.write(b"abc")
    assert out.writer.length == 3
    await out.writer.write_eof(b"def")
    assert out.sink.sent == b"abcdef"
    assert out.writer.length == 0


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_what_is_longer_than_its_length_is_cut_there(kind: Any) -> None:
    out = Out(length=4)
    await out.writer.write(b"abc")
    await out.writer.write(kind(b"defg"))
    await out.writer.write(b"more")
    await out.writer.write_eof(b"and more")
    assert out.sink.sent == b"abcd"
    assert out.writer.output_size == 4


async def test_what_is_shorter_than_its_length_is_an_error() -> None:
    out = Out(length=4)
    await out.writer.write(b"abc")
    with pytest.raises(ClientPayloadError, match="1 bytes shorter than its Content-Length"):
        await out.writer.write_eof()


async def test_no_body_at_all() -> None:
    for options in ({}, {"length": 0}):
        out = Out(**options)
        await out.writer.write_eof()
        assert out.sink.sent == b""


async def test_chunks() -> None:
    out = Out(chunked=True)
    await out.writer.write(b"x" * 26)
    assert out.sink.sent == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert out.sink.writes == 1
    await out.writer.write(b"")  # an empty chunk would be the last one
    await out.writer.write_eof(b"yz")
    assert out.sink.sent.endswith(b"\r\n2\r\nyz\r\n0\r\n\r\n")
    assert out.writer.output_size == len(out.sink.sent)


async def test_no_chunks_at_all() -> None:
    out = Out(chunked=True)
    await out.writer.write_eof()
    assert out.sink.sent == b"0\r\n\r\n"


async def test_the_end_comes_once_and_nothing_after_it() -> None:
    out = Out(chunked=True)
    await out.writer.write_eof(b"a")
    await out.writer.write_eof(b"b")
    with pytest.raises(RuntimeError, match="after write_eof"):
        await out.writer.write(b"c")
    assert out.sink.sent == b"1\r\na\r\n0\r\n\r\n"


def unchunked(data: bytes) -> bytes:
    content = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        if size == b"0":
            assert data == b"\r\n"
            return content
        content += data[: int(size, 16)]
        data = data[int(size, 16) + 2 :]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_content_coding(coding: str) -> None:
    out = Out(chunked=True, encoder=make_encoder(coding))
    body = bytes(range(256)) * 40
    for start in range(0, len(body), 1000):
        await out.writer.write(memoryview(body)[start : start + 1000])
    await out.writer.write_eof(b"end")
    assert zlib.decompress(unchunked(out.sink.sent), 47) == body + b"end"


VIEWS = {
    "of integers": memoryview(array.array("I", range(70_000))),
    "of doubles": memoryview(array.array("d", [1.5, -2.0])),
    "of signed bytes": memoryview(array.array("b", [-1, 2])),
    "with steps": memoryview(b"abcdef")[::2],
    "of integers, with steps": memoryview(array.array("I", range(10)))[::3],
    "with dimensions": memoryview(b"abcdef").cast("B", [2, 3]),
    "of nothing": memoryview(b""),
}


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
async def test_a_view_is_its_bytes(view: memoryview, encoded: bool) -> None:
    out = Out(chunked=True, encoder=make_encoder("gzip") if encoded else None)
    await out.writer.write(view)
    await out.writer.write_eof()
    content = unchunked(out.sink.sent)
    assert (zlib.decompress(content, 47) if encoded else content) == view.tobytes()


async def test_a_view_is_cut_by_bytes() -> None:
    out = Out(length=6)
    await out.writer.write(memoryview(array.array("H", [1, 2, 3, 4])))
    await out.writer.write_eof()
    assert out.sink.sent == array.array("H", [1, 2, 3]).tobytes()


@pytest.mark.parametrize("data", ["text", 1, None, [b"a"], {"a": 1}])
async def test_what_is_not_bytes_is_a_type_error(data: Any) -> None:
    out = Out()
    with pytest.raises(TypeError, match="byte-ish"):
        await out.writer.write(data)
    assert out.sink.sent == b""


async def test_a_buffer_may_change_once_it_was_written() -> None:
    out = Out()
    kept: list[Any] = []
    out.sink.write = kept.append  # type: ignore[assignment]
    buffer = bytearray(b"abc")
    await out.writer.write(buffer)
    await out.writer.write(memoryview(buffer))
    buffer[:] = b"xyz"
    assert list(map(bytes, kept)) == [b"abc", b"abc"]


@pytest.mark.parametrize("closing", ["lost", "closing"])
@pytest.mark.parametrize("options", [{}, {"chunked": True}, {"length": 3}], ids=str)
async def test_nothing_is_written_to_a_connection_that_is_lost(options: dict[str, Any], closing: str) -> None:
    out = Out(**options)
    out.sink.closing = True
    if closing == "lost":
        out.connection.connection_lost(None)
    with pytest.raises(ClientConnectionResetError, match=r"example\.org:80"):
        await out.writer.write(b"abc")
    with pytest.raises(ClientConnectionResetError):
        await out.writer.drain()
    assert out.sink.sent == b""


@pytest.mark.parametrize("end", [False, True])
async def test_it_waits_while_the_peer_takes_no_more(end: bool) -> None:
    out = Out(chunked=True)
    out.connection.pause_writing()
    writing = asyncio.ensure_future(out.writer.write_eof() if end else out.writer.write(b"abc"))
    await asyncio.sleep(0)
    assert not writing.done()
    out.connection.resume_writing()
    await writing


async def test_its_repr_says_how_far_it_is() -> None:
    out = Out(length=5)
    await out.writer.write(b"abc")
    assert repr(out.writer) == "<StreamWriter length=2 output_size=3>"
    assert repr(Out(chunked=True).writer) == "<StreamWriter chunked output_size=0>"
