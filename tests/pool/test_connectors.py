"""pool/lending.py and pool/connectors.py: how a request comes by a connection, and what becomes of it."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from aiohttpx import (
    BaseConnector,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientSession,
    ClientTimeout,
    Fingerprint,
    ServerTimeoutError,
    TCPConnector,
)
from aiohttpx.net.connection import HTTPConnection
from aiohttpx.net.resolver import AbstractResolver, ResolveResult
from aiohttpx.pool import lending
from aiohttpx.testing import HalfClose, LoopbackServer, Request, Response, ScriptedPeer, StallForever
from aiohttpx.testing.resolver import OneAddressResolver

from .asking import OK, get, idle, lend

# -- parameters


async def test_defaults() -> None:
    async with TCPConnector() as connector:
        assert (connector.limit, connector.limit_per_host, connector.force_close) == (100, 0, False)
        assert (connector.family, connector.use_dns_cache, connector.timeout_ceil_threshold) == (socket.AF_UNSPEC, True, 5)
        assert connector.allowed_protocol_schema_set >= {"http", "https"}
        assert repr(connector) == "<TCPConnector open <Pool lent=0 idle=0 waiting=0 limit=100>>"
    assert connector.closed
    assert connector._closed
    assert "closed" in repr(connector)


async def test_no_limit_is_0_or_none() -> None:
    async with TCPConnector(limit=None, limit_per_host=None) as connector:
        assert (connector.limit, connector.limit_per_host) == (0, 0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"force_close": True, "keepalive_timeout": 5}, "keepalive_timeout cannot be set if force_close is True"),
        ({"ssl": False, "verify_ssl": False}, "ssl"),
        ({"ssl": Fingerprint(bytes(32)), "ssl_context": ssl.create_default_context()}, "ssl"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_what_does_not_go_together(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TCPConnector(**options)
    gc.collect()  # nor is a connector that was not made unclosed


async def test_force_close_allows_the_default_keepalive() -> None:
    async with TCPConnector(force_close=True, keepalive_timeout=None) as connector:
        assert connector.force_close


async def test_family_and_local_addr() -> None:
    async with ScriptedPeer(OK) as peer:
        async with TCPConnector(family=socket.AF_INET6) as connector, ClientSession(connector=connector) as session:
            with pytest.raises(ClientConnectorDNSError):
                await get(session, peer.url)
        async with TCPConnector(local_addr=("127.0.0.3", 0)) as connector, ClientSession(connector=connector) as session:
            assert await get(session, peer.url) == "ok"
            assert peer.connections[0].transport.get_extra_info("peername")[0] == "127.0.0.3"


# -- reuse


@pytest.mark.every_loop
async def test_one_connection_serves_one_request_after_the_other() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession() as session:
        for _ in range(5):
            assert await get(session, peer.url) == "ok"
        assert len(peer.connections) == 1
        assert session.connector is not None
        assert idle(session.connector) == 1


async def test_no_connection_is_shared_by_different_peers() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession(connector=peer.connector()) as session:
        for host in ("one.example", "two.example", "one.example:8080", "one.example"):
            assert await get(session, f"http://{host}/") == "ok"
        assert len(peer.connections) == 3


async def test_sessions_can_share_a_connector() -> None:
    async with ScriptedPeer(OK) as peer, TCPConnector() as connector:
        for _ in range(3):
            async with ClientSession(connector=connector, connector_owner=False) as session:
                assert await get(session, peer.url) == "ok"
        assert len(peer.connections) == 1
        assert not connector.closed
        async with ClientSession(connector=connector) as session, ClientSession(connector=connector) as other:
            assert await get(session, peer.url) == "ok"
            await session.close()
            assert connector.closed
            assert other.closed
            with pytest.raises(RuntimeError, match="Session is closed"):
                await other.get(peer.url)


async def test_force_close_tells_the_server_and_closes() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession(connector=TCPConnector(force_close=True)) as session:
        for number in (1, 2):
            assert await get(session, peer.url) == "ok"
            assert len(peer.connections) == number
            await peer.connections[-1].wait_closed()
        assert peer.received.count(b"\r\nConnection: close\r\n") == 2


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nConnection: close", b"HTTP/1.0 200 OK"])
async def test_what_the_server_will_close_is_not_kept(head: bytes) -> None:
    async with ScriptedPeer(head + b"\r\nContent-Length: 2\r\n\r\nok") as peer, ClientSession() as session:
        assert await get(session, peer.url) == "ok"
        assert await get(session, peer.url) == "ok"
        assert len(peer.connections) == 2


@pytest.mark.every_loop
async def test_a_body_that_was_not_read_is_drained_and_its_connection_used_again() -> None:
    async with LoopbackServer() as server, ClientSession(connector=TCPConnector(limit=1)) as session, asyncio.timeout(20):
        for _ in range(3):
            async with session.get(f"{server.url}/bytes/30000") as response:
                assert response.status == 200
        assert server.connections == 1
        async with session.get(f"{server.url}/bytes/100000000"):
            pass
        async with session.get(f"{server.url}/bytes/10") as response:
            assert len(await response.read()) == 10
        assert server.connections == 2


# -- keeping


async def test_an_idle_connection_is_closed_in_time() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession(connector=TCPConnector(keepalive_timeout=0.03)) as session:
        await get(session, peer.url)
        assert session.connector is not None
        assert idle(session.connector) == 1
        async with asyncio.timeout(10):
            await peer.connections[0].wait_closed()
        assert idle(session.connector) == 0
        await get(session, peer.url)
        assert len(peer.connections) == 2


async def test_a_connection_that_was_idle_for_too_long_is_not_used_though_the_loop_had_no_time_to_close_it() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession(connector=TCPConnector(keepalive_timeout=0.03)) as session:
        await get(session, peer.url)
        time.sleep(0.05)  # noqa: ASYNC251
        await get(session, peer.url)
        assert len(peer.connections) == 2


@pytest.mark.parametrize(("hint", "connections"), [(b"timeout=1", 2), (b"timeout=100, max=5", 1), (b"max=5", 1), (b"x", 1)])
async def test_the_servers_hint_is_obeyed(monkeypatch: pytest.MonkeyPatch, hint: bytes, connections: int) -> None:
    monkeypatch.setattr(lending, "TRUSTED_FOR", 0)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: " + hint + b"\r\n\r\nok"
    async with ScriptedPeer(answer) as peer, ClientSession() as session:
        for _ in range(2):
            assert await get(session, peer.url) == "ok"
        assert len(peer.connections) == connections


@asynccontextmanager
async def by_hand() -> AsyncIterator[tuple[str, Callable[[bytes], Any]]]:
    """A server whose every step is taken by the test: a URL, and what answers the next request and gives its connection."""
    loop = asyncio.get_running_loop()
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        listening.setblocking(False)

        async def serve(answer: bytes) -> tuple[socket.socket, bytes]:
            sock, _ = await loop.sock_accept(listening)
            received = b""
            while not received.endswith(b"\r\n\r\n"):
                received += await loop.sock_recv(sock, 65536)
            await loop.sock_sendall(sock, answer)
            return sock, received

        yield f"http://127.0.0.1:{listening.getsockname()[1]}", serve


@pytest.mark.every_loop
@pytest.mark.parametrize("farewell", [b"", b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_liveness_is_checked_at_the_moment_of_reuse(farewell: bytes, method: str) -> None:
    """The server has closed, or spoken, while the loop was held up: nothing is sent there."""
    async with by_hand() as (url, serve), ClientSession() as session, asyncio.timeout(20):
        served = asyncio.ensure_future(serve(OK))
        assert await get(session, url) == "ok"
        first, _ = await served
        if farewell:
            first.send(farewell)
        else:
            first.close()
        time.sleep(lending.TRUSTED_FOR + 0.1)  # noqa: ASYNC251
        served = asyncio.ensure_future(serve(OK))
        async with session.request(method, url) as response:
            assert await response.text() == "ok"
        second, received = await served
        assert received.startswith(method.encode())
        if farewell:
            with closing(first), suppress(ConnectionResetError):  # it said something that nobody has read
                assert first.recv(100) == b""
        second.close()


# -- limits


class Busy:
    """A handler that counts how many requests it has at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.seconds = 0.005
        self.order: list[str] = []

    async def __call__(self, request: Request) -> Response:
        self.now += 1
        self.most = max(self.most, self.now)
        self.order.append(request.query)
        await asyncio.sleep(self.seconds)
        self.now -= 1
        return Response.text("done")


