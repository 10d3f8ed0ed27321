from __future__ import annotations

import asyncio
import gzip
import itertools
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpx.errors import ClientPayloadError, ContentEncodingError, LineTooLong
from aiohttpx.net.reader import DECODE_STEP, EMPTY_PAYLOAD, EmptyStreamReader, StreamReader
from aiohttpx.wire.codings import make_decoder

pytestmark = pytest.mark.every_loop

MIB = 2**20


class Transport:
    """What a reader needs of a connection. Remembers what it was asked for."""

    connected = True

    def __init__(self) -> None:
        self.said: list[str] = []
        self.feeds: Callable[[], object] | None = None

    def pause_reading(self) -> None:
        self.said.append("pause")

    def resume_reading(self) -> None:
        self.said.append("resume")
        if self.feeds is not None:
            feeds, self.feeds = self.feeds, None
            feeds()

    @property
    def paused(self) -> bool:
        return self.said[-1:] == ["pause"]


def fed(*pieces: bytes, eof: bool = True, **options: Any) -> StreamReader:
    reader = StreamReader(**options)
    for piece in pieces:
        reader.feed_data(piece)
    if eof:
        reader.feed_eof()
    return reader


def gzipped(*pieces: bytes, eof: bool = True, **options: Any) -> StreamReader:
    return fed(*pieces, eof=eof, decoder=make_decoder("gzip"), **options)


async def read_on(read: Callable[[StreamReader], Awaitable[Any]], reader: StreamReader) -> None:
    while not reader.at_eof():
        await read(reader)


async def waiting(reading: Awaitable[Any]) -> asyncio.Task[Any]:
    """A task in which `reading` has come to where it waits."""
    task = asyncio.ensure_future(reading)
    await asyncio.sleep(0)
    assert not task.done()
    return task


#: Every method that may wait.
READS: dict[str, Callable[[StreamReader], Awaitable[Any]]] = {
    "read()": lambda reader: reader.read(),
    "read(n)": lambda reader: reader.read(100),
    "readany": lambda reader: reader.readany(),
    "readexactly": lambda reader: reader.readexactly(100),
    "readline": lambda reader: reader.readline(),
    "readuntil": lambda reader: reader.readuntil(b"::"),
    "readchunk": lambda reader: reader.readchunk(),
    "lines": lambda reader: anext(aiter(reader)),
    "iter_any": lambda reader: anext(reader.iter_any()),
    "iter_chunked": lambda reader: anext(reader.iter_chunked(100)),
    "iter_chunks": lambda reader: anext(reader.iter_chunks()),
}
every_read = pytest.mark.parametrize("read", READS.values(), ids=READS)


# -- by hand


async def test_is_made_and_fed_by_hand() -> None:
    reader = StreamReader()
    reader.feed_data(b"some ")
    reader.feed_data(b"data", 4)
    reader.feed_data(b"")
    reader.feed_eof()
    assert await reader.read() == b"some data"
    assert reader.total_bytes == reader.total_raw_bytes == 9


def test_is_made_without_a_loop_and_read_in_one() -> None:
    async def upload(reader: StreamReader) -> list[bytes]:
        asyncio.get_running_loop().call_soon(reader.feed_data, b"later")
        asyncio.get_running_loop().call_soon(reader.feed_eof)
        return [piece async for piece in reader.iter_any()]

    assert asyncio.run(upload(fed(b"now", eof=False))) == [b"now", b"later"]


async def test_takes_what_aiohttp_takes() -> None:
    reader = StreamReader(Transport(), 2**10, timer=None, loop=asyncio.get_running_loop())
    assert reader.get_read_buffer_limits() == (2**10, 2**11)


def test_cannot_be_fed_after_its_end() -> None:
    with pytest.raises(RuntimeError, match="feed_data"):
        fed().feed_data(b"x")
    with pytest.raises(RuntimeError, match="feed_chunks"):
        fed().feed_chunks(b"x", (1,))


async def test_says_what_it_is_doing() -> None:
    assert repr(StreamReader()) == "<StreamReader>"
    assert repr(fed(b"123", limit=1, protocol=Transport(), eof=False)) == "<StreamReader 3 bytes paused>"
    assert repr(gzipped(b"123")) == "<StreamReader 3 bytes coded eof>"
    reader = StreamReader()
    task = await waiting(reader.read())
    assert repr(reader) == "<StreamReader awaited>"
    reader.set_exception(ValueError("why"))
    with pytest.raises(ValueError, match="why"):
        await task
    assert repr(reader) == "<StreamReader ValueError('why')>"


