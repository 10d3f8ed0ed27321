"""Who may have which connection: limits, waiters, idle connections. Policy only: it opens no socket and reads no clock.

A slot is the right to have one connection to a peer. It is `take`n with an idle connection or `reserve`d for a new one, and it ends by
`give_back`: the connection is kept or the slot is free. A slot that becomes free while someone waits is handed on in the same call, so
nobody who comes later can step in between.
"""

from __future__ import annotations

from asyncio import Future
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from heapq import heappop, heappush
from typing import Generic, TypeVar

C = TypeVar("C")
K = TypeVar("K", bound=Hashable)


class Pool(Generic[K, C]):
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
        is_alive: Callable[[C, float], bool],
        discard: Callable[[C], object],
    ) -> None:
        self.limit = limit
        self.limit_per_host = limit_per_host
        #: key -> (connection, since when it is idle), the latest last
        self.idle: dict[K, deque[tuple[C, float]]] = {}
        self._is_alive = is_alive
        self._discard = discard
        self._lent: dict[K, int] = {}
        self._lent_in_all = 0
        self._idle_in_all = 0
        # Who waits, by arrival. One whose host is full when its turn comes is parked with its host, so that nobody is looked at again
        # and again; once the host has room, the first one parked there is `_ready` and comes before all who arrived later.
        self._arrivals = 0
        self._waiters: OrderedDict[int, tuple[K, Future[C | None]]] = OrderedDict()
        self._parked: dict[K, OrderedDict[int, Future[C | None]]] = {}
        self._ready: list[tuple[int, K]] = []

    def __repr__(self) -> str:
        waiting = len(self._waiters) + sum(map(len, self._parked.values()))
        return f"<{type(self).__name__} lent={self._lent_in_all} idle={self._idle_in_all} waiting={waiting} limit={self.limit}>"

    @property
    def lent(self) -> int:
        """Slots in use."""
        return self._lent_in_all

    def available(self, key: K) -> int:
        """How many more slots `key` could have; 1 when nothing limits them."""
        rooms = []
        if self.limit:
            rooms.append(self.limit - self._lent_in_all)
        if self.limit_per_host:
            rooms.append(self.limit_per_host - self._lent.get(key, 0))
        return min(rooms, default=1)

    # -- getting a slot

    def take(self, key: K) -> C | None:
        """An idle connection, with its slot; None when there is none."""
        connections = self.idle.get(key)
        # When there is no slot the idle ones are theirs who wait. (This and what follows is `_full` and `_lend`, on every request's path.)
        if connections is None or self.limit and self._lent_in_all >= self.limit or self.limit_per_host and self._host_full(key):
            return None
        while connections:
            connection, since = connections.pop()
            self._idle_in_all -= 1
            if self._is_alive(connection, since):
                self._lent[key] = self._lent.get(key, 0) + 1
                self._lent_in_all += 1
                if not connections:
                    del self.idle[key]
                return connection
            self._discard(connection)
        del self.idle[key]
        return None

    def reserve(self, key: K) -> bool:
        """A slot for a new connection; False when the limits are reached: `wait` then."""
        if self._full(key):
            return False
        self._lend(key)
        if self.limit and self._lent_in_all + self._idle_in_all > self.limit:
            self._evict()
        return True

    def wait(self, key: K, future: Future[C | None]) -> int:
        """Queue for a slot: the future gets an idle connection with its slot, or None with a slot for a new one.

        Returns the arrival number, for `leave`: whoever is cancelled must leave. If its future was done by then, it has the slot and must
        give it back instead.
        """
        self._arrivals += 1
        self._waiters[self._arrivals] = key, future
        return self._arrivals

    def leave(self, key: K, arrival: int) -> None:
        """No longer wait."""
        self._waiters.pop(arrival, None)
        parked = self._parked.get(key)
        if parked is not None:
            parked.pop(arrival, None)
            self._unpark(key)

    # -- giving it back

    def give_back(self, key: K, connection: C | None, now: float) -> None:
        """End a slot. `connection` is kept for others; None: there is nothing to keep."""
        lent = self._lent.get(key, 0) - 1
        if lent > 0:
            self._lent[key] = lent
        else:
            self._lent.pop(key, None)
        self._lent_in_all -= 1
        if connection is not None:
            connections = self.idle.get(key)
            if connections is None:
                connections = self.idle[key] = deque()
            connections.append((connection, now))
            self._idle_in_all += 1
        if self._waiters or self._parked:
            self._hand_on(key)

    def expire(self, before: float) -> float | None:
        """Discard what has been idle since `before`, or is dead. Returns since when the longest idle of the others is."""
        oldest = None
        for key, connections in list(self.idle.items()):
            kept: deque[tuple[C, float]] = deque()
            for connection, since in connections:
                if since > before and self._is_alive(connection, since):
                    kept.append((connection, since))
                else:
                    self._idle_in_all -= 1
                    self._discard(connection)
            if kept:
                self.idle[key] = kept
                oldest = kept[0][1] if oldest is None else min(oldest, kept[0][1])
            else:
                del self.idle[key]
        return oldest

    def clear(self, error: Callable[[], BaseException]) -> list[C]:
        """Forget everything: waiters get `error()`, the idle connections are returned."""
        connections = [connection for entries in self.idle.values() for connection, _ in entries]
        waiting = [future for _, future in self._waiters.values()]
        waiting += [future for parked in self._parked.values() for future in parked.values()]
        for forgotten in (self.idle, self._waiters, self._parked, self._ready):
            forgotten.clear()
        self._idle_in_all = 0
        for future in waiting:
            if not future.done():
                future.set_exception(error())
        return connections

    # -- inside

    def _full(self, key: K) -> bool:
        return bool(self.limit) and self._lent_in_all >= self.limit or self._host_full(key)

    def _host_full(self, key: K) -> bool:
        return bool(self.limit_per_host) and self._lent.get(key, 0) >= self.limit_per_host

    def _lend(self, key: K) -> None:
        self._lent[key] = self._lent.get(key, 0) + 1
        self._lent_in_all += 1

    def _evict(self) -> None:
        """Make room for one more open connection: the one idle for longest goes."""
        key = min(self.idle, key=lambda key: self.idle[key][0][1])
        connection, _ = self.idle[key].popleft()
        self._idle_in_all -= 1
        if not self.idle[key]:
            del self.idle[key]
        self._discard(connection)

    def _hand_on(self, freed: K) -> None:
        self._unpark(freed)
        while (waiter := self._next()) is not None:
            key, future = waiter
            if not future.done():  # or else it is leaving
                idle = self.take(key)
                if idle is None:
                    self.reserve(key)
                future.set_result(idle)
            self._unpark(key)

    def _next(self) -> tuple[K, Future[C | None]] | None:
        """The first in order who can have a slot now; it waits no longer."""
        if self.limit and self._lent_in_all >= self.limit:
            return None
        while self._waiters:
            arrival, (key, future) = next(iter(self._waiters.items()))
            if not self._host_full(key):
                break
            del self._waiters[arrival]
            self._parked.setdefault(key, OrderedDict())[arrival] = future
        while self._ready:
            ready, key = self._ready[0]
            if ready in self._parked.get(key, ()) and not self._host_full(key):
                break
            heappop(self._ready)  # it has left, or its host is full again
        if self._ready and (not self._waiters or self._ready[0][0] < arrival):
            ready, key = heappop(self._ready)
            return key, self._parked[key].pop(ready)
        return self._waiters.popitem(last=False)[1] if self._waiters else None

    def _unpark(self, key: K) -> None:
        """The first one parked with `key` is ready once its host has room."""
        parked = self._parked.get(key)
        if parked is None:
            return
        if not parked:
            del self._parked[key]
        elif not self._host_full(key):
            heappush(self._ready, (next(iter(parked)), key))
