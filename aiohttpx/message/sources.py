"""Where the bytes of a body come from, piece by piece: files, iterators, generators. What becomes of them is not known here."""

from __future__ import annotations

import asyncio
import codecs
import io
import os
import stat
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing
from functools import partial
from itertools import islice
from typing import IO, Any, Final, Protocol

from ..errors import ClientPayloadError
from ..net.writer import StreamWriter
from ..typedefs import Byteish

#: As much as is read, or written, at a time, in bytes.
CHUNK_SIZE: Final = 2**18
#: As much as an executor is asked for at a time: that takes two switches of threads.
_READ_SIZE: Final = 2**20

#: Files that are being closed: nothing else refers to these futures.
_CLOSE_FUTURES: Final[set[asyncio.Future[None]]] = set()


class Writer(Protocol):
    """What a body is written to."""

    async def write(self, chunk: Byteish, /) -> None: ...


def unchanging(value: Byteish) -> Byteish:
    """`value` as `octets`, which nobody changes until it is sent: the head of the request has named its size by then."""
    return bytes(value) if isinstance(value, bytearray) else octets(value)


class Limited:
    """Lets so many bytes through to a writer, and drops the rest."""

    def __init__(self, writer: Writer, left: int) -> None:
        self._writer = writer
        self._left = left

    async def write(self, chunk: Byteish, /) -> None:
        chunk = chunk[: self._left]
        self._left -= len(chunk)
        if chunk:
            await self._writer.write(chunk)


def octets(value: Any) -> Byteish:
    """`value`, or a view of it, such that its length and its slices count bytes. Raises `TypeError` when it is not bytes."""
    if isinstance(value, (bytes, bytearray)):
        return value
    if isinstance(value, memoryview):
        return value.cast("B") if value.contiguous else value.tobytes()
    raise TypeError(f"A body consists of bytes, but this is {type(value).__name__}: {value!r:.100}")


def filename_of(file: Any) -> str | None:
    """The name of a file, without its folder. None when it has none, or none that is a path."""
    name = getattr(file, "name", None)
    return os.path.basename(name) if isinstance(name, str) and name and name[0] != "<" and name[-1] != ">" else None


def guessed_type(filename: str) -> str | None:
    """The media type that the name of a file tells of."""
    import mimetypes

    guess = getattr(mimetypes, "guess_file_type", mimetypes.guess_type)
    kind: str | None = guess(filename)[0]
    return kind


async def write_pieces(pieces: AsyncGenerator[Any], writer: Writer, limit: int | None) -> None:
    """Write `pieces`, at most `limit` bytes of them. Raises `TypeError` for one that is not bytes.

    Neither those who make them nor those who take them need ever wait, so the loop is given a turn now and then.
    """
    spent = 0
    async with aclosing(pieces):
        async for piece in pieces:
            data = octets(piece)
            spent += len(data) + 256
            if limit is not None:
                # What comes after the last byte is still run, for a generator may have something left to do.
                if data and not limit:
                    return
                data = data[:limit]
                limit -= len(data)
            if data:
                await writer.write(data)
            if spent >= CHUNK_SIZE:
                spent = 0
                await asyncio.sleep(0)


# -- files


