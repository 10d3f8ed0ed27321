"""Connectors and connections as libraries built on aiohttp extend, replace and call them: each class has the shape of one."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from typing import Any
from unittest import mock

import pytest
import trustme

from aiohttpx import (
    BaseConnector,
    ClientConnectionError,
    ClientConnectorError,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DataQueue,
    EofStream,
    Fingerprint,
    ServerFingerprintMismatch,
    TCPConnector,
)
from aiohttpx.net.handler import ResponseHandler
from aiohttpx.net.resolver import AbstractResolver, ResolveResult
from aiohttpx.testing import Expect, HalfClose, LoopbackServer, ScriptedPeer, StallForever

from .asking import OK, get, lend

# -- a connector that opens no socket: an application answers (aiohttp-asgi-connector)

Application = Callable[[bytes], Awaitable[list[bytes]]]


class AppTransport(asyncio.Transport):
    """It has no more than this: no `abort`, no flow control, no other protocol."""

    def __init__(self, protocol: ResponseHandler, app: Application, request: ClientRequest) -> None:
        super().__init__()
        self.protocol = protocol
        self.app = app
        self.request = request
        self.received = b""
        self.closing = False

    def run(self) -> None:
        self.task = asyncio.get_running_loop().create_task(self.answer())

    async def answer(self) -> None:
        try:
            for part in await self.app(self.received):
                self.protocol.data_received(part)
                await asyncio.sleep(0)
        except Exception as error:
            self.protocol.set_exception(error)

    def write(self, data: Any) -> None:
        self.received += data

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            self.request.loop.call_soon(self.protocol.connection_lost, None)

    def is_closing(self) -> bool:
        return self.closing


async def send_and_run(request: ClientRequest, connection: Any) -> ClientResponse:
    response = await type(request).send(request, connection)
    connection.protocol.transport.run()
    return response


class AppConnector(BaseConnector):
    def __init__(self, app: Application, loop: asyncio.AbstractEventLoop | None = None) -> None:
        super().__init__(loop=loop, force_close=True)
        self.app = app

    async def _create_connection(self, req: Any, *args: Any, **kwargs: Any) -> ResponseHandler:
        protocol = self._factory()
        assert isinstance(protocol, ResponseHandler)
        req.send = send_and_run.__get__(req)
        protocol.connection_made(AppTransport(protocol, self.app, req))
        return protocol


async def hello(received: bytes) -> list[bytes]:
    return [OK]


async def long_story(received: bytes) -> list[bytes]:
    return [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"2000\r\n" + b"x" * 0x2000 + b"\r\n"] * 64, b"0\r\n\r\n"]


async def mirror(received: bytes) -> list[bytes]:
    head, _, body = received.partition(b"\r\n\r\n")
    return [b"HTTP/1.1 200 OK\r\nX-Line: " + head.splitlines()[0], b"\r\nContent-Length: %d\r\n\r\n" % len(body), body]


async def broken(received: bytes) -> list[bytes]:
    raise LookupError("the application has failed")


@pytest.mark.every_loop
async def test_an_application_answers() -> None:
    async with ClientSession(connector=AppConnector(hello)) as session:
        for _ in range(2):
            assert await get(session, "http://app/") == "ok"
    async with ClientSession(connector=AppConnector(mirror)) as session:
        response = await session.post("http://app/path?x=1", data=b"body")
        assert response.headers["X-Line"] == "POST /path?x=1 HTTP/1.1"
        assert await response.read() == b"body"


@pytest.mark.every_loop
async def test_an_application_says_more_than_is_read_ahead_to_a_connection_that_cannot_be_paused() -> None:
    async with ClientSession(connector=AppConnector(long_story)) as session:
        async with session.get("http://app/") as response:
            await asyncio.sleep(0.01)
            assert len(await response.read()) == 64 * 0x2000
        async with session.get("http://app/"):  # and it is left alone
            pass


async def test_the_error_of_an_application_is_its_callers() -> None:
    async with ClientSession(connector=AppConnector(broken)) as session:
        with pytest.raises(LookupError, match="the application has failed"):
            await session.get("http://app/")
        assert "lent=0 idle=0" in repr(session.connector)


async def test_a_session_is_closed_while_an_application_works() -> None:
    async def never(received: bytes) -> list[bytes]:
        await asyncio.sleep(3600)
        return []

    async with ClientSession(connector=AppConnector(never)) as session:
        asked = asyncio.ensure_future(session.get("http://app/"))
        await asyncio.sleep(0.01)
        transport = next(iter(session.connector._open_connections)).transport  # type: ignore[union-attr]
        await session.close()
        with pytest.raises(ClientConnectionError):
            await asked
        transport.task.cancel()  # type: ignore[union-attr]


# -- a connector that goes another way to the peer (aiohttp-socks)


class NoResolver(AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        return [{"hostname": host, "host": host, "port": port, "family": family, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        """It holds nothing."""


class KeepingHandler(ResponseHandler):
    def __init__(self, loop: asyncio.AbstractEventLoop, writer: asyncio.StreamWriter) -> None:
        super().__init__(loop)
        self._writer = writer


class DetourConnector(TCPConnector):
    def __init__(self, way: tuple[str, int], **kwargs: Any) -> None:
        super().__init__(resolver=NoResolver(), **kwargs)
        self.way = way
        self.asked: list[Any] = []
        self.made: list[ResponseHandler] = []

    async def _wrap_create_connection(
        self,
        *args: Any,
        addr_infos: list[Any],
        req: Any,
        timeout: ClientTimeout,
        client_error: Any = ClientConnectorError,
        **kwargs: Any,
    ) -> tuple[Any, Any]:
        host, port = addr_infos[0][4][:2]
        self.asked.append((host, port, timeout.sock_connect, kwargs.get("ssl") is not None))
        context = kwargs.get("ssl")
        _, writer = await asyncio.open_connection(*self.way, ssl=context, server_hostname=host if context else None)
        protocol = KeepingHandler(loop=self._loop, writer=writer)  # type: ignore[arg-type]
        writer.transport.set_protocol(protocol)
        protocol.connection_made(writer.transport)
        self.made.append(protocol)
        return writer.transport, protocol


@pytest.mark.every_loop
async def test_another_way_to_the_peer() -> None:
    async with LoopbackServer() as server, ClientSession(connector=DetourConnector((server.host, server.port))) as session:
        for _ in range(3):
            async with session.post("http://far.example/anything", data=b"x" * 200_000) as response:
                assert (await response.json())["size"] == 200_000
        async with session.get("http://far.example/bytes/1000000") as response:
            assert len(await response.read()) == 1_000_000
        assert isinstance(session.connector, DetourConnector)
        assert session.connector.asked == [("far.example", 80, 30, False)]
        assert server.connections == 1


@pytest.mark.every_loop
async def test_another_way_to_the_peer_and_its_certificate() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("far.example").configure_cert(context)
    async with (
        LoopbackServer(ssl_context=context) as server,
        ClientSession(connector=DetourConnector((server.host, server.port))) as session,
    ):
        async with session.get("https://far.example/anything", ssl=False) as response:
            assert response.status == 200
        with pytest.raises(ServerFingerprintMismatch):
            await session.get("https://far.example/anything", ssl=Fingerprint(bytes(32)))
        assert "lent=0 idle=1" in repr(session.connector)
        assert isinstance(session.connector, DetourConnector)
        assert [handler.is_connected() for handler in session.connector.made] == [True, False]


# -- a limit of its own around the whole way (clickhouse-connect)


class HurriedConnector(TCPConnector):
    async def _create_connection(self, req: Any, traces: Any, timeout: ClientTimeout) -> Any:
        async with asyncio.timeout(0.05):
            return await super()._create_connection(req, traces, timeout)


async def test_a_limit_around_the_whole_way() -> None:
    async with ScriptedPeer([StallForever()]) as peer, ClientSession(connector=HurriedConnector()) as session:
        with pytest.raises(ConnectionTimeoutError, match=rf"^Connection timeout to host 127\.0\.0\.1:{peer.port}$"):
            await session.get(peer.url.replace("http", "https"))
        assert "lent=0 idle=0" in repr(session.connector)


async def test_what_a_connector_of_ones_own_raises() -> None:
    class Failing(TCPConnector):
        async def _create_connection(self, req: Any, traces: Any, timeout: ClientTimeout) -> Any:
            raise OSError(5, "no way")

    async with ClientSession(connector=Failing()) as session:
        with pytest.raises(ClientOSError, match="no way"):
            await session.get("http://anywhere.example/")


# -- steps that are replaced


async def test_a_context_of_the_connectors_own() -> None:
    """mocket: it knows of no setting."""
    ca = trustme.CA()
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    ca.issue_cert("127.0.0.1").configure_cert(serving)
    ca.configure_trust(trusting)

    class Connector(TCPConnector):
        def _get_ssl_context(self, req: Any) -> ssl.SSLContext | None:
            return trusting if req.is_ssl() else None

    async with LoopbackServer(ssl_context=serving) as server, ClientSession(connector=Connector()) as session:
        response = await session.get(f"{server.url}/anything")
        assert response.status == 200
        response.release()


async def test_resolving_that_is_patched() -> None:
    """aresponses."""
    async with ScriptedPeer(OK) as peer:

        async def elsewhere(self: TCPConnector, host: str, port: int, traces: Any = None) -> list[dict[str, Any]]:
            return [{"hostname": host, "host": peer.host, "port": peer.port, "family": 2, "proto": 0, "flags": 0}]

        with mock.patch.object(TCPConnector, "_resolve_host", elsewhere):
            async with ClientSession() as session:
                assert await get(session, "http://nowhere.example/") == "ok"


async def test_a_connector_behind_a_proxy_object() -> None:
    """ddtrace."""

    class Proxy:
        def __init__(self, wrapped: BaseConnector) -> None:
            self.wrapped = wrapped
            self.asked: list[Any] = []

        def __getattr__(self, name: str) -> Any:
            return getattr(self.wrapped, name)

        async def connect(self, req: Any, *args: Any, **kwargs: Any) -> Any:
            self.asked.append((req.method, str(req.url)))
            return await self.wrapped.connect(req, *args, **kwargs)

    async with ScriptedPeer(OK) as peer, ClientSession() as session:
        assert session.connector is not None
        proxy = Proxy(session.connector)
        session._connector = proxy  # type: ignore[assignment]
        assert await get(session, f"{peer.url}/path") == "ok"
        assert proxy.asked == [("GET", f"{peer.url}/path")]


async def test_what_is_read_of_a_connector() -> None:
    """google-auth clones one by these, gql looks for the transports of idle connections."""
    async with ScriptedPeer(OK) as peer, TCPConnector(limit=7, limit_per_host=3, ssl=False) as connector:
        assert (connector._ssl, connector._limit, connector._limit_per_host, connector._force_close) == (False, 7, 3, False)
        (await lend(connector, peer.url)).release()
        [[(handler, since)]] = connector._conns.values()
        assert handler.transport is not None
        assert handler.transport.get_extra_info("peername") == (peer.host, peer.port)
        assert since <= asyncio.get_running_loop().time()
        assert connector._loop is asyncio.get_running_loop()


# -- a connection that is upgraded, and read by a parser of the consumer's (aiodocker)

UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


class Multiplexed:
    """Messages on two streams."""

    def __init__(self, queue: DataQueue[tuple[int, bytes]]) -> None:
        self.queue = queue
        self.left = b""

    def feed_eof(self) -> None:
        self.queue.feed_eof()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.left += data
        while len(self.left) >= 8:
            stream, size = struct.unpack(">BxxxL", self.left[:8])
            if len(self.left) < 8 + size:
                break
            self.queue.feed_data((stream, self.left[8 : 8 + size]), size)
            self.left = self.left[8 + size :]
        return False, b""


async def upgraded(session: ClientSession, url: str) -> ClientResponse:
    headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
    timeout = ClientTimeout()
    response = await session.post(url, data=b"{}", headers=headers, read_until_eof=False, timeout=timeout)
    assert response.status == 101
    assert await response.read() == b""
    return response


@pytest.mark.every_loop
@pytest.mark.parametrize("along", [b"", b"\x01\0\0\0\0\0\0\x03one", b"\x01\0\0\0"], ids=["nothing", "a message", "a piece"])
async def test_another_protocol_on_the_connection(along: bytes) -> None:
    first = b"\x01\0\0\0\0\0\0\x03one"
    script = [Expect(), UPGRADED + along, Expect(b"go\n"), first[len(along) :], b"\x02\0\0\0\0\0\0\x03two", HalfClose()]
    async with ScriptedPeer(script) as peer, ClientSession() as session:
        response = await upgraded(session, peer.url)
        assert response.connection is not None
        protocol = response.connection.protocol
        assert isinstance(protocol, ResponseHandler)
        queue: DataQueue[tuple[int, bytes]] = DataQueue(asyncio.get_running_loop())
        protocol.set_parser(Multiplexed(queue), queue)
        protocol.force_close()
        transport = response.connection.transport
        assert transport is not None
        transport.write(b"go\n")
        await protocol._drain_helper()
        assert not protocol._reading_paused
        protocol.pause_reading()
        assert protocol._reading_paused
        protocol.resume_reading()
        assert [await queue.read(), await queue.read()] == [(1, b"one"), (2, b"two")]
        with pytest.raises(EofStream):
            await queue.read()
        response.close()
        assert "lent=0 idle=0" in repr(session.connector)


async def test_another_protocol_on_a_connection_that_is_cut() -> None:
    async with ScriptedPeer([Expect(), UPGRADED, StallForever()]) as peer, ClientSession() as session:
        response = await upgraded(session, peer.url)
        assert response.connection is not None
        queue: DataQueue[tuple[int, bytes]] = DataQueue(asyncio.get_running_loop())
        response.connection.protocol.set_parser(Multiplexed(queue), queue)
        reading = asyncio.ensure_future(queue.read())
        await asyncio.sleep(0)
        await session.close()
        with pytest.raises(ClientConnectionError, match="Connection closed"):
            await reading


# -- a handler by itself (aioresponses, tests of consumers)


def test_a_handler_needs_no_loop_that_runs() -> None:
    handler = ResponseHandler(loop=mock.Mock())
    assert handler.should_close
    assert not handler.is_connected()
    handler.close()


async def test_a_handler_that_was_forced_to_close_is_not_kept() -> None:
    async with ScriptedPeer(OK) as peer, TCPConnector() as connector:
        lent = await lend(connector, peer.url)
        assert isinstance(lent.protocol, ResponseHandler)
        lent.protocol.force_close()
        lent.release()
        assert "lent=0 idle=0" in repr(connector)
