"""Requests of one turn of the loop are written together; one that is alone, at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

import aiohttpx
from aiohttpx.errors import ClientConnectionError
from aiohttpx.net import outbox as outbox_module
from aiohttpx.net.connection import HTTPConnection
from aiohttpx.net.outbox import Outbox
from aiohttpx.testing import LoopbackServer

pytestmark = pytest.mark.every_loop

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


def work() -> None:
    """For longer than a request is held while others go on."""
    time.sleep(outbox_module.HOLD * 3)


class Line(asyncio.Transport):
    """A transport in memory that notes in `journal` under its `name` what is written to it."""

    def __init__(self, connection: HTTPConnection, name: str, journal: list[str]) -> None:
        super().__init__()
        self._connection = connection
        self._note = lambda: journal.append(name)
        self.sent = b""
        self.error: Exception | None = None
        self.closing = False

    def write(self, data: Any) -> None:
        if self.error is not None:
            raise self.error
        self._note()
        self.sent += bytes(data)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self._connection.connection_lost, None)

    close = abort


class Lines:
    """Connections that share an outbox, each with a request under way."""

    def __init__(self, names: str) -> None:
        self.outbox = Outbox(asyncio.get_running_loop())
        self.journal: list[str] = []
        self.connections: dict[str, HTTPConnection] = {}
        self.lines: dict[str, Line] = {}
        self.answers: dict[str, asyncio.Future[Any]] = {}
        for name in names:
            self.add(name)
        self.outbox.flush()
        self.journal.clear()

    def add(self, name: str) -> None:
        connection = self.connections[name] = HTTPConnection(asyncio.get_running_loop(), None, self.outbox)
        connection.peer = name
        self.lines[name] = Line(connection, name, self.journal)
        connection.connection_made(self.lines[name])
        self.request(name)

    def request(self, name: str) -> None:
        self.answers[name] = self.connections[name].exchange("GET", f"GET /{name}".encode(), lambda: None)

    def answer(self, names: str) -> None:
        for name in names:
            self.connections[name].data_received(ANSWER)

    async def one_after(self, name: str, before: Callable[[], object] | None = None) -> None:
        """What a task does that requests one thing after another."""
        await self.answers[name]
        self.outbox.heard()
        if before is not None:
            before()
        self.request(name)
        self.journal.append(name.upper())

    async def take_turns(self, *tasks: Awaitable[object]) -> None:
        """Start `tasks`, answer all requests at once, and wait until all is said."""
        waiting = [asyncio.ensure_future(each) for each in tasks]
        await asyncio.sleep(0)
        self.answer("".join(self.connections))
        await asyncio.gather(*waiting)
        await asyncio.sleep(0)


async def test_one_that_is_alone_is_written_at_once() -> None:
    lines = Lines("ab")
    task = asyncio.create_task(lines.one_after("a"))
    await asyncio.sleep(0)
    lines.answer("a")
    await task
    assert lines.journal == ["a", "A"]


async def test_those_of_one_turn_are_written_together() -> None:
    lines = Lines("abc")
    await lines.take_turns(*map(lines.one_after, "abc"))
    # The last knows that nobody follows.
    assert lines.journal == ["A", "B", "a", "b", "c", "C"]
    assert lines.lines["a"].sent == b"GET /aGET /a"


async def test_those_of_many_tasks_that_begin_are_written_together() -> None:
    lines = Lines("")
    for name in "abcdef":
        lines.add(name)
    assert lines.journal == ["a", "b"]
    await asyncio.sleep(0)
    assert lines.journal == ["a", "b", "c", "d", "e", "f"]


async def test_many_tasks_that_begin_do_not_wait_for_long() -> None:
    lines = Lines("")
    for name in "abcd":
        lines.add(name)
    work()
    lines.add("e")
    assert lines.journal == ["a", "b", "c", "d", "e"]


async def test_they_are_written_when_the_others_have_nothing_to_say() -> None:
    lines = Lines("abc")

    async def only_hear(name: str) -> None:
        await lines.answers[name]
        lines.outbox.heard()
        lines.journal.append(name.upper())

    await lines.take_turns(lines.one_after("a"), only_hear("b"), only_hear("c"))
    assert lines.journal == ["A", "B", "a", "C"]


async def test_they_do_not_wait_for_long() -> None:
    lines = Lines("abcd")
    slow = lines.one_after("b", work)
    await lines.take_turns(lines.one_after("a"), slow, lines.one_after("c"), lines.one_after("d"))
    assert lines.journal == ["A", "a", "b", "B", "C", "c", "d", "D"]


async def test_an_answer_that_nobody_hears_holds_nothing_back_beyond_the_turn() -> None:
    lines = Lines("ab")
    lines.answer("b")
    await lines.answers["b"]  # by someone who does not say so
    task = asyncio.create_task(lines.one_after("a"))
    await asyncio.sleep(0)
    lines.answer("a")
    await task
    assert lines.journal == ["A", "a"], "written after the request was made"
    lines.answer("a")
    await lines.one_after("a")
    assert lines.journal == ["A", "a", "a", "A"], "and once that is known, nothing at all"


async def test_a_write_that_fails_ends_its_own_exchange() -> None:
    lines = Lines("abc")
    lines.lines["a"].error = OSError("no more")
    await lines.take_turns(*map(lines.one_after, "abc"))
    with pytest.raises(OSError, match="no more"):
        await lines.answers["a"]
    assert lines.journal == ["A", "B", "b", "c", "C"]
    assert lines.lines["a"].closing


async def test_one_that_was_given_up_meanwhile_is_not_written() -> None:
    lines = Lines("abc")
    lines.lines["a"].error = RuntimeError("closed")  # as uvloop's transports say it

    def give_up() -> None:
        lines.connections["a"].close()

    await lines.take_turns(lines.one_after("a"), lines.one_after("b", give_up), lines.one_after("c"))
    with pytest.raises(ClientConnectionError, match=r"Connection closed \(a\)"):
        await lines.answers["a"]
    assert lines.journal == ["A", "B", "b", "c", "C"]


async def test_a_head_is_written_before_its_body() -> None:
    lines = Lines("ab")

    async def upload() -> None:
        lines.connections["a"].write([b" and its body"])
        lines.connections["a"].request_sent()

    async def post() -> None:
        await lines.one_after("a")
        await lines.connections["a"].start_upload(upload())

    await lines.take_turns(post(), lines.one_after("b"))
    assert lines.lines["a"].sent == b"GET /aGET /a and its body"


@pytest.mark.parametrize(("body", "sent"), [(None, ""), ({"said": "n"}, "said=n"), ("streamed", "n" * 30)])
async def test_many_at_once_over_real_sockets(body: Any, sent: str) -> None:
    async def streamed() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"n" * 10

    async def ten(session: aiohttpx.ClientSession, url: str) -> list[tuple[str, str]]:
        said = []
        for n in range(10):
            async with session.post(f"{url}?n={n}", data=streamed() if body == "streamed" else body) as response:
                heard = await response.json()
                said.append((heard["args"]["n"], heard["data"]))
        return said

    async with LoopbackServer() as server, aiohttpx.ClientSession() as session:
        every = await asyncio.gather(*(ten(session, f"{server.url}/anything") for _ in range(16)))
    assert every == [[(str(n), sent) for n in range(10)]] * 16
