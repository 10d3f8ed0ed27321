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
from .net.reader import StreamReader
from .net.tls import Fingerprint
from .pool.connectors import BaseConnector, Connection, TCPConnector
from .session.client import ClientSession
from .session.single import request
from .timeouts import ClientTimeout
from .version import __version__

__all__ = (
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
    "EofStream",
    "Fingerprint",
    "FingerprintMismatch",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "IMPLEMENTATION",
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
    "SocketTimeoutError",
    "StreamReader",
    "TCPConnector",
    "TooManyRedirects",
    "UnixClientConnectorError",
    "WSServerHandshakeError",
    "__version__",
    "hdrs",
    "request",
)