# -- each method


async def test_read_gives_up_to_n_bytes_and_then_nothing() -> None:
    reader = fed(b"abc", b"def", b"ghi")
    assert [await reader.read(n) for n in (0, 2, 2, 0, 100, 1, -1)] == [b"", b"ab", b"cd", b"", b"efghi", b"", b""]


async def test_read_waits_for_something_but_not_for_n() -> None:
    reader = StreamReader()
    task = await waiting(reader.read(100))
    reader.feed_data(b"abc")
    assert await task == b"abc"


async def test_read_of_everything_waits_for_the_end() -> None:
    reader = StreamReader()
    task = await waiting(reader.read())
    for _ in range(3):
        reader.feed_data(b"abc")
        await asyncio.sleep(0)
    assert not task.done()
    reader.feed_eof()
    assert await task == b"abcabcabc"


async def test_readany_gives_what_is_there() -> None:
    reader = fed(b"abc", b"def", eof=False)
    assert await reader.readany() == b"abcdef"
    task = await waiting(reader.readany())
    reader.feed_data(b"ghi")
    assert await task == b"ghi"
    reader.feed_eof()
    assert await reader.readany() == b""


async def test_readexactly_waits_for_all_of_it() -> None:
    reader = fed(b"ab", eof=False)
    task = await waiting(reader.readexactly(5))
    reader.feed_data(b"cd")
    await asyncio.sleep(0)
    assert not task.done()
    reader.feed_data(b"ef")
    assert await task == b"abcde"
    assert await reader.readexactly(0) == b""
    assert await reader.readexactly(1) == b"f"


@pytest.mark.parametrize("early", [True, False])
async def test_readexactly_of_too_little_says_what_there_was(early: bool) -> None:
    reader = fed(b"abc", eof=early)
    task = asyncio.ensure_future(reader.readexactly(5))
    await asyncio.sleep(0)
    if not early:
        reader.feed_eof()
    with pytest.raises(asyncio.IncompleteReadError) as caught:
        await task
    assert caught.value.partial == b"abc"
    assert caught.value.expected == 5
    assert await reader.read() == b""


async def test_lines() -> None:
    reader = fed(b"one\ntw", b"o\n\nth", b"ree")
    assert await reader.readline() == b"one\n"
    assert [line async for line in reader] == [b"two\n", b"\n", b"three"]
    assert await reader.readline() == b""


@pytest.mark.parametrize("pieces", [[b"a::b::c"], [b"a:", b":b:", b":c"], [b"a", b":", b":", b"b", b":", b":c"]])
async def test_a_separator_may_be_cut_anywhere(pieces: list[bytes]) -> None:
    reader = StreamReader()
    task = asyncio.ensure_future(reader.readuntil(b"::"))
    for piece in pieces:
        reader.feed_data(piece)
        await asyncio.sleep(0)
    reader.feed_eof()
    assert await task == b"a::"
    assert await reader.readuntil(b"::") == b"b::"
    assert await reader.readuntil(b"::") == b"c"
    assert await reader.readuntil(b"::") == b""


async def test_a_separator_has_to_be_something() -> None:
    with pytest.raises(ValueError, match="one-byte"):
        await fed(b"x").readuntil(b"")


@pytest.mark.parametrize("pieces", [[b"12345\n"], [b"123", b"45\n"], [b"123456789"]])
async def test_a_line_over_its_limit_is_an_error(pieces: list[bytes]) -> None:
    assert await fed(*pieces).readline(max_line_length=9) == b"".join(pieces)
    for kind in (LineTooLong, ValueError):
        with pytest.raises(kind, match=r"Chunk too big: more than 5 bytes.*123"):
            await fed(*pieces).readline(max_line_length=5)


async def test_the_limit_of_a_line_is_by_default_the_upper_mark_and_holds_before_the_line_ends() -> None:
    reader = fed(b"x" * 20, b"\nnext", limit=10, eof=False)
    with pytest.raises(LineTooLong):
        await reader.readline()
    reader = fed(b"x" * 15, limit=10, eof=False)
    task = await waiting(reader.readline())
    reader.feed_data(b"x" * 6)
    with pytest.raises(LineTooLong):
        await task


