"""Who waits for waiter goes on at once when they arrive, and otherwise as with any future."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable

import pytest

from aiohttpx.net.waiter import Waiter

pytestmark = pytest.mark.every_loop


async def _wait(waiter: Waiter, said: list[str], word: str = "went on") -> None:
    try:
        await waiter
        said.append(word)
    except BaseException as error:
        said.append(type(error).__name__)
        raise


async def _waiting(said: list[str]) -> tuple[Waiter, asyncio.Task[None]]:
    waiter = Waiter(asyncio.get_running_loop())
    task = asyncio.create_task(_wait(waiter, said))
    await asyncio.sleep(0)
    return waiter, task


async def _in_a_callback(act: Callable[[], object]) -> None:
    """Call it as a loop calls a protocol: in no task."""
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: (act(), done.set_result(None)))
    await done


async def test_the_task_goes_on_before_arrive_returns() -> None:
    said: list[str] = []
    waiter, task = await _waiting(said)

    def arrive() -> None:
        waiter.arrive()
        said.append("arrived")

    await _in_a_callback(arrive)
    await task
    assert said == ["went on", "arrived"]


async def test_within_another_task_it_waits_for_its_turn() -> None:
    said: list[str] = []
    waiter, task = await _waiting(said)
    waiter.arrive()
    said.append("arrived")
    await task
    assert said == ["arrived", "went on"]


async def test_a_result_set_is_heard_in_the_next_turn() -> None:
    said: list[str] = []
    waiter, task = await _waiting(said)
    await _in_a_callback(lambda: (waiter.set_result(None), said.append("set")))
    await task
    assert said == ["set", "went on"]


async def test_the_task_goes_on_in_its_own_context() -> None:
    name = contextvars.ContextVar("name", default="nobody's")
    heard: list[str] = []
    waiter = Waiter(asyncio.get_running_loop())

    async def wait() -> None:
        name.set("its own")
        await waiter
        heard.append(name.get())

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    await _in_a_callback(waiter.arrive)
    await task
    assert heard == ["its own"]


async def test_cancelling_and_failing_reach_the_task() -> None:
    said: list[str] = []
    waiter, task = await _waiting(said)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _in_a_callback(waiter.arrive)  # too late, and harmless
    failing, other = await _waiting(said)
    failing.set_exception(TimeoutError())
    with pytest.raises(TimeoutError):
        await other
    assert said == ["CancelledError", "TimeoutError"]


async def test_news_that_nobody_waits_for_yet_are_not_lost() -> None:
    said: list[str] = []
    waiter = Waiter(asyncio.get_running_loop())
    await _in_a_callback(waiter.arrive)
    await _wait(waiter, said)
    assert said == ["went on"]


async def test_a_cancelled_task_that_news_reach_first_may_still_take_them() -> None:
    said: list[str] = []
    waiter, task = await _waiting(said)
    await _in_a_callback(lambda: (waiter.arrive(), task.cancel()))
    await task
    assert said == ["went on"]
