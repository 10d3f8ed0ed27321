from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from aiohttpx.net.timer import Timer, limit, timer_of

pytestmark = pytest.mark.every_loop


class HandClock:
    """A loop whose clock stands still until it is moved."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.pending: list[tuple[float, Callable[..., object], tuple[Any, ...]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: object = None) -> None:
        self.pending.append((when, callback, args))

    def call_soon(self, callback: Callable[..., object], *args: Any) -> None:
        self.call_at(self.now, callback, *args)

    def move(self, now: float) -> None:
        self.now = now
        while due := [entry for entry in self.pending if entry[0] <= now]:
            self.pending.remove(due[0])
            due[0][1](*due[0][2])


@pytest.fixture
def clock() -> HandClock:
    return HandClock(100.25)


@pytest.fixture
def timer(clock: HandClock) -> Timer:
    return Timer(clock)  # type: ignore[arg-type]


def test_a_short_limit_is_exact(clock: HandClock, timer: Timer) -> None:
    timer.start(4.5, 5, lambda: None)
    assert [when for when, *_ in clock.pending] == [104.75]


def test_a_limit_of_the_threshold_is_rounded_up_to_a_whole_second(clock: HandClock, timer: Timer) -> None:
    timer.start(5, 5, lambda: None)
    assert [when for when, *_ in clock.pending] == [106]


def test_a_limit_that_ends_on_a_whole_second_is_not_rounded(clock: HandClock, timer: Timer) -> None:
    timer.start(5.75, 5, lambda: None)
    assert [when for when, *_ in clock.pending] == [106]


def test_all_limits_of_one_second_share_a_call(clock: HandClock, timer: Timer) -> None:
    struck: list[int] = []
    timer.start(5, 5, lambda: struck.append(1))
    timer.start(5.5, 5, lambda: struck.append(2))
    clock.now = 100.75
    timer.start(5, 5, lambda: struck.append(3))
    timer.start(6, 5, lambda: struck.append(4))
    assert [when for when, *_ in clock.pending] == [106, 107]
    clock.move(105.9)
    assert struck == []
    clock.move(106)
    assert struck == [1, 2, 3]
    clock.move(107)
    assert struck == [1, 2, 3, 4]


def test_a_cancelled_alarm_does_not_strike(clock: HandClock, timer: Timer) -> None:
    struck: list[int] = []
    first = timer.start(5, 5, lambda: struck.append(1))
    timer.start(5, 5, lambda: struck.append(2))
    first.cancel()
    first.cancel()
    clock.move(106)
    assert struck == [2]
    first.cancel()


def test_the_same_strike_may_be_set_twice(clock: HandClock, timer: Timer) -> None:
    struck: list[int] = []

    def strike() -> None:
        struck.append(1)

    timer.start(5, 5, strike)
    timer.start(5, 5, strike).cancel()
    clock.move(106)
    assert struck == [1]


def test_a_strike_may_cancel_another_of_the_same_second(clock: HandClock, timer: Timer) -> None:
    struck: list[int] = []
    alarms = [timer.start(5, 5, lambda: [struck.append(0), *(alarm.cancel() for alarm in alarms)]) for _ in range(9)]
    clock.move(106)
    assert struck == [0]


def test_a_strike_may_set_a_new_limit(clock: HandClock, timer: Timer) -> None:
    struck: list[float] = []
    timer.start(5, 5, lambda: timer.start(0, 0, lambda: struck.append(clock.now)))
    clock.move(106)
    clock.move(106)
    assert struck == [106]


def test_an_owner_may_put_itself_into_a_second(clock: HandClock, timer: Timer) -> None:
    class Owner:
        strikes = 0

        def strike(self) -> None:
            self.strikes += 1

    stays, leaves = Owner(), Owner()
    second = timer.second(5)
    second[stays] = Owner.strike
    second[leaves] = Owner.strike
    second.pop(leaves, None)
    clock.move(106)
    assert (stays.strikes, leaves.strikes) == (1, 0)


class Target:
    """It holds its alarm, and the alarm's strike is its own."""

    def __init__(self, timer: Timer, seconds: float, threshold: float) -> None:
        self.struck = asyncio.get_running_loop().create_future()
        self.alarm = timer.start(seconds, threshold, self.strike)

    def strike(self) -> None:
        self.struck.set_result(None)


