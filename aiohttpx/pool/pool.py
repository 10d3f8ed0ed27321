# cython: language_level=3, freethreading_compatible=True, annotation_typing=False
"""Who may have which connection: limits, waiters, idle connections. Policy only: it opens no socket and reads no clock.

A slot is the right to have one connection to a peer. It is `take`n with an idle connection or `reserve`d for a new one, and it
ends by `give_back`: the connection is kept or the slot is free. A slot that becomes free while someone waits is handed on in the
same call, so nobody who comes later can step in between.
"""

from __future__ import annotations

from asyncio import Future
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from heapq import heappop, heappush
from typing import Any, Final, TypeAlias

#: Slots, when nothing limits them: more than any system has, and few enough for CPython to compare them fast.
_UNLIMITED: Final = 2**30 - 1

#: What connections are for.
Key: TypeAlias = Hashable
#: A connection, of whatever kind: nothing is asked of it here. (A class that is compiled cannot be generic.)
Poolable: TypeAlias = Any


class _Host:
    """What there is of one key."""

    __slots__ = ("idle", "lent", "parked")

    def __init__(self) -> None:
        self.lent = 0
        #: (connection, since when it is idle), the latest last
        self.idle: deque[tuple[Poolable, float]] = deque()
        #: Who waits for this host to have room, by arrival.
        self.parked: OrderedDict[int, Future[Poolable | None]] = OrderedDict()


