"""An asyncio HTTP and WebSocket client with a compiled core and the client API of aiohttp."""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

from . import hdrs
from ._impl import IMPLEMENTATION
from .compat import install_as_aiohttp
from .compat import offer_old_names as _offer_old_names
from .compat import old_name as _old_name
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
from .events import HttpVersion, HttpVersion10, HttpVersion11
from .message.request import ClientRequest
from .message.response import ClientResponse
from .net.settings import InformationalResponse
from .session.client import ClientSession
from .timeouts import ClientTimeout, ClientWSTimeout
from .version import __version__
from .wire.fields import (
    BadContentDispositionHeader,
    BadContentDispositionParam,
    content_disposition_filename,
    parse_content_disposition,
)

if _typing.TYPE_CHECKING:  # what is loaded when it is asked for
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
    from .message.requestinfo import RequestInfo
    from .message.timings import Timings
    from .messages import WSCloseCode, WSMessage, WSMsgType
    from .net.dial import AddrInfoType, SocketFactoryType
    from .net.guard import SSRFGuard
    from .net.info import ConnectionInfo
    from .net.queue import DataQueue
    from .net.reader import EMPTY_PAYLOAD, StreamReader
    from .net.resolver import AsyncResolver, DefaultResolver, ThreadedResolver
    from .net.tls import Fingerprint
    from .net.upload import UploadTracker
    from .pool.connectors import NamedPipeConnector, ProxyConnector, TCPConnector, UnixConnector
    from .pool.lending import BaseConnector, Connection
    from .session.auth import BearerAuthMiddleware, DigestAuthMiddleware
    from .session.cookiejar import AbstractCookieJar, CookieJar, DummyCookieJar
    from .session.download import Download
    from .session.middlewares import ClientHandlerType, ClientMiddlewareType
    from .session.options import RequestOptions
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
    from .wire.basicauth import BasicAuth, encode_basic_auth
    from .wire.codings import set_zlib_backend
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
    "RequestOptions",
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

#: Where the names live that are loaded when they are asked for.
_LATE: _typing.Final = {
    "message.bodypart": "BodyPartReader",
    "message.form": "FormData",
    "message.multipart": "MultipartWriter",
    "message.multipart_reader": "MultipartReader",
    "message.payload": """
        PAYLOAD_REGISTRY AsyncIterablePayload BufferedReaderPayload BytesIOPayload BytesPayload IOBasePayload JsonBytesPayload
        JsonPayload Payload StringIOPayload StringPayload TextIOPayload get_payload payload_type
    """,
    "message.requestinfo": "RequestInfo",
    "message.timings": "Timings",
    "messages": "WSCloseCode WSMessage WSMsgType",
    "net.dial": "AddrInfoType SocketFactoryType",
    "net.guard": "SSRFGuard",
    "net.info": "ConnectionInfo",
    "net.queue": "DataQueue",
    "net.reader": "EMPTY_PAYLOAD StreamReader",
    "net.resolver": "AsyncResolver DefaultResolver ThreadedResolver",
    "net.tls": "Fingerprint",
    "net.upload": "UploadTracker",
    "pool.connectors": "NamedPipeConnector ProxyConnector TCPConnector UnixConnector",
    "pool.lending": "BaseConnector Connection",
    "session.auth": "BearerAuthMiddleware DigestAuthMiddleware",
    "session.cookiejar": "AbstractCookieJar CookieJar DummyCookieJar",
    "session.download": "Download",
    "session.middlewares": "ClientHandlerType ClientMiddlewareType",
    "session.options": "RequestOptions",
    "session.ratelimit": "RateLimitMiddleware",
    "session.reconnecting": "WebSocketStream",
    "session.retry": "Attempt RetryMiddleware",
    "session.single": "request",
    "session.sse": "EventSource",
    "session.tracing": """
        TraceConfig TraceConnectionCreateEndParams TraceConnectionCreateStartParams TraceConnectionQueuedEndParams
        TraceConnectionQueuedStartParams TraceConnectionReuseconnParams TraceDnsCacheHitParams TraceDnsCacheMissParams
        TraceDnsResolveHostEndParams TraceDnsResolveHostStartParams TraceRequestChunkSentParams TraceRequestEndParams
        TraceRequestExceptionParams TraceRequestHeadersSentParams TraceRequestRedirectParams TraceRequestStartParams
        TraceResponseChunkReceivedParams
    """,
    "session.websocket": "ClientWebSocketResponse",
    "wire.basicauth": "BasicAuth encode_basic_auth",
    "wire.codings": "set_zlib_backend",
    "wire.sse": "ServerSentEvent",
}
_HOMES: _typing.Final = {name: home for home, names in _LATE.items() for name in names.split()}


def _show(names: _typing.Iterable[str], home: dict[str, _typing.Any]) -> None:
    """Have `names` of `home` here. Whoever reads a traceback or a pickle shall see the name by which they are imported."""
    for name in names:
        value = globals().setdefault(name, home[name])
        if hasattr(value, "__qualname__") and value.__module__.startswith("aiohttpx."):
            value.__module__ = __name__


def _late(name: str) -> _typing.Any:
    home = _HOMES.get(name)
    if home is None:
        return _old_name(name)
    _show(_LATE[home].split(), vars(_import_module(f"{__name__}.{home}")))
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


_show([name for name in __all__ if name not in _HOMES], globals())
_offer_old_names()
if not _typing.TYPE_CHECKING:  # or whoever checks types would find any name here
    __getattr__ = _late
