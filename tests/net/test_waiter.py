"""The task that waits goes on within the read that it waits for, and otherwise as with any future."""

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


async def test_what_arrives_before_anybody_waits_is_not_lost() -> None:
    said: list[str] = []
    waiter = Waiter(asyncio.get_running_loop())
    await _in_a_callback(waiter.arrive)
    await _wait(waiter, said)
    assert said == ["went on"]


async def test_a_task_that_is_cancelled_too_late_has_its_answer() -> None:
    said: list[str] = []
    waiter, task = await _waiting(said)
    await _in_a_callback(lambda: (waiter.arrive(), task.cancel()))
    await task
    assert said == ["went on"]


@pytest.mark.parametrize("make", [asyncio.Task, asyncio.tasks._PyTask], ids=["C", "Python"])  # type: ignore[attr-defined]
@pytest.mark.parametrize("debug", [False, True], ids=["plain", "debug"])
async def test_tasks_of_both_kinds(make: Callable[..., asyncio.Task[object]], debug: bool) -> None:
    loop = asyncio.get_running_loop()
    loop.set_debug(debug)
    waiter = Waiter(asyncio.get_running_loop())

    async def wait() -> object:
        return await waiter

    task = make(wait(), loop=loop)
    await asyncio.sleep(0)
    answer = (1, "a tuple is one value")
    await _in_a_callback(lambda: waiter.arrive(answer))
    assert task.done()
    assert await task is answer
    loop.set_debug(False)


@pytest.mark.skipif(not hasattr(asyncio, "eager_task_factory"), reason="Python 3.12")
async def test_eager_tasks() -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined, unused-ignore]
    waiter, said = Waiter(asyncio.get_running_loop()), list[str]()
    task = loop.create_task(_wait(waiter, said))
    await _in_a_callback(waiter.arrive)
    loop.set_task_factory(None)
    await task
    assert said == ["went on"]


async def test_limits_in_time() -> None:
    for limit in (asyncio.timeout(0.001), asyncio.timeout(60)):
        waiter, said = Waiter(asyncio.get_running_loop()), list[str]()
        if limit.when() and limit.when() > 1:  # type: ignore[operator]
            asyncio.get_running_loop().call_soon(waiter.arrive)
        try:
            async with limit:
                await _wait(waiter, said)
        except TimeoutError:
            assert waiter.cancelled()
        else:
            assert said == ["went on"]
    waiter = Waiter(asyncio.get_running_loop())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waiter, 0.001)  # type: ignore[arg-type]
    waiter = Waiter(asyncio.get_running_loop())
    asyncio.get_running_loop().call_soon(waiter.arrive, "it")
    assert await asyncio.wait_for(waiter, 60) == "it"  # type: ignore[arg-type]
    assert await asyncio.gather(waiter) == ["it"]  # type: ignore[arg-type]


async def test_who_listens_besides_hears_first() -> None:
    said: list[str] = []
    waiter, task = await _waiting(said)
    waiter.add_done_callback(lambda _: said.append("noted"))
    forgotten = lambda _: said.append("forgotten")  # noqa: E731
    waiter.add_done_callback(forgotten)
    assert waiter.remove_done_callback(forgotten) == 1
    await _in_a_callback(lambda: (waiter.arrive(), said.append("arrived")))
    await task
    assert said == ["arrived", "noted", "went on"]


async def test_a_task_whose_context_runs_already_waits_for_its_turn() -> None:
    context, loop = contextvars.copy_context(), asyncio.get_running_loop()
    said: list[str] = []
    waiter = Waiter(asyncio.get_running_loop())
    task = loop.create_task(_wait(waiter, said), context=context)
    await asyncio.sleep(0)
    loop.call_soon(lambda: (waiter.arrive(), said.append("arrived")), context=context)
    await task
    assert said == ["arrived", "went on"]


async def test_it_says_what_it_is() -> None:
    waiter, cancelled = Waiter(asyncio.get_running_loop()), Waiter(asyncio.get_running_loop())
    assert asyncio.isfuture(waiter)
    assert repr(waiter) == "<Waiter pending>"
    with pytest.raises(asyncio.InvalidStateError):
        waiter.result()
    assert waiter.__await__().__next__() is waiter
    with pytest.raises(RuntimeError, match="awaited by tasks of asyncio only"):
        waiter.__await__().__next__()
    waiter.set_result("it")
    waiter.arrive("another")
    waiter.set_exception(ValueError())
    assert (waiter.result(), waiter.exception(), waiter.cancel(), repr(waiter)) == ("it", None, False, "<Waiter finished>")
    assert cancelled.cancel("enough")
    assert (cancelled.done(), cancelled.cancelled(), repr(cancelled)) == (True, True, "<Waiter cancelled>")
    with pytest.raises(asyncio.CancelledError, match="enough"):
        cancelled.result()