class FileSource:
    """What a file gives from where it stands. `wrapper` is what has to be closed, if that is not the file itself.

    `start` is None if it cannot seek, and `size` if only reading would tell how many bytes there are. Raises `ValueError` for a
    file that is closed, or open for writing only.
    """

    def __init__(self, file: IO[Any], start: int | None = None, wrapper: IO[Any] | None = None) -> None:
        raw = getattr(file, "raw", file)
        if isinstance(raw, io.FileIO) and not raw.readable():
            raise ValueError(f"The file {raw.name!r:.200} is not open for reading")
        self._file = file
        self._wrapper = wrapper or file
        self._lock = threading.Lock()
        self._turn = 0
        self.closed = False
        self.start = _position(file) if start is None else start
        self.size = _size_from(file, self.start)

    @property
    def replayable(self) -> bool:
        return self.start is not None and not self.closed

    @property
    def consumed(self) -> bool:
        return self.closed or (self.start is None and self._turn > 0)

    def pieces(self) -> Iterator[Any]:
        """Read it once. Blocks. Raises `ClientPayloadError` when it cannot be read again."""
        if self.consumed:
            raise ClientPayloadError("The body is a file that was read or closed already, and cannot be sent again")
        with self._lock:
            if self.start is not None:
                self._file.seek(self.start)
            self._turn += 1
            turn = self._turn
        left = self.size
        while left is None or left > 0:
            with self._lock:
                # When a request is given up and sent anew, its last read may still be on the way in another thread.
                if turn != self._turn:
                    raise ClientPayloadError("The body is a file that another request has begun to send")
                piece = self._file.read(CHUNK_SIZE if left is None else min(left, CHUNK_SIZE))
            if not piece:
                return
            if left is not None:
                left -= len(piece)
            yield piece

    async def send(self, writer: StreamWriter, limit: int | None) -> bool:
        """Have the system send it, or at most `limit` bytes of it. False when only reading gives its bytes."""
        file = self._file
        raw = file.raw if type(file) is io.BufferedReader else file
        if self.size is None or self.start is None or self.closed or type(raw) is not io.FileIO:
            return False
        # Its own descriptor may be closed by the caller, and be that of another file then.
        descriptor = os.dup(raw.fileno())
        try:
            return await writer.write_file(descriptor, self.start, self.size if limit is None else min(self.size, limit))
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Close it, in an executor; nothing is waited for."""
        if not self.closed:
            self.closed = True
            future = asyncio.get_running_loop().run_in_executor(None, self._close)
            _CLOSE_FUTURES.add(future)
            future.add_done_callback(_CLOSE_FUTURES.discard)

    def _close(self) -> None:
        with self._lock:
            self._wrapper.close()


class _EncodedSource(FileSource):
    """What a file of text gives, in `encoding`."""

    def __init__(self, file: IO[str], encoding: str) -> None:
        super().__init__(file)
        self.size = None
        self._make_encoder = codecs.getincrementalencoder(encoding)

    def pieces(self) -> Iterator[Any]:
        encoder = self._make_encoder()
        for text in super().pieces():
            yield encoder.encode(text)
        yield encoder.encode("", True)


def text_source(file: Any, encoding: str) -> FileSource:
    """What a file of text gives, in `encoding`. If that is its own, the whole file is taken as it is, line ends too.

    Raises `LookupError` for an encoding that is not known.
    """
    # Further on, a position in a text file is no offset in its bytes, and a byte order mark is behind it.
    if _position(file) == 0 and _has_encoding(file, encoding):
        return FileSource(file.buffer, start=0, wrapper=file)
    return _EncodedSource(file, encoding)


def _position(file: IO[Any]) -> int | None:
    try:
        return file.tell() if file.seekable() else None
    except (AttributeError, OSError):
        return None


def _size_from(file: Any, start: int | None) -> int | None:
    raw = getattr(file, "raw", file)
    # The descriptor of a gzip.GzipFile and its like is that of the compressed file.
    if start is None or isinstance(raw, io.BufferedIOBase):
        return None
    try:
        status = os.fstat(raw.fileno())
    except (AttributeError, OSError):
        return None
    return max(0, status.st_size - start) if stat.S_ISREG(status.st_mode) else None


def _has_encoding(file: Any, encoding: str) -> bool:
    try:
        return isinstance(file.buffer, io.BufferedIOBase) and codecs.lookup(file.encoding).name == codecs.lookup(encoding).name
    except (AttributeError, TypeError):
        return False


async def read_in_executor(source: FileSource) -> AsyncGenerator[Any]:
    """What `source` gives, read in an executor, so that the loop does not wait for a disk."""
    loop, pieces = asyncio.get_running_loop(), source.pieces()
    # What has no size, such as a pipe, may keep the next piece waiting: each is given on as it comes.
    at_once = 1 if source.size is None else _READ_SIZE // CHUNK_SIZE
    while some := await loop.run_in_executor(None, deque, islice(pieces, at_once)):
        while some:  # each is let go of before more are read
            yield some.popleft()


async def read_here(pieces: Iterator[Any]) -> AsyncGenerator[Any]:
    """`pieces`, made in the loop's thread."""
    for piece in pieces:
        yield piece


# -- generators


async def drive(generator: Generator[Any, Any, Any]) -> AsyncGenerator[Any]:
    """What a generator yields. Of that, None and futures are not given on but waited for, as if it were a coroutine in a task."""
    advance: Callable[[], Any] = partial(next, generator)
    try:
        while True:
            try:
                said = advance()
            except StopIteration:
                return
            if said is None or asyncio.isfuture(said):
                try:
                    advance = partial(generator.send, await _settled(said))
                except BaseException as error:  # cancellation too: the generator may have something to clean up
                    advance = partial(generator.throw, error)
            else:
                yield said
                advance = partial(next, generator)
    finally:
        generator.close()


async def _settled(future: asyncio.Future[Any] | None) -> Any:
    if future is None:
        return await asyncio.sleep(0)
    # Not simply awaited: the generator may have begun to await it already, and a future bears that only once.
    try:
        await asyncio.wait((future,))
    except asyncio.CancelledError:
        future.cancel()
        raise
    return future.result()
