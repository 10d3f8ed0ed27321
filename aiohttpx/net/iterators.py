"""What `async for` runs over when a stream or a queue is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from ..errors import EofStream
from ..protocols import Protocol
from ..wire.sse import EventParser, ServerSentEvent

_T = TypeVar("_T")


class _Chunked(Protocol):
    async def readchunk(self) -> tuple[bytes, bool]: ...


class AsyncStreamIterator(Generic[_T]):
    """Iterates over what `read_func` gives, until that is b"" or it raises `EofStream`."""

    __slots__ = ("read_func",)

    def __init__(self, read_func: Callable[[], Awaitable[_T]]) -> None:
        self.read_func = read_func

    def __aiter__(self) -> AsyncStreamIterator[_T]:
        return self

    async def __anext__(self) -> _T:
        try:
            item = await self.read_func()
        except EofStream:
            raise StopAsyncIteration from None
        if item == b"":
            raise StopAsyncIteration
        return item


class AsyncLineIterator(Generic[_T]):
    """Iterates over lines, each converted by `convert` from what `read_line` gives, until that is b""."""

    __slots__ = ("_convert", "_read_line", "_skip_blank")

    def __init__(
        self, read_line: Callable[[], Awaitable[bytes]], convert: Callable[[bytes], _T], *, skip_blank: bool = False
    ) -> None:
        self._read_line = read_line
        self._convert = convert
        self._skip_blank = skip_blank

    def __aiter__(self) -> AsyncLineIterator[_T]:
        return self

    async def __anext__(self) -> _T:
        line = await self._read_line()
        while self._skip_blank and line.isspace():
            line = await self._read_line()
        if not line:
            raise StopAsyncIteration
        return self._convert(line)


class AsyncEventIterator:
    """Iterates over the events that `parser` finds in what `read_any` gives, until that is b""."""

    __slots__ = ("_events", "_read_any", "parser")

    def __init__(self, read_any: Callable[[], Awaitable[bytes]], parser: EventParser) -> None:
        self.parser = parser
        self._read_any = read_any
        self._events: deque[ServerSentEvent] = deque()

    def __aiter__(self) -> AsyncEventIterator:
        return self

    async def __anext__(self) -> ServerSentEvent:
        while not self._events:
            data = await self._read_any()
            if not data:
                raise StopAsyncIteration
            self._events.extend(self.parser.feed(data))
        return self._events.popleft()


def without_end(line: bytes) -> bytes:
    """`line` without the LF or CRLF that ends it."""
    if line.endswith(b"\n"):
        return line[: -2 if line.endswith(b"\r\n") else -1]
    return line


class ChunkTupleAsyncStreamIterator:
    """Iterates over what a stream's `readchunk` gives, until that is (b"", False)."""

    __slots__ = ("_stream",)

    def __init__(self, stream: _Chunked) -> None:
        self._stream = stream

    def __aiter__(self) -> ChunkTupleAsyncStreamIterator:
        return self

    async def __anext__(self) -> tuple[bytes, bool]:
        item = await self._stream.readchunk()
        if item == (b"", False):
            raise StopAsyncIteration
        return item
