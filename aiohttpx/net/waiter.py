# cython: language_level=3, freethreading_compatible=True, annotation_typing=False
"""What a task waits for that reads from a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextvars import Context, copy_context
from typing import Any

_current_task = asyncio.current_task
_CancelledError = asyncio.CancelledError
_InvalidStateError = asyncio.InvalidStateError


class Waiter:
    """A future of one task: `arrive` lets that task go on at once, `set_result` in the loop's next turn.

    Between a read and the answer to it the loop then need not ask the system whether anything else has happened. asyncio takes it
    as it takes any future; an exception that nobody retrieves is nobody's concern.
    """

    __slots__ = (
        "_asyncio_future_blocking",
        "_callbacks",
        "_cancelled",
        "_context",
        "_done",
        "_error",
        "_loop",
        "_result",
        "_step",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._asyncio_future_blocking = False  # by which asyncio knows a future
        self._loop = loop
        self._done = False
        self._cancelled = False
        self._result: Any = None  # or the message of a cancellation
        self._error: BaseException | None = None
        self._step: Callable[[Waiter], object] | None = None  # how the task goes on
        self._context: Context | None = None
        self._callbacks: list[tuple[Callable[[Waiter], object], Context]] | None = None  # of others

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'cancelled' if self._cancelled else 'finished' if self._done else 'pending'}>"

    # -- for who reads

    def arrive(self, result: object = None) -> None:
        """Set the result, unless there is one. To be called last: before this returns the task may do anything."""
        step, context = self._step, self._context
        if step is None or context is None or self._callbacks is not None or _current_task(self._loop) is not None:
            self.set_result(result)  # a task cannot go on within another one, nor before others have noted what they note
        else:
            self._step = None
            self._done = True
            self._result = result
            try:
                context.run(step, self)
            except RuntimeError:  # it is the context of what runs now
                self._loop.call_soon(step, self, context=context)

    def set_result(self, result: object) -> None:
        if not self._done:
            self._result = result
            self._end()

    def set_exception(self, error: BaseException) -> None:
        if not self._done:
            self._error = error
            self._end()

    def cancel(self, msg: object = None) -> bool:
        if self._done:
            return False
        self._cancelled = True
        self._result = msg
        self._end()
        return True

    def _end(self) -> None:
        self._done = True
        step, callbacks = self._step, self._callbacks
        self._step = self._callbacks = None
        if callbacks is not None:
            for callback, context in callbacks:
                self._loop.call_soon(callback, self, context=context)
        if step is not None:
            self._loop.call_soon(step, self, context=self._context)

    # -- for asyncio, and who waits

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def done(self) -> bool:
        return self._done

    def cancelled(self) -> bool:
        return self._cancelled

    def result(self) -> Any:
        error = self.exception()
        if error is not None:
            try:
                raise error
            finally:
                del self, error  # which its traceback would hold
        return self._result

    def exception(self) -> BaseException | None:
        if not self._done:
            raise _InvalidStateError("Nothing has arrived yet.")
        if self._cancelled:
            raise _CancelledError() if self._result is None else _CancelledError(self._result)
        return self._error

    def add_done_callback(self, callback: Callable[[Any], object], *, context: Context | None = None) -> None:
        if self._done:
            self._loop.call_soon(callback, self, context=context)
        elif self._step is None and context is not None:  # a task says in which one it runs
            self._step, self._context = callback, context
        else:
            if self._callbacks is None:
                self._callbacks = []
            self._callbacks.append((callback, copy_context() if context is None else context))

    def remove_done_callback(self, callback: Callable[[Any], object]) -> int:
        removed = 0
        if self._step is not None and self._step == callback:
            self._step = None
            removed = 1
        if self._callbacks is not None:
            kept = [each for each in self._callbacks if each[0] != callback]
            removed += len(self._callbacks) - len(kept)
            self._callbacks = kept
        return removed

    def __await__(self) -> Generator[Any, None, Any]:
        return self  # type: ignore[return-value]

    def __next__(self) -> Waiter:
        if self._done:
            raise StopIteration(self.result())
        if self._asyncio_future_blocking:
            raise RuntimeError("A Waiter is awaited by tasks of asyncio only")
        self._asyncio_future_blocking = True
        return self
