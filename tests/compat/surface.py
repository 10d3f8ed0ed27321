"""What published packages touch of aiohttp's client, as far as that has a name: read from the source of 87 of them."""

from __future__ import annotations

#: Names, by the module they are taken from.
NAMES = {
    "aiohttp": """
        AddrInfoType BaseConnector BasicAuth BodyPartReader ClientConnectionError ClientConnectorCertificateError
        ClientConnectorDNSError ClientConnectorError ClientError ClientHandlerType ClientHttpProxyError ClientMiddlewareType
        ClientOSError ClientPayloadError ClientProxyConnectionError ClientRequest ClientResponse ClientResponse.__init__
        ClientResponseError ClientSSLError ClientSession ClientSession.__init__ ClientSession._request ClientTimeout
        ClientWSTimeout ClientWebSocketResponse ConnectionTimeoutError ContentTypeError CookieJar DataQueue DigestAuthMiddleware
        DummyCookieJar EofStream Fingerprint FormData HttpVersion InvalidURL InvalidUrlClientError JsonPayload MultipartReader
        MultipartReader.from_response MultipartWriter NamedPipeConnector Payload RequestInfo ServerConnectionError
        ServerDisconnectedError ServerFingerprintMismatch ServerTimeoutError SocketFactoryType SocketTimeoutError StreamReader
        TCPConnector TCPConnector.__init__ TooManyRedirects TraceConfig TraceRequestEndParams TraceRequestExceptionParams
        TraceRequestStartParams UnixConnector WSCloseCode.ABNORMAL_CLOSURE WSMessage WSMessageTypeError WSMsgType
        WSMsgType.BINARY WSMsgType.CLOSE WSMsgType.CLOSED WSMsgType.CLOSING WSMsgType.ERROR WSMsgType.PING WSMsgType.PONG
        WSMsgType.TEXT WSServerHandshakeError __version__.split __version__.startswith client client_exceptions hdrs http
        http_exceptions multipart payload request set_zlib_backend streams typedefs
    """,
    "aiohttp.abc": "AbstractResolver AbstractStreamWriter BaseRequest ResolveResult",
    "aiohttp.base_protocol": "BaseProtocol",
    "aiohttp.client": """
        ClientResponse ClientSession ClientSession._request ClientTimeout DEFAULT_TIMEOUT URL _RequestContextManager
        _RequestOptions _WSRequestContextManager
    """,
    "aiohttp.client_exceptions": """
        ClientConnectionError ClientConnectorError ClientError ClientOSError ClientPayloadError ClientResponseError ClientSSLError
        ConnectionTimeoutError ContentTypeError InvalidURL InvalidUrlClientError NonHttpUrlClientError ServerConnectionError
        ServerDisconnectedError ServerTimeoutError WSServerHandshakeError
    """,
    "aiohttp.client_proto": "ResponseHandler",
    "aiohttp.client_reqrep": """
        ClientRequest ClientRequest.__init__ ClientRequest.is_ssl ClientRequest.send ClientResponse
        ContentDisposition Fingerprint MappingProxyType RequestInfo
    """,
    "aiohttp.client_ws": "ClientWebSocketResponse ClientWebSocketResponse.close",
    "aiohttp.connector": """
        BaseConnector._close BaseConnector._create_connection Connection TCPConnector TCPConnector._create_connection
        TCPConnector._get_ssl_context TCPConnector._resolve_host TCPConnector._update_proxy_auth_header_and_build_proxy_req
        TCPConnector._wrap_create_connection
    """,
    "aiohttp.cookiejar": "CookieJar",
    "aiohttp.hdrs": """
        ACCEPT ACCEPT_ENCODING AUTHORIZATION CACHE_CONTROL CONNECTION CONTENT_DISPOSITION CONTENT_ENCODING CONTENT_LENGTH
        CONTENT_TYPE COOKIE ETAG HOST IF_NONE_MATCH LOCATION METH_DELETE METH_GET METH_HEAD METH_OPTIONS METH_PATCH METH_POST
        METH_PUT ORIGIN RANGE SEC_WEBSOCKET_EXTENSIONS SEC_WEBSOCKET_KEY SEC_WEBSOCKET_PROTOCOL SEC_WEBSOCKET_VERSION SERVER
        SET_COOKIE TRANSFER_ENCODING UPGRADE USER_AGENT WEBSOCKET X_FORWARDED_FOR X_FORWARDED_HOST X_FORWARDED_PROTO istr
    """,
    "aiohttp.helpers": """
        BasicAuth HeadersMixin TimerNoop ceil_timeout must_be_empty_body parse_mimetype sentinel strip_auth_from_url
    """,
    "aiohttp.http": "RESPONSES SERVER_SOFTWARE",
    "aiohttp.http_exceptions": "BadStatusLine HttpProcessingError InvalidHeader TransferEncodingError",
    "aiohttp.http_parser": "HeadersParser RawRequestMessage",
    "aiohttp.http_websocket": "WebSocketWriter",
    "aiohttp.multipart": "content_disposition_filename parse_content_disposition",
    "aiohttp.payload": "PAYLOAD_REGISTRY PAYLOAD_REGISTRY.register Payload StringPayload TOO_LARGE_BYTES_BODY",
    "aiohttp.resolver": "AsyncResolver DefaultResolver ResolveResult",
    "aiohttp.streams": "EmptyStreamReader StreamReader",
    "aiohttp.tracing": "Trace",
    "aiohttp.typedefs": "Handler JSONDecoder LooseCookies LooseHeaders PathLike Query RawHeaders StrOrURL",
    "aiohttp._websocket.writer": "",
}

