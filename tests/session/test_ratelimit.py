"""session/ratelimit.py: how many requests a host gets at once and in a second, and that no place is lost."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from aiohttpx import ClientError, ClientHandlerType, ClientRequest, ClientResponse, ClientSession, RateLimitMiddleware
from aiohttpx.session.ratelimit import Host
from aiohttpx.testing import ExpectRequest, Request, Response, ScriptedPeer, StallForever

from .site import Site

LONG = bytes(300_000)


class Counting:
    """Knows how many requests it had at once at most."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def __call__(self, request: Request) -> Response:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.02)  # long enough for others to come, however busy the machine is
        self.now -= 1
        return Response.text("done")


def host_of(middleware: RateLimitMiddleware) -> Host:
    (host,) = middleware.hosts.values()
    return host


# -- at once


@pytest.mark.every_loop
async def test_a_host_gets_no_more_at_once(here: Site) -> None:
    counting, other = Counting(), Counting()
    middleware = RateLimitMiddleware(3)
    async with Site(slow=counting) as site, Site(slow=other) as another, ClientSession(middlewares=(middleware,)) as session:  # type: ignore[arg-type]
        async with asyncio.timeout(30):
            await asyncio.gather(*(session.get(f"{each.url}/slow") for _ in range(20) for each in (site, another)))
    assert (counting.most, other.most) == (3, 3)
    assert [host.active for host in middleware.hosts.values()] == [0, 0]


async def test_who_waits_is_served_in_order(here: Site) -> None:
    async with ClientSession(middlewares=(RateLimitMiddleware(1),)) as session:
        await asyncio.gather(*(session.get(f"{here.url}/{number}") for number in range(10)))
    assert [request.path for request in here.asked] == [f"/{number}" for number in range(10)]


@pytest.mark.parametrize("end", ["read", "release", "close", "leave", "forget"])
async def test_a_place_is_taken_until_the_response_is_done_with(end: str) -> None:
    middleware = RateLimitMiddleware(1)
    async with Site(long=lambda request: Response(200, [], LONG)) as site, ClientSession(middlewares=(middleware,)) as session:
        async with asyncio.timeout(10):
            response: Any = await session.get(f"{site.url}/long")
            host = host_of(middleware)
            assert host.active == 1
            waiting = asyncio.ensure_future(session.get(f"{site.url}/next"))
            await asyncio.sleep(0.01)
            assert not waiting.done()
            if end == "read":
                await response.read()
            elif end == "leave":
                async with response:
                    pass
            elif end == "forget":
                del response
                gc.collect()
            else:
                getattr(response, end)()
            await waiting
        assert host.active == 0


async def test_an_error_gives_the_place_back() -> None:
    async def fail(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        raise LookupError

    middleware = RateLimitMiddleware(1)
    async with ClientSession(middlewares=(middleware, fail)) as session:
        for _ in range(3):
            with pytest.raises(LookupError):
                await session.get("http://127.0.0.1:9/")
    async with ClientSession(middlewares=(middleware,)) as session:
        with pytest.raises(ClientError):
            await session.get("http://127.0.0.1:9/")
    assert host_of(middleware).active == 0


@pytest.mark.every_loop
async def test_who_gives_up_leaves_no_place_taken() -> None:
    middleware = RateLimitMiddleware(2)
    async with ScriptedPeer([ExpectRequest(), StallForever()]) as peer, ClientSession(middlewares=(middleware,)) as session:
        tasks = [asyncio.ensure_future(session.get(peer.url)) for _ in range(6)]
        await asyncio.sleep(0.02)
        host = host_of(middleware)
        assert host.active == 2
        for task in (tasks[0], tasks[3], tasks[2], *tasks):
            task.cancel()
        await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks)
        assert host.active == 0


async def test_a_place_that_comes_when_nobody_waits_any_more_goes_to_the_next() -> None:
    host = Host(1, 0, 1)
    await host.enter()
    second, third = (asyncio.ensure_future(host.enter()) for _ in range(2))
    await asyncio.sleep(0)
    host.leave()  # gives the second one the place,
    second.cancel()  # which it does not come to take
    await asyncio.wait((second, third))
    assert second.cancelled()
    assert third.result() is None
    assert host.active == 1


