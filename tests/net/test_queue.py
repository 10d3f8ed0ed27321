from __future__ import annotations

import asyncio

import pytest

from aiohttpx.errors import EofStream
from aiohttpx.net.queue import DataQueue, FlowControlDataQueue

pytestmark = pytest.mark.every_loop


async def waiting(queue: DataQueue[str]) -> asyncio.Task[str]:
    task = asyncio.ensure_future(queue.read())
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def test_gives_items_in_their_order_and_then_its_end() -> None:
    queue: DataQueue[str] = DataQueue(asyncio.get_running_loop())
    queue.feed_data("one", 3)
    queue.feed_data("two")
    queue.feed_eof()
    assert repr(queue) == "<DataQueue 2 items eof>"
    assert len(queue) == 2
    assert queue.is_eof()
    assert not queue.at_eof()
    assert [await queue.read(), await queue.read()] == ["one", "two"]
    assert queue.at_eof()
    with pytest.raises(EofStream):
        await queue.read()


async def test_is_iterated_over() -> None:
    queue: DataQueue[str] = DataQueue()
    for item in ("one", "", "two"):
        queue.feed_data(item)
    queue.feed_eof()
    assert [item async for item in queue] == ["one", "", "two"]


async def test_wakes_who_waits() -> None:
    queue: DataQueue[str] = DataQueue()
    task = await waiting(queue)
    queue.feed_data("item")
    assert await task == "item"
    task = await waiting(queue)
    queue.feed_eof()
    with pytest.raises(EofStream):
        await task


async def test_an_exception_comes_behind_the_items() -> None:
    queue: DataQueue[str] = DataQueue()
    queue.feed_data("item")
    queue.set_exception(error := ValueError("broken"), cause := OSError())
    assert queue.exception() is error
    assert error.__cause__ is cause
    assert await queue.read() == "item"
    with pytest.raises(ValueError, match="broken"):
        await queue.read()


async def test_has_one_reader_who_may_give_up() -> None:
    queue: DataQueue[str] = DataQueue()
    task = await waiting(queue)
    with pytest.raises(RuntimeError, match="read"):
        await queue.read()
    task.cancel()
    queue.feed_data("item")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await queue.read() == "item"


class Transport:
    def __init__(self) -> None:
        self.said: list[str] = []

    def pause_reading(self) -> None:
        self.said.append("pause")

    def resume_reading(self) -> None:
        self.said.append("resume")


async def test_flow_control_weighs_the_items() -> None:
    transport = Transport()
    queue: FlowControlDataQueue[str] = FlowControlDataQueue(transport, 5)
    queue.feed_data("ten", 10)
    assert transport.said == []
    queue.feed_data("one", 1)
    queue.feed_data("two", 2)
    assert transport.said == ["pause"]
    assert await queue.read() == "ten"
    assert transport.said == ["pause", "resume"]
    assert await queue.read() == "one"
    assert transport.said == ["pause", "resume"]