@pytest.mark.every_loop
@pytest.mark.parametrize(
    ("options", "most"),
    [({"limit": 3}, 3), ({"limit_per_host": 2}, 4), ({"limit": 3, "limit_per_host": 2}, 3), ({"limit": 0}, 24)],
    ids=str,
)
async def test_limits_hold(options: dict[str, Any], most: int) -> None:
    busy = Busy()
    async with LoopbackServer({"/": busy}) as server, asyncio.timeout(20):
        connector = TCPConnector(resolver=OneAddressResolver(server.host, server.port), **options)
        async with ClientSession(connector=connector) as session:
            hosts = [f"http://{name}.example/?{number}" for number in range(12) for name in "ab"]
            assert await asyncio.gather(*(get(session, url) for url in hosts)) == ["done"] * 24
        assert most / 2 < busy.most <= most  # on a busy machine they may not all be there at once


async def test_who_came_first_is_served_first() -> None:
    busy = Busy()
    async with LoopbackServer({"/": busy}) as server, ClientSession(connector=TCPConnector(limit=1)) as session:
        await asyncio.gather(*(get(session, f"{server.url}/?{number}") for number in range(10)))
        assert busy.order == [str(number) for number in range(10)]
        assert server.connections == 1


async def test_a_thousand_who_wait_cost_each_what_a_hundred_do() -> None:
    """Counted in calls of the package's own functions."""
    own = str(Path(lending.__file__).parents[1])

    async def calls(waiters: int) -> float:
        called = 0

        def count(frame: FrameType, event: str, argument: object) -> None:
            nonlocal called
            file = frame.f_code.co_filename
            called += event == "call" and file.startswith(own) and "testing" not in file

        busy = Busy()
        busy.seconds = 0
        async with LoopbackServer({"/": busy}) as server, ClientSession(connector=TCPConnector(limit=10)) as session:
            sys.setprofile(count)
            try:
                await asyncio.gather(*(get(session, f"{server.url}/?{number}") for number in range(waiters)))
            finally:
                sys.setprofile(None)
        assert all(abs(int(place) - number) < 10 for number, place in enumerate(busy.order))
        return called / waiters

    assert await calls(1000) < 1.1 * await calls(100)