# -- in a second


async def test_the_rate_is_kept(here: Site) -> None:
    loop = asyncio.get_running_loop()
    async with ClientSession(middlewares=(RateLimitMiddleware(rate=100),)) as session:
        start = loop.time()
        await asyncio.gather(*(session.get(here.url) for _ in range(6)))
        assert loop.time() - start > 0.045


async def test_a_burst_is_not_delayed(monkeypatch: pytest.MonkeyPatch, here: Site) -> None:
    sleeps: list[float] = []
    original = asyncio.sleep

    async def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        await original(0)

    host = Host(10, 1.0, 3)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    turn = asyncio.gather(*(host.enter() for _ in range(3)))
    await turn
    assert not sleeps


async def test_turns_are_evenly_spaced_after_a_burst() -> None:
    host = Host(10, 0.5, 2)
    assert [host.take_turn(100.0) for _ in range(4)] == [99.5, 100.0, 100.5, 101.0]
    assert host.take_turn(200.0) == 199.5


# -- learning


async def test_a_host_that_has_too_much_gets_half_and_slowly_more() -> None:
    host = Host(16, 0.5, 1)
    assert host.allowed == 16
    host.answered(429, sent=1.0, now=2.0, pause=None)
    assert host.allowed == 8
    host.answered(503, sent=1.5, now=2.5, pause=None)  # it was on its way already
    assert host.allowed == 8
    host.answered(503, sent=2.6, now=3.0, pause=None)
    assert host.allowed == 4
    assert [host.take_turn(10.0), host.take_turn(10.0)] == [10.0, 12.0]
    for number in range(24):
        assert not host.idle(100.0), number
        host.answered(200, sent=4.0, now=4.0, pause=None)
    assert host.allowed == 16
    assert host.idle(100.0)
    for _ in range(50):
        host.answered(429, sent=9e9, now=9.0, pause=None)
    assert host.allowed == 1


async def test_retry_after_holds_all_requests_to_the_host(here: Site) -> None:
    loop = asyncio.get_running_loop()
    refusal = Response(429, [("Retry-After", "1000")], b"")
    middleware = RateLimitMiddleware(max_pause=0.1)
    async with Site(refusing=lambda request: refusal) as site, ClientSession(middlewares=(middleware,)) as session:
        await session.get(f"{site.url}/refusing")
        refused = loop.time()
        await session.get(here.url)
        assert host_of_url(middleware, here).active == 0
        await asyncio.gather(session.get(site.url), session.get(site.url))
        assert loop.time() - refused > 0.09


def host_of_url(middleware: RateLimitMiddleware, site: Site) -> Host:
    return next(host for origin, host in middleware.hosts.items() if str(origin[2]) == site.url.rpartition(":")[2])


async def test_nothing_is_learned_if_it_is_told_not_to() -> None:
    refusal = Response(429, [("Retry-After", "1000")], b"")
    middleware = RateLimitMiddleware(8, adapt=False)
    async with (
        Site(refusing=lambda request: refusal) as site,
        ClientSession(middlewares=(middleware,)) as session,
        asyncio.timeout(10),
    ):
        for _ in range(2):
            await session.get(f"{site.url}/refusing")
    assert host_of(middleware).allowed == 8


async def test_hosts_with_which_nothing_goes_on_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = ClientResponse("GET", request.url, request_info=request.request_info)
        response.status = 429 if request.url.host == "busy.test" else 200
        response._headers = request.request_info.headers
        return response

    middleware = RateLimitMiddleware()
    async with ClientSession(middlewares=(middleware, answer)) as session:
        await session.get("http://busy.test/")
        for number in range(1100):
            await session.get(f"http://host{number}.test/")
    assert len(middleware.hosts) < 100
    assert any(origin[1] == "busy.test" for origin in middleware.hosts)


@pytest.mark.parametrize("arguments", [{"concurrency": 0}, {"burst": 0}, {"rate": 0}, {"rate": -1.0}])
def test_what_makes_no_sense_is_a_value_error(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        RateLimitMiddleware(**arguments)
