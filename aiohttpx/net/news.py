"""What a task waits for that reads from a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any

_set_result = asyncio.Future.set_result


class News(asyncio.Future[None]):
    """A future of one task. `arrive` lets that task go on at once, where `set_result` would in the loop's next turn.

    Between a read and the answer to it the loop then need not ask the system whether anything else has happened.
    """

    _step: Callable[..., object] | None = None  # how the task goes on
    _context: Context

    def arrive(self) -> None:
        """Set the result. To be called last: before this returns the task may do anything."""
        step = self._step
        if step is not None and asyncio.current_task(self.get_loop()) is None:  # a task cannot go on within another one
            self._step = None
            _set_result(self, None)
            self._context.run(step, self)
        elif not self.done():
            self.set_result(None)

    def add_done_callback(self, fn: Callable[..., object], /, *, context: Context | None = None) -> None:
        if self._step is None and context is not None and not self.done():
            self._step, self._context = fn, context
        else:
            super().add_done_callback(fn, context=context)

    def set_result(self, result: None, /) -> None:
        self._call_soon()
        super().set_result(result)

    def set_exception(self, exception: type | BaseException, /) -> None:
        self._call_soon()
        super().set_exception(exception)

    def cancel(self, msg: Any | None = None) -> bool:
        self._call_soon()
        return super().cancel(msg)

    def _call_soon(self) -> None:
        """From here on it is a future as any other."""
        step, self._step = self._step, None
        if step is not None:
            super().add_done_callback(step, context=self._context)