@pytest.mark.parametrize("moment", ["waiting", "served"])
async def test_a_waiter_who_is_cancelled_swallows_no_slot(moment: str) -> None:
    async with ScriptedPeer(OK) as peer, TCPConnector(limit=1) as connector, asyncio.timeout(10):
        lent = await lend(connector, peer.url)
        waiters = [asyncio.ensure_future(lend(connector, peer.url)) for _ in range(3)]
        await asyncio.sleep(0)
        if moment == "served":
            lent.release()  # the first one has it, and does not know yet
        waiters[0].cancel()
        if moment == "waiting":
            lent.release()
        (await waiters[1]).release()
        (await waiters[2]).release()
        assert waiters[0].cancelled()
        assert repr(connector) == "<TCPConnector open <Pool lent=0 idle=1 waiting=0 limit=1>>"


async def test_a_connection_that_cannot_be_opened_frees_its_slot() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession(connector=TCPConnector(limit=1)) as session:
        refusing = unused_port()
        results = await asyncio.gather(
            *(get(session, f"http://127.0.0.1:{refusing}") for _ in range(3)), get(session, peer.url), return_exceptions=True
        )
        assert [type(result) for result in results] == [ClientConnectorError] * 3 + [str]


# -- opening


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]  # type: ignore[no-any-return]


async def test_refused() -> None:
    port = unused_port()
    async with ClientSession() as session:
        with pytest.raises(ClientConnectorError, match=rf"127\.0\.0\.1:{port}") as caught:
            await session.get(f"http://127.0.0.1:{port}/")
    error = caught.value
    assert isinstance(error, OSError)
    assert error.errno == error.os_error.errno == errno.ECONNREFUSED
    assert (error.host, error.port) == ("127.0.0.1", port)


class Resolver(AbstractResolver):
    def __init__(self, port: int | None = None) -> None:
        self.port = port
        self.asked: list[tuple[str, int, int]] = []
        self.closed = False

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        self.asked.append((host, port, family))
        if self.port is None:
            raise OSError(None, "nobody knows")
        return await OneAddressResolver("127.0.0.1", self.port).resolve(host, port, family)

    async def close(self) -> None:
        self.closed = True


async def test_a_resolver_of_ones_own() -> None:
    async with ScriptedPeer(OK) as peer:
        resolver = Resolver(peer.port)
        connector = TCPConnector(resolver=resolver, force_close=True, family=socket.AF_INET)
        async with ClientSession(connector=connector) as session:
            for _ in range(3):
                assert await get(session, "http://nowhere.example:81/") == "ok"
            assert resolver.asked == [("nowhere.example", 81, socket.AF_INET)]
            connector.clear_dns_cache()
            assert await get(session, "http://nowhere.example:81/") == "ok"
            connector.clear_dns_cache("nowhere.example", 80)
            assert await get(session, "http://nowhere.example:81/") == "ok"
            connector.clear_dns_cache("nowhere.example", 81)
            assert await get(session, "http://nowhere.example:81/") == "ok"
            assert len(resolver.asked) == 3
            with pytest.raises(ValueError, match="both host and port"):
                connector.clear_dns_cache("nowhere.example")
        assert not resolver.closed  # it is the caller's