async def test_read_nowait() -> None:
    reader = fed(b"abc", b"def", eof=False)
    assert [reader.read_nowait(n) for n in (2, 2, -1, 5)] == [b"ab", b"cd", b"ef", b""]
    await waiting(reader.read())
    with pytest.raises(RuntimeError, match="read_nowait"):
        reader.read_nowait()
    reader.feed_eof()


async def test_unread_data_is_read_again_even_after_the_end() -> None:
    reader = fed(b"abcdef", b"ghi")
    assert await reader.read(4) == b"abcd"
    reader.unread_data(b"cd")  # as it was
    reader.unread_data(b"")
    assert await reader.read(3) == b"cde"
    reader.unread_data(b"CDE")  # something else
    assert await reader.read(5) == b"CDEfg"
    assert await reader.read() == b"hi"
    assert reader.at_eof()
    reader.unread_data(b"again")
    assert not reader.at_eof()
    assert await reader.read() == b"again"
    assert reader.total_bytes == 9


async def test_iter_chunked_cuts_what_is_larger_and_joins_nothing() -> None:
    reader = fed(b"ab", b"cdefghi", b"jkl")
    assert [piece async for piece in reader.iter_chunked(3)] == [b"ab", b"cde", b"fgh", b"i", b"jkl"]
    with pytest.raises(ValueError, match="at least 1"):
        reader.iter_chunked(0)


async def test_an_iterator_can_be_left_and_taken_up_again() -> None:
    pieces = fed(b"abc", b"def").iter_chunked(2)
    async for piece in pieces:
        assert piece == b"ab"
        break
    assert [piece async for piece in pieces] == [b"c", b"de", b"f"]


@pytest.mark.parametrize("read", ["read()", "read(n)", "readany", "iter_any", "iter_chunked"])
async def test_a_piece_that_is_taken_whole_is_not_copied(read: str) -> None:
    piece = bytes(100)
    assert await READS[read](fed(piece)) is piece


# -- chunks


async def test_chunks_are_told_apart() -> None:
    reader = StreamReader()
    reader.feed_chunks(b"onetwoth", (3, 6))
    reader.feed_chunks(b"ree", (3,))
    reader.feed_eof()
    assert [chunk async for chunk in reader.iter_chunks()] == [(b"one", True), (b"two", True), (b"three", True)]
    assert await reader.readchunk() == (b"", False)


async def test_a_chunk_is_not_waited_for() -> None:
    reader = StreamReader()
    reader.feed_chunks(b"on", ())
    assert await reader.readchunk() == (b"on", False)
    task = await waiting(reader.readchunk())
    reader.feed_chunks(b"e", (1,))
    assert await task == (b"e", True)
    task = await waiting(reader.readchunk())
    reader.feed_chunks(b"two", ())
    assert await task == (b"two", False)
    task = await waiting(reader.readchunk())
    reader.feed_chunks(b"", (0,))  # what ended it came later
    assert await task == (b"", True)


async def test_the_end_of_a_chunk_does_not_wake_other_reads() -> None:
    reader = StreamReader()
    task = await waiting(reader.read(10))
    reader.feed_chunks(b"", (0,))
    await asyncio.sleep(0)
    assert not task.done()
    reader.feed_data(b"x")
    assert await task == b"x"


async def test_other_reads_pass_over_chunks() -> None:
    reader = StreamReader()
    reader.feed_chunks(b"onetwothreefour", (3, 6, 11, 15))
    assert await reader.read(4) == b"onet"
    assert await reader.readchunk() == (b"wo", True)
    assert await reader.readexactly(5) == b"three"
    assert await reader.readchunk() == (b"", True)
    assert await reader.readchunk() == (b"four", True)


async def test_chunks_by_hand() -> None:
    reader = StreamReader()
    with pytest.raises(RuntimeError, match="begin_http_chunk_receiving"):
        reader.end_http_chunk_receiving()
    for chunk in (b"one", b"", b"two"):
        reader.begin_http_chunk_receiving()
        reader.feed_data(chunk)
        reader.end_http_chunk_receiving()
    reader.feed_eof()
    assert [chunk async for chunk in reader.iter_chunks()] == [(b"one", True), (b"two", True)]
    with pytest.raises(RuntimeError, match="already fed"):
        fed(b"x", eof=False).begin_http_chunk_receiving()


