"""One shared timer per loop and second.

Nearly every request sets a time limit and nearly none is reached. A `loop.call_at` for each would cost more than the parser: so
long limits end on a whole second of the loop's clock, and all that end on one second wait in one dict behind one `loop.call_at`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from contextvars import Context
from math import ceil
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary, ref

from ..protocols import Protocol

__all__ = ("Alarm", "Second", "Strike", "Timer", "limit", "timer_of")

Strike: TypeAlias = Callable[[], object]
#: Who waits for a second, and what is called with each of them when it comes.
Second: TypeAlias = dict[Hashable, Callable[[Any], object]]


class Alarm(Protocol):
    """A time limit that was set."""

    def cancel(self) -> None:
        """Never strike. It may be called again, and after the limit has struck."""


class _SharedAlarm:
    # It does not hold its strike: whoever keeps the alarm is often what the strike belongs to, and that would be a cycle.
    __slots__ = ("_second",)

    def __init__(self, second: Second) -> None:
        self._second = second

    def cancel(self) -> None:
        self._second.pop(self, None)


class Timer:
    """The time limits of one loop. Take it from `timer_of(loop)`, so that it is shared."""

    __slots__ = ("__weakref__", "_loop", "_seconds", "_time")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._time = loop.time
        self._seconds: dict[int, Second] = {}

    def start(self, seconds: float, threshold: float, strike: Strike) -> Alarm:
        """Call `strike()` in `seconds`; from `threshold` seconds on, at the next whole second of the loop's clock after that."""
        if seconds < threshold:
            return self._loop.call_at(self._time() + seconds, strike)
        second = self.second(seconds)
        alarm = _SharedAlarm(second)
        second[alarm] = lambda _: strike()
        return alarm

    def second(self, seconds: float) -> Second:
        """What strikes at the first whole second of the loop's clock that is at least `seconds` away.

        The cheapest form: an owner with one limit at a time writes `second[self] = Owner.strike`, later
        `second.pop(self, None)`.
        Entries are taken out before they strike; a second that has passed strikes no more.
        """
        when = ceil(self._time() + seconds)
        found = self._seconds.get(when)
        if found is None:
            found = self._seconds[when] = {}
            # An empty context: the one of whoever comes first must neither live until then nor be seen by the others.
            self._loop.call_at(when, self._ring, when, context=Context())
        return found

    def _ring(self, when: int) -> None:
        # The loop itself calls each strike: it reports what one raises and goes on with the next.
        second = self._seconds.pop(when)
        for owner in second:
            self._loop.call_soon(_strike, second, owner)


def _strike(second: Second, owner: Hashable) -> None:
    strike = second.pop(owner, None)
    if strike is not None:  # or else another strike of the same second has cancelled it
        strike(owner)


# Weak on both sides: a timer holds its loop, so a table that held the timer would keep the loop alive.
_timers: WeakKeyDictionary[asyncio.AbstractEventLoop, ref[Timer]] = WeakKeyDictionary()


def timer_of(loop: asyncio.AbstractEventLoop) -> Timer:
    """The timer of `loop`; it lives as long as someone holds it or a limit is pending."""
    known = _timers.get(loop)
    timer = known() if known is not None else None
    if timer is None:
        timer = Timer(loop)
        _timers[loop] = ref(timer)
    return timer


def limit(seconds: float | None, threshold: float) -> asyncio.Timeout:
    """`async with limit(...)`: TimeoutError after `seconds`, rounded as an alarm is; None and 0 set no limit."""
    if not seconds or seconds < 0:
        return asyncio.timeout_at(None)
    when = asyncio.get_running_loop().time() + seconds
    return asyncio.timeout_at(when if seconds < threshold else ceil(when))
