"""`ClientSession`: where requests come from."""

from __future__ import annotations

import asyncio
import json as json_module
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from multidict import CIMultiDict, istr
from yarl import URL

from ..errors import InvalidUrlClientError
from ..events import HttpVersion, HttpVersion11
from ..late import late
from ..message.defaults import RequestDefaults
from ..message.request import ClientRequest
from ..message.response import ClientResponse
from ..net.settings import DEFAULT_SETTINGS, Settings
from ..net.timer import Timer, timer_of
from ..net.unix import unix_url
from ..timeouts import NOT_GIVEN, ClientTimeout, session_timeout
from ..typedefs import JSONBytesDecoder, JSONBytesEncoder, JSONEncoder, LooseCookies, LooseHeaders, StrOrURL
from .context import RequestContextManager
from .handshake import WebSocketConnecting
from .hops import Hops
from .requesting import Requesting
from .resuming import Resuming
from .routes import Routes

if TYPE_CHECKING:
    from ..message import timed as timing
    from ..pool import connectors
    from ..pool.lending import BaseConnector
    from ..wire.basicauth import BasicAuth
    from .cookiejar import AbstractCookieJar
    from .middlewares import ClientMiddlewareType
    from .options import RequestOptions, SendOptions
    from .statuscheck import RaiseForStatus
    from .tracing import TraceConfig
    from .websocket import ClientWebSocketResponse
else:
    connectors, timing = late("aiohttpx.pool.connectors"), late("aiohttpx.message.timed")

CharsetResolver = Callable[[ClientResponse, bytes], str]


def _utf8(response: ClientResponse, body: bytes) -> str:
    return "utf-8"


