"""The pool alone: a slot with an idle connection taken and given back, and waiters served."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aiohttpx.net.key import ConnectionKey
from aiohttpx.pool.pool import Pool


def make_pool(limit: int, limit_per_host: int) -> Pool[ConnectionKey, object]:
    return Pool(limit, limit_per_host, lambda connection, since: True, lambda connection: None)


@pytest.mark.parametrize("hosts", [1, 1000])
def test_take_and_give_back(benchmark: Any, hosts: int) -> None:
    pool = make_pool(0, 0)
    keys = [ConnectionKey(f"host{number}.example", 443, True, True, None, None, None) for number in range(hosts)]
    for key in keys:
        assert pool.reserve(key)
        pool.give_back(key, object(), 0.0)

    def take_and_give_back() -> None:
        for key in keys:
            pool.give_back(key, pool.take(key), 0.0)

    benchmark(take_and_give_back)
    assert pool.lent == 0


@pytest.mark.parametrize("limit_per_host", [0, 2])
def test_a_thousand_waiters(benchmark: Any, limit_per_host: int) -> None:
    keys = [ConnectionKey(f"host{number}.example", 443, True, True, None, None, None) for number in range(100)]
    loop = asyncio.new_event_loop()

    def queue() -> tuple[tuple[Any, ...], dict[str, Any]]:
        pool = make_pool(10, limit_per_host)
        lent = keys[:5] * 2
        for key in lent:
            assert pool.reserve(key)
        waiting = [(key, loop.create_future()) for key in keys * 10]
        for key, future in waiting:
            pool.wait(key, future)
        return (pool, lent, waiting), {}

    def serve(pool: Pool[ConnectionKey, object], lent: list[ConnectionKey], waiting: list[Any]) -> None:
        for key in lent:
            pool.give_back(key, None, 0.0)
        for key, future in waiting:  # in whatever order they are served, nobody is left out
            assert future.done()
            pool.give_back(key, None, 0.0)

    try:
        benchmark.pedantic(serve, setup=queue, rounds=20)
    finally:
        loop.close()
