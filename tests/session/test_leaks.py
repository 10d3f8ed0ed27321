"""Thousands of failures of every kind, and nothing stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import os
import socket
import sys
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from aiohttpx import (
    ClientConnectionError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    ClientRequest,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    Connection,
    ServerDisconnectedError,
    ServerTimeoutError,
    StreamReader,
    TCPConnector,
)
from aiohttpx.net import connection as connection_module
from aiohttpx.net.connection import HTTPConnection
from aiohttpx.net.resolver import AbstractResolver, ResolveResult
from aiohttpx.session.exchange import Deadline
from aiohttpx.testing import ExpectRequest, HalfClose, Reset, Script, ScriptedPeer, StallForever, StopReading

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts file descriptors")

AT_ONCE = 25
ROUNDS = 2
OURS = (ClientSession, ClientRequest, ClientResponse, Connection, Deadline, HTTPConnection, StreamReader, TCPConnector)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"

Ask = Callable[[ClientSession, str], Awaitable[object]]


async def read(session: ClientSession, url: str) -> None:
    async with session.get(url) as response:
        await response.read()


async def read_a_little(session: ClientSession, url: str) -> None:
    async with session.get(url) as response:
        await response.content.readany()
    raise ClientPayloadError("left")


async def give_up(session: ClientSession, url: str) -> None:
    task = asyncio.ensure_future(read(session, url))
    await asyncio.sleep(0.01)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        raise ServerTimeoutError("cancelled") from None


async def raising() -> AsyncIterator[bytes]:
    yield b"x" * 1000
    raise ValueError("no more of it")


class BrokenFile(io.BytesIO):
    def read(self, *args: Any) -> bytes:
        raise OSError(5, "the disk is broken")


def post(body: Callable[[], Any], **options: Any) -> Ask:
    async def ask(session: ClientSession, url: str) -> None:
        async with session.post(url, data=body(), **options) as response:
            await response.read()

    return ask


class Nowhere(AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        raise OSError(None, "nobody knows")

    async def close(self) -> None:
        """It holds nothing."""


#: What the peer does, what is asked, and what comes of it.
FAILURES: dict[str, tuple[Script, Ask, type[Exception]]] = {
    "FIN before the head": ([ExpectRequest(), HalfClose()], read, ServerDisconnectedError),
    "RST before the head": ([ExpectRequest(), Reset()], read, ClientOSError),
    "FIN in the head": ([ExpectRequest(), HEAD[:20], HalfClose()], read, ServerDisconnectedError),
    "RST in the head": ([ExpectRequest(), HEAD[:20], Reset()], read, ClientOSError),
    "FIN in the body": ([ExpectRequest(), HEAD + b"he", HalfClose()], read, ClientPayloadError),
    "RST in the body": ([ExpectRequest(), HEAD + b"he", Reset()], read, ClientPayloadError),
    "FIN in a chunk": ([ExpectRequest(), CHUNKED, HalfClose()], read, ClientPayloadError),
    "garbage": ([ExpectRequest(), b"SSH-2.0-OpenSSH\r\n", StallForever()], read, ClientResponseError),
    "garbage at once": ([b"220 smtp ESMTP\r\n", StallForever()], read, ClientError),
    "a malformed chunk": ([ExpectRequest(), CHUNKED, b"zz\r\n", StallForever()], read, ClientPayloadError),
    "broken gzip": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        read,
        ClientPayloadError,
    ),
    "an endless head": ([ExpectRequest(), b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000, StallForever()], read, ClientResponseError),
    "no head in time": ([ExpectRequest(), StallForever()], read, ServerTimeoutError),
    "no body in time": ([ExpectRequest(), HEAD, StallForever()], read, ServerTimeoutError),
    "cancelled": ([ExpectRequest(), HEAD, StallForever()], give_up, ServerTimeoutError),
    "left": ([ExpectRequest(), HEAD + b"he", StallForever()], read_a_little, ClientPayloadError),
    "a body that raises": ([StallForever()], post(raising), ClientConnectionError),
    "a file that raises": ([StallForever()], post(lambda: BrokenFile(b"x" * 100)), ClientOSError),
    "a body that is too short": (
        [StallForever()],
        post(lambda: io.BytesIO(b"abc"), headers={"Content-Length": "9"}),
        ClientPayloadError,
    ),
    "a body that is not taken": ([StopReading(), StallForever()], post(lambda: b"x" * 2**20), ServerTimeoutError),
    "no TLS": (
        [b"HTTP/1.1 400 Bad Request\r\n\r\n", HalfClose(), StallForever()],
        lambda session, url: read(session, url.replace("http", "https")),
        ClientConnectorSSLError,
    ),
    "no such host": ([StallForever()], lambda session, url: read(session, "http://nowhere.example"), ClientConnectorDNSError),
    "refused": ([StallForever()], lambda session, url: read(session, "http://127.0.0.2:9"), ClientConnectorError),
}


def ours() -> Counter[str]:
    """What of ours was made since the last `gc.freeze` and is not garbage."""
    gc.collect()
    return Counter(type(found).__name__ for found in gc.get_objects() if isinstance(found, OURS))


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def fail_often(script: Script, ask: Ask, error: type[Exception], rounds: int) -> None:
    async with ScriptedPeer(script) as peer:
        connector = TCPConnector(resolver=Nowhere(), limit=20)
        timeout = ClientTimeout(total=0.1 if error is ServerTimeoutError else 20)
        async with ClientSession(connector=connector, timeout=timeout) as session:
            for _ in range(rounds):
                results = await asyncio.gather(*(ask(session, peer.url) for _ in range(AT_ONCE)), return_exceptions=True)
                assert all(isinstance(result, error) for result in results), results


async def close_while_asking(rounds: int) -> None:
    async with ScriptedPeer([ExpectRequest(), HEAD, StallForever()]) as peer:
        for number in range(rounds * 5):
            session = ClientSession(connector=TCPConnector(limit=4))
            asking = [asyncio.ensure_future(read(session, peer.url)) for _ in range(5)]
            await asyncio.sleep(0.001 * (number % 8))
            await session.close()
            results = await asyncio.gather(*asking, return_exceptions=True)
            assert all(isinstance(result, (ClientConnectionError, RuntimeError)) for result in results), results


async def leaves_nothing(fail: Callable[[int], Awaitable[None]]) -> None:
    async with asyncio.timeout(30):
        # What stays after this stays for good: caches, threads, a file that uvloop opens with its first connection.
        await fail_often(*FAILURES["FIN in the body"], rounds=1)
        await fail(1)
        gc.collect()
        gc.freeze()
        before = open_files(), Counter(), len(asyncio.all_tasks())
        await fail(ROUNDS)
        for _ in range(100):  # an executor lets go of its last call late
            if (open_files(), ours(), len(asyncio.all_tasks())) == before:
                break
            await asyncio.sleep(0.02)
        assert (open_files(), ours(), len(asyncio.all_tasks())) == before


@pytest.mark.every_loop
@pytest.mark.parametrize(("script", "ask", "error"), FAILURES.values(), ids=FAILURES)
async def test_a_failure_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, script: Script, ask: Ask, error: type[Exception]
) -> None:
    monkeypatch.setattr(connection_module, "DRAIN_TIME", 0.02)
    await leaves_nothing(lambda rounds: fail_often(script, ask, error, rounds))


@pytest.mark.every_loop
async def test_closing_leaves_nothing_behind() -> None:
    await leaves_nothing(close_while_asking)


@pytest.mark.parametrize("wire", [HalfClose(), b"SSH-2.0-OpenSSH\r\n"], ids=str)
async def test_a_response_that_never_began_is_not_left_to_the_garbage_collector(wire: bytes | HalfClose) -> None:
    made: list[weakref.ref[ClientResponse]] = []

    class Seen(ClientResponse):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            made.append(weakref.ref(self))

    async with ScriptedPeer([ExpectRequest(), wire]) as peer, ClientSession(response_class=Seen) as session:
        gc.disable()
        try:
            with contextlib.suppress(ClientError):
                await session.get(peer.url)
            await asyncio.sleep(0)  # the loop still holds what it has just called
            assert [each() for each in made] == [None]
        finally:
            gc.enable()
