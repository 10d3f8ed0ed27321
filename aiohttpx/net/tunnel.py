"""Tunnels: a proxy connects to the peer, and passes on bytes that it does not look into (RFC 9110, section 9.3.6).

What it is told is the peer's host and port, and what is meant for the proxy itself; nothing that is meant for the peer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from multidict import CIMultiDict, CIMultiDictProxy

from .. import hdrs
from .._impl import parse_fields, serialize_head
from ..errors import ClientError, ClientHttpProxyError, ClientProxyConnectionError, HttpProcessingError
from ..events import ResponseHead
from ..wire.fields import header_map
from .connection import HTTPConnection
from .key import ConnectionKey
from .reader import StreamReader
from .tls import SSLSetting

if TYPE_CHECKING:
    from .phases import Phases

__all__ = ("ProxyRequest", "open_tunnel", "use_tunnel")

_P = TypeVar("_P", bound=asyncio.BaseProtocol)


class ProxyRequest:
    """What the proxy of a request is asked; to a connector, a request like others, but to the proxy.

    :param req: the request that is to go through the proxy.
    :param ssl: the TLS setting for the proxy.
    :ivar headers: the fields of a CONNECT; they may be changed.
    """

    proxy = None  # on the way to it
    phases: Phases | None = None

    def __init__(self, req: Any, ssl: SSLSetting) -> None:
        key: ConnectionKey = req.connection_key
        self._req = req
        self._ssl = ssl
        self.url = req.proxy
        host = f"[{key.host}]" if ":" in key.host else key.host
        self.target = f"{host}:{key.port}"
        self.headers: CIMultiDict[str] = CIMultiDict({hdrs.HOST: self.target})
        if key.proxy_auth is not None:
            self.headers[hdrs.PROXY_AUTHORIZATION] = key.proxy_auth.encode()
        self.headers.extend(req.proxy_headers)

    @property
    def socks(self) -> bool:
        return bool(self.url.scheme.startswith("socks"))

    @property
    def ssl(self) -> SSLSetting:
        return self._ssl

    @property
    def connection_key(self) -> ConnectionKey:
        return ConnectionKey(self.url.raw_host, self.url.port, self.url.scheme == "https", self._ssl, None, None, None)

    @property
    def request_info(self) -> Any:
        """The `RequestInfo` of a CONNECT, without credentials."""
        headers = self.headers.copy()
        headers.popall(hdrs.PROXY_AUTHORIZATION, None)
        return self._req.request_info._replace(method=hdrs.METH_CONNECT, headers=CIMultiDictProxy(headers))


def use_tunnel(transport: asyncio.Transport, protocol: _P) -> tuple[asyncio.Transport, _P]:
    """Give a tunnel to `protocol`, without TLS."""
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    return transport, protocol


async def open_tunnel(connection: HTTPConnection, asked: ProxyRequest) -> asyncio.Transport:
    """Ask the proxy that `connection` leads to for a tunnel. Returns its transport, which leads to the peer from here on.

    Raises `ClientHttpProxyError` when the proxy refuses or its answer is malformed, `ClientProxyConnectionError` when it goes
    away. The connection is closed then.
    """
    key = asked.connection_key
    connection.peer = str(key)
    try:
        request = serialize_head(hdrs.METH_CONNECT, asked.target, asked.headers.items())
        head, content = await connection.exchange(hdrs.METH_CONNECT, request, _keep)
        connection.outbox.heard()
        if not head.upgraded:
            raise _refused(asked, head)
        early = content.read_nowait() if isinstance(content, StreamReader) else b""
        if early:  # the peer would not speak first
            raise _gone(key, f"the proxy sent {early[:20]!r} into the tunnel before anything was asked")
        transport = connection.detach_transport() if connection.is_connected() else None
        if transport is None:
            raise _gone(key, "the proxy closed the tunnel at once")
        return transport
    except BaseException as error:
        connection.abort()
        if isinstance(error, HttpProcessingError):
            raise ClientHttpProxyError(asked.request_info, (), status=error.code, message=error.message) from error
        if isinstance(error, ClientError) and not isinstance(error, ClientHttpProxyError | ClientProxyConnectionError):
            raise _gone(key, str(error)) from error
        raise


def _refused(asked: ProxyRequest, head: ResponseHead) -> ClientHttpProxyError:
    headers = header_map(parse_fields(head.fields))
    return ClientHttpProxyError(asked.request_info, (), status=head.status, message=head.reason, headers=headers)


def _gone(key: ConnectionKey, why: str) -> ClientProxyConnectionError:
    return ClientProxyConnectionError(key, OSError(None, why))


def _keep() -> None:
    """A connection that is being opened is given back to nobody."""
