"""The one table of aiohttp's client-side modules: which names each has, and where these live here.

The names are those of aiohttp 3.14 that code outside of aiohttp uses: what is documented, and what published packages import.
"""

from __future__ import annotations

from typing import Final

_ERRORS: Final = """
    ClientConnectionError ClientConnectionResetError ClientConnectorCertificateError ClientConnectorDNSError ClientConnectorError
    ClientConnectorSSLError ClientError ClientHttpProxyError ClientOSError ClientPayloadError ClientProxyConnectionError
    ClientResponseError ClientSSLError ConnectionTimeoutError ContentTypeError InvalidURL InvalidUrlClientError
    InvalidUrlRedirectClientError NonHttpUrlClientError NonHttpUrlRedirectClientError RedirectClientError ServerConnectionError
    ServerDisconnectedError ServerFingerprintMismatch ServerTimeoutError SocketTimeoutError TooManyRedirects WSMessageTypeError
    WSServerHandshakeError
"""
_PAYLOADS: Final = """
    PAYLOAD_REGISTRY AsyncIterablePayload BufferedReaderPayload BytesIOPayload BytesPayload IOBasePayload JsonPayload Payload
    StringIOPayload StringPayload TextIOPayload get_payload payload_type
"""
_MULTIPART: Final = """
    BadContentDispositionHeader BadContentDispositionParam BodyPartReader MultipartReader MultipartWriter
    content_disposition_filename parse_content_disposition
"""
_TRACING: Final = """
    TraceConfig TraceConnectionCreateEndParams TraceConnectionCreateStartParams TraceConnectionQueuedEndParams
    TraceConnectionQueuedStartParams TraceConnectionReuseconnParams TraceDnsCacheHitParams TraceDnsCacheMissParams
    TraceDnsResolveHostEndParams TraceDnsResolveHostStartParams TraceRequestChunkSentParams TraceRequestEndParams
    TraceRequestExceptionParams TraceRequestHeadersSentParams TraceRequestRedirectParams TraceRequestStartParams
    TraceResponseChunkReceivedParams
"""
_CONNECTORS: Final = "AddrInfoType BaseConnector NamedPipeConnector SocketFactoryType TCPConnector UnixConnector"
_WEBSOCKET: Final = """
    WS_CLOSED_MESSAGE WS_CLOSING_MESSAGE WS_KEY WSCloseCode WSHandshakeError WSMessage WSMessageTextBytes WSMsgType WebSocketError
    WebSocketReader WebSocketWriter
"""
_VERSIONS: Final = "HttpVersion HttpVersion10 HttpVersion11"
_MESSAGES: Final = "HeadersParser RawRequestMessage RawResponseMessage"

