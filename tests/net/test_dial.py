from __future__ import annotations

import asyncio
import datetime
import errno
import hashlib
import os
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any

import pytest
import trustme

from aiohttpx.errors import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientSSLError,
    ConnectionTimeoutError,
    InvalidUrlClientError,
    ServerFingerprintMismatch,
)
from aiohttpx.net.dial import AddrInfoType, Dialer, addr_infos, look_up, phase_limit
from aiohttpx.net.key import ConnectionKey
from aiohttpx.net.resolver import ResolveResult, literal_address
from aiohttpx.net.tls import Fingerprint, SSLSetting, context_for
from aiohttpx.timeouts import ClientTimeout

pytestmark = pytest.mark.every_loop

PATIENT = ClientTimeout(sock_connect=30)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's loopback")


class Caller(asyncio.Protocol):
    """It says hello and waits for the answer."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.answer = loop.create_future()
        self.lost = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(b"hello")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.answer.set_result(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[attr-defined]


class Silent(asyncio.Protocol):
    """It never says a word."""


class Deaf(asyncio.Protocol):
    """It listens until the TLS handshake is done."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls: ssl.SSLObject | None = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.tls is None:
            return
        self.incoming.write(data)
        with suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
            self.tls = None
        self.transport.write(self.outgoing.read())  # type: ignore[attr-defined]


class Rude(asyncio.Protocol):
    """It hangs up at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


@asynccontextmanager
async def serving(
    protocol: Callable[[], asyncio.Protocol], context: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[int]:
    """The port of a server; when it stops, so do its connections."""
    made: list[asyncio.Protocol] = []

    def factory() -> asyncio.Protocol:
        made.append(protocol())
        return made[-1]

    loop = asyncio.get_running_loop()
    reported: list[Any] = []
    loop.set_exception_handler(lambda loop, context: reported.append(context))
    server = await loop.create_server(factory, host, port, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for protocol_made in made:
            transport = getattr(protocol_made, "transport", None)
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0.01)
    # What a client may do to a server is the server's own business.
    assert [said for said in reported if "exception" in said and not isinstance(said["exception"], OSError)] == []


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def tls_server(ca: trustme.CA, name: str = "localhost", **options: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    ca.issue_cert(name, **options).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def trusting(ca: trustme.CA) -> ssl.SSLContext:
    """A context that trusts `ca`."""
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


@pytest.fixture
def dialer() -> Dialer:
    return Dialer()


def key_of(
    port: int, setting: SSLSetting | None = None, host: str = "localhost", server_hostname: str | None = None
) -> ConnectionKey:
    is_ssl = setting is not None
    return ConnectionKey(host, port, is_ssl, True if setting is None else setting, None, None, None, server_hostname)


def hosts(port: int, *addresses: str) -> list[ResolveResult]:
    found = [literal_address(address, port) for address in addresses or ["127.0.0.1"]]
    return [result for result in found if result is not None]


async def dial(
    dialer: Dialer,
    factory: Callable[[], Any],
    key: ConnectionKey,
    found: list[ResolveResult],
    setting: SSLSetting | None,
    timeout: ClientTimeout,
) -> tuple[asyncio.Transport, Any]:
    context = None if setting is None else await context_for(setting)
    pin = setting if isinstance(setting, Fingerprint) else None
    return await dialer.dial(factory, key, addr_infos(found), context, timeout, pin=pin)


async def reach(
    dialer: Dialer,
    port: int,
    setting: SSLSetting | None = None,
    timeout: ClientTimeout = PATIENT,
    addresses: tuple[str, ...] = (),
    **key: Any,
) -> asyncio.Transport:
    """A connection that has carried a word there and back."""
    transport, protocol = await dial(dialer, Caller, key_of(port, setting, **key), hosts(port, *addresses), setting, timeout)
    assert await protocol.answer == b"hello"
    return transport


async def unused_port() -> int:
    async with serving(Silent) as port:
        return port


@pytest.fixture
def full() -> Iterator[int]:
    """A port on 127.0.0.1 that answers no attempt to connect: its backlog is full."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


