"""The kinds of connectors: what each opens a connection by. How that is lent is in `lending`."""

from __future__ import annotations

import asyncio
import socket
import warnings
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

from yarl import URL

from ..errors import ClientConnectorError, ClientProxyConnectionError, ServerFingerprintMismatch
from ..late import late
from ..net.connection import HTTPConnection
from ..net.dial import AddrInfoType, Dialer, SocketFactoryType, addr_infos, connecting, look_up, phase_limit, server_name
from ..net.resolver import AbstractResolver, DefaultResolver, HostCache, HostLookup, ResolveResult, fixed_hosts
from ..net.unix import UNIX_SCHEME, socket_path
from ..timeouts import NOT_GIVEN, ClientTimeout
from .lending import Asking, BaseConnector, Connection

if TYPE_CHECKING:
    from ..net import proxy as proxies
    from ..net import socks, tls, tunnel
    from ..net.guard import SSRFGuard
    from ..net.tls import Fingerprint, SSLSetting
    from ..net.tunnel import ProxyRequest
    from ..typedefs import StrOrURL
    from ..wire.basicauth import BasicAuth
else:
    proxies, socks = late("aiohttpx.net.proxy"), late("aiohttpx.net.socks")
    tls, tunnel = late("aiohttpx.net.tls"), late("aiohttpx.net.tunnel")


