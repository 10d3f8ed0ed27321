"""An asyncio HTTP and WebSocket client with a compiled core and the client API of aiohttp."""

from __future__ import annotations

import typing as _typing

from . import hdrs
from ._impl import IMPLEMENTATION
from .compat import install_as_aiohttp
from .compat import offer_old_names as _offer_old_names
from .errors import (
    BodyTooLarge,
    ChecksumMismatch,
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
    SSRFError,
    TooManyRedirects,
    UnixClientConnectorError,
    UploadAbortedError,
    WebSocketError,
    WSMessageTypeError,
    WSServerHandshakeError,
)
from .events import HttpVersion, HttpVersion10, HttpVersion11, WSCloseCode, WSMessage, WSMsgType
from .message.bodypart import BodyPartReader
from .message.form import FormData
from .message.multipart import MultipartWriter
from .message.multipart_reader import MultipartReader
from .message.payload import (
    PAYLOAD_REGISTRY,
    AsyncIterablePayload,
    BufferedReaderPayload,
    BytesIOPayload,
    BytesPayload,
    IOBasePayload,
    JsonBytesPayload,
    JsonPayload,
    Payload,
    StringIOPayload,
    StringPayload,
    TextIOPayload,
    get_payload,
    payload_type,
)
from .message.request import ClientRequest
from .message.requestinfo import RequestInfo
from .message.response import ClientResponse
from .message.timings import Timings
from .net.dial import AddrInfoType, SocketFactoryType
from .net.guard import SSRFGuard
from .net.info import ConnectionInfo
from .net.queue import DataQueue
from .net.reader import EMPTY_PAYLOAD, StreamReader
from .net.resolver import AsyncResolver, DefaultResolver, ThreadedResolver
from .net.settings import InformationalResponse
from .net.tls import Fingerprint
from .net.upload import UploadTracker
from .pool.connectors import NamedPipeConnector, ProxyConnector, TCPConnector, UnixConnector
from .pool.lending import BaseConnector, Connection
from .session.auth import BearerAuthMiddleware, DigestAuthMiddleware
from .session.client import ClientSession
from .session.cookiejar import AbstractCookieJar, CookieJar, DummyCookieJar
from .session.download import Download
from .session.middlewares import ClientHandlerType, ClientMiddlewareType
from .session.ratelimit import RateLimitMiddleware
from .session.reconnecting import WebSocketStream
from .session.retry import Attempt, RetryMiddleware
from .session.single import request
from .session.sse import EventSource
from .session.tracing import (
    TraceConfig,
    TraceConnectionCreateEndParams,
    TraceConnectionCreateStartParams,
    TraceConnectionQueuedEndParams,
    TraceConnectionQueuedStartParams,
    TraceConnectionReuseconnParams,
    TraceDnsCacheHitParams,
    TraceDnsCacheMissParams,
    TraceDnsResolveHostEndParams,
    TraceDnsResolveHostStartParams,
    TraceRequestChunkSentParams,
    TraceRequestEndParams,
    TraceRequestExceptionParams,
    TraceRequestHeadersSentParams,
    TraceRequestRedirectParams,
    TraceRequestStartParams,
    TraceResponseChunkReceivedParams,
)
from .session.websocket import ClientWebSocketResponse
from .timeouts import ClientTimeout, ClientWSTimeout
from .version import __version__
from .wire.basicauth import BasicAuth, encode_basic_auth
from .wire.codings import set_zlib_backend
from .wire.fields import (
    BadContentDispositionHeader,
    BadContentDispositionParam,
    content_disposition_filename,
    parse_content_disposition,
)
from .wire.sse import ServerSentEvent