#: aiohttp's module, without `aiohttp.`, and its names; "" is aiohttp itself.
NAMES: Final[dict[str, str]] = {
    "": f"""
        {_ERRORS} {_PAYLOADS} {_MULTIPART} {_TRACING} {_CONNECTORS} {_VERSIONS}
        AsyncResolver BasicAuth ChainMapProxy ClientHandlerType ClientMiddlewareType ClientRequest ClientResponse ClientSession
        ClientTimeout ClientWSTimeout ClientWebSocketResponse CookieJar DataQueue DefaultResolver DigestAuthMiddleware
        DummyCookieJar EMPTY_PAYLOAD ETag EofStream Fingerprint FlowControlDataQueue FormData RequestInfo StreamReader
        ThreadedResolver UploadAbortedError UploadTracker WSCloseCode WSMessage WSMsgType WebSocketError encode_basic_auth hdrs
        request set_zlib_backend streamer
    """,
    "_websocket": "",
    "_websocket.models": "WSCloseCode WSHandshakeError WSMessage WSMessageTextBytes WSMsgType WebSocketError",
    "_websocket.reader": "WebSocketReader",
    "_websocket.writer": "WebSocketWriter",
    "abc": "AbstractCookieJar AbstractResolver AbstractStreamWriter BaseRequest ResolveResult",
    "base_protocol": "BaseProtocol",
    "client": f"""
        {_ERRORS} {_CONNECTORS} {_TRACING} ClientRequest ClientResponse ClientSession ClientTimeout ClientWSTimeout
        ClientWebSocketResponse DEFAULT_TIMEOUT EMPTY_BODY_METHODS Fingerprint IDEMPOTENT_METHODS RequestInfo URL
        UploadAbortedError UploadTracker WS_KEY _BaseRequestContextManager _RequestContextManager _RequestOptions
        _SessionRequestContextManager _WSRequestContextManager hdrs http payload request
    """,
    "client_exceptions": f"{_ERRORS} UnixClientConnectorError UploadAbortedError",
    "client_middleware_digest_auth": "DigestAuthMiddleware",
    "client_middlewares": "ClientHandlerType ClientMiddlewareType build_client_middlewares",
    "client_proto": "EMPTY_BODY_STATUS_CODES ResponseHandler",
    "client_reqrep": """
        ClientRequest ClientResponse ConnectionKey ContentDisposition Fingerprint MappingProxyType RequestInfo SERVER_SOFTWARE
        StreamReader StreamWriter UploadTracker hdrs
    """,
    "client_ws": "ClientWSTimeout ClientWebSocketResponse DEFAULT_WS_CLIENT_TIMEOUT",
    "compression_utils": "HAS_BROTLI HAS_ZSTD set_zlib_backend",
    "connector": f"{_CONNECTORS} Connection",
    "cookiejar": "AbstractCookieJar CookieJar DummyCookieJar",
    "formdata": "FormData",
    "helpers": """
        BaseTimerContext BasicAuth ChainMapProxy EMPTY_BODY_METHODS EMPTY_BODY_STATUS_CODES ETAG_ANY ETag HeadersMixin MimeType
        TimerNoop ceil_timeout content_disposition_header encode_basic_auth guess_filename is_ip_address must_be_empty_body
        parse_content_type parse_http_date parse_mimetype sentinel should_remove_content_length strip_auth_from_url
    """,
    "http": f"{_WEBSOCKET} {_VERSIONS} {_MESSAGES} HttpProcessingError RESPONSES SERVER_SOFTWARE StreamWriter",
    "http_exceptions": """
        BadHttpMessage BadStatusLine ContentEncodingError ContentLengthError HttpProcessingError InvalidHeader LineTooLong
        PayloadEncodingError TransferEncodingError
    """,
    "http_parser": _MESSAGES,
    "http_websocket": _WEBSOCKET,
    "http_writer": f"{_VERSIONS} StreamWriter",
    "log": "access_logger client_logger internal_logger server_logger web_logger ws_logger",
    "multipart": f"{_MULTIPART} BodyPartReaderPayload MultipartResponseWrapper",
    "payload": f"""
        {_PAYLOADS} JsonBytesPayload LookupError Order PayloadRegistry StreamReaderPayload TOO_LARGE_BYTES_BODY register_payload
    """,
    "payload_streamer": "StreamPayload StreamWrapperPayload streamer",
    "resolver": "AbstractResolver AsyncResolver DefaultResolver ResolveResult ThreadedResolver",
    "streams": """
        AsyncStreamIterator ChunkTupleAsyncStreamIterator DataQueue EMPTY_PAYLOAD EmptyStreamReader EofStream
        FlowControlDataQueue StreamReader
    """,
    "tcp_helpers": "tcp_keepalive tcp_nodelay",
    "tracing": f"{_TRACING} Signal Trace",
}

#: Modules that are here under the same name, with all that they have.
SAME: Final = frozenset({"hdrs", "typedefs"})

