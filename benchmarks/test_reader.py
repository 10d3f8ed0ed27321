"""StreamReader: what it costs to feed and to read content, without a socket."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Coroutine
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aiohttpx.net.reader import StreamReader
from aiohttpx.wire.codings import decode_at_once, make_decoder

MIB = 2**20
PIECE = bytes(64 * 1024)
LINES = b"".join(b'{"number": %d, "text": "a line of json"}\n' % number for number in range(1000))
JSON = json.dumps([{"id": number, "name": f"name {number}", "tags": ["a", "b"]} for number in range(200)]).encode()


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine that never waits returns; no event loop takes part."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("the coroutine waited")


def reader_of(pieces: list[bytes], coding: str = "") -> StreamReader:
    reader = StreamReader(decoder=make_decoder(coding))
    for piece in pieces:
        reader.feed_data(piece)
    reader.feed_eof()
    return reader


async def count(pieces: Any) -> int:
    size = 0
    async for piece in pieces:
        size += len(piece)
    return size


def test_make_feed_and_read_one_piece(benchmark: BenchmarkFixture) -> None:
    piece = b"hello, world\n"

    def work() -> bytes:
        reader = StreamReader()
        reader.feed_data(piece)
        reader.feed_eof()
        return run(reader.read())  # type: ignore[no-any-return]

    assert benchmark(work) is piece


def test_read_of_16_mib(benchmark: BenchmarkFixture) -> None:
    pieces = [PIECE] * 256
    assert len(benchmark(lambda: run(reader_of(pieces).read()))) == 16 * MIB


@pytest.mark.parametrize("size", [4096, 65536, MIB])
def test_iter_chunked_over_16_mib(benchmark: BenchmarkFixture, size: int) -> None:
    pieces = [PIECE] * 256
    assert benchmark(lambda: run(count(reader_of(pieces).iter_chunked(size)))) == 16 * MIB


def test_1000_lines(benchmark: BenchmarkFixture) -> None:
    assert benchmark(lambda: run(count(reader_of([LINES])))) == len(LINES)


def test_a_line_that_comes_in_10000_pieces(benchmark: BenchmarkFixture) -> None:
    pieces = [b"0123456789"] * 10_000
    assert len(benchmark(lambda: run(reader_of(pieces).readline()))) == 100_000


def test_1000_chunks(benchmark: BenchmarkFixture) -> None:
    data, ends = bytes(100_000), tuple(range(100, 100_001, 100))

    def work() -> int:
        reader = StreamReader()
        reader.feed_chunks(data, ends)
        reader.feed_eof()
        return run(count(data async for data, _ in reader.iter_chunks()))  # type: ignore[no-any-return]

    assert benchmark(work) == len(data)


def test_a_reader_that_waits_for_each_of_100_pieces(benchmark: BenchmarkFixture) -> None:
    loop = asyncio.new_event_loop()

    async def exchange() -> int:
        reader = StreamReader()
        task = loop.create_task(count(reader.iter_any()))
        for _ in range(100):
            await asyncio.sleep(0)
            reader.feed_data(PIECE)
        reader.feed_eof()
        return await task

    assert benchmark(lambda: loop.run_until_complete(exchange())) == 100 * len(PIECE)
    loop.close()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_decode_of_a_whole_small_body(benchmark: BenchmarkFixture, coding: str) -> None:
    data = gzip.compress(JSON) if coding == "gzip" else zlib.compress(JSON)
    assert benchmark(decode_at_once, coding, data, 2**20) == JSON


def test_read_of_a_gzipped_small_body(benchmark: BenchmarkFixture) -> None:
    data = gzip.compress(JSON)
    assert benchmark(lambda: run(reader_of([data], "gzip").read())) == JSON


def test_read_of_4_gzipped_mib(benchmark: BenchmarkFixture) -> None:
    content = JSON * (4 * MIB // len(JSON))
    data = gzip.compress(content)
    pieces = [data[at : at + len(PIECE)] for at in range(0, len(data), len(PIECE))]
    loop = asyncio.new_event_loop()
    assert benchmark(lambda: loop.run_until_complete(reader_of(pieces, "gzip").read())) == content
    loop.close()
