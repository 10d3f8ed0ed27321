"""An asyncio HTTP and WebSocket client with a compiled core and the client API of aiohttp."""

from __future__ import annotations

from . import hdrs
from ._impl import IMPLEMENTATION
from .errors import (
    ClientConnectionError,
    ClientConnectionResetError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientHttpProxyError,
    ClientOSError,
    ClientPayloadError,
    ClientProxyConnectionError,
    ClientResponseError,
    ClientSSLError,
    ConnectionTimeoutError,
    ContentTypeError,
    EofStream,
    FingerprintMismatch,
    InvalidURL,
    InvalidUrlClientError,
    InvalidUrlRedirectClientError,
    NonHttpUrlClientError,
    NonHttpUrlRedirectClientError,
    RedirectClientError,
    ServerConnectionError,
    ServerDisconnectedError,
    ServerFingerprintMismatch,
    ServerTimeoutError,
    SocketTimeoutError,
    TooManyRedirects,
    UnixClientConnectorError,
    WSServerHandshakeError,
)
from .events import HttpVersion, HttpVersion10, HttpVersion11
from .message.request import ClientRequest
from .message.response import ClientResponse, RequestInfo
from .net.dial import AddrInfoType, SocketFactoryType
from .net.queue import DataQueue
from .net.reader import EMPTY_PAYLOAD, StreamReader
from .net.resolver import AsyncResolver, DefaultResolver, ThreadedResolver
from .net.tls import Fingerprint
from .pool.connectors import BaseConnector, Connection, TCPConnector
from .session.client import ClientSession
from .session.single import request
from .timeouts import ClientTimeout
from .version import __version__
from .wire.codings import set_zlib_backend

__all__ = (
    "EMPTY_PAYLOAD",
    "IMPLEMENTATION",
    "AddrInfoType",
    "AsyncResolver",
    "BaseConnector",
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientError",
    "ClientHttpProxyError",
    "ClientOSError",
    "ClientPayloadError",
    "ClientProxyConnectionError",
    "ClientRequest",
    "ClientResponse",
    "ClientResponseError",
    "ClientSSLError",
    "ClientSession",
    "ClientTimeout",
    "Connection",
    "ConnectionTimeoutError",
    "ContentTypeError",
    "DataQueue",
    "DefaultResolver",
    "EofStream",
    "Fingerprint",
    "FingerprintMismatch",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "InvalidURL",
    "InvalidUrlClientError",
    "InvalidUrlRedirectClientError",
    "NonHttpUrlClientError",
    "NonHttpUrlRedirectClientError",
    "RedirectClientError",
    "RequestInfo",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerFingerprintMismatch",
    "ServerTimeoutError",
    "SocketFactoryType",
    "SocketTimeoutError",
    "StreamReader",
    "TCPConnector",
    "ThreadedResolver",
    "TooManyRedirects",
    "UnixClientConnectorError",
    "WSServerHandshakeError",
    "__version__",
    "hdrs",
    "request",
    "set_zlib_backend",
)

for _name in __all__:
    # Whoever reads a traceback or a pickle shall see the name by which it is imported.
    if getattr(globals()[_name], "__module__", "").startswith("aiohttpx."):
        globals()[_name].__module__ = __name__
