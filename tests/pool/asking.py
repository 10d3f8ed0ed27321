"""What tests of connectors ask with."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from yarl import URL

from aiohttpx import BaseConnector, ClientRequest, ClientSession, ClientTimeout, Connection

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UNLIMITED = ClientTimeout()


class Sockets:
    """A socket factory that remembers what it made."""

    def __init__(self) -> None:
        self.made: list[socket.socket] = []

    def __call__(self, info: Any) -> socket.socket:
        family, kind, proto, _, _ = info
        self.made.append(socket.socket(family, kind, proto))
        self.made[-1].setblocking(False)
        return self.made[-1]

    @property
    def open(self) -> int:
        return sum(sock.fileno() >= 0 for sock in self.made)


async def get(session: ClientSession, url: str) -> str:
    async with session.get(url) as response:
        return await response.text()


async def lend(connector: BaseConnector, url: str) -> Connection:
    return await connector.connect(ClientRequest("GET", URL(url)), (), UNLIMITED)


def idle(connector: BaseConnector) -> int:
    return sum(map(len, connector._conns.values()))


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)