@pytest.fixture
def without_collector() -> Iterator[None]:
    """A reference cycle outlives the last name."""
    gc.disable()
    yield
    gc.enable()


async def test_the_context_of_who_came_first_is_not_kept(without_collector: None) -> None:
    timer = timer_of(asyncio.get_running_loop())
    target: Target | None = Target(timer, 300, 5)
    gone = weakref.ref(target)
    variable: ContextVar[Target | None] = ContextVar("variable")

    def start() -> None:
        variable.set(target)
        timer.second(600)

    copy_context().run(start)
    target.alarm.cancel()
    target = None
    assert gone() is None


async def test_a_loop_has_one_timer() -> None:
    loop = asyncio.get_running_loop()
    timer = timer_of(loop)
    assert timer_of(loop) is timer


@pytest.mark.parametrize("threshold", [0, 5], ids=["shared", "exact"])
async def test_a_strike_that_raises_does_not_keep_others_from_being_called(threshold: float) -> None:
    loop = asyncio.get_running_loop()
    timer = timer_of(loop)
    reported: list[Any] = []
    loop.set_exception_handler(lambda loop, context: reported.append(context["exception"]))
    struck = [loop.create_future() for _ in range(5)]
    wrong = KeyError("a strike went wrong")

    def strike(future: asyncio.Future[None]) -> None:
        future.set_result(None)
        raise wrong

    for future in struck:
        timer.start(0.01, threshold, lambda future=future: strike(future))  # type: ignore[misc]
    await asyncio.gather(*struck)
    await asyncio.sleep(0)
    assert reported == [wrong] * 5


@pytest.mark.parametrize("threshold", [5, 500], ids=["shared", "exact"])
async def test_nothing_keeps_the_target_of_a_cancelled_alarm(without_collector: None, threshold: float) -> None:
    target = Target(timer_of(asyncio.get_running_loop()), 300, threshold)
    gone = weakref.ref(target)
    target.alarm.cancel()
    target.alarm.cancel()
    del target
    assert gone() is None


@pytest.mark.parametrize("threshold", [0, 5], ids=["shared", "exact"])
async def test_nothing_keeps_the_target_of_an_alarm_that_struck(without_collector: None, threshold: float) -> None:
    target = Target(timer_of(asyncio.get_running_loop()), 0.01, threshold)
    gone = weakref.ref(target)
    await target.struck
    target.alarm.cancel()
    del target
    assert gone() is None


@pytest.mark.parametrize("seconds", [None, 0, -1])
async def test_no_limit(seconds: float | None) -> None:
    assert limit(seconds, 5).when() is None


async def test_a_limit_below_the_threshold_is_exact() -> None:
    now = asyncio.get_running_loop().time()
    when = limit(4.5, 5).when()
    assert when is not None
    assert when - now == pytest.approx(4.5, abs=0.4)


async def test_a_limit_from_the_threshold_on_ends_on_a_whole_second() -> None:
    now = asyncio.get_running_loop().time()
    when = limit(5, 5).when()
    assert when is not None
    assert when % 1 == 0
    assert when >= now + 5


async def test_a_limit_strikes() -> None:
    with pytest.raises(TimeoutError):
        async with limit(0.01, 5):
            await asyncio.sleep(60)


def test_a_timer_does_not_keep_its_loop() -> None:
    loop = asyncio.new_event_loop()
    timer = timer_of(loop)
    alarm = timer.start(300, 5, lambda: None)
    loop.close()
    alarm.cancel()
    gone = weakref.ref(loop)
    del loop, timer, alarm
    gc.collect()
    assert gone() is None