class TCPConnector(BaseConnector):
    """Connects by TCP, and by TLS over it.

    :param hosts: the addresses of hosts that nobody is asked for: name -> address, or addresses.
    :param ssl: how to verify, for requests that do not say it themselves: True, False, an SSLContext or a `Fingerprint`.
        `verify_ssl`, `ssl_context` and `fingerprint` are the older forms; more than one is a `ValueError`.
    :param use_dns_cache, ttl_dns_cache, dns_cache_max_size: remember addresses, for so many seconds (None: for ever), of so many
        hosts.
    :param family: `socket.AF_INET` or `AF_INET6` for addresses of that family only.
    :param local_addr: (host, port) to connect from.
    :param resolver: asked for addresses; by default aiodns where it is installed, else the system's resolver in a thread.
    :param happy_eyeballs_delay: seconds until the next address is tried beside a slow one (RFC 8305); None: one after the other.
    :param interleave: how many addresses of one family come before one of the other.
    :param socket_factory: makes the sockets: called with an addr_info tuple.
    :param guard: says which addresses may be connected to.
    :param ssl_shutdown_timeout: (deprecated) seconds the peer has for its part of a TLS shutdown; 0, the default: they are
        cut when the connector is closed.

    The other parameters are `BaseConnector`'s. URLs of the form `http+unix://%2Fpath%2Fof%2Fa.sock/` lead to a Unix socket.
    """

    allowed_protocol_schema_set = BaseConnector.allowed_protocol_schema_set | {"tcp"}
    takes_unix_urls = True

    def __init__(
        self,
        *,
        verify_ssl: bool = True,
        fingerprint: bytes | None = None,
        use_dns_cache: bool = True,
        ttl_dns_cache: float | None = 10,
        dns_cache_max_size: int = 1000,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        ssl_context: SSLContext | None = None,
        ssl: SSLSetting = True,
        local_addr: tuple[str, int] | None = None,
        resolver: AbstractResolver | None = None,
        keepalive_timeout: float | None = NOT_GIVEN,
        force_close: bool = False,
        limit: int | None = 100,
        limit_per_host: int | None = 0,
        enable_cleanup_closed: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        timeout_ceil_threshold: float = 5,
        happy_eyeballs_delay: float | None = 0.25,
        interleave: int | None = None,
        socket_factory: SocketFactoryType | None = None,
        ssl_shutdown_timeout: float | None = NOT_GIVEN,
        hosts: Mapping[str, str | Iterable[str]] | None = None,
        guard: SSRFGuard | None = None,
    ) -> None:
        super().__init__(
            keepalive_timeout=keepalive_timeout,
            force_close=force_close,
            limit=limit,
            limit_per_host=limit_per_host,
            enable_cleanup_closed=enable_cleanup_closed,
            loop=loop,
            timeout_ceil_threshold=timeout_ceil_threshold,
        )
        if ssl_shutdown_timeout is not NOT_GIVEN:
            text = "The ssl_shutdown_timeout parameter is deprecated: aiohttp 4 will be without it"
            warnings.warn(text, DeprecationWarning, stacklevel=2)
            self._ssl_shutdown_timeout = ssl_shutdown_timeout
        self._ssl: SSLSetting = True
        if ssl is not True or verify_ssl is not True or ssl_context is not None or fingerprint is not None:
            self._ssl = tls.merge_ssl_settings(ssl, verify_ssl, ssl_context, fingerprint)
        self._family = family
        self._cache = HostCache(ttl_dns_cache, dns_cache_max_size) if use_dns_cache else None
        self._resolver = resolver
        self._owns_resolver = resolver is None
        self._fixed = fixed_hosts(hosts) if hosts else None
        self._lookup: HostLookup | None = None if resolver is None else self._looking_up(resolver)
        self._guard = guard
        self._dialer = Dialer(
            local_addr=local_addr,
            happy_eyeballs_delay=happy_eyeballs_delay,
            interleave=interleave,
            socket_factory=socket_factory,
            ssl_shutdown_timeout=self._ssl_shutdown_timeout,
        )

    def _looking_up(self, resolver: AbstractResolver) -> HostLookup:
        return HostLookup(resolver, self._cache, self._family, self._fixed)

    @property
    def family(self) -> int:
        return self._family

    @property
    def use_dns_cache(self) -> bool:
        return self._cache is not None

    def clear_dns_cache(self, host: str | None = None, port: int | None = None) -> None:
        """Forget the addresses of `host` and `port`, or of all hosts."""
        if (host is None) != (port is None):
            raise ValueError("either both host and port or none of them are allowed")
        if self._cache is None:
            return
        if host is None or port is None:
            self._cache.clear()
        else:
            self._cache.remove(host, port)

    async def close(self, *, abort_ssl: bool = False) -> None:
        await super().close(abort_ssl=abort_ssl)
        if self._owns_resolver and self._resolver is not None:
            await self._resolver.close()
            self._resolver = None

    def end(self, *, abort_ssl: bool = False) -> list[HTTPConnection]:
        if self._lookup is not None and self._loop is not None and not self._loop.is_closed():
            self._lookup.close()
        return super().end(abort_ssl=abort_ssl)

    _close = end

    # -- the way to a connection; consumers of aiohttp override each of these

    async def _resolve_host(self, host: str, port: int, traces: Sequence[Any] | None = None) -> list[ResolveResult]:
        """The addresses of `host`. Raises `OSError` when there are none."""
        if self._lookup is None:
            self._resolver = DefaultResolver()
            self._lookup = self._looking_up(self._resolver)
        return await self._lookup.resolve(host, port, traces or ())

    async def _create_connection(self, req: Asking, traces: Sequence[Any], timeout: ClientTimeout) -> HTTPConnection:
        if self._guard is not None and (req.url.scheme == UNIX_SCHEME or req.proxy is not None):
            self._guard.refuse(req.connection_key, "nothing is known of the address behind a proxy or a Unix socket")
        if req.url.scheme == UNIX_SCHEME:
            _, protocol = await self._dialer.dial_unix(self._factory, req.connection_key, socket_path(req.url), None, timeout)
        elif req.proxy is None:
            _, protocol = await self._create_direct_connection(req, traces, timeout)
        else:
            _, protocol = await self._create_proxy_connection(req, traces, timeout)
        return protocol

    async def _create_direct_connection(
        self,
        req: Asking,
        traces: Sequence[Any],
        timeout: ClientTimeout,
        *,
        client_error: type[ClientConnectorError] = ClientConnectorError,
    ) -> tuple[asyncio.Transport, HTTPConnection]:
        """Connect to the very peer of `req`, whatever it is; errors before TLS are a `client_error`."""
        key = req.connection_key
        hosts = await look_up(partial(self._resolve_host, traces=traces), key, timeout)
        if self._guard is not None:
            hosts = self._guard.permitted(key, hosts)
        context = name = None
        if key.is_ssl:
            async with phase_limit("tls", None, key, timeout.ceil_threshold):
                await tls.context_for(self._ssl_setting(req))
            context, name = self._get_ssl_context(req), server_name(key)
        transport, protocol = await self._wrap_create_connection(
            self._factory,
            addr_infos=addr_infos(hosts),
            req=req,
            timeout=timeout,
            client_error=client_error,
            ssl=context,
            server_hostname=name,
        )
        if (pin := self._get_fingerprint(req)) is not None:  # once more: somebody else may have opened it
            try:
                pin.check(transport)
            except ServerFingerprintMismatch:
                protocol.abort()
                raise
        return transport, protocol

    async def _wrap_create_connection(
        self,
        factory: Callable[[], HTTPConnection],
        *,
        addr_infos: list[AddrInfoType],
        req: Asking,
        timeout: ClientTimeout,
        client_error: type[ClientConnectorError] = ClientConnectorError,
        ssl: SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> tuple[asyncio.Transport, HTTPConnection]:
        """A connection to one of `addr_infos`, by TLS if there is a context for it."""
        key = req.connection_key._replace(server_hostname=server_hostname)
        pin = self._get_fingerprint(req)
        return await self._dialer.dial(factory, key, addr_infos, ssl, timeout, pin=pin, client_error=client_error)

    # -- by way of a proxy

    async def _create_proxy_connection(
        self, req: Asking, traces: Sequence[Any], timeout: ClientTimeout
    ) -> tuple[asyncio.Transport, HTTPConnection]:
        """Connect to the proxy of `req`, and through it to the peer if there is to be a tunnel."""
        key, setting, threshold = req.connection_key, self._ssl_setting(req), timeout.ceil_threshold
        if key.is_ssl:
            await tls.context_for(setting)
        if isinstance(setting, tls.Fingerprint):
            await tls.context_for(True)
        context, pin = self._get_ssl_context(req), self._get_fingerprint(req)
        proxy_req = self._update_proxy_auth_header_and_build_proxy_req(req)
        if proxy_req.socks:
            return await self._create_socks_connection(req, proxy_req, context, pin, traces, timeout)
        with tls.handshakes_in_turn():
            transport, protocol = await self._create_direct_connection(
                proxy_req, traces, timeout, client_error=ClientProxyConnectionError
            )
            if not key.tunnel:
                return transport, protocol
            async with phase_limit("sock_connect", timeout.sock_connect, key, threshold):
                async with phase_limit("CONNECT", None, key, threshold):
                    transport = await tunnel.open_tunnel(protocol, proxy_req)
                if context is None:
                    return tunnel.use_tunnel(transport, self._factory())
                async with phase_limit("tls", timeout.tls, key, threshold):
                    seconds = timeout.tls or timeout.sock_connect
                    return await self._dialer.secure_over(transport, self._factory, key, context, pin, seconds)

    async def _create_socks_connection(
        self,
        req: Asking,
        proxy_req: ProxyRequest,
        context: SSLContext | None,
        pin: Fingerprint | None,
        traces: Sequence[Any],
        timeout: ClientTimeout,
    ) -> tuple[asyncio.Transport, HTTPConnection]:
        key, proxy_key, threshold = req.connection_key, proxy_req.connection_key, timeout.ceil_threshold
        host, resolve = key.host, partial(self._resolve_host, traces=traces)
        if not socks.told_names(proxy_req.url.scheme):
            host = socks.address_for(key, proxy_req.url.scheme, await look_up(resolve, key, timeout))
        infos = addr_infos(await look_up(resolve, proxy_key, timeout))
        async with phase_limit("sock_connect", timeout.sock_connect, key, threshold):
            sock = await self._dialer.connect(proxy_key, infos, ClientProxyConnectionError)
            async with phase_limit("SOCKS", None, key, threshold):
                await socks.open_socks_tunnel(sock, proxy_req, host, key)
            if context is None:
                return await self._dialer.attach(self._factory, key, sock)
            async with phase_limit("tls", timeout.tls, key, threshold):
                seconds = timeout.tls or timeout.sock_connect
                return await self._dialer.secure(self._factory, key, sock, context, pin, seconds)

    def _update_proxy_auth_header_and_build_proxy_req(self, req: Asking) -> ProxyRequest:
        """What the proxy of `req` is asked. Its `_ssl` is the TLS setting for the proxy, verified where a pin is for the peer."""
        setting = self._ssl_setting(req)
        return tunnel.ProxyRequest(req, tls.known_context(True) if isinstance(setting, tls.Fingerprint) else setting)

    def _get_ssl_context(self, req: Asking) -> SSLContext | None:
        return tls.known_context(self._ssl_setting(req)) if req.connection_key.is_ssl else None

    def _get_fingerprint(self, req: Asking) -> Fingerprint | None:
        return tls.pin_of(self._ssl_setting(req)) if req.connection_key.is_ssl else None

    def _ssl_setting(self, req: Asking) -> SSLSetting:
        """The request's own, or else the connector's."""
        return self._ssl if req.ssl is True else req.ssl


class ProxyConnector(TCPConnector):
    """A `TCPConnector` whose requests all go through one proxy, unless they name another.

    :param proxy: its URL: http, https, socks4, socks4a, socks5 or socks5h.
    :param proxy_auth: credentials for it, if they are not in the URL.

    The other parameters are `TCPConnector`'s. Raises `InvalidURL`.
    """

    def __init__(self, proxy: StrOrURL, *, proxy_auth: BasicAuth | None = None, **options: Any) -> None:
        self._proxy = proxies.proxy_of(proxy, proxy_auth)
        super().__init__(**options)

    @property
    def proxy(self) -> URL:
        """The proxy, without credentials."""
        return self._proxy.url

    @property
    def proxy_auth(self) -> BasicAuth | None:
        return self._proxy.auth

    async def connect(self, req: Any, traces: Sequence[Any], timeout: ClientTimeout) -> Connection:
        if req.proxy is None:
            req.update_proxy(*self._proxy)
        return await super().connect(req, traces, timeout)


class UnixConnector(BaseConnector):
    """Connects to one Unix socket, whatever host a URL names; by TLS over it for `https` URLs.

    :param path: where the socket is.

    The other parameters are `BaseConnector`'s.
    """

    allowed_protocol_schema_set = BaseConnector.allowed_protocol_schema_set | {"unix"}

    def __init__(
        self,
        path: str,
        force_close: bool = False,
        keepalive_timeout: float | None = NOT_GIVEN,
        limit: int | None = 100,
        limit_per_host: int | None = 0,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(
            force_close=force_close, keepalive_timeout=keepalive_timeout, limit=limit, limit_per_host=limit_per_host, loop=loop
        )
        self._path = path
        self._dialer = Dialer()

    @property
    def path(self) -> str:
        return self._path

    async def _create_connection(self, req: Asking, traces: Sequence[Any], timeout: ClientTimeout) -> HTTPConnection:
        key = req.connection_key
        context = await tls.context_for(req.ssl) if key.is_ssl else None
        pin = tls.pin_of(req.ssl) if key.is_ssl else None
        _, protocol = await self._dialer.dial_unix(self._factory, key, self._path, context, timeout, pin=pin)
        return protocol


class NamedPipeConnector(BaseConnector):
    r"""Connects to one named pipe of Windows, whatever host a URL names. Its loop must be asyncio's `ProactorEventLoop`.

    :param path: where the pipe is: `\\.\pipe\name`.

    The other parameters are `BaseConnector`'s. Raises `RuntimeError` on another loop: when it is made, if one runs then, or at
    its first use.
    """

    allowed_protocol_schema_set = BaseConnector.allowed_protocol_schema_set | {"npipe"}

    def __init__(
        self,
        path: str,
        force_close: bool = False,
        keepalive_timeout: float | None = NOT_GIVEN,
        limit: int | None = 100,
        limit_per_host: int | None = 0,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(
            force_close=force_close, keepalive_timeout=keepalive_timeout, limit=limit, limit_per_host=limit_per_host, loop=loop
        )
        self._path = path
        if loop is None:
            with suppress(RuntimeError):
                loop = asyncio.get_running_loop()
        if loop is not None:
            _connect_pipe_of(loop)

    @property
    def path(self) -> str:
        return self._path

    async def _create_connection(self, req: Asking, traces: Sequence[Any], timeout: ClientTimeout) -> HTTPConnection:
        key = req.connection_key
        connect_pipe = _connect_pipe_of(self.loop)
        if key.is_ssl:
            raise ClientConnectorError(key, OSError(None, "There is no TLS over named pipes"))
        async with phase_limit("sock_connect", timeout.sock_connect, key, timeout.ceil_threshold):
            with connecting(key):
                _, protocol = await connect_pipe(self._factory, self._path)
                await asyncio.sleep(0)  # only then has the protocol been told of its transport
        return protocol


def _connect_pipe_of(loop: asyncio.AbstractEventLoop) -> Callable[..., Awaitable[tuple[asyncio.Transport, HTTPConnection]]]:
    try:
        return loop.create_pipe_connection  # type: ignore[attr-defined, no-any-return]
    except AttributeError:
        raise RuntimeError(f"Named pipes need the ProactorEventLoop of Windows, not {type(loop).__name__}") from None
