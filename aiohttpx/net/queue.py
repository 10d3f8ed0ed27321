"""Queues with one reader, under aiohttp's names: what consumers give a parser of their own to write to after an upgrade."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

from ..errors import EofStream
from .iterators import AsyncStreamIterator
from .reader import FlowControl

_T = TypeVar("_T")


class DataQueue(Generic[_T]):
    """A queue that ends: by `feed_eof`, after which `read` raises `EofStream`, or by `set_exception`, after which it raises that.

    What was fed before the end is read before it. `loop` is accepted for aiohttp's sake; the running one serves.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._eof = False
        self._waiter: asyncio.Future[None] | None = None
        self._exception: BaseException | None = None
        self._buffer: deque[tuple[_T, int]] = deque()

    def __len__(self) -> int:
        return len(self._buffer)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self)} items{' eof' if self._eof else ''}>"

    def is_eof(self) -> bool:
        """The queue has ended; there may be items left."""
        return self._eof

    def at_eof(self) -> bool:
        """The queue has ended, and all was read."""
        return self._eof and not self._buffer

    def exception(self) -> BaseException | None:
        return self._exception

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """End the queue with `exc`."""
        if exc_cause is not None:
            exc.__cause__ = exc_cause
        self._exception = exc
        self.feed_eof()

    def feed_data(self, data: _T, size: int = 0) -> None:
        """Add an item; `size` is its weight for flow control, in bytes."""
        self._buffer.append((data, size))
        self._wake()

    def feed_eof(self) -> None:
        self._eof = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def read(self) -> _T:
        """The next item. Raises `EofStream` at the end, and RuntimeError when another task is reading."""
        return (await self._take())[0]

    async def _take(self) -> tuple[_T, int]:
        if self._waiter is not None:
            raise RuntimeError("read() called while another coroutine is already waiting for incoming data")
        if not self._buffer and not self._eof:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._buffer:
            return self._buffer.popleft()
        if self._exception is not None:
            raise self._exception
        raise EofStream

    def __aiter__(self) -> AsyncStreamIterator[_T]:
        return AsyncStreamIterator(self.read)


class FlowControlDataQueue(DataQueue[_T]):
    """A `DataQueue` that pauses `protocol` when more than `2 * limit` bytes wait, and resumes it when fewer than that do."""

    def __init__(self, protocol: FlowControl, limit: int, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(loop)
        self._protocol = protocol
        self._limit = limit * 2
        self._size = 0
        self._paused = False

    def feed_data(self, data: _T, size: int = 0) -> None:
        super().feed_data(data, size)
        self._size += size
        if self._size > self._limit and not self._paused:
            self._paused = True
            self._protocol.pause_reading()

    async def read(self) -> _T:
        data, size = await self._take()
        self._size -= size
        if self._size < self._limit and self._paused:
            self._paused = False
            self._protocol.resume_reading()
        return data