async def test_a_resolver_that_is_only_an_object_with_its_methods() -> None:
    async with ScriptedPeer(OK) as peer:
        resolver: Any = type("Duck", (), {"resolve": OneAddressResolver("127.0.0.1", peer.port).resolve})()
        async with ClientSession(connector=TCPConnector(resolver=resolver, use_dns_cache=False)) as session:
            assert await get(session, "http://nowhere.example/") == "ok"


async def test_a_name_that_does_not_resolve() -> None:
    async with ClientSession(connector=TCPConnector(resolver=Resolver())) as session:
        with pytest.raises(ClientConnectorDNSError, match=r"Cannot connect to host nowhere\.example:80 .*nobody knows") as caught:
            await session.get("http://nowhere.example/")
    assert isinstance(caught.value, ClientConnectorError)
    assert (caught.value.host, caught.value.port) == ("nowhere.example", 80)


async def test_the_systems_resolver() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession() as session:
        assert await get(session, f"http://localhost:{peer.port}/") == "ok"
        with pytest.raises(ClientConnectorDNSError, match=r"nowhere\.invalid:80"):
            await session.get("http://nowhere.invalid/")


class PlainConnector(BaseConnector):
    """What a consumer writes who knows another way to a server."""

    def __init__(self, port: int, **options: Any) -> None:
        super().__init__(**options)
        self.port = port
        self.made = 0

    async def _create_connection(self, req: Any, traces: Any, timeout: ClientTimeout) -> HTTPConnection:
        self.made += 1
        _, protocol = await self.loop.create_connection(self._factory, "127.0.0.1", self.port)
        return protocol


@pytest.mark.every_loop
async def test_a_connector_of_ones_own() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession(connector=PlainConnector(peer.port, limit=1)) as session:
        assert [await get(session, "http://anywhere.example/") for _ in range(3)] == ["ok"] * 3
        assert isinstance(session.connector, PlainConnector)
        assert session.connector.made == 1


async def test_a_connector_without_a_way_to_connect() -> None:
    async with ClientSession(connector=BaseConnector()) as session:
        with pytest.raises(NotImplementedError):
            await session.get("http://anywhere.example/")


# -- what is lent


async def test_a_connection_is_given_back_once() -> None:
    async with ScriptedPeer(OK) as peer, TCPConnector() as connector:
        lent = await lend(connector, peer.url)
        told: list[int] = []
        lent.add_callback(lambda: told.append(1))
        lent.add_callback(lambda: told.append(2))
        assert lent
        assert not lent.closed
        assert (lent.connector, lent.loop) == (connector, asyncio.get_running_loop())
        assert lent.transport is not None
        assert lent.transport.get_extra_info("peername") == (peer.host, peer.port)
        assert f"127.0.0.1:{peer.port}" in repr(lent)
        lent.release()
        lent.release()
        lent.close()
        assert told == [1, 2]
        assert lent.closed
        assert lent.protocol is lent.transport is None
        assert idle(connector) == 1
        lent.add_callback(lambda: told.append(3))
        assert told == [1, 2, 3]


async def test_a_connection_that_is_closed_is_not_kept() -> None:
    async with ScriptedPeer(OK) as peer, TCPConnector() as connector:
        lent = await lend(connector, peer.url)
        lent.close()
        assert idle(connector) == 0
        await peer.connections[0].wait_closed()


async def test_a_connection_that_is_lost_while_it_is_lent_is_not_kept() -> None:
    async with ScriptedPeer([HalfClose(), StallForever()]) as peer, TCPConnector() as connector:
        lent = await lend(connector, peer.url)
        assert lent.protocol is not None
        await lent.protocol.wait_closed()
        assert lent.closed
        lent.release()
        assert repr(connector) == "<TCPConnector open <Pool lent=0 idle=0 waiting=0 limit=100>>"


# -- limits in time


class Never(AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        await asyncio.sleep(3600)
        raise AssertionError

    async def close(self) -> None:
        """It holds nothing."""


@pytest.mark.parametrize("limit", ["total", "connect"])
@pytest.mark.parametrize("phase", ["dns", "tls", "pool"])
async def test_a_limit_that_strikes_while_connecting_says_where(limit: str, phase: str) -> None:
    async with ScriptedPeer([StallForever()]) as peer:
        connector = TCPConnector(resolver=Never(), limit=1 if phase == "pool" else 0)
        url = {"dns": "http://a.example/", "tls": peer.url.replace("http", "https"), "pool": peer.url}[phase]
        async with ClientSession(connector=connector) as session:
            lent = await lend(connector, peer.url) if phase == "pool" else None
            timeout = ClientTimeout(**{limit: 0.05})
            with pytest.raises(ServerTimeoutError, match=rf"^Connection timeout to host .* \({limit}, 0.05 s, in {phase}\)$"):
                await session.get(url, timeout=timeout)
            if lent is not None:
                lent.release()
