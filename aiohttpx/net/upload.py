"""How far the body of a request is on its way to the server."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from ..errors import UploadAbortedError
from ..protocols import Protocol

Progress = Callable[[int, int | None], object]
_Response = TypeVar("_Response")


class Outgoing(Protocol):
    """Who writes a body."""

    #: Bytes written so far, as they are on the wire.
    output_size: int

    def unsent(self) -> int | None:
        """How many of them wait in the transport; None when that is not known any more."""


class UploadTracker:
    """Follows the upload of one request: `session.post(url, data=file, upload_tracker=tracker)`.

    It is made while a loop runs, and belongs to the first request that it is given to; another raises `RuntimeError`.

    :param progress: is called whenever more of the body was sent, with `bytes_written` and the size of the body, None where that
        is not known. It starts from 0 in each attempt. What it raises ends the upload.
    :ivar attempts: how many times the request was begun: redirects and retries count.
    :ivar upload_complete: done when the body was sent whole, with the error that ended the upload when it was not:
        `UploadAbortedError` when there was none, as after a response that did not wait for the body, or a failure to connect.
        It is set when no other attempt can follow, thus not before the response is there, or an error in its place.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self.attempts = 0
        self.upload_complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._progress = progress
        self._bound = False
        self._over = False  # no other attempt follows
        self._whole = False
        self._error: BaseException | None = None
        self._size: int | None = None
        self._writer: Outgoing | None = None  # while the body is being sent
        self._given = 0
        self._flushed = self._told = 0
        # How much of the body, and how much of what it became on the wire: up to where the transport has certainly sent it,
        # then after each piece that may be in its buffer.
        self._marks: deque[tuple[int, int]] = deque()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} attempts={self.attempts} bytes_written={self.bytes_written}>"

    @property
    def bytes_written(self) -> int:
        """How many bytes of the body the system has taken in the current attempt, before chunks and content codings.

        What still waits in the transport is left out; within a piece of a coded body it is an estimate.
        """
        self._look()
        return self._flushed

    def _look(self) -> None:
        writer = self._writer
        unsent = None if writer is None else writer.unsent()
        if writer is None or unsent is None:
            return
        sent = writer.output_size - unsent
        marks = self._marks
        while len(marks) > 1 and marks[1][1] <= sent:
            marks.popleft()
        flushed, wire = marks[0]
        if len(marks) > 1 and sent > wire:
            next_flushed, next_wire = marks[1]
            flushed += (next_flushed - flushed) * (sent - wire) // (next_wire - wire)
        self._flushed = flushed

    # -- for those who send

    def bind(self) -> None:
        """Belong to a request from now on. Raises `RuntimeError` when it belongs to one already."""
        if self._bound:
            raise RuntimeError("UploadTracker is already bound to a request")
        self._bound = True

    def follow(self, connector: Any) -> Any:
        """`connector`, as far as an exchange knows it: what is asked of it counts as an attempt."""
        return _Counting(self, connector)

    def begin(self) -> None:
        """Another attempt is made."""
        self.attempts += 1
        self._writer = None
        self._given = self._flushed = self._told = 0
        self._marks.clear()
        self._whole = False
        self._error = None

    def writing(self, writer: Outgoing, size: int | None) -> None:
        """The current attempt sends the body, `size` bytes, by `writer`, which tells of each piece."""
        self._writer = writer
        self._size = size
        self._marks.append((0, writer.output_size))

    def wrote(self, writer: Outgoing, size: int) -> None:
        """So many bytes of the body went to the transport."""
        if writer is not self._writer:  # the rest of an earlier attempt
            return
        self._given += size
        if writer.output_size > self._marks[-1][1]:  # a coding may keep what it is given for a while
            self._marks.append((self._given, writer.output_size))
        self._look()
        self._tell()

    def ended(self, writer: Outgoing | None, error: BaseException | None) -> None:
        """An attempt's upload is over: whole if there is no `error`."""
        if writer is not self._writer:
            return
        if error is None:
            self._whole = True
            self._flushed = self._given
            self._tell()
        else:
            self._look()
            self._error = None if isinstance(error, asyncio.CancelledError) else error
        self._writer = None
        if self._over:
            self._settle()

    def end(self) -> None:
        """The request is over: no other attempt follows. Its last upload may still be under way."""
        self._over = True
        if self._writer is None:
            self._settle()

    def _tell(self) -> None:
        if self._progress is not None and self._flushed != self._told:
            self._told = self._flushed
            self._progress(self._flushed, self._size)

    def _settle(self) -> None:
        complete = self.upload_complete
        if complete.done():
            return
        if self._whole:
            complete.set_result(None)
        else:
            complete.set_exception(self._error or UploadAbortedError("The body of the request was not sent whole"))
            complete.exception()  # nobody needs to ask


class _Counting:
    """A connector, as far as an exchange knows it, whose connections are counted as attempts."""

    def __init__(self, tracker: UploadTracker, connector: Any) -> None:
        self._tracker = tracker
        self._connector = connector

    async def connect(self, request: Any, *args: Any) -> Any:
        self._tracker.begin()
        connection = await self._connector.connect(request, *args)
        if request.body == b"":
            self._tracker.ended(None, None)
        return connection

    def bound(self) -> AbstractAsyncContextManager[None]:
        bound: AbstractAsyncContextManager[None] = self._connector.bound()
        return bound