class Pool:
    """Slots and idle connections by key.

    :param limit: slots in all; 0 for no limit. Idle connections count as long as they are kept.
    :param limit_per_host: slots for one key; 0 for no limit.
    :param is_alive: whether an idle connection, idle since that time, can be lent again.
    :param discard: closes a connection that is not kept.
    """

    def __init__(
        self,
        limit: int,
        limit_per_host: int,
        is_alive: Callable[[Poolable, float], bool],
        discard: Callable[[Poolable], object],
    ) -> None:
        self.limit = limit
        self.limit_per_host = limit_per_host
        self._most = min(limit or _UNLIMITED, _UNLIMITED)
        self._most_per_host = min(limit_per_host or _UNLIMITED, _UNLIMITED)
        #: Slots in use.
        self.lent = 0
        self._hosts: dict[Key, _Host] = {}
        self._idle = 0
        self._is_alive = is_alive
        self._discard = discard
        # Who waits, by arrival. One whose host is full when its turn comes is parked with its host, so that nobody is looked at
        # again and again; once the host has room, the first one parked there is `_ready` and comes before all who arrived later.
        self._arrivals = 0
        self._waiters: OrderedDict[int, tuple[Key, Future[Poolable | None]]] = OrderedDict()
        self._ready: list[tuple[int, Key]] = []
        self._parked = 0

    def __repr__(self) -> str:
        waiting = len(self._waiters) + self._parked
        return f"<{type(self).__name__} lent={self.lent} idle={self._idle} waiting={waiting} limit={self.limit}>"

    @property
    def idle(self) -> dict[Key, deque[tuple[Poolable, float]]]:
        """key -> (connection, since when it is idle), the latest last."""
        return {key: host.idle for key, host in self._hosts.items() if host.idle}

    def available(self, key: Key) -> int:
        """How many more slots `key` could have; a great many when nothing limits them."""
        host = self._hosts.get(key)
        return min(self._most - self.lent, self._most_per_host - (0 if host is None else host.lent))

    # -- getting a slot

    def take(self, key: Key) -> Poolable | None:
        """An idle connection, with its slot; None when there is none."""
        host = self._hosts.get(key)
        # When there is no slot, the idle ones are theirs who wait. (This is `_full`, which every request would have to call.)
        if host is None or self.lent >= self._most or host.lent >= self._most_per_host:
            return None
        idle, is_alive = host.idle, self._is_alive
        while idle:
            connection, since = idle.pop()
            self._idle -= 1
            if is_alive(connection, since):
                host.lent += 1
                self.lent += 1
                return connection
            self._discard(connection)
        return None

    def reserve(self, key: Key) -> bool:
        """A slot for a new connection; False when the limits are reached: `wait` then."""
        host = self._hosts.get(key) or _Host()
        if self._full(host):
            return False
        self._hosts[key] = host
        host.lent += 1
        self.lent += 1
        if self.lent + self._idle > self._most:
            self._evict()
        return True

    def wait(self, key: Key, future: Future[Poolable | None]) -> int:
        """Queue for a slot: the future gets an idle connection with its slot, or None with a slot for a new one.

        Returns the arrival number, for `leave`: whoever is cancelled must leave. If its future was done by then, it has the slot
        and must give it back instead.
        """
        self._arrivals += 1
        self._waiters[self._arrivals] = key, future
        return self._arrivals

    def leave(self, key: Key, arrival: int) -> None:
        """No longer wait."""
        self._waiters.pop(arrival, None)
        host = self._hosts.get(key)
        if host is not None and host.parked.pop(arrival, None) is not None:
            self._parked -= 1
            self._unpark(key, host)

    # -- giving it back

    def give_back(self, key: Key, connection: Poolable | None, now: float) -> None:
        """End a slot. `connection` is kept for others; None: there is nothing to keep."""
        host = self._hosts[key]
        host.lent -= 1
        self.lent -= 1
        if connection is not None:
            host.idle.append((connection, now))
            self._idle += 1
        if self._waiters or self._parked:
            self._unpark(key, host)
            self._hand_on()
        if connection is None:
            self._forget_if_empty(key)

    def expire(self, before: float) -> float | None:
        """Discard what has been idle since `before`, or is dead. Returns since when the longest idle of the others is."""
        oldest = None
        for key, host in list(self._hosts.items()):
            kept: deque[tuple[Poolable, float]] = deque()
            for connection, since in host.idle:
                if since > before and self._is_alive(connection, since):
                    kept.append((connection, since))
                else:
                    self._discard(connection)
            self._idle += len(kept) - len(host.idle)
            host.idle = kept
            if kept:
                oldest = kept[0][1] if oldest is None else min(oldest, kept[0][1])
            self._forget_if_empty(key)
        return oldest

    def clear(self, error: Callable[[], BaseException]) -> list[Poolable]:
        """Forget everything: waiters get `error()`, the idle connections are returned."""
        hosts = list(self._hosts.values())
        connections = [connection for host in hosts for connection, _ in host.idle]
        waiting = [future for _, future in self._waiters.values()]
        waiting += [future for host in hosts for future in host.parked.values()]
        for host in hosts:
            host.idle.clear()
            host.parked.clear()
        self._waiters.clear()
        self._ready.clear()
        self._idle = self._parked = 0
        for future in waiting:
            if not future.done():
                future.set_exception(error())
        return connections

    # -- inside

    def _full(self, host: _Host) -> bool:
        return self.lent >= self._most or host.lent >= self._most_per_host

    def _forget_if_empty(self, key: Key) -> None:
        host = self._hosts.get(key)
        if host is not None and not (host.lent or host.idle or host.parked):
            del self._hosts[key]

    def _evict(self) -> None:
        """Make room for one more open connection: the one idle for longest goes."""
        idle = self.idle
        key = min(idle, key=lambda key: idle[key][0][1])
        connection, _ = idle[key].popleft()
        self._idle -= 1
        self._forget_if_empty(key)
        self._discard(connection)

    def _hand_on(self) -> None:
        while (waiter := self._next()) is not None:
            key, future = waiter
            if not future.done():  # or else it is leaving
                connection = self.take(key)
                if connection is None:
                    self.reserve(key)
                future.set_result(connection)
            if (host := self._hosts.get(key)) is not None:
                self._unpark(key, host)

    def _next(self) -> tuple[Key, Future[Poolable | None]] | None:
        """The first in order who can have a slot now; it waits no longer."""
        if self.lent >= self._most:
            return None
        arrival = 0
        while self._waiters:
            arrival, (key, future) = next(iter(self._waiters.items()))
            host = self._hosts.get(key)
            if host is None or not self._full(host):
                break
            del self._waiters[arrival]
            host.parked[arrival] = future
            self._parked += 1
        while self._ready:
            ready, key = self._ready[0]
            host = self._hosts.get(key)
            if host is not None and ready in host.parked and not self._full(host):
                break
            heappop(self._ready)  # it has left, or its host is full again
        if self._ready and (not self._waiters or self._ready[0][0] < arrival):
            ready, key = heappop(self._ready)
            self._parked -= 1
            return key, self._hosts[key].parked.pop(ready)
        return self._waiters.popitem(last=False)[1] if self._waiters else None

    def _unpark(self, key: Key, host: _Host) -> None:
        """The first one parked with `key` is ready once its host has room."""
        if host.parked and host.lent < self._most_per_host:
            heappush(self._ready, (next(iter(host.parked)), key))
