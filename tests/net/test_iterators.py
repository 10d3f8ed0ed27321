from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from aiohttpx import ClientPayloadError
from aiohttpx.net.iterators import AsyncLineIterator
from aiohttpx.net.reader import ChunkTooBig, StreamReader


def fed(*pieces: bytes) -> StreamReader:
    reader = StreamReader()
    for piece in pieces:
        reader.feed_data(piece)
    reader.feed_eof()
    return reader


def cut(data: bytes, size: int) -> Sequence[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_lines_end_at_lf_and_crlf_and_nothing_else(size: int) -> None:
    content = b"one\r\ntwo\n\n\r\na\rb\x85c\xe2\x80\xa8d\x0b\x0ce\r\r\nlast"
    lines = [line async for line in fed(*cut(content, size)).iter_lines()]
    assert lines == [b"one", b"two", b"", b"", b"a\rb\x85c\xe2\x80\xa8d\x0b\x0ce\r", b"last"]


@pytest.mark.parametrize(("content", "lines"), [(b"", []), (b"\n", [b""]), (b"a\n", [b"a"]), (b"a\n\r", [b"a", b"\r"])])
async def test_what_follows_the_last_end_is_a_line_if_there_is_anything(content: bytes, lines: list[bytes]) -> None:
    assert [line async for line in fed(content).iter_lines()] == lines


async def test_a_line_may_be_of_any_length_up_to_the_limit() -> None:
    line = b"x" * 3_000_000
    pieces = cut(line + b"\nnext", 65536)
    assert [len(found) async for found in fed(*pieces).iter_lines(max_line_length=len(line) + 1)] == [len(line), 4]
    with pytest.raises(ChunkTooBig, match="more than 3000000 bytes"):
        await anext(fed(*pieces).iter_lines(max_line_length=len(line)))
    with pytest.raises(ClientPayloadError, match="more than 1048576 bytes"):
        await anext(fed(*pieces).iter_lines())


async def test_the_stream_goes_on_behind_the_last_line_taken() -> None:
    reader = fed(b"one\ntwo\nthree")
    async for line in reader.iter_lines():
        assert line == b"one"
        break
    assert await reader.read() == b"two\nthree"


async def test_a_line_that_is_cancelled_is_not_lost() -> None:
    reader = StreamReader()
    lines = reader.iter_lines()
    reader.feed_data(b"one\ntw")
    assert await anext(lines) == b"one"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await anext(lines)
    reader.feed_data(b"o\n")
    assert await anext(lines) == b"two"


async def test_lines_are_converted_and_blank_ones_skipped() -> None:
    reader = fed(b"1\n \n\n2\n")
    assert [number async for number in AsyncLineIterator(reader.readline, int, skip_blank=True)] == [1, 2]
