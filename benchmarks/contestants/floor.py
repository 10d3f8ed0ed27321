"""The least that a protocol on asyncio can cost: write a request that is already built, count the bytes that come back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import cast

from contestants.contestant import Contestant, WrongAnswerError
from contestants.floor_request import build_request, connect
from works import PAGE


class Floor(Contestant):
    """Learns the size of the work's response from one exchange, then counts bytes. Nothing is parsed, no response is awaited."""

    async def open(self) -> None:
        self.context = self.tls_context() if self.work.tls else None
        self.origin = self.site.https if self.work.tls else self.site.http
        self.lines: list[_Line] = []
        self.built: dict[str, bytes] = {}
        self.size = await self._size_of_response()

    async def close(self) -> None:
        for line in self.lines:
            line.transport.close()

    async def run(self, urls: Sequence[str]) -> None:
        supply = iter([self._build(url) for url in urls])
        if not self.work.keep_alive:
            for request in supply:
                line = await self._connect()
                await line.work_through(iter([request]))
                line.transport.close()
            return
        while len(self.lines) < self.work.at_once:
            self.lines.append(await self._connect())
        await asyncio.gather(*[line.work_through(supply) for line in self.lines])

    def _build(self, url: str) -> bytes:
        if url not in self.built:
            self.built[url] = build_request(self.work, url)
        return self.built[url]

    async def _connect(self) -> _Line:
        return await connect(lambda: _Line(self.size), self.origin, self.context)

    async def _size_of_response(self) -> int:
        [url] = self.work.urls(self.origin, 0, 1)
        learner = await connect(_Learner, self.origin, self.context)
        learner.transport.write(self._build(url))
        head = await learner.head
        learner.transport.abort()
        length = len(PAGE) if self.work.operation == "get_json" else self.work.length
        if not head.startswith(b"HTTP/1.1 200 ") or b"\r\nContent-Length: %d\r\n" % length not in head:
            raise WrongAnswerError(f"{url} gave {head!r}")
        return len(head) + length


class _Learner(asyncio.Protocol):
    """Takes the head of one response."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.head: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, end, _body = self.received.partition(b"\r\n\r\n")
        if end and not self.head.done():
            self.head.set_result(head + end)


class _Line(asyncio.Protocol):
    """One connection, working through the requests it takes from a supply shared with the others."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def work_through(self, supply: Iterator[bytes]) -> asyncio.Future[None]:
        """A future that is done when the supply is used up and the last response has come."""
        self.supply = supply
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._next()
        return self.done

    def _next(self) -> None:
        request = next(self.supply, None)
        if request is None:
            self.done.set_result(None)
        else:
            self.left = self.size
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.left -= len(data)
        if self.left == 0:
            self._next()
        elif self.left < 0:
            self.connection_lost(WrongAnswerError(f"{-self.left} bytes too many"))

    def connection_lost(self, error: Exception | None) -> None:
        if self.left and not self.done.done():
            self.done.set_exception(error or WrongAnswerError(f"the connection ended {self.left} bytes short"))