async def test_a_body_without_chunks_has_none() -> None:
    assert [chunk async for chunk in fed(b"abc", b"def").iter_chunks()] == [(b"abc", False), (b"def", False)]


@pytest.mark.parametrize("by_hand", [True, False])
async def test_chunks_of_a_coded_body_end_where_their_content_ends(by_hand: bool) -> None:
    packer = zlib.compressobj(wbits=31)
    chunks = []
    for content in (b"one", b"", b"x" * 100_000):
        chunks.append(packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH))
    chunks.append(packer.flush())
    reader = gzipped(eof=False)
    if by_hand:
        for chunk in chunks:
            reader.begin_http_chunk_receiving()
            reader.feed_data(chunk)
            reader.end_http_chunk_receiving()
    else:
        data, ends = b"".join(chunks), tuple(itertools.accumulate(map(len, chunks)))
        cut = ends[0] + 1  # in the second chunk
        reader.feed_chunks(data[:cut], ends[:1])
        reader.feed_chunks(data[cut:], tuple(end - cut for end in ends[1:]))
    reader.feed_eof()
    got = [chunk async for chunk in reader.iter_chunks()]
    assert got[0] == (b"one", True)
    assert b"".join(data for data, _ in got[1:]) == b"x" * 100_000
    assert [ended for _, ended in got[1:]] == [False] * (len(got) - 2) + [True]


@given(chunks=st.lists(st.binary(min_size=1, max_size=10)), cuts=st.lists(st.integers(1, 30)))
def test_chunks_stay_what_they_were_however_they_are_fed(chunks: list[bytes], cuts: list[int]) -> None:
    content, ends = b"".join(chunks), list(itertools.accumulate(map(len, chunks)))
    reader = StreamReader()
    at = 0
    for cut in [*cuts, len(content)]:
        piece = content[at : at + cut]
        reader.feed_chunks(piece, tuple(end - at for end in ends if at < end <= at + len(piece)))
        at += len(piece)
    reader.feed_eof()

    async def collect() -> list[bytes]:
        got = [b""]
        async for data, ended in reader.iter_chunks():
            got[-1] += data
            if ended:
                got.append(b"")
        return got

    assert asyncio.run(collect()) == [*chunks, b""]


# -- the end


async def test_knows_its_end() -> None:
    reader = fed(b"abc", eof=False)
    assert not reader.is_eof()
    reader.feed_eof()
    assert reader.is_eof()
    assert not reader.at_eof()
    await reader.read()
    assert reader.at_eof()


async def test_wait_eof() -> None:
    reader = fed(b"abc", eof=False)
    task = await waiting(reader.wait_eof())
    with pytest.raises(RuntimeError, match="wait_eof"):
        await reader.wait_eof()
    reader.feed_eof()
    await task
    await reader.wait_eof()
    assert await reader.read() == b"abc"


async def test_wait_eof_ends_with_an_exception_too() -> None:
    reader = StreamReader()
    task = await waiting(reader.wait_eof())
    reader.set_exception(ValueError("cut"))
    with pytest.raises(ValueError, match="cut"):
        await task
    with pytest.raises(ValueError, match="cut"):
        await reader.wait_eof()


async def test_on_eof_calls_once_and_survives_what_it_calls(caplog: pytest.LogCaptureFixture) -> None:
    reader = StreamReader()
    calls = []
    reader.on_eof(lambda: calls.append(1))
    reader.on_eof(lambda: [][0])
    reader.on_eof(lambda: calls.append(2))
    reader.feed_eof()
    reader.feed_eof()
    assert calls == [1, 2]
    assert "IndexError" in caplog.text
    reader.on_eof(lambda: calls.append(3))
    assert calls == [1, 2, 3]


async def test_an_exception_is_not_the_end() -> None:
    reader = StreamReader()
    calls = []
    reader.on_eof(lambda: calls.append(1))
    reader.set_exception(ValueError())
    reader.feed_eof()
    assert calls == []


# -- one at a time, exceptions, cancellation