class TestTCP:
    async def test_a_connection(self, dialer: Dialer) -> None:
        async with serving(Echo) as port:
            transport = await reach(dialer, port)
            sock = transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            transport.abort()

    @pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
    async def test_ipv6(self, dialer: Dialer) -> None:
        try:
            server = serving(Echo, host="::1")
            async with server as port:
                (await reach(dialer, port, addresses=("::1",))).abort()
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise
            pytest.skip("this machine has no IPv6 loopback")

    async def test_refused(self, dialer: Dialer) -> None:
        port = await unused_port()
        with pytest.raises(ClientConnectorError, match=f"Cannot connect to host localhost:{port} ssl:default") as caught:
            await reach(dialer, port)
        assert caught.value.os_error.errno == errno.ECONNREFUSED
        assert caught.value.__cause__ is caught.value.os_error

    async def test_no_address(self, dialer: Dialer) -> None:
        with pytest.raises(ClientConnectorError, match="No address to connect to"):
            await dial(dialer, Caller, key_of(80), [], None, PATIENT)

    @on_linux
    async def test_no_answer(self, dialer: Dialer, full: int) -> None:
        timeout = ClientTimeout(sock_connect=0.05)
        with pytest.raises(ConnectionTimeoutError) as caught:
            await reach(dialer, full, timeout=timeout)
        assert str(caught.value) == f"Connection timeout to host localhost:{full} (sock_connect, 0.05 s)"

    async def test_the_next_address_is_tried(self, dialer: Dialer) -> None:
        async with serving(Echo) as port:
            (await reach(dialer, port, addresses=("::1", "127.0.0.1"))).abort()

    @on_linux
    async def test_the_next_address_is_tried_beside_one_that_does_not_answer(self, full: int) -> None:
        dialer = Dialer(happy_eyeballs_delay=0.01)
        async with serving(Echo, host="127.0.0.2", port=full):
            transport = await reach(dialer, full, addresses=("127.0.0.1", "127.0.0.2"))
            assert transport.get_extra_info("peername")[0] == "127.0.0.2"
            transport.abort()

    @on_linux
    async def test_one_after_the_other_each_has_its_time(self, full: int) -> None:
        dialer = Dialer(happy_eyeballs_delay=None)
        async with serving(Echo, host="127.0.0.2", port=full):
            timeout = ClientTimeout(sock_connect=0.2)
            transport = await reach(dialer, full, timeout=timeout, addresses=("127.0.0.1", "127.0.0.2"))
            assert transport.get_extra_info("peername")[0] == "127.0.0.2"
            transport.abort()

    @on_linux
    async def test_the_local_address(self) -> None:
        async with serving(Echo) as port:
            transport = await reach(Dialer(local_addr=("127.0.0.3", 0)), port)
            assert transport.get_extra_info("sockname")[0] == "127.0.0.3"
            transport.abort()

    async def test_the_socket_factory(self) -> None:
        made: list[AddrInfoType] = []

        def factory(info: AddrInfoType) -> socket.socket:
            made.append(info)
            return socket.socket(info[0], info[1], info[2])

        async with serving(Echo) as port:
            (await reach(Dialer(socket_factory=factory), port)).abort()
        assert made == [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]

    async def test_a_protocol_that_cannot_be_made(self, dialer: Dialer) -> None:
        def factory() -> asyncio.Protocol:
            raise LookupError("no protocol")

        async with serving(Silent) as port:
            with pytest.raises(LookupError):
                await dial(dialer, factory, key_of(port), hosts(port), None, PATIENT)


