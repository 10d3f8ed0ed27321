"""Time limits in the form of aiohttp's helpers; limits here are kept by `net.timer`."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from types import TracebackType

from ..net.timer import limit


class BaseTimerContext(AbstractContextManager["BaseTimerContext"]):
    """What responses made by hand are given as `timer=`."""

    __slots__ = ()

    def assert_timeout(self) -> None:
        """Raise TimeoutError when the time is up."""


class TimerNoop(BaseTimerContext):
    """Sets no limit."""

    __slots__ = ()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """The time is never up."""


def ceil_timeout(delay: float | None, ceil_threshold: float = 5) -> asyncio.Timeout:
    """`async with ceil_timeout(seconds)`: TimeoutError after that; from `ceil_threshold` on, at the next whole second."""
    return limit(delay, ceil_threshold)