@every_read
async def test_a_second_reader_is_turned_away_by_name(read: Callable[[StreamReader], Awaitable[Any]]) -> None:
    reader = fed(b"abc", eof=False)
    first = await waiting(reader.readexactly(10))
    name = {"lines": "readuntil", "readline": "readuntil"}.get(next(n for n, r in READS.items() if r is read))
    with pytest.raises(RuntimeError, match=name or r"\(\) called while another coroutine"):
        await read(reader)
    reader.feed_data(b"defghij")
    with pytest.raises(RuntimeError):  # woken, but it has not had its turn
        await read(reader)
    assert await first == b"abcdefghij"


@every_read
async def test_an_exception_reaches_who_waits_and_who_comes_later(read: Callable[[StreamReader], Awaitable[Any]]) -> None:
    reader, error = StreamReader(), ValueError("broken")
    task = await waiting(read(reader))
    reader.set_exception(error, cause := OSError("cable"))
    with pytest.raises(ValueError, match="broken") as caught:
        await task
    assert caught.value is reader.exception() is error
    assert error.__cause__ is cause
    for late in (read(reader), read(fed_with_error(error))):
        with pytest.raises(ValueError, match="broken"):
            await late


def fed_with_error(error: Exception) -> StreamReader:
    reader = fed(b"data\n that came before ::", eof=False)
    reader.set_exception(error)
    with pytest.raises(type(error)):
        reader.read_nowait()
    return reader


@every_read
@pytest.mark.parametrize("coded", [False, True])
async def test_a_cancelled_read_takes_nothing(read: Callable[[StreamReader], Awaitable[Any]], coded: bool) -> None:
    content = b"x" * 50
    data = gzip.compress(content) if coded else content
    reader = StreamReader(decoder=make_decoder("gzip") if coded else None)
    task = await waiting(read(reader))
    task.cancel()
    reader.feed_data(data[:20])  # though something came in the same turn
    with pytest.raises(asyncio.CancelledError):
        await task
    reader.feed_data(data[20:])
    reader.feed_eof()
    assert await reader.read() == content


@pytest.mark.parametrize("read", [READS[name] for name in ("read()", "readexactly", "readline", "readuntil")])
async def test_a_read_cancelled_half_way_takes_nothing(read: Callable[[StreamReader], Awaitable[Any]]) -> None:
    reader = StreamReader()
    task = await waiting(read(reader))
    for _ in range(3):
        reader.feed_data(b"abc")
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await reader.readany() == b"abcabcabc"


async def test_who_would_wait_for_a_lost_connection_is_told() -> None:
    transport = Transport()
    reader = fed(b"abc", protocol=transport, eof=False)
    transport.connected = False
    assert await reader.readany() == b"abc"
    with pytest.raises(RuntimeError, match=r"^Connection closed\.$"):
        await reader.readany()


async def test_waits_in_its_timer() -> None:
    entered = []

    class Timer:
        def __enter__(self) -> None:
            entered.append(True)

        def __exit__(self, *exc: object) -> None:
            entered.append(False)

    reader = StreamReader(timer=Timer())
    task = await waiting(reader.readany())
    assert entered == [True]
    reader.feed_data(b"x")
    assert await task == b"x"
    assert entered == [True, False]


# -- flow control


async def test_pauses_above_the_upper_mark_and_resumes_below_the_lower() -> None:
    transport = Transport()
    reader = fed(b"x" * 20, protocol=transport, limit=10, eof=False)
    assert transport.said == []
    reader.feed_data(b"x")
    assert transport.said == ["pause"]
    reader.feed_data(b"x")  # was on its way
    await reader.read(12)
    assert transport.said == ["pause"]
    await reader.read(1)
    assert transport.said == ["pause", "resume"]


async def test_who_waits_gets_all_that_comes_without_a_pause() -> None:
    transport = Transport()
    reader = StreamReader(transport, 10)
    for waits in (reader.readexactly(1000), reader.readany(), reader.read()):
        task = await waiting(waits)
        for _ in range(10):
            reader.feed_data(b"x" * 100)
            await asyncio.sleep(0)
            if task.done():
                break
        else:
            reader.feed_eof()
        assert transport.said == []
        await task


async def test_pauses_when_the_reader_has_enough_but_did_not_have_its_turn() -> None:
    transport = Transport()
    reader = StreamReader(transport, 10)
    task = await waiting(reader.readany())
    reader.feed_data(b"x" * 100)
    assert transport.said == []
    reader.feed_data(b"x" * 100)
    assert transport.said == ["pause"]
    assert len(await task) == 200
    assert transport.said == ["pause", "resume"]