class TestTLS:
    async def test_a_connection(self, dialer: Dialer, ca: trustme.CA, trusting: ssl.SSLContext) -> None:
        async with serving(Echo, tls_server(ca)) as port:
            transport = await reach(dialer, port, trusting)
            assert transport.get_extra_info("sslcontext") is trusting
            transport.abort()

    async def test_our_own_context_asks_for_http_1_1(self, dialer: Dialer, ca: trustme.CA) -> None:
        async with serving(Echo, tls_server(ca)) as port:
            transport = await reach(dialer, port, False)
            assert transport.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
            transport.abort()

    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("localhost", {"host": "localhost."}),
            ("127.0.0.1", {"host": "127.0.0.1"}),
            ("::1", {"host": "::1%1"}),
            ("www.example.org", {"server_hostname": "www.example.org"}),
        ],
        ids=["root dot", "IPv4", "zone", "server_hostname"],
    )
    async def test_the_name_in_the_certificate(
        self, dialer: Dialer, ca: trustme.CA, trusting: ssl.SSLContext, name: str, key: dict[str, str]
    ) -> None:
        async with serving(Echo, tls_server(ca, name)) as port:
            (await reach(dialer, port, trusting, **key)).abort()

    async def test_a_wrong_name(self, dialer: Dialer, ca: trustme.CA, trusting: ssl.SSLContext) -> None:
        async with serving(Echo, tls_server(ca, "example.org")) as port:
            with pytest.raises(ClientConnectorCertificateError, match="Hostname mismatch") as caught:
                await reach(dialer, port, trusting)
        assert str(caught.value).startswith(f"Cannot connect to host localhost:{port} ssl:True")
        assert isinstance(caught.value.certificate_error, ssl.SSLCertVerificationError)

    async def test_an_untrusted_authority(self, dialer: Dialer, ca: trustme.CA) -> None:
        async with serving(Echo, tls_server(ca)) as port:
            with pytest.raises(ClientConnectorCertificateError, match="unable to get local issuer certificate"):
                await reach(dialer, port, True)

    async def test_an_expired_certificate(self, dialer: Dialer, ca: trustme.CA, trusting: ssl.SSLContext) -> None:
        past = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)
        async with serving(Echo, tls_server(ca, not_before=past, not_after=past + datetime.timedelta(days=1))) as port:
            with pytest.raises(ClientConnectorCertificateError, match="certificate has expired"):
                await reach(dialer, port, trusting)

    async def test_tls_to_a_plain_port(self, dialer: Dialer) -> None:
        async with serving(Echo) as port:
            with pytest.raises(ClientConnectorSSLError, match=f"Cannot connect to host localhost:{port} ssl:") as caught:
                await reach(dialer, port, False)
        assert isinstance(caught.value.os_error, ssl.SSLError)

    async def test_a_peer_that_hangs_up(self, dialer: Dialer) -> None:
        async with serving(Rude) as port:
            with pytest.raises(ClientConnectorError, match=f"localhost:{port}"):
                await reach(dialer, port, False)

    @pytest.mark.parametrize(("phase", "seconds"), [("tls", 0.05), ("sock_connect", 0.5)])  # TCP takes a part of the latter
    async def test_no_answer_to_the_handshake(self, dialer: Dialer, phase: str, seconds: float) -> None:
        async with serving(Silent) as port:
            with pytest.raises(ConnectionTimeoutError) as caught:
                await reach(dialer, port, False, timeout=ClientTimeout(**{phase: seconds}))
        where = {"tls": "", "sock_connect": ", in tls"}[phase]
        assert str(caught.value) == f"Connection timeout to host localhost:{port} ({phase}, {seconds} s{where})"
        assert not isinstance(caught.value, ClientConnectorError)

    @on_linux
    async def test_the_next_address_is_tried_when_one_fails_in_tls(
        self, dialer: Dialer, ca: trustme.CA, trusting: ssl.SSLContext
    ) -> None:
        async with serving(Echo, tls_server(ca, "example.org")) as port, serving(Echo, tls_server(ca), "127.0.0.2", port):
            transport = await reach(dialer, port, trusting, addresses=("127.0.0.1", "127.0.0.2"))
            assert transport.get_extra_info("peername")[0] == "127.0.0.2"
            transport.abort()

    async def test_a_connection_resumes_the_session_of_the_one_before(self, dialer: Dialer, ca: trustme.CA) -> None:
        resumed = []
        async with serving(Echo, tls_server(ca)) as port, serving(Echo, tls_server(ca)) as other:
            for number in (port, port, other, port, other):
                transport = await reach(dialer, number, False)
                resumed.append(transport.get_extra_info("ssl_object").session_reused)
                transport.abort()
        assert resumed == [False, True, False, True, True]


