"""Opening a connection: addresses, a socket, TLS. Each is a step by itself; each failure becomes the documented error here."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiohappyeyeballs import AddrInfoType, SocketFactoryType, addr_to_addr_infos, start_connection

from ..errors import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientSSLError,
    ConnectionTimeoutError,
    ServerFingerprintMismatch,
    UnixClientConnectorError,
)
from ..late import late
from .phases import note
from .timer import limit
from .transports import loops_own

if TYPE_CHECKING:
    from ..timeouts import ClientTimeout
    from . import tls
    from .key import ConnectionKey
    from .resolver import ResolveResult
    from .tls import Fingerprint, TLSSessions
else:
    tls = late("aiohttpx.net.tls")

__all__ = (
    "AddrInfoType",
    "Dialer",
    "SocketFactoryType",
    "addr_infos",
    "connecting",
    "look_up",
    "phase_limit",
    "phase_of",
    "server_name",
)

_P = TypeVar("_P", bound=asyncio.BaseProtocol)
#: Makes the error for what the system says; mostly the class itself.
_Refused = Callable[["ConnectionKey", OSError], ClientConnectorError]

#: How much longer than ours the loop's own limit of a handshake is, which does not say what it is.
_LATER = 60.0
#: Seconds until a Unix socket whose queue is full is tried again.
_UNIX_AGAIN = 0.01


class phase_limit:
    """`async with phase_limit(...)` gives the block `seconds`; None and 0 set no limit. Blocks may be nested, and the limit of an
    outer one tells in which of the inner ones it struck. Time spent in the block is noted (see `phases`).

    :raises ConnectionTimeoutError: they are over. Its text starts with "Connection timeout to host" and names the phase.
    """

    __slots__ = ("_clock", "_key", "_phase", "_seconds", "_since")

    def __init__(self, phase: str, seconds: float | None, key: ConnectionKey, threshold: float) -> None:
        self._phase = phase
        self._seconds = seconds
        self._key = key
        self._clock = limit(seconds, threshold) if seconds else None

    async def __aenter__(self) -> None:
        self._since = asyncio.get_running_loop().time()
        if self._clock is not None:
            await self._clock.__aenter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        note(self._phase, asyncio.get_running_loop().time() - self._since)
        if self._clock is not None:
            try:
                await self._clock.__aexit__(kind, error, trace)
            except TimeoutError as expired:
                key = self._key
                inner = phase_of(error)
                where = f", in {inner}" if inner else ""
                text = f"Connection timeout to host {key} ({self._phase}, {self._seconds:g} s{where})"
                raise ConnectionTimeoutError(text) from expired
        if isinstance(error, asyncio.CancelledError) and not phase_of(error):
            error.add_note(self._phase)


def phase_of(error: BaseException | None) -> str:
    """The phase that a cancellation came out of, the innermost one; empty when it came out of none."""
    notes = getattr(error, "__notes__", None)
    return notes[0] if notes else ""


@contextmanager
def connecting(key: ConnectionKey, client_error: _Refused = ClientConnectorError) -> Iterator[None]:
    """What the system or OpenSSL says, as the error that names the peer: `client_error` is for what has no class of its own."""
    try:
        yield
    except ssl.CertificateError as error:
        raise ClientConnectorCertificateError(key, error) from error
    except ssl.SSLError as error:
        raise ClientConnectorSSLError(key, error) from error
    except OSError as error:
        raise client_error(key, error) from error


async def look_up(
    resolve: Callable[[str, int], Awaitable[list[ResolveResult]]], key: ConnectionKey, timeout: ClientTimeout
) -> list[ResolveResult]:
    """The addresses of the host of `key`, by `resolve(host, port)`, within `timeout.dns`.

    :raises ClientConnectorDNSError: there are none.
    """
    async with phase_limit("dns", timeout.dns, key, timeout.ceil_threshold):
        try:
            return await resolve(key.host, key.port or 0)
        except OSError as error:
            raise ClientConnectorDNSError(key, error) from error


def addr_infos(hosts: Iterable[ResolveResult]) -> list[AddrInfoType]:
    """Resolved addresses in the form of `socket.getaddrinfo`."""
    return [_addr_info(host["host"], host["port"]) for host in hosts]


def _addr_info(host: str, port: int) -> AddrInfoType:
    if ":" in host:
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port)


class Dialer:
    """How a connector opens its connections.

    :param local_addr: (host, port) to connect from.
    :param happy_eyeballs_delay: seconds until the next address is tried beside one that does not answer (RFC 8305); None to try
        them one after the other.
    :param interleave: how many addresses of the first family come before one of the other; 1 if None (RFC 8305, section 4).
    :param socket_factory: makes the socket for an addr_info tuple.
    :param ssl_shutdown_timeout: seconds the peer has for its part of a TLS shutdown; None or 0 for the loop's own limit.
    """

    def __init__(
        self,
        *,
        local_addr: tuple[str, int] | None = None,
        happy_eyeballs_delay: float | None = 0.25,
        interleave: int | None = None,
        socket_factory: SocketFactoryType | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> None:
        self._local_addr_infos = addr_to_addr_infos(local_addr)
        self._happy_eyeballs_delay = happy_eyeballs_delay
        self._interleave = interleave
        self._socket_factory = socket_factory
        self._ssl_shutdown_timeout = ssl_shutdown_timeout or None
        self._known_sessions: TLSSessions | None = None

    @property
    def _sessions(self) -> TLSSessions:
        if self._known_sessions is None:
            self._known_sessions = tls.TLSSessions()
        return self._known_sessions

    async def dial(
        self,
        factory: Callable[[], _P],
        key: ConnectionKey,
        infos: list[AddrInfoType],
        context: ssl.SSLContext | None,
        timeout: ClientTimeout,
        *,
        pin: Fingerprint | None = None,
        client_error: _Refused = ClientConnectorError,
    ) -> tuple[asyncio.Transport, _P]:
        """A new connection to the first of `infos` that gives one.

        An address that accepts but fails in TLS is not the end: another may do better. `timeout.sock_connect` holds for each try.

        :param factory: makes the protocol.
        :param key: the peer, as errors and TLS name it.
        :param context: for TLS; None for none.
        :param pin: the only certificate to accept.
        :param client_error: the class for what goes wrong before TLS.
        :raises ClientConnectorError: or one of its subclasses, ConnectionTimeoutError, ServerFingerprintMismatch.
        """
        left = infos
        refusal: Exception | None = None
        while True:
            tried = left if self._happy_eyeballs_delay is not None else left[:1]
            try:
                async with phase_limit("sock_connect", timeout.sock_connect, key, timeout.ceil_threshold):
                    sock = await self.connect(key, tried, client_error)
                    if context is None:
                        return await self.attach(factory, key, sock, client_error)
                    tried = _with_peer(tried, sock)
                    async with phase_limit("tls", timeout.tls, key, timeout.ceil_threshold):
                        return await self.secure(factory, key, sock, context, pin, timeout.tls or timeout.sock_connect)
            except (ClientConnectorError, ConnectionTimeoutError, ServerFingerprintMismatch) as error:
                # What a peer that answered said in TLS tells more than that another address does not answer.
                if not isinstance(refusal, (ClientSSLError, ServerFingerprintMismatch)):
                    refusal = error
                left = [info for info in left if info not in tried]
                if not left:
                    raise refusal from refusal.__cause__

    async def dial_unix(
        self,
        factory: Callable[[], _P],
        key: ConnectionKey,
        path: str,
        context: ssl.SSLContext | None,
        timeout: ClientTimeout,
        *,
        pin: Fingerprint | None = None,
    ) -> tuple[asyncio.Transport, _P]:
        """As `dial`, to the Unix socket at `path`.

        :raises UnixClientConnectorError: it cannot be reached.
        """

        def refused(key: ConnectionKey, error: OSError) -> ClientConnectorError:
            return UnixClientConnectorError(path, key, error)

        async with phase_limit("sock_connect", timeout.sock_connect, key, timeout.ceil_threshold):
            with connecting(key, refused):
                sock = await _connect_unix(path)
            if context is None:
                return await self.attach(factory, key, sock, refused)
            async with phase_limit("tls", timeout.tls, key, timeout.ceil_threshold):
                return await self.secure(factory, key, sock, context, pin, timeout.tls or timeout.sock_connect)

    async def connect(
        self, key: ConnectionKey, infos: list[AddrInfoType], client_error: _Refused = ClientConnectorError
    ) -> socket.socket:
        """A socket connected to one of `infos`."""
        with connecting(key, client_error):
            if not infos:
                raise OSError(None, "No address to connect to")
            sock = await start_connection(
                infos,
                local_addr_infos=self._local_addr_infos,
                happy_eyeballs_delay=self._happy_eyeballs_delay,
                interleave=self._interleave,
                socket_factory=self._socket_factory,
            )
            with _owned(sock):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return sock

    async def attach(
        self,
        factory: Callable[[], _P],
        key: ConnectionKey,
        sock: socket.socket,
        client_error: _Refused = ClientConnectorError,
    ) -> tuple[asyncio.Transport, _P]:
        """A transport on `sock`, which it owns from here on."""
        with connecting(key, client_error), _owned(sock):
            transport, protocol = await loops_own("create_connection")(factory, sock=sock)
            return transport, protocol

    async def secure(
        self,
        factory: Callable[[], _P],
        key: ConnectionKey,
        sock: socket.socket,
        context: ssl.SSLContext,
        pin: Fingerprint | None,
        seconds: float | None,
    ) -> tuple[asyncio.Transport, _P]:
        """A TLS transport on `sock`, which it owns from here on; the caller limits the handshake to `seconds`."""
        peer = _proven(key, context, pin)
        with connecting(key), _owned(sock), self._sessions.offered(peer, context):
            transport, protocol = await loops_own("create_connection")(
                factory, sock=sock, ssl=context, **self._tls_options(key, seconds)
            )
        self._accept(key, peer, pin, transport)
        return transport, protocol

    async def secure_over(
        self,
        transport: asyncio.Transport,
        factory: Callable[[], _P],
        key: ConnectionKey,
        context: ssl.SSLContext,
        pin: Fingerprint | None,
        seconds: float | None,
    ) -> tuple[asyncio.Transport, _P]:
        """As `secure`, through `transport`, a tunnel that may be TLS itself."""
        protocol = factory()
        peer = _proven(key, context, pin)
        try:
            with connecting(key), self._sessions.offered(peer, context):
                secure = await _start_tls(transport, protocol, context, **self._tls_options(key, seconds))
            self._accept(key, peer, pin, secure)
        except BaseException:
            transport.abort()
            raise
        protocol.connection_made(secure)
        return secure, protocol

    def _tls_options(self, key: ConnectionKey, seconds: float | None) -> dict[str, Any]:
        return {
            "server_hostname": server_name(key),
            "ssl_handshake_timeout": seconds + _LATER if seconds else None,
            "ssl_shutdown_timeout": self._ssl_shutdown_timeout,
        }

    def _accept(self, key: ConnectionKey, peer: Hashable, pin: Fingerprint | None, transport: asyncio.Transport) -> None:
        """See to it that `transport` leads to the right peer, by the right protocol, and remember its TLS session."""
        try:
            with connecting(key):
                tls.check_protocol(transport)
            if pin is not None:
                pin.check(transport)
        except (ClientConnectorSSLError, ServerFingerprintMismatch):
            transport.abort()
            raise
        self._sessions.keep(peer, transport)


async def _connect_unix(path: str) -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        raise OSError(errno.EAFNOSUPPORT, "This system has no Unix sockets")
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.setblocking(False)
        while True:
            try:
                sock.connect(path)
                return sock
            except BlockingIOError:  # too many wait there to be accepted, and no event tells of room
                await asyncio.sleep(_UNIX_AGAIN)
    except BaseException:
        sock.close()
        raise


def _with_peer(infos: list[AddrInfoType], sock: socket.socket) -> list[AddrInfoType]:
    """Those of `infos` that `sock` is connected to; all, when that cannot be told."""
    try:
        peer = sock.getpeername()[:2]
    except OSError:  # it is already disconnected
        return infos
    return [info for info in infos if info[4][:2] == peer] or infos


def server_name(key: ConnectionKey) -> str:
    """The name for the handshake and the certificate: neither has a root dot (RFC 6066, section 3) or the zone of an address."""
    return (key.server_hostname or key.host).rstrip(".").partition("%")[0]


def _proven(key: ConnectionKey, context: ssl.SSLContext, pin: Fingerprint | None) -> Hashable:
    """What identifies the peer of a handshake. The setting may be the connector's own, which no key of a request says; and what
    was not verified is not resumed by a context that verifies by now."""
    return key._replace(ssl=pin or context), context.verify_mode, context.check_hostname


#: Early versions of Python 3.11 and 3.12 call a method of their own with too many arguments when TLS within TLS fails. Later ones
#: end a connection by way of that method.
_CANNOT_FORCE_CLOSE: Final = sys.version_info < (3, 11, 8) or (3, 12) <= sys.version_info < (3, 12, 2)


@cache
def _able_to_force_close(kind: Any) -> Any:
    """asyncio's own TLS transport, such that TLS within it can fail."""
    return type(kind.__name__, (kind,), {"_force_close": lambda self, exc: self.abort()})


async def _start_tls(
    transport: asyncio.Transport, protocol: asyncio.BaseProtocol, context: ssl.SSLContext, **options: Any
) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    kind: Any = type(transport)
    if kind.__module__ == "asyncio.sslproto" and _CANNOT_FORCE_CLOSE:
        transport.__class__ = _able_to_force_close(kind)
    try:
        secure: asyncio.Transport | None = await loops_own("start_tls")(transport, protocol, context, **options)
    except (AttributeError, NotImplementedError, TypeError) as error:
        raise OSError(None, f"{type(loop).__name__} cannot speak TLS through {type(transport).__name__}") from error
    if secure is None:
        raise ConnectionResetError(None, "The tunnel was closed")
    return secure


@contextmanager
def _owned(sock: socket.socket) -> Iterator[None]:
    """If making a transport of `sock` fails, nothing of it is left."""
    try:
        yield
    except asyncio.CancelledError:
        # The loop has a transport on it and is closing that, maybe by a TLS shutdown that the peer never answers. This ends it
        # now; to close the socket would let the transport work on whatever gets the same file descriptor next.
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        raise
    except BaseException:
        sock.close()
        raise
