"""pool/pool.py: policy without sockets. The pool is asked the way a connector asks it, and checked against what it promises."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from aiohttpx.pool.pool import Pool


class Connection:
    """A connection is only something that lives or not."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.alive = True


class Closed(Exception):
    pass


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def make_pool(limit: int = 0, limit_per_host: int = 0) -> Pool:
    def discard(connection: Connection) -> None:
        connection.alive = False

    return Pool(limit, limit_per_host, lambda connection, since: connection.alive, discard)


def lend_new(pool: Pool, key: str) -> Connection:
    assert pool.take(key) is None
    assert pool.reserve(key)
    return Connection(key)


def test_an_idle_connection_is_taken_again_the_latest_first() -> None:
    pool = make_pool()
    first, second = lend_new(pool, "a"), lend_new(pool, "a")
    pool.give_back("a", first, 1.0)
    pool.give_back("a", second, 2.0)
    assert pool.take("a") is second
    assert pool.take("a") is first
    assert pool.take("a") is None
    assert pool.lent == 2


def test_keys_are_strangers() -> None:
    pool = make_pool()
    pool.give_back("a", lend_new(pool, "a"), 1.0)
    assert pool.take("b") is None


def test_a_dead_connection_is_discarded_and_the_next_one_taken() -> None:
    pool = make_pool()
    living, dead = lend_new(pool, "a"), lend_new(pool, "a")
    pool.give_back("a", living, 1.0)
    pool.give_back("a", dead, 2.0)
    dead.alive = False
    assert pool.take("a") is living
    assert pool.idle == {}


def test_the_limit_holds_for_all_and_for_each_host() -> None:
    pool = make_pool(limit=3, limit_per_host=2)
    assert [pool.reserve("a") for _ in range(3)] == [True, True, False]
    assert [pool.reserve("b") for _ in range(2)] == [True, False]
    assert pool.available("a") == pool.available("b") == 0
    pool.give_back("a", None, 1.0)
    assert pool.available("a") == pool.available("b") == 1


def test_without_limits_there_is_always_room() -> None:
    pool = make_pool()
    assert all(pool.reserve("a") for _ in range(1000))
    assert pool.available("a") > 0


def test_idle_connections_count_the_one_idle_for_longest_makes_room() -> None:
    pool = make_pool(limit=2)
    old, young = lend_new(pool, "old"), lend_new(pool, "young")
    pool.give_back("old", old, 1.0)
    pool.give_back("young", young, 2.0)
    assert pool.reserve("new")
    assert not old.alive
    assert young.alive
    assert pool.take("young") is young


def test_waiters_are_served_in_order(loop: asyncio.AbstractEventLoop) -> None:
    pool = make_pool(limit=1)
    connection = lend_new(pool, "a")
    futures = [loop.create_future() for _ in range(5)]
    for future in futures:
        pool.wait("a", future)
    for served in range(5):
        pool.give_back("a", connection, 1.0)
        assert [future.done() for future in futures] == [index <= served for index in range(5)]
        assert futures[served].result() is connection


def test_a_connection_given_back_goes_to_the_waiter_and_nobody_steps_in_between(loop: asyncio.AbstractEventLoop) -> None:
    pool = make_pool(limit=1)
    connection = lend_new(pool, "a")
    future = loop.create_future()
    pool.wait("a", future)
    pool.give_back("a", connection, 1.0)
    assert future.result() is connection
    assert pool.take("a") is None
    assert not pool.reserve("a")


def test_a_waiter_for_another_host_gets_the_slot_and_the_connection_makes_room_for_it(loop: asyncio.AbstractEventLoop) -> None:
    pool = make_pool(limit=1)
    connection = lend_new(pool, "a")
    future = loop.create_future()
    pool.wait("b", future)
    pool.give_back("a", connection, 1.0)
    assert future.result() is None
    assert not connection.alive


def test_a_full_host_holds_up_nobody_else(loop: asyncio.AbstractEventLoop) -> None:
    pool = make_pool(limit=3, limit_per_host=1)
    lend_new(pool, "a"), lend_new(pool, "b"), lend_new(pool, "c")
    first_for_a, then_for_c = loop.create_future(), loop.create_future()
    pool.wait("a", first_for_a)
    pool.wait("c", then_for_c)
    pool.give_back("c", None, 1.0)
    assert then_for_c.done()
    assert not first_for_a.done()
    pool.give_back("a", None, 2.0)
    assert first_for_a.done()


def test_who_was_parked_with_a_full_host_comes_first_once_there_is_room(loop: asyncio.AbstractEventLoop) -> None:
    """Its host gets room while the pool as a whole is full; then another host's slot is freed: it is this one's turn, not a later
    one's."""
    pool = make_pool(limit=2, limit_per_host=1)
    lend_new(pool, "a"), lend_new(pool, "b")
    waiting = {name: loop.create_future() for name in ("d first", "a second", "d third", "e fourth")}
    for name, future in waiting.items():
        pool.wait(name[0], future)
    pool.give_back("b", None, 1.0)  # to "d first"
    assert [name for name in waiting if waiting[name].done()] == ["d first"]
    pool.give_back("d", None, 2.0)  # "a" is still full: its waiter is passed over
    assert [name for name in waiting if waiting[name].done()] == ["d first", "d third"]
    pool.give_back("a", None, 3.0)
    assert [name for name in waiting if waiting[name].done()] == ["d first", "a second", "d third"]
    pool.give_back("a", None, 4.0)
    assert waiting["e fourth"].done()