@pytest.mark.parametrize("read", [READS[name] for name in ("read()", "readexactly", "readline", "readuntil")])
async def test_resumes_when_what_is_buffered_does_not_do(read: Callable[[StreamReader], Awaitable[Any]]) -> None:
    transport = Transport()
    reader = fed(b"x" * 64, protocol=transport, limit=31, eof=False)
    assert transport.paused
    transport.feeds = lambda: (reader.feed_data(b"x" * 50 + b"::\n"), reader.feed_eof())  # at once, from within resume_reading
    reader.set_read_chunk_size(200)
    assert len(await read(reader)) >= 100
    assert transport.said == ["pause", "resume"]


async def test_resumes_at_the_end() -> None:
    transport = Transport()
    reader = fed(b"x" * 100, protocol=transport, limit=10, eof=False)
    assert transport.paused
    reader.feed_eof()
    assert transport.said == ["pause", "resume"]
    assert len(await reader.read()) == 100


async def test_many_small_pieces_are_enough_too() -> None:
    transport = Transport()
    reader = StreamReader(transport)
    for _ in range(2000):
        reader.feed_data(b"x")
        if transport.paused:
            break
    assert reader.total_bytes == 1025
    await reader.read(500)
    assert transport.paused
    await reader.read(100)
    assert not transport.paused


async def test_many_small_chunks_are_enough_too() -> None:
    transport = Transport()
    reader = StreamReader(transport)
    reader.feed_chunks(b"x" * 5000, tuple(range(1, 5001)))
    assert transport.paused
    await reader.readany()
    assert not transport.paused


def test_the_marks_follow_who_reads_more_at_a_time() -> None:
    reader = StreamReader(limit=100)
    reader.set_read_chunk_size(50)
    assert reader.get_read_buffer_limits() == (100, 200)
    reader.iter_chunked(1000)
    assert reader.get_read_buffer_limits() == (1000, 2000)


# -- content codings


async def test_decodes_what_is_fed() -> None:
    content = bytes(range(256)) * 1000
    data = gzip.compress(content)
    reader = gzipped(data[:10], data[10:100], data[100:])
    assert await reader.read() == content
    assert reader.total_bytes == len(content)
    assert reader.total_raw_bytes == len(data)
    assert reader.at_eof()
    assert await reader.read() == b""


@pytest.mark.parametrize("read", [*READS.values(), lambda reader: asyncio.sleep(0, reader.read_nowait())])
async def test_every_read_decodes(read: Callable[[StreamReader], Awaitable[Any]]) -> None:
    got = await read(gzipped(gzip.compress(b"x" * 98 + b"\n::")))
    content = got[0] if isinstance(got, tuple) else got
    assert content
    assert (b"x" * 98 + b"\n::").startswith(content)


async def test_waits_until_something_comes_out_of_the_decoder() -> None:
    data = gzip.compress(b"content")
    reader = gzipped(data[:10], eof=False)
    task = await waiting(reader.readany())
    for byte in data[10:]:
        reader.feed_data(bytes([byte]))
        await asyncio.sleep(0)
    reader.feed_eof()
    assert await task + await reader.read() == b"content"


async def test_at_eof_knows_that_nothing_comes_of_what_is_left() -> None:
    data = gzip.compress(b"content")
    reader = gzipped(data[:-1], eof=False)
    assert await reader.readany() == b"content"
    reader.feed_data(data[-1:])
    reader.feed_eof()
    while not reader.at_eof():
        assert await reader.readany() == b""


@every_read
@pytest.mark.parametrize("data", [b"garbage of some length", gzip.compress(b"content")[:-12]], ids=["broken", "cut short"])
async def test_a_broken_coding_is_a_payload_error(read: Callable[[StreamReader], Awaitable[Any]], data: bytes) -> None:
    reader = gzipped(data)
    error = None
    for _ in range(2):
        with pytest.raises(ClientPayloadError, match="Cannot decode content coding 'gzip'") as caught:
            await read_on(read, reader)
        error = error or caught.value
        assert caught.value is error
    assert isinstance(error.__cause__, ContentEncodingError)
    assert not reader.at_eof()