class TestPin:
    @pytest.fixture
    async def server(self, ca: trustme.CA) -> AsyncIterator[tuple[int, bytes]]:
        """A port, and the certificate that is shown there."""
        async with serving(Echo, tls_server(ca)) as port:
            transport = await reach(Dialer(), port, False)
            certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
            transport.abort()
            yield port, certificate

    async def test_the_pinned_certificate(self, dialer: Dialer, server: tuple[int, bytes]) -> None:
        port, certificate = server
        pin = Fingerprint(hashlib.sha256(certificate).digest())
        resumed = []
        for _ in range(2):
            transport = await reach(dialer, port, pin)
            resumed.append(transport.get_extra_info("ssl_object").session_reused)
            transport.abort()
        assert resumed == [False, True]

    async def test_another_certificate(self, dialer: Dialer, server: tuple[int, bytes]) -> None:
        port, certificate = server
        made: list[Caller] = []

        def factory() -> Caller:
            made.append(Caller())
            return made[-1]

        pin = Fingerprint(bytes(32))
        with pytest.raises(ServerFingerprintMismatch) as caught:
            await dial(dialer, factory, key_of(port, pin), hosts(port), pin, PATIENT)
        assert (caught.value.host, caught.value.port) == ("127.0.0.1", port)
        assert (caught.value.expected, caught.value.got) == (bytes(32), hashlib.sha256(certificate).digest())
        async with asyncio.timeout(10):
            await made[0].lost

    async def test_what_a_pin_refused_is_never_resumed(self, dialer: Dialer, server: tuple[int, bytes]) -> None:
        port, _ = server
        pin = Fingerprint(bytes(32))
        for _ in range(2):
            with pytest.raises(ServerFingerprintMismatch):
                await reach(dialer, port, pin)
        transport = await reach(dialer, port, False)
        assert not transport.get_extra_info("ssl_object").session_reused
        transport.abort()


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@on_linux
class TestNothingIsLeft:
    async def settled(self, before: int) -> int:
        """How many more files are open than `before`, once what is closing has closed."""
        for _ in range(200):
            if open_files() <= before:
                break
            await asyncio.sleep(0.01)
        return open_files() - before

    @pytest.mark.parametrize("server", ["silent", "answering", "TLS silent", "TLS answering", "TLS deaf"])
    async def test_by_a_cancellation_at_any_moment(self, dialer: Dialer, ca: trustme.CA, server: str) -> None:
        reported: list[Any] = []
        context = tls_server(ca)
        setting = False if "TLS" in server else None
        protocol: Callable[[], asyncio.Protocol] = Echo if "answering" in server else Silent
        if "deaf" in server:
            protocol = partial(Deaf, context)
        await context_for(False)
        async with serving(protocol, context if server == "TLS answering" else None) as port:
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
            await asyncio.sleep(0.01)
            before = open_files()
            cancelled = 0
            for turns in range(25):
                task = asyncio.create_task(dial(dialer, Caller, key_of(port, setting), hosts(port), setting, PATIENT))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                try:
                    transport, _ = await task
                except asyncio.CancelledError:
                    cancelled += 1
                else:
                    transport.abort()
            assert cancelled
            # The server's side of the abandoned connections closes too, in its own time.
            assert await self.settled(before) == 0
        assert [said for said in reported if not isinstance(said.get("exception"), OSError)] == []

    @pytest.mark.parametrize("failure", ["refused", "plain port", "hang up", "silent", "wrong name", "wrong pin", "no protocol"])
    async def test_by_a_failure(self, dialer: Dialer, ca: trustme.CA, trusting: ssl.SSLContext, failure: str) -> None:
        def no_protocol() -> asyncio.Protocol:
            raise LookupError

        await context_for(False)
        protocol = {"hang up": Rude, "silent": Silent}.get(failure, Echo)
        server = tls_server(ca, "example.org") if failure in ("wrong name", "wrong pin") else None
        setting: SSLSetting = {"wrong name": trusting, "wrong pin": Fingerprint(bytes(32))}.get(failure, False)
        factory: Callable[[], asyncio.BaseProtocol] = no_protocol if failure == "no protocol" else Caller
        timeout = ClientTimeout(sock_connect=0.01 if failure == "silent" else 30)
        expected = (ClientConnectorError, ConnectionTimeoutError, ServerFingerprintMismatch, LookupError)
        closed_port = await unused_port()
        async with serving(protocol, server) as port:
            if failure == "refused":
                port = closed_port
            before = open_files()
            for _ in range(10):
                with pytest.raises(expected):
                    await dial(dialer, factory, key_of(port, setting), hosts(port), setting, timeout)
            assert await self.settled(before) == 0