def test_a_waiter_who_left_is_passed_over(loop: asyncio.AbstractEventLoop) -> None:
    pool = make_pool(limit=1)
    connection = lend_new(pool, "a")
    gone, cancelled, here = (loop.create_future() for _ in range(3))
    arrival = pool.wait("a", gone)
    pool.wait("a", cancelled)
    pool.wait("a", here)
    pool.leave("a", arrival)
    cancelled.cancel()
    pool.give_back("a", connection, 1.0)
    assert not gone.done()
    assert here.result() is connection


def test_expire_discards_what_is_old_and_says_how_old_the_rest_is() -> None:
    pool = make_pool()
    connections = [lend_new(pool, "a") for _ in range(3)]
    for since, connection in enumerate(connections):
        pool.give_back("a", connection, float(since))
    assert pool.expire(before=0.5) == 1.0
    assert [connection.alive for connection in connections] == [False, True, True]
    connections[1].alive = False
    assert pool.expire(before=0.5) == 2.0
    assert pool.expire(before=9.0) is None
    assert pool.idle == {}


def test_clear_returns_the_idle_ones_and_fails_the_waiters(loop: asyncio.AbstractEventLoop) -> None:
    pool = make_pool(limit=2, limit_per_host=1)
    idle = lend_new(pool, "a")
    lend_new(pool, "b")
    pool.give_back("a", idle, 1.0)
    waiting, done = loop.create_future(), loop.create_future()
    done.cancel()
    pool.wait("b", waiting)
    pool.wait("b", done)
    assert pool.clear(Closed) == [idle]
    assert isinstance(waiting.exception(), Closed)
    assert pool.idle == {}


def test_its_repr_says_what_it_holds(loop: asyncio.AbstractEventLoop) -> None:
    pool = make_pool(limit=1)
    lend_new(pool, "a")
    pool.wait("a", loop.create_future())
    assert repr(pool) == "<Pool lent=1 idle=0 waiting=1 limit=1>"


def check_promises(pool: Pool, lent: Counter[str], waiting: list[tuple[str, asyncio.Future[object]]]) -> None:
    """What holds between any two steps."""
    assert pool.lent == lent.total()
    idle = sum(map(len, pool.idle.values()))
    if pool.limit:
        assert lent.total() + idle <= pool.limit
    if pool.limit_per_host:
        assert max(lent.values(), default=0) <= pool.limit_per_host
    for key, future in waiting:
        assert future.done() or pool.available(key) <= 0, "someone waits beside a free slot"


@pytest.mark.parametrize("seed", range(60))
def test_random_comings_and_goings_keep_every_promise(seed: int, loop: asyncio.AbstractEventLoop) -> None:
    rng = random.Random(seed)
    pool = make_pool(rng.choice((0, 1, 3, 8)), rng.choice((0, 1, 2)))
    keys = "abcd"
    lent: Counter[str] = Counter()
    held: list[tuple[str, Connection]] = []
    waiting: list[tuple[str, int, asyncio.Future[Connection | None]]] = []
    served: list[tuple[str, int]] = []
    for step in range(400):
        key = rng.choice(keys)
        what = rng.random()
        if what < 0.5:
            connection = pool.take(key)
            if connection is not None or pool.reserve(key):
                held.append((key, connection or Connection(key)))
                lent[key] += 1
            else:
                future: asyncio.Future[Connection | None] = loop.create_future()
                waiting.append((key, pool.wait(key, future), future))
        elif what < 0.85 and held:
            key, connection = held.pop(rng.randrange(len(held)))
            lent[key] -= 1
            pool.give_back(key, connection if rng.random() < 0.7 else None, float(step))
        elif what < 0.95 and waiting:
            key, arrival, future = waiting.pop(rng.randrange(len(waiting)))
            future.cancel()
            pool.leave(key, arrival)
        else:
            pool.expire(before=step - 20)
        for entry in [entry for entry in waiting if entry[2].done()]:
            waiting.remove(entry)
            key, arrival, future = entry
            held.append((key, future.result() or Connection(key)))
            lent[key] += 1
            served.append((key, arrival))
        check_promises(pool, +lent, [(key, future) for key, _, future in waiting])
    for key in keys:
        arrivals = [arrival for served_key, arrival in served if served_key == key]
        assert arrivals == sorted(arrivals), "someone was overtaken by a later one for the same host"


def test_a_thousand_waiters_are_each_looked_at_a_bounded_number_of_times(loop: asyncio.AbstractEventLoop) -> None:
    """Linear cost, counted: a key that counts how often it is hashed."""

    class Key(str):
        hashed = 0

        def __hash__(self) -> int:
            Key.hashed += 1
            return super().__hash__()

    pool = make_pool(limit=10, limit_per_host=2)
    hosts = [Key(f"host{number}") for number in range(100)]
    for host in hosts[:5] * 2:
        assert pool.reserve(host)
    futures = []
    for number in range(1000):
        future = loop.create_future()
        pool.wait(hosts[number % 100], future)
        futures.append((hosts[number % 100], future))
    Key.hashed = 0
    lent = hosts[:5] * 2
    for _ in range(1000):
        pool.give_back(lent.pop(0), None, 0.0)
        lent.extend(host for host, future in futures if future.done())
        futures = [entry for entry in futures if not entry[1].done()]
    assert not futures
    assert Key.hashed < 1000 * 40


@pytest.mark.parametrize("limit", [float("inf"), 2**70])
def test_a_limit_may_be_as_large_as_one_likes(limit: Any) -> None:
    pool: Any = Pool(limit, limit, lambda connection, since: True, lambda connection: None)
    assert pool.reserve("host")
    assert (pool.limit, pool.limit_per_host, pool.lent) == (limit, limit, 1)