async def test_a_broken_coding_is_seen_without_waiting() -> None:
    with pytest.raises(ClientPayloadError, match="Cannot decode"):
        gzipped(b"garbage", eof=False).read_nowait()


async def test_what_came_before_the_cut_is_read_before_the_error() -> None:
    reader = gzipped(gzip.compress(b"content" * 1000)[:-8])
    pieces = reader.iter_chunked(1000)
    got = [await anext(pieces) for _ in range(7)]
    assert b"".join(got) == b"content" * 1000
    with pytest.raises(ClientPayloadError, match="cut short"):
        await anext(pieces)


async def test_at_eof_is_not_reached_by_a_body_that_is_cut_short() -> None:
    reader = gzipped(gzip.compress(b"content")[:-1])
    with pytest.raises(ClientPayloadError, match="cut short"):
        await read_on(READS["readany"], reader)


async def test_who_waits_hears_that_the_body_is_cut_short() -> None:
    reader = gzipped(gzip.compress(b"content")[:-1], eof=False)
    task = await waiting(reader.read())
    reader.feed_eof()
    with pytest.raises(ClientPayloadError, match="cut short"):
        await task


async def test_a_bomb_nobody_reads_is_not_inflated() -> None:
    bomb = gzip.compress(bytes(64 * MIB))
    tracemalloc.start()
    try:
        reader = gzipped(bomb)
        assert reader.total_bytes == 0
        for _ in range(100):
            assert await reader.read(10) == bytes(10)
        assert reader.total_bytes == DECODE_STEP
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()


async def count_turns(counted: list[int]) -> None:
    while True:
        counted[0] += 1
        await asyncio.sleep(0)


@pytest.mark.parametrize("by_piece", [True, False])
async def test_a_long_decode_lets_the_loop_have_its_turns(by_piece: bool) -> None:
    reader, turns = gzipped(gzip.compress(bytes(16 * MIB))), [0]
    counting = asyncio.ensure_future(count_turns(turns))
    size = 0
    if by_piece:
        async for piece in reader.iter_chunked(MIB):
            size += len(piece)
    else:
        size = len(await reader.read())
    counting.cancel()
    assert size == 16 * MIB
    assert turns[0] >= 15


async def test_work_that_comes_to_nothing_lets_the_loop_have_its_turns_too() -> None:
    reader, turns = gzipped(gzip.compress(b"") * 20_000), [0]
    counting = asyncio.ensure_future(count_turns(turns))
    assert await reader.read() == b""
    counting.cancel()
    assert turns[0] >= 15


async def test_while_the_loop_has_its_turn_other_readers_are_kept_out_and_input_is_limited() -> None:
    transport = Transport()
    reader = gzipped(gzip.compress(bytes(4 * MIB)), protocol=transport, eof=False)
    task = await waiting(reader.read())
    with pytest.raises(RuntimeError, match="readany"):
        await reader.readany()
    reader.feed_data(gzip.compress(bytes(MIB)))
    assert transport.paused  # by what is decoded and not yet taken
    reader.feed_eof()
    assert len(await task) == 5 * MIB


async def test_a_decode_that_is_cancelled_loses_nothing() -> None:
    reader = gzipped(gzip.compress(bytes(4 * MIB)))
    task = await waiting(reader.read())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(await reader.read()) == 4 * MIB


async def test_an_exception_ends_a_long_decode() -> None:
    reader = gzipped(gzip.compress(bytes(64 * MIB)))
    task = await waiting(reader.read())
    reader.set_exception(ValueError("closed"))
    with pytest.raises(ValueError, match="closed"):
        await task
    assert reader.total_bytes < 2 * MIB


async def test_coded_input_is_under_flow_control() -> None:
    transport = Transport()
    data = gzip.compress(bytes(range(256)) * 4000, 0)
    reader = gzipped(protocol=transport, limit=1000, eof=False)
    for at in range(0, len(data), 500):
        reader.feed_data(data[at : at + 500])
        if transport.paused:
            break
    assert reader.total_raw_bytes == 2500
    while transport.paused:
        assert await reader.readany()
    assert reader.total_raw_bytes == 2500


# -- against plain bytes