class ClientSession(Requesting, Resuming, WebSocketConnecting):
    """Makes requests, through a pool of connections that it keeps. Make one per application, and close it.

    It may be made without a running loop, and belongs to the loop that runs when it is first used.

    :param base_url: what the URLs of requests are relative to (RFC 3986); its path ends in "/".
    :param connector: where connections come from; by default a `TCPConnector` of its own.
    :param headers: fields that every request has.
    :param cookies: cookies that every request has, put into the jar.
    :param cookie_jar: where cookies are kept; by default a `CookieJar`. `DummyCookieJar` keeps none.
    :param skip_auto_headers: names of fields that are not generated (Accept, Accept-Encoding, User-Agent, Content-Type).
    :param json_serialize: makes the str of `json=`; `json_serialize_bytes` makes bytes, and wins.
    :param json_deserialize_bytes: what `response.json()` decodes by, from bytes in UTF-8.
    :param version: HTTP/1.1, or 1.0.
    :param connector_owner: the connector is closed with the session.
    :param raise_for_status: True to raise `ClientResponseError` for statuses from 400 on, or an async callable that is given each
        response.
    :param timeout: a `ClientTimeout`, or seconds for the whole operation. `read_timeout` (its `total`) and `conn_timeout` (its
        `connect`) are older forms.
    :param auto_decompress: undo content codings.
    :param trace_configs: who is told of what happens to the requests: a list of `TraceConfig`.
    :param read_bufsize: bytes of a body that are read ahead.
    :param max_line_size: bytes of a status line; `max_field_size`: of a field line; `max_headers`: how many of them.
    :param max_body_size: bytes of a response's content, decoded; reading a larger one raises `BodyTooLarge`. None or 0: no limit.
    :param timings: read the clock for each request, so that `response.timings` is complete.
    :param requote_redirect_url: bring the targets of redirects into canonical form; False: ask for them as servers write them.
    :param fallback_charset_resolver: names the charset of a text whose response does not.
    :param auth: credentials for every request that has none; with a `base_url`, for those to its origin. Redirects to another
        origin go without.
    :param proxy: the proxy of every request that names none, and `proxy_auth` the credentials for it, if they are not in its URL.
    :param trust_env: credentials that are given nowhere else come from the file that NETRC names, or from ~/.netrc; and so do
        proxies from HTTP_PROXY and its kin, as they are when the session is first used.
    :param ssl_shutdown_timeout: (deprecated) that of the connector, if the session makes its own.
    :param middlewares: each is `async def middleware(request, handler) -> response`, around every request that is sent, also to
        where redirects lead; the first one is outermost.
    """

    _source_traceback: traceback.StackSummary | None = None

    def __init__(
        self,
        base_url: StrOrURL | None = None,
        *,
        connector: BaseConnector | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        headers: LooseHeaders | None = None,
        cookies: LooseCookies | None = None,
        cookie_jar: AbstractCookieJar | None = None,
        skip_auto_headers: Iterable[str] | None = None,
        json_serialize: JSONEncoder = json_module.dumps,
        json_serialize_bytes: JSONBytesEncoder | None = None,
        json_deserialize_bytes: JSONBytesDecoder | None = None,
        request_class: type[ClientRequest] = ClientRequest,
        response_class: type[ClientResponse] = ClientResponse,
        ws_response_class: type[ClientWebSocketResponse[Any]] | None = None,
        version: HttpVersion = HttpVersion11,
        connector_owner: bool = True,
        raise_for_status: RaiseForStatus = False,
        timeout: ClientTimeout | float | None = NOT_GIVEN,
        read_timeout: float | None = NOT_GIVEN,
        conn_timeout: float | None = None,
        auto_decompress: bool = True,
        requote_redirect_url: bool = True,
        trace_configs: list[TraceConfig] | None = None,
        read_bufsize: int = DEFAULT_SETTINGS.read_bufsize,
        max_line_size: int = DEFAULT_SETTINGS.max_line_size,
        max_field_size: int = DEFAULT_SETTINGS.max_field_size,
        max_headers: int = DEFAULT_SETTINGS.max_fields,
        max_body_size: int | None = None,
        timings: bool = False,
        fallback_charset_resolver: CharsetResolver = _utf8,
        auth: BasicAuth | None = None,
        trust_env: bool = False,
        proxy: StrOrURL | None = None,
        proxy_auth: BasicAuth | None = None,
        ssl_shutdown_timeout: float | None = NOT_GIVEN,
        middlewares: Sequence[ClientMiddlewareType] = (),
    ) -> None:
        self._connector: BaseConnector | None = None  # for __del__, should something here raise
        self._base_url = _checked_base(base_url)
        self._timeout = session_timeout(timeout, read_timeout, conn_timeout)
        self._loop = loop
        self._timer: Timer | None = None
        self._connector_owner = connector_owner
        self._skip_auto_headers = frozenset(map(istr, skip_auto_headers or ()))
        self._json_serialize = json_serialize
        self._json_serialize_bytes = json_serialize_bytes
        self._request_class = timing.timed(request_class) if timings else request_class
        self._response_class = response_class
        self._ws_response_class = ws_response_class
        self._version = version
        self._raise_for_status = raise_for_status
        self._settings = Settings(
            read_bufsize=read_bufsize,
            auto_decompress=auto_decompress,
            sock_read=self._timeout.sock_read,
            write=self._timeout.write,
            max_body_size=max_body_size,
            max_field_size=max_field_size,
            max_fields=max_headers,
            max_line_size=max_line_size,
        )
        own: CIMultiDict[str] = CIMultiDict(headers or ())
        self._defaults = RequestDefaults(own, self._skip_auto_headers, version, response_class, self._settings)
        self._retry_connection = True
        self._requote_redirect_url = requote_redirect_url
        self._default_auth = auth
        self._trust_env = trust_env
        self._routes = Routes(proxy, proxy_auth)
        self._defaults.route = self._routes if trust_env or proxy is not None else None
        self._middlewares = middlewares
        #: Nothing of the session's has to be worked out for each request, and no other class is to make it: to classes of the
        #: user's a URL is a URL, and who builds URLs is asked for each.
        usual = self._request_class is ClientRequest and self._build_url == self._usual_url
        self._plain = auth is None and not trust_env and usual
        self._trace_configs = trace_configs or []
        for trace_config in self._trace_configs:
            trace_config.freeze()
        self._hops = Hops({"defaults": self._defaults})
        self._jar = cookie_jar  # or one is made when there is something to put into it
        if cookies:
            self.cookie_jar.update_cookies(cookies)
        self.fallback_charset_resolver = fallback_charset_resolver
        self.json_deserialize_bytes = json_deserialize_bytes
        with suppress(RuntimeError):  # no loop runs yet
            if (loop or asyncio.get_running_loop()).get_debug():
                self._source_traceback = traceback.extract_stack(sys._getframe(1))
        if connector is None:
            connector = connectors.TCPConnector(loop=loop, ssl_shutdown_timeout=ssl_shutdown_timeout)
        self._connector = connector

    # -- requests

    def request(self, method: str, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> RequestContextManager[ClientResponse]:
        """Ask `url` with `method`.

        :param params: added to the query: mapping, pairs or str.
        :param data: the body: bytes, str, mapping or pairs (a form), file, iterable of bytes.
        :param json: the body, as JSON; not with `data`.
        :param files: makes the body multipart/form-data, together with a mapping as `data`: mapping or pairs of name and value: a
            file, bytes, str, or `(filename, value[, content_type[, headers]])`.
        :param cookies: sent to the origin of `url`, besides those in the jar.
        :param auth: credentials; they may also be in `url`. Redirects to another origin go without.
        :param headers: fields of this request, instead of the session's of the same name.
        :param skip_auto_headers: names of fields that are not generated.
        :param compress: content coding of the body: "deflate", "gzip", "br", "zstd", or True for deflate.
        :param chunked: send the body in chunks.
        :param expect100: send the body when the server asks for it.
        :param trailers: fields that follow the body, which goes in chunks then: names, and values, or callables that give those
            when the body was sent.
        :param upload_tracker: an `UploadTracker` that follows how far the sending of the body is.
        :param allow_redirects: follow redirects; a callable is given each response that redirects and the URL it leads to, and
            says whether to go there. What is not followed is the response. HEAD follows only if it is said.
        :param max_redirects: with so many it is an error; 0: never.
        :param raise_for_status: as the session's.
        :param read_until_eof: False: a response without framing has no body.
        :param timeout: a `ClientTimeout`, or seconds for the whole operation; None: no limits.
        :param ssl: True, False, an SSLContext or a `Fingerprint`; `verify_ssl`, `ssl_context` and `fingerprint` are older forms.
        :param server_hostname: the name that the certificate is checked for.
        :param proxy: the proxy to go through, also after redirects: an http, https, socks4, socks4a, socks5 or socks5h URL;
            `proxy_auth` are credentials for it, if they are not in the URL, and `proxy_headers` fields.
        :param timings: read the clock, so that `response.timings` is complete.
        :param on_informational: called with each `InformationalResponse` that comes before the response (status 1xx).
        :param trace_request_ctx: for the contexts of the session's `trace_configs`.
        :param read_bufsize, auto_decompress, max_line_size, max_field_size, max_headers, max_body_size: as the session's.
        :param middlewares: instead of the session's.

        Raises `InvalidURL`, `ClientConnectionError`, `ServerTimeoutError`, `ClientResponseError`, `TooManyRedirects`,
        `RedirectClientError`, and `ValueError` for what cannot be sent.
        """
        return RequestContextManager(self._request(method, url, **kwargs))

    def get(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> RequestContextManager[ClientResponse]:
        """GET: see `request`."""
        return RequestContextManager(self._request("GET", url, **kwargs))

    def options(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> RequestContextManager[ClientResponse]:
        """OPTIONS: see `request`."""
        return RequestContextManager(self._request("OPTIONS", url, **kwargs))

    def head(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> RequestContextManager[ClientResponse]:
        """HEAD: see `request`. Redirects are not followed unless `allow_redirects=True`."""
        kwargs.setdefault("allow_redirects", False)
        return RequestContextManager(self._request("HEAD", url, **kwargs))

    def post(self, url: StrOrURL, *, data: Any = None, **kwargs: Unpack[SendOptions]) -> RequestContextManager[ClientResponse]:
        """POST: see `request`."""
        return RequestContextManager(self._request("POST", url, data=data, **kwargs))

    def put(self, url: StrOrURL, *, data: Any = None, **kwargs: Unpack[SendOptions]) -> RequestContextManager[ClientResponse]:
        """PUT: see `request`."""
        return RequestContextManager(self._request("PUT", url, data=data, **kwargs))

    def patch(self, url: StrOrURL, *, data: Any = None, **kwargs: Unpack[SendOptions]) -> RequestContextManager[ClientResponse]:
        """PATCH: see `request`."""
        return RequestContextManager(self._request("PATCH", url, data=data, **kwargs))

    def delete(self, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> RequestContextManager[ClientResponse]:
        """DELETE: see `request`."""
        return RequestContextManager(self._request("DELETE", url, **kwargs))

    def query(self, url: StrOrURL, *, data: Any = None, **kwargs: Unpack[SendOptions]) -> RequestContextManager[ClientResponse]:
        """QUERY, a safe request with a body: see `request`."""
        return RequestContextManager(self._request("QUERY", url, data=data, **kwargs))

    # -- its life

    def _bind(self) -> Timer:
        """Belong to the running loop from now on."""
        loop = asyncio.get_running_loop()
        connector = self._connector
        if (self._loop is not None and self._loop is not loop) or (connector is not None and connector.loop is not loop):
            raise RuntimeError("Session and connector has to use same event loop")
        self._loop = self._defaults.loop = loop
        if (
            self._trust_env
            and isinstance(connector, connectors.TCPConnector)
            and not isinstance(connector, connectors.ProxyConnector)
        ):
            self._routes.trust_environment()
        self._timer = timer_of(loop)
        return self._timer

    async def close(self) -> None:
        """End everything that goes through this session, readers of bodies included, and wait until it has ended. It may be
        called again."""
        connector, self._connector = self._connector, None
        if connector is not None and self._connector_owner:
            await connector.close()

    def end(self) -> None:
        """The part of `close` that does not wait."""
        connector, self._connector = self._connector, None
        if connector is not None and self._connector_owner:
            connector.end()

    def detach(self) -> None:
        """Let go of the connector without closing it; the session is closed after that."""
        self._connector = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.close()

    def __enter__(self) -> None:
        raise TypeError("Use async with instead")

    def __exit__(self, exc_type: object, exc_val: object, exc_tb: object) -> None:
        """Never called, but `with` looks for it before it calls `__enter__`."""

    def __del__(self) -> None:
        connector = getattr(self, "_connector", None)
        if connector is None or connector.closed or self._timer is None:
            return
        made = "".join(traceback.format_list(self._source_traceback)) if self._source_traceback else ""
        warnings.warn(f"Unclosed client session {self!r}\n{made}", ResourceWarning, source=self, stacklevel=1)

    # -- what it was made with

    @property
    def closed(self) -> bool:
        return self._connector is None or self._connector.closed

    @property
    def connector(self) -> BaseConnector | None:
        return self._connector

    @property
    def connector_owner(self) -> bool:
        return self._connector_owner

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop or asyncio.get_running_loop()

    @property
    def headers(self) -> CIMultiDict[str]:
        """The fields of every request; they may be changed."""
        return self._defaults.headers

    @property
    def _default_headers(self) -> CIMultiDict[str]:
        """Consumers of aiohttp read and replace them under this name."""
        return self._defaults.headers

    @_default_headers.setter
    def _default_headers(self, headers: LooseHeaders) -> None:
        self._defaults.headers = CIMultiDict(headers)

    @property
    def cookie_jar(self) -> AbstractCookieJar:
        """Where the cookies are."""
        if self._jar is None:
            from .cookiejar import CookieJar

            self._jar = CookieJar()
        return self._jar

    @property
    def _cookie_jar(self) -> AbstractCookieJar:
        """Consumers of aiohttp read and replace it under this name."""
        return self.cookie_jar

    @_cookie_jar.setter
    def _cookie_jar(self, cookie_jar: AbstractCookieJar) -> None:
        self._jar = cookie_jar

    @property
    def requote_redirect_url(self) -> bool:
        """Whether targets of redirects are brought into canonical form."""
        return self._requote_redirect_url

    @requote_redirect_url.setter
    def requote_redirect_url(self, requote: bool) -> None:
        warnings.warn("Give requote_redirect_url to ClientSession()", DeprecationWarning, stacklevel=2)
        self._requote_redirect_url = requote

    @property
    def skip_auto_headers(self) -> frozenset[istr]:
        return self._skip_auto_headers

    @property
    def trace_configs(self) -> list[TraceConfig]:
        return self._trace_configs

    @property
    def timeout(self) -> ClientTimeout:
        return self._timeout

    @property
    def version(self) -> HttpVersion:
        return self._version

    @property
    def json_serialize(self) -> JSONEncoder:
        return self._json_serialize

    @property
    def raise_for_status(self) -> RaiseForStatus:
        return self._raise_for_status

    @property
    def auth(self) -> BasicAuth | None:
        """The credentials of every request that has none."""
        return self._default_auth

    @property
    def trust_env(self) -> bool:
        return self._trust_env

    @property
    def auto_decompress(self) -> bool:
        return self._settings.auto_decompress

    _auto_decompress = auto_decompress  # which consumers of aiohttp read


def _checked_base(base_url: StrOrURL | None) -> URL | None:
    if base_url is None:
        return None
    try:
        base = unix_url(base_url)
    except ValueError as error:
        told = None if "@" in str(base_url) else error
        raise InvalidUrlClientError(base_url, str(told or "it cannot be parsed")) from told
    if not base.absolute:
        raise ValueError(f"base_url must be absolute: {str(base_url).rpartition('@')[2]!r}")
    if not base.path.endswith("/"):
        raise ValueError(f"base_url must have a trailing '/': {str(base.with_user(None))!r}")
    return base
