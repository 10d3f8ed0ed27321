"""Whoever is cancelled, at whatever moment, takes nothing along: no slot, no socket, no turn of those who wait."""

from __future__ import annotations

import asyncio
import random
import re
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aiohttpx import ClientError, ClientSession, ClientTimeout, TCPConnector
from aiohttpx.testing import Handler, LoopbackServer, Request, Response, Route
from aiohttpx.testing.resolver import OneAddressResolver

HOSTS = ("one.example", "two.example", "three.example")


class Unsteady:
    """Handlers that take their time at random, and sometimes fail."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.routes: dict[str, Handler | Route] = {
            "/answer": self.answer,
            "/stream": self.stream,
            "/count": Route(self.count, keep_body=False),
        }

    async def pause(self) -> None:
        if self.rng.random() < 0.7:
            await asyncio.sleep(self.rng.random() * 0.01)

    async def answer(self, request: Request) -> Response:
        await self.pause()
        return Response(200, (), b"x" * self.rng.choice((0, 10, 100_000)), close=self.rng.random() < 0.1)

    def stream(self, request: Request) -> Response:
        return Response(200, (), self.parts(), length=None if self.rng.random() < 0.5 else 5000)

    async def parts(self) -> AsyncIterator[bytes]:
        for number in range(5):
            await self.pause()
            if number == 3 and self.rng.random() < 0.1:
                raise ConnectionError("cut")
            yield b"x" * 1000

    async def count(self, request: Request) -> Response:
        await self.pause()
        return Response.text(str(request.body_size))


class Client:
    """A session with a small pool, and what a random task does with it."""

    def __init__(self, server: LoopbackServer, rng: random.Random) -> None:
        self.rng = rng
        self.sockets: list[socket.socket] = []
        self.connector = TCPConnector(
            resolver=OneAddressResolver(server.host, server.port),
            limit=rng.choice((2, 5)),
            limit_per_host=rng.choice((0, 1, 2)),
            use_dns_cache=rng.random() < 0.5,
            force_close=rng.random() < 0.2,
            socket_factory=self.make_socket,
        )
        self.session = ClientSession(connector=self.connector)

    def make_socket(self, info: Any) -> socket.socket:
        self.sockets.append(socket.socket(*info[:3]))
        return self.sockets[-1]

    @property
    def open_sockets(self) -> int:
        return sum(sock.fileno() >= 0 for sock in self.sockets)

    @property
    def pool(self) -> tuple[int, ...]:
        """Slots that are lent, idle connections, and who waits, as the connector shows them."""
        found = re.search(r"lent=(\d+) idle=(\d+) waiting=(\d+)", repr(self.connector))
        assert found is not None
        return tuple(map(int, found.groups()))

    async def body(self) -> AsyncIterator[bytes]:
        for _ in range(4):
            await asyncio.sleep(self.rng.random() * 0.004)
            if self.rng.random() < 0.03:
                raise ValueError("no more of it")
            yield b"x" * self.rng.choice((1, 1000, 100_000))

    async def ask(self) -> None:
        """One request of any kind; what comes of it is read, or not, or only begun."""
        rng = self.rng
        url = f"http://{rng.choice(HOSTS)}"
        timeout = ClientTimeout(total=rng.choice((None, 0.01, 0.03, 300)), sock_read=rng.choice((None, None, 0.008)))
        kind = rng.randrange(5)
        if kind < 2:
            asking = self.session.get(f"{url}/{'answer' if kind else 'stream'}", timeout=timeout)
        elif kind == 2:
            asking = self.session.post(f"{url}/count", data=self.body(), timeout=timeout)
        else:
            asking = self.session.put(f"{url}/count", data=b"x" * rng.choice((10, 200_000)), timeout=timeout)
        async with asking as response:
            how = rng.randrange(4)
            if how < 2:
                await response.read()
            elif how == 2:
                await response.content.readany()
            if rng.random() < 0.2:
                await asyncio.sleep(rng.random() * 0.005)

    async def ask_and_perhaps_give_up(self) -> None:
        await asyncio.sleep(self.rng.random() * 0.02)
        how = self.rng.random()
        if how < 0.3:
            await self.ask()
        elif how < 0.6:
            await asyncio.wait_for(self.ask(), self.rng.random() * 0.03)
        else:
            task = asyncio.ensure_future(self.ask())
            await asyncio.sleep(self.rng.random() * 0.02)
            task.cancel()
            await task

    async def settled(self) -> None:
        """Once the rests of some bodies are drained and the loop has closed sockets, nothing is open but what is idle."""
        while self.pool[0] or self.open_sockets > self.pool[1]:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        assert self.pool == (0, self.open_sockets, 0)

    async def work(self) -> str:
        async with self.session.get(f"http://{self.rng.choice(HOSTS)}/answer") as response:
            await response.read()
        return "ok"


def strange(results: list[BaseException | None]) -> list[BaseException]:
    """What nobody expects when requests are cancelled and time out."""
    expected = (ClientError, TimeoutError, asyncio.CancelledError)
    return [result for result in results if result is not None and not isinstance(result, expected)]


@pytest.mark.every_loop
@pytest.mark.parametrize("seed", range(12))
async def test_nothing_is_lost_by_random_cancellations(seed: int) -> None:
    rng = random.Random(seed)
    async with LoopbackServer(Unsteady(random.Random(seed)).routes) as server, asyncio.timeout(30):
        client = Client(server, rng)
        results = await asyncio.gather(*(client.ask_and_perhaps_give_up() for _ in range(100)), return_exceptions=True)
        assert not strange(results)
        await client.settled()
        assert await asyncio.gather(*(client.work() for _ in range(30))) == ["ok"] * 30
        assert client.pool[::2] == (0, 0)
        begun = [asyncio.ensure_future(client.ask_and_perhaps_give_up()) for _ in range(40)]
        await asyncio.sleep(rng.random() * 0.02)
        await client.session.close()
        closed = client.open_sockets
        results = await asyncio.gather(*begun, return_exceptions=True)
        assert {str(error) for error in strange(results)} <= {"Session is closed"}
        assert closed == client.open_sockets == 0