async def read_once(reader: StreamReader, rest: bytes, kind: str, n: int) -> bytes:
    """Read as `kind` says, and see that it is what it says of `rest`, all that is left. Gives what was read."""
    if kind == "read":
        got = await reader.read(n)
        assert len(got) <= n
        assert got or not rest or n == 0
    elif kind == "any":
        got = await reader.readany()
        assert got or not rest
    elif kind == "exactly":
        if n <= len(rest):
            got = await reader.readexactly(n)
            assert len(got) == n
        else:
            with pytest.raises(asyncio.IncompleteReadError) as caught:
                await reader.readexactly(n)
            assert caught.value.expected == n
            got = caught.value.partial
            assert got == rest
    elif kind == "until":
        separator = b"ab"[: 1 + n % 2]
        got = await reader.readuntil(separator, max_size=1000)
        at = rest.find(separator)
        assert got == (rest if at < 0 else rest[: at + len(separator)])
    elif kind == "piece":
        try:
            got = await anext(reader.iter_chunked(n + 1))
            assert 0 < len(got) <= n + 1
        except StopAsyncIteration:
            got = b""
            assert not rest
    elif kind == "chunk":
        got = (await reader.readchunk())[0]
    elif kind == "nowait":
        got = reader.read_nowait(n)
        assert len(got) <= n
    else:
        got = await reader.read(n)
        reader.unread_data(got[n // 2 :])
        got = got[: n // 2]
    assert rest.startswith(got)
    return got


@given(
    pieces=st.lists(st.text("abx", max_size=12).map(str.encode), max_size=30),
    reads=st.lists(
        st.tuples(st.sampled_from(["read", "any", "exactly", "until", "piece", "chunk", "nowait", "unread"]), st.integers(0, 20))
    ),
    coded=st.booleans(),
    limit=st.integers(0, 20),
)
def test_reads_are_what_plain_bytes_would_give(
    pieces: list[bytes], reads: list[tuple[str, int]], coded: bool, limit: int
) -> None:
    content = b"".join(pieces)
    if coded:
        data = gzip.compress(content)
        pieces = [data[at : at + 7] for at in range(0, len(data), 7)]

    async def feed(reader: StreamReader, transport: Transport) -> None:
        for piece in pieces:
            if transport.paused:
                transport.feeds = (resumed := asyncio.Event()).set
                await resumed.wait()
            reader.feed_data(piece)
            if len(piece) % 3 == 0:
                await asyncio.sleep(0)
        reader.feed_eof()

    async def run() -> None:
        transport = Transport()
        reader = StreamReader(transport, limit, decoder=make_decoder("gzip") if coded else None)
        feeding = asyncio.ensure_future(feed(reader, transport))
        rest = content
        for kind, n in reads:
            rest = rest[len(await read_once(reader, rest, kind, n)) :]
        assert await reader.read() == rest
        await feeding
        assert reader.at_eof()
        assert reader.total_bytes == len(content)

    asyncio.run(run())


# -- nothing to read


@every_read
async def test_an_empty_reader_is_at_its_end(read: Callable[[StreamReader], Awaitable[Any]]) -> None:
    reader = EmptyStreamReader()
    for _ in range(2):
        with suppress(StopAsyncIteration, asyncio.IncompleteReadError):
            assert await read(reader) in (b"", (b"", False))


async def test_an_empty_reader_stays_what_it_is() -> None:
    EMPTY_PAYLOAD.feed_data(b"x")
    EMPTY_PAYLOAD.feed_chunks(b"x", (1,))
    EMPTY_PAYLOAD.feed_eof()
    EMPTY_PAYLOAD.unread_data(b"x")
    EMPTY_PAYLOAD.set_exception(ValueError())
    assert EMPTY_PAYLOAD.exception() is None
    assert EMPTY_PAYLOAD.is_eof()
    assert EMPTY_PAYLOAD.at_eof()
    await EMPTY_PAYLOAD.wait_eof()
    assert EMPTY_PAYLOAD.read_nowait() == await EMPTY_PAYLOAD.read() == b""
    calls: list[int] = []
    EMPTY_PAYLOAD.on_eof(lambda: calls.append(1))
    assert calls == [1]
    assert repr(EMPTY_PAYLOAD) == "<EmptyStreamReader>"


async def test_can_be_subclassed_as_mocks_do() -> None:
    class Content(EmptyStreamReader):
        def __init__(self, content: bytes) -> None:
            super().__init__()
            self.content = content

        async def read(self, n: int = -1) -> bytes:
            return self.content

    assert await Content(b"mock").read() == b"mock"
