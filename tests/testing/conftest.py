from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol

import pytest
import trustme


class Address(Protocol):
    host: str
    port: int


Talk = Callable[..., Awaitable[bytes]]


@pytest.fixture
def talk() -> Talk:
    """Sends pieces to a server, and gives what it says until it closes."""

    async def talk(server: Address, *pieces: bytes) -> bytes:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(server.host, server.port)
            try:
                for piece in pieces:
                    writer.write(piece)
                    await asyncio.sleep(0)
                return await reader.read()
            finally:
                writer.close()
                await writer.wait_closed()

    return talk


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "example.org").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