#: Parameters, by the callable that is given them.
PARAMETERS = {
    "BasicAuth": "login password encoding",
    "ClientRequest": "method url params headers skip_auto_headers data cookies session ssl traces",
    "ClientResponse": "method url writer continue100 timer request_info traces loop session",
    "ClientResponseError": "status message headers",
    "ClientSession": """
        connector timeout headers trust_env cookie_jar loop auto_decompress raise_for_status skip_auto_headers trace_configs
        ws_response_class auth read_bufsize connector_owner cookies json_serialize middlewares request_class response_class
    """,
    "ClientSession._request": """
        headers data timeout json params allow_redirects proxy ssl auto_decompress raise_for_status auth proxy_auth chunked
        proxy_headers server_hostname compress cookies expect100 read_until_eof skip_auto_headers trace_request_ctx
    """,
    "ClientTimeout": "total sock_read sock_connect connect",
    "ClientWSTimeout": "ws_close ws_receive",
    "CookieJar": "unsafe quote_cookie",
    "FormData": "quote_fields",
    "MultipartWriter": "boundary",
    "RequestInfo": "url method headers real_url",
    "StreamReader": "limit loop",
    "TCPConnector": """
        ssl limit limit_per_host enable_cleanup_closed force_close local_addr keepalive_timeout loop resolver ssl_context
        use_dns_cache verify_ssl socket_factory
    """,
    "TraceConfig": "trace_config_ctx_factory",
    "UnixConnector": "path keepalive_timeout force_close limit",
    "ClientSession.ws_connect": """
        headers compress heartbeat ssl autoclose autoping proxy max_msg_size protocols timeout origin proxy_auth
    """,
}

#: Attributes of a session, a connector and a jar that are read, set, or replaced from outside.
ATTRIBUTES = {
    "ClientSession": """
        _connector _loop _trust_env _trace_configs _base_url _build_url _prepare_headers _raise_for_status headers
        _default_headers _cookie_jar _response_class _source_traceback _auto_decompress _middlewares
    """,
    "TCPConnector": "_ssl _limit _limit_per_host _force_close _conns _closed _close _source_traceback _loop _factory _family",
    "CookieJar": "_cookies",
}
