"""How many requests a host gets at once, and how many in a second."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

from .. import hdrs
from ..message.request import ClientRequest
from ..message.response import ClientResponse
from .middlewares import ClientHandlerType
from .redirects import origin_of
from .retry import retry_after

#: Too Many Requests (RFC 6585, section 4) and Service Unavailable (RFC 9110, section 15.6.4).
_TOO_MUCH: Final = frozenset({429, 503})
#: A host gets at least this share of what it may have, and this more of it with each response that it could give.
_LEAST: Final = 1 / 64
_MORE: Final = 1 / 32
#: As many hosts are remembered that nothing is going on with.
_HOSTS_KEPT: Final = 1024


class Host:
    """What is going on with one host. Times are those of the loop, in seconds.

    :param concurrency: requests at once.
    :param interval: seconds between two requests, 0 for none.
    :param burst: how many may follow each other without.
    """

    def __init__(self, concurrency: int, interval: float, burst: int) -> None:
        self._concurrency = concurrency
        self._interval = interval
        self._burst = burst
        self._active = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._due = 0.0  # when the next request would be sent if all were evenly spaced
        self._paused_until = 0.0
        self._share = 1.0
        self._cut_at = 0.0

    @property
    def active(self) -> int:
        """The requests whose response has not come yet, or not to its end."""
        return self._active

    @property
    def allowed(self) -> int:
        """As many may be active at once, as far as the host is known to bear it."""
        return max(1, int(self._concurrency * self._share))

    def idle(self, now: float) -> bool:
        """Nothing would be lost if this were forgotten."""
        return not (self._active or self._waiters) and self._share == 1 and max(self._due, self._paused_until) <= now

    async def enter(self) -> None:
        """Wait for a place, first come, first served, and for the time to use it."""
        loop = asyncio.get_running_loop()
        if self._active < self.allowed and not self._waiters:
            self._active += 1
        else:
            await self._wait(loop.create_future())
        try:
            turn = self.take_turn(loop.time())
            wait = max(turn, self._paused_until) - loop.time()
            while wait > 0:
                await asyncio.sleep(wait)
                wait = self._paused_until - loop.time()  # it may be longer by now
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Let the next one enter."""
        self._active -= 1
        self._admit()

    async def _wait(self, place: asyncio.Future[None]) -> None:
        self._waiters.append(place)
        try:
            await place
        except BaseException:
            if not place.cancelled():  # it was given, and nobody is here to take it
                self.leave()
            raise

    def _admit(self) -> None:
        while self._waiters and self._active < self.allowed:
            place = self._waiters.popleft()
            if not place.done():
                self._active += 1
                place.set_result(None)

    def take_turn(self, now: float) -> float:
        """When the next request may be sent, which counts as sent then."""
        interval = self._interval / self._share
        due = max(self._due, now)
        self._due = due + interval
        return due - (self._burst - 1) * interval

    def answered(self, status: int, sent: float, now: float, pause: float | None) -> None:
        """Learn from a response to what was sent at `sent`: the host wants a `pause`, or less, or it could bear more."""
        if status not in _TOO_MUCH:
            self._share = min(1.0, self._share + _MORE)
            self._admit()
            return
        if sent >= self._cut_at:  # else it was sent before the last cut, and says nothing of what came of that
            self._share = max(_LEAST, self._share / 2)
            self._cut_at = now
        if pause is not None:
            self._paused_until = max(self._paused_until, now + pause)


class RateLimitMiddleware:
    """Keeps to what a host (scheme, name and port) bears. Requests that are too many wait, first come, first served.

    A response takes part until its content has come, or it was released or closed. When a host answers 429 or 503, it gets half
    as much, and more again with each other answer; nothing is sent to it for as long as its Retry-After says.

    :param concurrency: requests to one host at once.
    :param rate: requests to one host in a second; None: as many as there are.
    :param burst: how many requests may follow each other at once if there were less than `rate` before.
    :param adapt: learn from 429 and 503.
    :param max_pause: the longest time, in seconds, that a Retry-After is obeyed.

    Beside a `RetryMiddleware` it is to come after that one: so the pauses between attempts take nobody's place.
    """

    def __init__(
        self,
        concurrency: int = 10,
        *,
        rate: float | None = None,
        burst: int = 1,
        adapt: bool = True,
        max_pause: float = 60.0,
    ) -> None:
        if concurrency < 1 or burst < 1:
            raise ValueError("concurrency and burst must be at least 1")
        if rate is not None and rate <= 0:
            raise ValueError(f"rate must be more than 0, not {rate:g}")
        self._concurrency = concurrency
        self._interval = 1 / rate if rate else 0.0
        self._burst = burst
        self._adapt = adapt
        self._max_pause = max_pause
        #: What is known of each host, by scheme, name and port.
        self.hosts: dict[tuple[str, str, int | None], Host] = {}

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        clock = asyncio.get_running_loop().time
        host = self._host(origin_of(request.url), clock())
        await host.enter()
        try:
            sent = clock()
            response = await handler(request)
            if self._adapt:
                pause = retry_after(response.headers.get(hdrs.RETRY_AFTER), time.time())
                host.answered(response.status, sent, clock(), None if pause is None else min(pause, self._max_pause))
        except BaseException:
            host.leave()
            raise
        connection = response.connection
        if connection is None:
            host.leave()
        else:
            connection.add_callback(host.leave)
        return response

    def _host(self, origin: tuple[str, str, int | None], now: float) -> Host:
        host = self.hosts.get(origin)
        if host is None:
            if len(self.hosts) >= _HOSTS_KEPT:
                self.hosts = {name: known for name, known in self.hosts.items() if not known.idle(now)}
            host = self.hosts[origin] = Host(self._concurrency, self._interval, self._burst)
        return host