class TestPhases:
    async def test_a_limit_names_its_phase(self) -> None:
        with pytest.raises(ConnectionTimeoutError, match=r"^Connection timeout to host localhost:80 \(pool, 0.01 s\)$"):
            async with phase_limit("pool", 0.01, key_of(80), 5):
                await asyncio.sleep(60)

    @pytest.mark.parametrize("seconds", [None, 0])
    async def test_no_limit(self, seconds: float | None) -> None:
        async with phase_limit("pool", seconds, key_of(80), 5):
            assert await asyncio.sleep(0.02, "through")

    async def test_the_timeout_of_someone_else_passes(self) -> None:
        with pytest.raises(TimeoutError, match="not ours"):
            async with phase_limit("pool", 60, key_of(80), 5):
                raise TimeoutError("not ours")

    async def test_the_inner_phase_is_the_one_named(self) -> None:
        with pytest.raises(ConnectionTimeoutError, match=r"\(pool, 0.01 s\)"):
            async with phase_limit("connect", 60, key_of(80), 5), phase_limit("pool", 0.01, key_of(80), 5):
                await asyncio.sleep(60)

    async def test_the_outer_phase_is_the_one_named(self) -> None:
        with pytest.raises(ConnectionTimeoutError, match=r"\(connect, 0.01 s, in pool\)"):
            async with phase_limit("connect", 0.01, key_of(80), 5), phase_limit("pool", 60, key_of(80), 5):
                await asyncio.sleep(60)

    async def test_a_timeout_of_the_system_is_not_ours(self, dialer: Dialer) -> None:
        def factory(info: AddrInfoType) -> socket.socket:
            raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")

        with pytest.raises(ClientConnectorError, match="Connection timed out"):
            await dial(Dialer(socket_factory=factory), Caller, key_of(80), hosts(80), None, PATIENT)


class TestLookUp:
    async def test_the_addresses(self) -> None:
        async def resolve(host: str, port: int) -> list[ResolveResult]:
            assert (host, port) == ("localhost", 80)
            return hosts(port)

        assert await look_up(resolve, key_of(80), PATIENT) == hosts(80)

    async def test_a_failure(self) -> None:
        wrong = socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        async def resolve(host: str, port: int) -> list[ResolveResult]:
            raise wrong

        with pytest.raises(
            ClientConnectorDNSError, match=r"Cannot connect to host localhost:80 .*Name or service not known"
        ) as caught:
            await look_up(resolve, key_of(80), PATIENT)
        assert caught.value.os_error is wrong
        assert not isinstance(caught.value, ClientSSLError)

    async def test_an_error_of_ours_passes(self) -> None:
        async def resolve(host: str, port: int) -> list[ResolveResult]:
            raise InvalidUrlClientError(host)

        with pytest.raises(InvalidUrlClientError):
            await look_up(resolve, key_of(80), PATIENT)

    async def test_its_limit(self) -> None:
        async def resolve(host: str, port: int) -> list[ResolveResult]:
            await asyncio.sleep(60)
            raise AssertionError

        with pytest.raises(ConnectionTimeoutError, match=r"\(dns, 0.01 s\)"):
            await look_up(resolve, key_of(80), ClientTimeout(dns=0.01))