__all__ = (
    "EMPTY_PAYLOAD",
    "IMPLEMENTATION",
    "PAYLOAD_REGISTRY",
    "AbstractCookieJar",
    "AddrInfoType",
    "AsyncIterablePayload",
    "AsyncResolver",
    "Attempt",
    "BadContentDispositionHeader",
    "BadContentDispositionParam",
    "BaseConnector",
    "BasicAuth",
    "BearerAuthMiddleware",
    "BodyPartReader",
    "BodyTooLarge",
    "BufferedReaderPayload",
    "BytesIOPayload",
    "BytesPayload",
    "ChecksumMismatch",
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientError",
    "ClientHandlerType",
    "ClientHttpProxyError",
    "ClientMiddlewareType",
    "ClientOSError",
    "ClientPayloadError",
    "ClientProxyConnectionError",
    "ClientRequest",
    "ClientResponse",
    "ClientResponseError",
    "ClientSSLError",
    "ClientSession",
    "ClientTimeout",
    "ClientWSTimeout",
    "ClientWebSocketResponse",
    "Connection",
    "ConnectionInfo",
    "ConnectionTimeoutError",
    "ContentTypeError",
    "CookieJar",
    "DataQueue",
    "DefaultResolver",
    "DigestAuthMiddleware",
    "Download",
    "DummyCookieJar",
    "EofStream",
    "EventSource",
    "Fingerprint",
    "FingerprintMismatch",
    "FormData",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "IOBasePayload",
    "InformationalResponse",
    "InvalidURL",
    "InvalidUrlClientError",
    "InvalidUrlRedirectClientError",
    "JsonBytesPayload",
    "JsonPayload",
    "MultipartReader",
    "MultipartWriter",
    "NamedPipeConnector",
    "NonHttpUrlClientError",
    "NonHttpUrlRedirectClientError",
    "Payload",
    "ProxyConnector",
    "RateLimitMiddleware",
    "RedirectClientError",
    "RequestInfo",
    "RetryMiddleware",
    "SSRFError",
    "SSRFGuard",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerFingerprintMismatch",
    "ServerSentEvent",
    "ServerTimeoutError",
    "SocketFactoryType",
    "SocketTimeoutError",
    "StreamReader",
    "StringIOPayload",
    "StringPayload",
    "TCPConnector",
    "TextIOPayload",
    "ThreadedResolver",
    "Timings",
    "TooManyRedirects",
    "TraceConfig",
    "TraceConnectionCreateEndParams",
    "TraceConnectionCreateStartParams",
    "TraceConnectionQueuedEndParams",
    "TraceConnectionQueuedStartParams",
    "TraceConnectionReuseconnParams",
    "TraceDnsCacheHitParams",
    "TraceDnsCacheMissParams",
    "TraceDnsResolveHostEndParams",
    "TraceDnsResolveHostStartParams",
    "TraceRequestChunkSentParams",
    "TraceRequestEndParams",
    "TraceRequestExceptionParams",
    "TraceRequestHeadersSentParams",
    "TraceRequestRedirectParams",
    "TraceRequestStartParams",
    "TraceResponseChunkReceivedParams",
    "UnixClientConnectorError",
    "UnixConnector",
    "UploadAbortedError",
    "UploadTracker",
    "WSCloseCode",
    "WSMessage",
    "WSMessageTypeError",
    "WSMsgType",
    "WSServerHandshakeError",
    "WebSocketError",
    "WebSocketStream",
    "__version__",
    "content_disposition_filename",
    "encode_basic_auth",
    "get_payload",
    "hdrs",
    "install_as_aiohttp",
    "parse_content_disposition",
    "payload_type",
    "request",
    "set_zlib_backend",
)

for _name in __all__:
    # Whoever reads a traceback or a pickle shall see the name by which it is imported.
    if hasattr(globals()[_name], "__qualname__") and globals()[_name].__module__.startswith("aiohttpx."):
        globals()[_name].__module__ = __name__

_offer_old_names()
if not _typing.TYPE_CHECKING:  # or whoever checks types would find any name here
    from .compat import old_name as __getattr__  # noqa: F401
