"""Back-pressure: who writes waits while the transport takes no more."""

from __future__ import annotations

import asyncio


class Backpressure:
    """Whether a transport takes more, and those who wait until it does."""

    __slots__ = ("_waiters", "paused")

    def __init__(self) -> None:
        self.paused = False
        self._waiters: set[asyncio.Future[None]] = set()

    async def wait(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait while it is paused. Raises what it is ended with."""
        if self.paused:
            waiter = loop.create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)

    def resume(self) -> None:
        self.paused = False
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def end(self, error: BaseException) -> None:
        """Nothing more will be taken."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(error)
