"""Sessions in many threads, a loop each: nothing but the server is theirs together, with the interpreter's lock or without it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from aiohttpx import ClientSession
from aiohttpx.testing import DEFAULT_ROUTES, LoopbackServer, payload

THREADS = 8
ROUNDS = 40


@pytest.fixture
async def server() -> AsyncIterator[LoopbackServer]:
    async with LoopbackServer(DEFAULT_ROUTES) as server:
        yield server


async def ask(url: str, thread: int) -> int:
    """What one thread does. Returns how many answers it had, each of them checked."""
    answers = 0
    async with ClientSession(headers={"X-Thread": str(thread)}) as session:

        async def one(turn: int) -> None:
            nonlocal answers
            size = 1 + 997 * thread + turn
            async with session.get(f"{url}/bytes/{size}", headers={"X-Turn": str(turn)}) as response:
                assert await response.read() == payload(size)
                assert response.request_info.headers.getall("X-Thread") == [str(thread)]
            async with session.post(f"{url}/anything", json={"thread": thread, "turn": turn}) as response:
                assert (await response.json())["json"] == {"thread": thread, "turn": turn}
            answers += 2

        for start in range(0, ROUNDS, 8):
            await asyncio.gather(*[one(turn) for turn in range(start, min(start + 8, ROUNDS))])
    return answers


async def test_each_thread_has_its_own_answers(server: LoopbackServer) -> None:
    answers: dict[int, int] = {}
    begin = threading.Barrier(THREADS)

    def run(thread: int) -> None:
        begin.wait()
        answers[thread] = asyncio.run(ask(server.url, thread))

    with ThreadPoolExecutor(THREADS) as executor:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*[loop.run_in_executor(executor, run, thread) for thread in range(THREADS)])
    assert answers == dict.fromkeys(range(THREADS), 2 * ROUNDS)