#: Where names live that the front door does not have: a module, and the name there if it is another one.
HOMES: Final[dict[str, str]] = {
    "AbstractResolver": "aiohttpx.net.resolver",
    "AbstractStreamWriter": "aiohttpx.net.writer",
    "AsyncStreamIterator": "aiohttpx.net.iterators",
    "BadHttpMessage": "aiohttpx.errors",
    "BadStatusLine": "aiohttpx.errors",
    "BaseProtocol": "aiohttpx.net.connection:HTTPConnection",
    "BaseRequest": "aiohttpx.compat.messages",
    "BaseTimerContext": "aiohttpx.compat.timers",
    "BodyPartReaderPayload": "aiohttpx.message.bodypart",
    "ChainMapProxy": "aiohttpx.compat.mappings",
    "ChunkTupleAsyncStreamIterator": "aiohttpx.net.iterators",
    "ConnectionKey": "aiohttpx.net.key",
    "ContentDisposition": "aiohttpx.wire.fields",
    "ContentEncodingError": "aiohttpx.errors",
    "ContentLengthError": "aiohttpx.errors",
    "DEFAULT_TIMEOUT": "aiohttpx.timeouts",
    "DEFAULT_WS_CLIENT_TIMEOUT": "aiohttpx.timeouts",
    "EMPTY_BODY_METHODS": "aiohttpx.compat.semantics",
    "EMPTY_BODY_STATUS_CODES": "aiohttpx.compat.semantics",
    "ETAG_ANY": "aiohttpx.compat.semantics",
    "ETag": "aiohttpx.compat.semantics",
    "EmptyStreamReader": "aiohttpx.net.reader",
    "FlowControlDataQueue": "aiohttpx.net.queue",
    "HAS_BROTLI": "aiohttpx.compat.semantics",
    "HAS_ZSTD": "aiohttpx.compat.semantics",
    "HeadersMixin": "aiohttpx.compat.messages",
    "HeadersParser": "aiohttpx.compat.messages",
    "HttpProcessingError": "aiohttpx.errors",
    "IDEMPOTENT_METHODS": "aiohttpx.session.exchange",
    "InvalidHeader": "aiohttpx.errors",
    "LineTooLong": "aiohttpx.errors",
    "LookupError": "aiohttpx.message.payload",
    "MappingProxyType": "types",
    "MimeType": "aiohttpx.wire.fields",
    "MultipartResponseWrapper": "aiohttpx.message.multipart_reader",
    "Order": "aiohttpx.message.payload",
    "PayloadEncodingError": "aiohttpx.errors",
    "PayloadRegistry": "aiohttpx.message.payload",
    "RESPONSES": "aiohttpx.compat.semantics",
    "RawRequestMessage": "aiohttpx.compat.messages",
    "RawResponseMessage": "aiohttpx.compat.messages",
    "ResolveResult": "aiohttpx.net.resolver",
    "ResponseHandler": "aiohttpx.net.handler",
    "SERVER_SOFTWARE": "aiohttpx.message.defaults:USER_AGENT",
    "Signal": "aiohttpx.session.tracing",
    "StreamPayload": "aiohttpx.compat.streamer",
    "StreamReaderPayload": "aiohttpx.message.payload",
    "StreamWrapperPayload": "aiohttpx.compat.streamer",
    "StreamWriter": "aiohttpx.net.writer",
    "TOO_LARGE_BYTES_BODY": "aiohttpx.message.payload",
    "TimerNoop": "aiohttpx.compat.timers",
    "Trace": "aiohttpx.session.tracing",
    "TransferEncodingError": "aiohttpx.errors",
    "URL": "yarl",
    "WSHandshakeError": "aiohttpx.errors",
    "WSMessageTextBytes": "aiohttpx.messages",
    "WS_CLOSED_MESSAGE": "aiohttpx.session.websocket",
    "WS_CLOSING_MESSAGE": "aiohttpx.session.websocket",
    "WS_KEY": "aiohttpx.compat.semantics",
    "WebSocketReader": "aiohttpx.net.websocket",
    "WebSocketWriter": "aiohttpx.net.websocket",
    "_BaseRequestContextManager": "aiohttpx.session.context:RequestContextManager",
    "_RequestContextManager": "aiohttpx.session.context:RequestContextManager",
    "_RequestOptions": "aiohttpx.session.options:RequestOptions",
    "_SessionRequestContextManager": "aiohttpx.session.single:SingleRequest",
    "_WSRequestContextManager": "aiohttpx.session.context:RequestContextManager",
    "access_logger": "aiohttpx.compat.loggers",
    "build_client_middlewares": "aiohttpx.session.middlewares",
    "ceil_timeout": "aiohttpx.compat.timers",
    "client_logger": "aiohttpx.compat.loggers",
    "content_disposition_header": "aiohttpx.wire.fields",
    "guess_filename": "aiohttpx.compat.semantics",
    "internal_logger": "aiohttpx.compat.loggers",
    "is_ip_address": "aiohttpx.compat.semantics",
    "must_be_empty_body": "aiohttpx.compat.semantics",
    "parse_content_type": "aiohttpx.wire.fields",
    "parse_http_date": "aiohttpx.compat.semantics",
    "parse_mimetype": "aiohttpx.wire.fields",
    "register_payload": "aiohttpx.message.payload",
    "sentinel": "aiohttpx.timeouts:NOT_GIVEN",
    "server_logger": "aiohttpx.compat.loggers",
    "should_remove_content_length": "aiohttpx.compat.semantics",
    "streamer": "aiohttpx.compat.streamer",
    "strip_auth_from_url": "aiohttpx.wire.basicauth:split_credentials",
    "tcp_keepalive": "aiohttpx.compat.sockets",
    "tcp_nodelay": "aiohttpx.compat.sockets",
    "web_logger": "aiohttpx.compat.loggers",
    "ws_logger": "aiohttpx.compat.loggers",
}

#: The server half, which is not here; whatever begins with `web` belongs to it too.
SERVER: Final = frozenset({"pytest_plugin", "test_utils", "web", "worker", "GunicornUVLoopWebWorker", "GunicornWebWorker"})
