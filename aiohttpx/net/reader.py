"""The content of a message as it comes: `StreamReader`, fed by the connection, read by the user.

Content is decoded when it is read, not when it is fed: a bomb is inflated only if somebody asks for what is in it, only so far,
and step by step, with turns of the loop in between.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

from ..errors import BodyTooLarge, ClientPayloadError, ContentEncodingError, LineTooLong
from ..protocols import Protocol
from ..wire.codings import Decoder
from .coded import DECODE_TURN, CodedContent
from .iterators import AsyncLineIterator, AsyncStreamIterator, ChunkTupleAsyncStreamIterator, without_end
from .settings import MAX_LINE_LENGTH

logger = logging.getLogger(__name__)

#: Bytes that one step decodes, at the least.
DECODE_STEP = 2**16
# What a step counts for that gave less: it may have been work all the same.
_DECODE_EFFORT = 2**14
# A piece takes memory of its own, however small it is: a reader that has many has enough.
_MAX_PIECES = 1024


class FlowControl(Protocol):
    """What a reader asks of the connection that feeds it."""

    def pause_reading(self) -> object: ...

    def resume_reading(self) -> object: ...


class ChunkTooBig(ClientPayloadError, LineTooLong, ValueError):
    """A line is over its limit. (aiohttp raised ValueError before it raised LineTooLong.)"""


class StreamReader:
    """The content of a message, in the manner of `asyncio.StreamReader`. One task reads at a time.

    :param protocol: is asked to pause reading when more than `2 * limit` bytes are buffered, to resume when less than `limit` is.
    :param limit: the lower of these two marks, in bytes.
    :param timer: a context manager to wait in.
    :param loop: accepted for aiohttp's sake; the running loop serves.
    :param decoder: takes a content coding off what is fed.
    :param max_size: more bytes than these, decoded, are a `BodyTooLarge`.

    Every read raises what `set_exception` was given, `ClientPayloadError` when the content coding is broken or cut short, and
    RuntimeError while another task waits in one. A read that is cancelled takes nothing.
    """

    # What most readers never change is looked up here.
    _coded: CodedContent | None = None
    _ends: deque[int] | None = None
    _last_end = 0
    _offset = 0
    _size = 0
    _eof = False
    _paused = False
    _waiter: asyncio.Future[None] | None = None
    _wanted = 1
    _eof_waiter: asyncio.Future[None] | None = None
    _exception: BaseException | None = None
    _effort = 0
    _max_size = sys.maxsize
    #: Bytes that were fed; with a decoder, bytes that were decoded.
    total_bytes = 0
    #: The trailer section, as in `events.Trailers`.
    trailers = b""

    def __init__(
        self,
        protocol: FlowControl | None = None,
        limit: int = 2**16,
        *,
        timer: AbstractContextManager[object] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        decoder: Decoder | None = None,
        max_size: int | None = None,
    ) -> None:
        self._protocol = protocol
        self._low_water = limit
        self._high_water = limit * 2
        self._timer = timer
        self._buffer: deque[bytes] = deque()  # never an empty piece; of the first, `_offset` bytes were read
        self._eof_callbacks: list[Callable[[], object]] = []
        if decoder is not None:
            self._coded = CodedContent(decoder)
        if max_size is not None:
            self._max_size = max_size

    def __repr__(self) -> str:
        said = [type(self).__name__]
        if self._size:
            said.append(f"{self._size} bytes")
        if self._coded is not None and self._coded.left:
            said.append(f"{self._coded.size} bytes coded")
        if self._eof:
            said.append("eof")
        if self._paused:
            said.append("paused")
        if self._waiter is not None:
            said.append("awaited")
        if self._exception is not None:
            said.append(repr(self._exception))
        return f"<{' '.join(said)}>"

    # -- feeding

    def feed_data(self, data: bytes, size: int = 0) -> None:
        """Add content; in its coding, if there is a decoder. `size` is accepted for aiohttp's sake."""
        if self._eof:
            raise RuntimeError("feed_data() called after feed_eof()")
        if not data:
            return
        if self._coded is None:
            self._add(data)
        else:
            self._coded.feed(data)
        self._fed()

    def feed_chunks(self, data: bytes, ends: tuple[int, ...]) -> None:
        """Add content of a chunked body; `ends` are the offsets in `data` after which a chunk ended."""
        if self._eof:
            raise RuntimeError("feed_chunks() called after feed_eof()")
        if self._ends is None:
            self._ends = deque()
        if self._coded is None:
            fed = self.total_bytes
            self._ends.extend([fed + end for end in ends])
            if ends:
                self._last_end = self._ends[-1]
            if data:
                self._add(data)
        else:
            self._coded.feed_chunks(data, ends)
        self._fed()

    def begin_http_chunk_receiving(self) -> None:
        """A chunk begins. By hand; the connection uses `feed_chunks`."""
        if self._ends is None:
            if self.total_raw_bytes:
                raise RuntimeError("begin_http_chunk_receiving() called when some data was already fed")
            self._ends = deque()

    def end_http_chunk_receiving(self) -> None:
        """A chunk ends with what was fed last."""
        if self._ends is None:
            raise RuntimeError("end_http_chunk_receiving() called without begin_http_chunk_receiving() first")
        if self._coded is None:
            self._mark_end()
        else:
            self._coded.feed_chunks(b"", (0,))
        self._fed()

    def feed_eof(self) -> None:
        """The content is complete."""
        self._eof = True
        if self._paused:
            self._resume()
        self._wake()
        callbacks, self._eof_callbacks = self._eof_callbacks, []
        for callback in callbacks:
            _call(callback)

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """Make the read that waits, and every later one, raise `exc`."""
        if exc_cause is not None:
            exc.__cause__ = exc_cause
        self._exception = exc
        self._eof_callbacks.clear()
        self._wake()

    def unread_data(self, data: bytes) -> None:
        """Put `data` before what is to be read next."""
        if not data:
            return
        buffer, start = self._buffer, self._offset - len(data)
        if start >= 0 and buffer[0].startswith(data, start):
            self._offset = start  # it is still there
        else:
            if self._offset:
                buffer[0] = buffer[0][self._offset :]
                self._offset = 0
            buffer.appendleft(data)
        self._size += len(data)

    # -- what is known without reading

    def is_eof(self) -> bool:
        """`feed_eof` was called."""
        return self._eof

    def at_eof(self) -> bool:
        """All was fed, and all was read."""
        if not self._eof or self._size:
            return False
        coded = self._coded
        return coded is None or not (coded.left or self._exception or self._finish(coded))

    def exception(self) -> BaseException | None:
        return self._exception

    @property
    def total_raw_bytes(self) -> int:
        """Bytes that were fed, as they came."""
        return self.total_bytes if self._coded is None else self._coded.total

    def get_read_buffer_limits(self) -> tuple[int, int]:
        """The marks of flow control in bytes: below the first reading is resumed, above the second it is paused."""
        return self._low_water, self._high_water

    def set_read_chunk_size(self, n: int) -> None:
        """Raise these marks for someone who reads `n` bytes at a time."""
        if n > self._low_water:
            self._low_water = n
            self._high_water = n * 2

    def on_eof(self, callback: Callable[[], object]) -> None:
        """Call `callback` when all is fed; at once if it is. It is not called when an exception comes first."""
        if self._eof:
            _call(callback)
        else:
            self._eof_callbacks.append(callback)

    async def wait_eof(self) -> None:
        """Wait until all is fed."""
        if self._eof:
            return
        if self._exception is not None:
            raise self._exception
        if self._eof_waiter is not None:
            raise RuntimeError("wait_eof() called while another coroutine is already waiting for the end")
        self._eof_waiter = asyncio.get_running_loop().create_future()
        try:
            await self._eof_waiter
        finally:
            self._eof_waiter = None
        if self._exception is not None:
            raise self._exception

    # -- reading

    async def read(self, n: int = -1) -> bytes:
        """Up to `n` bytes, as soon as there are any; with -1, everything up to the end. b"" at the end."""
        self._check("read")
        if n == 0:
            return b""
        if n < 0:
            while await self._more(sys.maxsize):
                pass
            return self._take(self._size)
        while not self._size:
            if not await self._more():
                return b""
        return self._take(n)

    async def readany(self) -> bytes:
        """Whatever is there, as soon as anything is. b"" at the end."""
        self._check("readany")
        while not self._size:
            if not await self._more():
                return b""
        return self._take(self._size)

    async def readexactly(self, n: int) -> bytes:
        """Exactly `n` bytes. Raises `asyncio.IncompleteReadError`, which has what there was, when the content ends before."""
        self._check("readexactly")
        if n <= 0:
            return b""
        while self._size < n:
            if not await self._more(n):
                raise asyncio.IncompleteReadError(self._take(self._size), n)
        return self._take(n)

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        """A line with its LF; see `readuntil`."""
        return await self.readuntil(max_size=max_line_length)

    async def readuntil(self, separator: bytes = b"\n", *, max_size: int | None = None) -> bytes:
        """Everything up to `separator`, with it; what is left when the content ends before; b"" at the end.

        Raises `ChunkTooBig` (`LineTooLong`, ValueError) for more than `max_size` bytes, and they are lost; the default is the
        upper mark of flow control.
        """
        if not separator:
            raise ValueError("Separator should be at least one-byte string")
        self._check("readuntil")
        limit = max_size or self._high_water
        overlap = len(separator) - 1
        seen, index, tail = 0, 0, b""  # the bytes and pieces that were searched, and the last of these bytes
        while True:
            if index < len(self._buffer):
                piece = self._buffer[index]
                start = self._offset if index == 0 else 0
                end = _find(separator, tail, piece, start)
                seen += end or len(piece) - start
                if seen > limit:
                    line = self._take(seen)
                    raise ChunkTooBig(f"Chunk too big: more than {limit} bytes up to {separator!r}: {line[:100]!r}...")
                if end:
                    return self._take(seen)
                index += 1
                if overlap:
                    tail = (tail + piece[max(start, len(piece) - overlap) :])[-overlap:]
            elif not await self._more(self._size + 1):
                return self._take(self._size)

    async def readchunk(self) -> tuple[bytes, bool]:
        """Some content, and whether a chunk of a chunked body ends with it; then it may be b"". (b"", False) at the end."""
        self._check("readchunk")
        while True:
            if self._ends:
                position = self.total_bytes - self._size
                return self._take(self._ends.popleft() - position), True
            if self._size:
                return self._take(len(self._buffer[0]) - self._offset), False
            if not await self._more(0):
                return b"", False

    def read_nowait(self, n: int = -1) -> bytes:
        """Up to `n` bytes of what is there, with -1 all of it (with a decoder: what one step gives). b"" when nothing is."""
        self._check("read_nowait")
        if not self._size and self._coded is not None and self._coded.left:
            self._decode(self._coded, 0)
            if self._exception is not None:
                raise self._exception
        return self._take(self._size if n < 0 else n)

    def __aiter__(self) -> AsyncStreamIterator[bytes]:
        """Iterate over lines."""
        return AsyncStreamIterator(self.readline)

    def iter_any(self) -> AsyncStreamIterator[bytes]:
        """Iterate over whatever is there, as soon as anything is."""
        return AsyncStreamIterator(self.readany)

    def iter_lines(self, *, max_line_length: int = MAX_LINE_LENGTH) -> AsyncLineIterator[bytes]:
        """Iterate over lines without their ends (LF or CRLF). Raises `ChunkTooBig` for more than `max_line_length` bytes."""
        return AsyncLineIterator(partial(self.readline, max_line_length=max_line_length), without_end)

    def iter_chunked(self, n: int) -> AsyncStreamIterator[bytes]:
        """Iterate over pieces of up to `n` bytes: as they came, cut when they are larger. Raises ValueError for `n` below 1."""
        if n < 1:
            raise ValueError(f"n must be at least 1, not {n}")
        self.set_read_chunk_size(n)
        return AsyncStreamIterator(partial(self._read_piece, n))

    def iter_chunks(self) -> ChunkTupleAsyncStreamIterator:
        """Iterate over what `readchunk` gives."""
        return ChunkTupleAsyncStreamIterator(self)

    async def _read_piece(self, n: int) -> bytes:
        self._check("iter_chunked")
        while not self._size:
            if not await self._more():
                return b""
        return self._take(min(n, len(self._buffer[0]) - self._offset))

    # -- inside

    def _check(self, caller: str) -> None:
        if self._exception is not None:
            raise self._exception
        if self._waiter is not None:
            raise RuntimeError(f"{caller}() called while another coroutine is already waiting for incoming data")

    async def _more(self, wanted: int = 1) -> bool:
        """Get more to read, if only perhaps; False when there is no more.

        It is worth waiting for `wanted` buffered bytes; with a decoder, for any.
        """
        if self._exception is not None:
            raise self._exception
        coded = self._coded
        while coded is not None and coded.left:
            progress = self._decode(coded, wanted)
            if self._effort >= DECODE_TURN:
                await self._give_way()
            if self._exception is not None:
                raise self._exception
            if progress:
                return True
        if self._eof:
            if coded is not None and (error := self._finish(coded)) is not None:
                raise error
            return False
        if not getattr(self._protocol, "connected", True):
            raise RuntimeError("Connection closed.")
        self._wanted = wanted
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        try:
            if self._paused:  # what is buffered does not do
                self._resume()
            if self._timer is None:
                await waiter
            else:
                with self._timer:
                    await waiter
        finally:
            self._waiter = None
        return True

    async def _give_way(self) -> None:
        """Let the loop have its turn, and keep other readers out meanwhile."""
        self._effort = 0
        self._waiter = asyncio.get_running_loop().create_future()
        self._waiter.set_result(None)
        try:
            await asyncio.sleep(0)
        finally:
            self._waiter = None

    def _wake(self) -> None:
        for waiter in (self._waiter, self._eof_waiter):
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    def _add(self, data: bytes) -> None:
        """Content to be read."""
        self.total_bytes += len(data)
        if self.total_bytes > self._max_size:
            self._buffer.clear()
            self._offset = self._size = 0
            self.set_exception(BodyTooLarge(self._max_size))
        else:
            self._buffer.append(data)
            self._size += len(data)

    def _fed(self) -> None:
        """Something was fed: wake who waits for it, or see whether it is enough for now."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            if self._coded is not None or self._size >= self._wanted:
                waiter.set_result(None)
        elif not self._paused and self._protocol is not None:
            size, pieces = self._load()
            if size > self._high_water or pieces > _MAX_PIECES:
                self._paused = True
                self._protocol.pause_reading()

    def _load(self) -> tuple[int, int]:
        """The bytes and the pieces that are buffered."""
        size, pieces = self._size, len(self._buffer)
        if self._ends is not None:
            pieces += len(self._ends)
        if self._coded is not None:
            size += self._coded.size
            pieces += len(self._coded.pieces)
        return size, pieces

    def _resume(self) -> None:
        self._paused = False
        if self._protocol is not None:
            self._protocol.resume_reading()

    def _take(self, n: int) -> bytes:
        """Up to `n` of the buffered bytes; a piece that is taken whole is handed out as it was fed."""
        if not self._size:
            return b""
        buffer, offset = self._buffer, self._offset
        left = len(buffer[0]) - offset
        if n < left:
            data = buffer[0][offset : offset + n]
            self._offset = offset + n
        else:
            self._offset = 0
            data = buffer.popleft()
            if offset:
                data = data[offset:]
            if n > left and buffer:
                data = self._join(data, n - left)
        self._size -= len(data)
        if self._ends:
            position = self.total_bytes - self._size
            while self._ends and self._ends[0] < position:
                self._ends.popleft()
        if self._paused:
            self._relax()
        return data

    def _join(self, first: bytes, n: int) -> bytes:
        """`first` and up to `n` bytes of the pieces in the buffer."""
        buffer, parts = self._buffer, [first]
        if n >= self._size - len(first):
            parts.extend(buffer)
            buffer.clear()
        while n and buffer:
            if len(buffer[0]) > n:
                parts.append(buffer[0][:n])
                self._offset = n
                break
            parts.append(buffer.popleft())
            n -= len(parts[-1])
        return b"".join(parts)

    def _relax(self) -> None:
        size, pieces = self._load()
        if size < self._low_water and pieces < _MAX_PIECES // 2:
            self._resume()

    def _mark_end(self) -> None:
        """A chunk ends here, unless nothing of it came out of the decoder."""
        if self._ends is not None and self.total_bytes > self._last_end:
            self._last_end = self.total_bytes
            self._ends.append(self._last_end)

    def _decode(self, coded: CodedContent, wanted: int) -> bool:
        """One step, larger for who wants much. True when there is more to read, or a chunk has ended."""
        try:
            data, ended = coded.decode(max(DECODE_STEP, min(max(self._low_water, wanted - self._size), DECODE_TURN)))
        except ContentEncodingError as error:
            self._fail(error)
            return False
        self._effort += max(len(data), _DECODE_EFFORT)
        if data:
            self._add(data)
        if ended:
            self._mark_end()
        if self._paused:
            self._relax()
        return ended or bool(data)

    def _finish(self, coded: CodedContent) -> ClientPayloadError | None:
        """All was decoded: what is wrong with the end?"""
        try:
            coded.finish()
        except ContentEncodingError as error:
            return self._fail(error)
        return None

    def _fail(self, error: ContentEncodingError) -> ClientPayloadError:
        payload_error = ClientPayloadError(str(error))
        self.set_exception(payload_error, error)
        return payload_error


def _find(separator: bytes, tail: bytes, piece: bytes, start: int) -> int:
    """How far behind `start` of `piece` the first `separator` ends; 0 when there is none. It may begin in `tail`, just before."""
    if tail:
        at = (tail + piece[start : start + len(separator) - 1]).find(separator)
        if at >= 0:
            return at - len(tail) + len(separator)
    at = piece.find(separator, start)
    return at - start + len(separator) if at >= 0 else 0


def _call(callback: Callable[[], object]) -> None:
    try:
        callback()
    except Exception:
        logger.exception("Exception in eof callback")


class EmptyStreamReader(StreamReader):
    """A reader at its end, from the start and for ever."""

    _eof = True

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def feed_data(self, data: bytes, size: int = 0) -> None:
        pass

    def feed_chunks(self, data: bytes, ends: tuple[int, ...]) -> None:
        pass

    def feed_eof(self) -> None:
        pass

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        pass

    def unread_data(self, data: bytes) -> None:
        pass


EMPTY_PAYLOAD: Final[StreamReader] = EmptyStreamReader()
