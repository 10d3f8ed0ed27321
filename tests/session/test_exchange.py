"""session/exchange.py: what is sent again, and what ends in time."""

from __future__ import annotations

import asyncio
import io
import math
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from aiohttpx import (
    ClientConnectionError,
    ClientError,
    ClientOSError,
    ClientSession,
    ClientTimeout,
    Connection,
    ConnectionTimeoutError,
    ServerDisconnectedError,
    ServerTimeoutError,
    SocketTimeoutError,
    TCPConnector,
)
from aiohttpx.net.resolver import AbstractResolver, ResolveResult
from aiohttpx.testing import (
    Expect,
    ExpectRequest,
    HalfClose,
    LoopbackServer,
    Pause,
    Reset,
    Script,
    ScriptedPeer,
    StallForever,
    Step,
    StopReading,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SERVES_ONE: list[bytes | Step] = [ExpectRequest(), OK, ExpectRequest()]

# -- again


async def get(session: ClientSession, url: str) -> str:
    async with session.get(url) as response:
        return await response.text()


@pytest.mark.every_loop
@pytest.mark.parametrize("ending", [HalfClose(), Reset()], ids=["FIN", "RST"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"])
async def test_an_idempotent_request_is_sent_again_when_a_used_connection_dies(method: str, ending: Step) -> None:
    async with ScriptedPeer([*SERVES_ONE, ending], OK) as peer, ClientSession() as session, asyncio.timeout(10):
        assert await get(session, peer.url) == "ok"
        async with session.request(method, peer.url) as response:
            assert await response.text() == ("" if method == "HEAD" else "ok")
        assert len(peer.connections) == 2
        line = method.encode() + b" / HTTP/1.1\r\n"
        assert line in peer.connections[0].received
        assert peer.connections[1].received.startswith(line)


@pytest.mark.parametrize("ending", [HalfClose(), Reset()], ids=["FIN", "RST"])
@pytest.mark.parametrize("method", ["POST", "PATCH", "PROPFIND"])
async def test_no_other_request_is_sent_again(method: str, ending: Step) -> None:
    async with ScriptedPeer([*SERVES_ONE, ending], OK) as peer, ClientSession() as session, asyncio.timeout(10):
        assert await get(session, peer.url) == "ok"
        with pytest.raises((ServerDisconnectedError, ClientOSError), match=rf"127\.0\.0\.1:{peer.port}"):
            await session.request(method, peer.url, data=b"body")
        assert len(peer.connections) == 1


async def test_nothing_is_sent_again_once_a_byte_of_the_answer_came() -> None:
    for head in (b"H", OK[:-5], b"HTTP/1.1 100 Continue\r\n\r\n"):
        async with ScriptedPeer([*SERVES_ONE, head, HalfClose()], OK) as peer, ClientSession() as session, asyncio.timeout(10):
            assert await get(session, peer.url) == "ok"
            with pytest.raises(ServerDisconnectedError):
                await session.get(peer.url)
            assert len(peer.connections) == 1


@pytest.mark.parametrize("ending", [HalfClose(), Reset()], ids=["FIN", "RST"])
async def test_nothing_is_sent_again_from_a_fresh_connection(ending: Step) -> None:
    async with ScriptedPeer([ExpectRequest(), ending], OK) as peer, ClientSession() as session, asyncio.timeout(10):
        with pytest.raises((ServerDisconnectedError, ClientOSError)):
            await session.get(peer.url)
        assert len(peer.connections) == 1


async def test_a_request_is_sent_again_only_once() -> None:
    """Whether the second connection is new, or has been waiting too."""
    dying: Script = [*SERVES_ONE, HalfClose()]
    for warm in (1, 2):
        second: Script = dying if warm == 2 else [ExpectRequest(), HalfClose()]
        async with ScriptedPeer(dying, second, OK) as peer, ClientSession() as session, asyncio.timeout(10):
            await asyncio.gather(*(get(session, peer.url) for _ in range(warm)))
            with pytest.raises(ServerDisconnectedError):
                await session.get(peer.url)
            assert len(peer.connections) == 2


async def test_a_body_is_sent_again_from_its_start() -> None:
    for body in (b"the body", "the body", io.BytesIO(b"the body"), io.StringIO("the body")):
        async with ScriptedPeer([*SERVES_ONE, HalfClose()], OK) as peer, ClientSession() as session, asyncio.timeout(10):
            assert await get(session, peer.url) == "ok"
            async with session.put(peer.url, data=body) as response:
                assert response.status == 200
            assert [connection.received.count(b"the body") for connection in peer.connections] == [1, 1]


async def parts() -> AsyncIterator[bytes]:
    yield b"the "
    yield b"body"


async def test_a_body_that_can_be_read_once_is_not_sent_again() -> None:
    async with ScriptedPeer([*SERVES_ONE, HalfClose()], OK) as peer, ClientSession() as session, asyncio.timeout(10):
        assert await get(session, peer.url) == "ok"
        with pytest.raises(ServerDisconnectedError):
            await session.put(peer.url, data=parts())
        assert len(peer.connections) == 1


class LateConnector(TCPConnector):
    """The connection that was used before dies in the very moment in which it is lent."""

    async def connect(self, *args: Any) -> Connection:
        lent = await super().connect(*args)
        if lent.protocol is not None and lent.protocol.exchanges:
            assert lent.transport is not None
            lent.transport.abort()
        return lent


@pytest.mark.parametrize("body", [b"the body", None])
async def test_what_was_not_sent_at_all_can_be_sent_whatever_it_is(body: bytes | None) -> None:
    async with ScriptedPeer(OK) as peer, ClientSession(connector=LateConnector()) as session, asyncio.timeout(10):
        assert await get(session, peer.url) == "ok"
        async with session.post(peer.url, data=body or parts()) as response:
            assert await response.text() == "ok"
        assert len(peer.connections) == 2
        assert b"POST" not in peer.connections[0].received


# -- in time


class Stalling(AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def close(self) -> None:
        """It holds nothing."""


@pytest.fixture
def full() -> Iterator[int]:
    """A port that answers no attempt to connect: its backlog is full."""
    with socket.socket() as server, socket.socket() as one, socket.socket() as two:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for waiting in (one, two):
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
#: Seconds for what never happens; and for what must happen first, however busy the machine is.
LIMIT = 0.05
LONGER = 0.3


def within(limit: str, phase: str) -> str:
    """How an error says which limit struck, and in which phase if it is not the limit of that alone."""
    return rf"\({limit}, 0\.05 s\)" if limit == phase else rf"\({limit}, 0\.05 s, in {phase}\)"


@pytest.mark.every_loop
@pytest.mark.parametrize("limit", ["total", "connect", "dns"])
async def test_the_host_is_not_resolved_in_time(limit: str) -> None:
    timeout = ClientTimeout(**{limit: LIMIT})
    text = rf"Connection timeout to host nowhere\.example:80 {within(limit, 'dns')}"
    async with ClientSession(connector=TCPConnector(resolver=Stalling()), timeout=timeout) as session, asyncio.timeout(10):
        with pytest.raises(ConnectionTimeoutError, match=text) as caught:
            await session.get("http://nowhere.example/")
    assert isinstance(caught.value, ServerTimeoutError)
    assert isinstance(caught.value, ClientError)
    assert isinstance(caught.value, TimeoutError)


@pytest.mark.every_loop
@pytest.mark.parametrize("limit", ["total", "connect", "sock_connect"])
async def test_the_host_does_not_answer_in_time(limit: str, full: int) -> None:
    async with ClientSession(timeout=ClientTimeout(**{limit: LIMIT})) as session, asyncio.timeout(10):
        with pytest.raises(ConnectionTimeoutError, match=rf"127\.0\.0\.1:{full} {within(limit, 'sock_connect')}"):
            await session.get(f"http://127.0.0.1:{full}/")


@pytest.mark.every_loop
@pytest.mark.parametrize("limit", ["total", "connect", "sock_connect", "tls"])
async def test_the_handshake_is_not_done_in_time(limit: str) -> None:
    timeout = ClientTimeout(**{limit: LIMIT})
    async with ScriptedPeer([StallForever()]) as peer, ClientSession(timeout=timeout) as session, asyncio.timeout(10):
        with pytest.raises(ConnectionTimeoutError, match=rf"127\.0\.0\.1:{peer.port} {within(limit, 'tls')}"):
            await session.get(f"https://127.0.0.1:{peer.port}/", ssl=False)


@pytest.mark.parametrize("limit", ["total", "connect", "pool"])
async def test_no_slot_is_free_in_time(limit: str) -> None:
    connector = TCPConnector(limit=1)
    async with ScriptedPeer([StallForever()]) as peer, ClientSession(connector=connector) as session, asyncio.timeout(10):
        first = asyncio.ensure_future(session.get(peer.url))
        await asyncio.sleep(0.01)
        with pytest.raises(ConnectionTimeoutError, match=rf"127\.0\.0\.1:{peer.port} {within(limit, 'pool')}"):
            await session.get(peer.url, timeout=ClientTimeout(**{limit: LIMIT}))
        assert "waiting=0" in repr(connector)
        first.cancel()
        await asyncio.wait([first])


@pytest.mark.every_loop
@pytest.mark.parametrize(
    ("limit", "error", "text"),
    [
        ("total", ServerTimeoutError, r"0\.3 s \(total\) on 127\.0\.0\.1:\d+ while waiting for the head of the response"),
        ("headers", ServerTimeoutError, r"0\.3 s \(headers\) on 127\.0\.0\.1:\d+ while waiting for the head of the response"),
        ("sock_read", SocketTimeoutError, r"127\.0\.0\.1:\d+ \(sock_read, 0\.3 s\)"),
    ],
)
@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1"])
async def test_no_head_comes_in_time(limit: str, error: type[Exception], text: str, before: bytes) -> None:
    stalling: Script = [ExpectRequest(), before, StallForever()]
    timeout = ClientTimeout(**{limit: LONGER})
    async with ScriptedPeer(stalling) as peer, ClientSession(timeout=timeout) as session, asyncio.timeout(10):
        with pytest.raises(error, match=text) as caught:
            await session.get(peer.url)
        assert type(caught.value) is error
        assert isinstance(caught.value, ClientError)
        assert isinstance(caught.value, TimeoutError)
        await peer.connections[0].wait_closed()


@pytest.mark.every_loop
@pytest.mark.parametrize(
    ("limit", "error", "text"),
    [
        ("total", ServerTimeoutError, r"0\.3 s \(total\) on 127\.0\.0\.1:\d+ while reading the body"),
        ("sock_read", SocketTimeoutError, r"127\.0\.0\.1:\d+ \(sock_read, 0\.3 s\)"),
    ],
)
async def test_the_body_does_not_come_in_time(limit: str, error: type[Exception], text: str) -> None:
    stalling: Script = [ExpectRequest(), HEAD + b"he", StallForever()]
    timeout = ClientTimeout(**{limit: LONGER})
    async with ScriptedPeer(stalling) as peer, ClientSession(timeout=timeout) as session, asyncio.timeout(10):
        response = await session.get(peer.url)
        with pytest.raises(error, match=text) as caught:
            await response.read()
        assert type(caught.value) is error
        await peer.connections[0].wait_closed()


async def test_headers_limits_nothing_but_the_head() -> None:
    slow: Script = [ExpectRequest(), HEAD + b"he", Pause(LONGER + 0.05), b"llo"]
    async with ScriptedPeer(slow) as peer, ClientSession(timeout=ClientTimeout(headers=LONGER)) as session:
        assert await get(session, peer.url) == "hello"


async def slow_body() -> AsyncIterator[bytes]:
    """It takes longer than the limits on the answer, and so does no part of it."""
    for _ in range(7):
        await asyncio.sleep(0.05)
        yield b"x"


@pytest.mark.parametrize("limit", ["headers", "sock_read"])
async def test_what_limits_the_answer_does_not_limit_the_request(limit: str) -> None:
    timeout = ClientTimeout(**{limit: LONGER})
    async with LoopbackServer() as server, ClientSession(timeout=timeout) as session, asyncio.timeout(10):
        async with session.post(f"{server.url}/count", data=slow_body()) as response:
            assert await response.text() == "7"
        async with ScriptedPeer([StallForever()]) as peer:
            with pytest.raises(ServerTimeoutError, match=limit):
                await session.post(peer.url, data=slow_body())


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 2**16


@pytest.mark.every_loop
@pytest.mark.parametrize(
    "limit",
    ["total", "write"],
)
async def test_the_body_is_not_taken_in_time(limit: str) -> None:
    timeout = ClientTimeout(**{limit: LONGER})
    deaf: Script = [StopReading(), StallForever()]
    async with ScriptedPeer(deaf) as peer, ClientSession(timeout=timeout) as session, asyncio.timeout(10):
        with pytest.raises(ServerTimeoutError, match=rf"\({limit}\) on 127\.0\.0\.1:\d+ while sending the body") as caught:
            await session.post(peer.url, data=endless())
        assert isinstance(caught.value, ClientError)
        assert not isinstance(caught.value, ConnectionTimeoutError | SocketTimeoutError)


@pytest.mark.parametrize("value", [0, None])
async def test_0_and_none_are_no_limits(value: float | None) -> None:
    names = ("total", "connect", "sock_read", "sock_connect", "pool", "dns", "tls", "headers")
    timeout = ClientTimeout(**dict.fromkeys(names, value))
    slow: Script = [ExpectRequest(), Pause(0.02), HEAD + b"he", Pause(0.02), b"llo"]
    async with ScriptedPeer(slow) as peer, ClientSession(timeout=timeout) as session:
        assert await get(session, peer.url) == "hello"


async def test_long_limits_end_on_a_whole_second() -> None:
    loop = asyncio.get_running_loop()
    whole = math.ceil(loop.time() + 0.01)

    async def struck(session: ClientSession, url: str, limit: str) -> float:
        with pytest.raises(ServerTimeoutError):
            await session.get(url, timeout=ClientTimeout(**{limit: 0.01}, ceil_threshold=0.005))
        return loop.time()

    async with ScriptedPeer([StallForever()]) as peer, ClientSession(connector=TCPConnector(resolver=Stalling())) as session:
        async with asyncio.timeout(10):
            asking = [
                ("total", peer.url),
                ("total", "http://a.example"),
                ("connect", "http://a.example"),
                ("dns", "http://a.example"),
            ]
            assert min(await asyncio.gather(*(struck(session, url, limit) for limit, url in asking))) >= whole


async def test_the_limit_ends_with_the_response_and_not_before() -> None:
    """The alarm must not strike a connection that someone else uses by now."""
    busy: Script = [ExpectRequest(), OK, ExpectRequest(), Pause(LONGER + 0.1), OK]
    async with ScriptedPeer(busy) as peer, ClientSession() as session, asyncio.timeout(10):
        async with session.get(peer.url, timeout=LONGER) as response:
            assert await response.text() == "ok"
        assert await get(session, peer.url) == "ok"
        assert len(peer.connections) == 1


async def test_a_body_that_was_cut_between_its_head_and_its_reader_leaves_no_alarm() -> None:
    """The exchange is over before the response is handed out."""
    async with ScriptedPeer([ExpectRequest(), HEAD, Reset()]) as peer, ClientSession() as session, asyncio.timeout(10):
        told: list[bool] = []
        for _ in range(20):
            try:
                response = await session.get(peer.url)
            except ClientConnectionError:
                continue
            if response.connection is not None:
                response.connection.add_callback(lambda: told.append(True))
            with pytest.raises(ClientError):
                await response.read()
        assert all(told)


class StuckConnector(TCPConnector):
    """Connects twice, for one connection that dies, and then gets stuck, whatever the limits say."""

    connected = 0

    async def connect(self, *args: Any) -> Connection:
        self.connected += 1
        if self.connected > 2:
            await asyncio.get_running_loop().create_future()
        return await super().connect(*args)


@pytest.mark.every_loop
async def test_the_limit_holds_for_both_attempts_together() -> None:
    """What is left of it is known only here."""
    script: Script = [*SERVES_ONE, HalfClose()]
    async with ScriptedPeer(script, OK) as peer, ClientSession(connector=StuckConnector()) as session, asyncio.timeout(10):
        assert await get(session, peer.url) == "ok"
        with pytest.raises(ServerTimeoutError, match=r"\(total\) on 127\.0\.0\.1:\d+ while connecting again"):
            await session.get(peer.url, timeout=LONGER)


async def test_the_second_attempt_is_limited_too() -> None:
    stalling: Script = [Expect(), StallForever()]
    async with ScriptedPeer([*SERVES_ONE, HalfClose()], stalling) as peer, ClientSession() as session, asyncio.timeout(10):
        assert await get(session, peer.url) == "ok"
        with pytest.raises(ServerTimeoutError, match="waiting for the head"):
            await session.get(peer.url, timeout=LONGER)


async def test_a_task_that_is_cancelled_is_not_told_of_a_timeout() -> None:
    script: Script = [*SERVES_ONE, HalfClose()]
    async with ScriptedPeer(script, [StallForever()]) as peer, ClientSession() as session, asyncio.timeout(10):
        assert await get(session, peer.url) == "ok"
        asking = asyncio.ensure_future(session.get(peer.url))
        await asyncio.sleep(0.05)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert "lent=0 idle=0" in repr(session.connector)
