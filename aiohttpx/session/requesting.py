"""How a request is made of what a session and a caller say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from multidict import CIMultiDict, istr
from yarl import URL

from .. import hdrs
from ..errors import InvalidUrlClientError, NonHttpUrlClientError
from ..late import late
from ..message.defaults import RequestDefaults
from ..message.request import ClientRequest, request_of
from ..message.response import ClientResponse
from ..net.settings import OnInformational, Settings
from ..net.timer import Timer
from ..net.unix import UNIX_SCHEME, join, unix_url
from ..timeouts import NOT_GIVEN, ClientTimeout, as_timeout
from ..typedefs import JSONBytesEncoder, JSONEncoder, LooseCookies, LooseHeaders, Params, StrOrURL
from .exchange import exchange
from .hops import AllowRedirects, Hops, cookie_field, may_have_cookies, store_cookies
from .redirects import MAX_REDIRECTS, origin_of
from .routes import Routes, netrc_credentials
from .traces import NO_TRACES, start_traces

if TYPE_CHECKING:
    from ..message import bodies
    from ..message import timed as timing
    from ..message.form import Files
    from ..message.trailers import Trailers
    from ..net import tls
    from ..net.tls import SSLSetting
    from ..net.upload import UploadTracker
    from ..pool.lending import BaseConnector
    from ..wire.basicauth import BasicAuth
    from . import statuscheck
    from .cookiejar import AbstractCookieJar
    from .middlewares import ClientMiddlewareType
    from .statuscheck import RaiseForStatus
    from .tracing import TraceConfig
else:
    bodies, timing = late("aiohttpx.message.bodies"), late("aiohttpx.message.timed")
    statuscheck, tls = late("aiohttpx.session.statuscheck"), late("aiohttpx.net.tls")

#: What a request may say about its answer, in the order of `_settings_for`.
_SETTINGS: Final = (
    *("read_bufsize", "auto_decompress", "max_body_size", "on_informational"),
    *("max_field_size", "max_fields", "max_line_size", "tracker"),
)


class Requesting:
    """A part of `ClientSession`."""

    _base_url: URL | None
    _connector: BaseConnector | None
    _default_auth: BasicAuth | None
    _defaults: RequestDefaults
    _hops: Hops
    _jar: AbstractCookieJar | None
    _json_serialize: JSONEncoder
    _json_serialize_bytes: JSONBytesEncoder | None
    _middlewares: Sequence[ClientMiddlewareType]
    _plain: bool
    _raise_for_status: RaiseForStatus
    _request_class: type[ClientRequest]
    _retry_connection: bool
    _routes: Routes
    _settings: Settings
    _timeout: ClientTimeout
    _timer: Timer | None
    _trace_configs: list[TraceConfig]
    _trust_env: bool

    @property
    def cookie_jar(self) -> AbstractCookieJar:
        raise NotImplementedError

    def _bind(self) -> Timer:
        raise NotImplementedError

    async def _request(
        self,
        method: str,
        str_or_url: StrOrURL,
        *,
        params: Params = None,
        data: Any = None,
        json: Any = None,
        headers: LooseHeaders | None = None,
        timeout: ClientTimeout | float | None = NOT_GIVEN,
        allow_redirects: AllowRedirects = True,
        raise_for_status: RaiseForStatus | None = None,
        **others: Any,
    ) -> ClientResponse:
        """What is said of most requests goes the short way."""
        limits = usual = self._timeout
        special = others or not self._plain or self._middlewares or self._trace_configs or callable(allow_redirects)
        if timeout is not NOT_GIVEN and not special:
            limits = as_timeout(timeout)
            special = limits.sock_read != usual.sock_read or limits.write != usual.write  # which connections keep
        if special:
            others.update(params=params, data=data, json=json, headers=headers, timeout=timeout)
            others.update(allow_redirects=allow_redirects, raise_for_status=raise_for_status)
            return await self._request_in_full(method, str_or_url, **others)
        connector = self._connector
        if connector is None or connector.closed:
            raise RuntimeError("Session is closed")
        timer = self._timer or self._bind()
        body = data
        if json is not None:
            body = bodies.body_of(data, json, None, None, self._json_serialize, self._json_serialize_bytes)
        cut = self._defaults.cut(str_or_url) if type(str_or_url) is str and params is None else None
        url = cut or self._parsed(str_or_url, connector)
        cookie = ""
        if (jar := self._jar) is not None and may_have_cookies(jar, url):
            cookie = cookie_field(jar, URL(url[0]) if isinstance(url, tuple) else url, None)
        if headers is None and params is None:
            hops: Hops | None = self._hops
            request = request_of(method, url, body, cookie, self, self._defaults)
        else:
            fields = None if headers is None else self._prepare_headers(headers)
            hops = Hops({"defaults": self._defaults, "headers": fields})
            request = ClientRequest(method, url, params, fields, None, body, cookie, session=self, defaults=self._defaults)
        try:
            hops = hops if allow_redirects else None
            response = await exchange(connector, timer, request, limits, self._retry_connection, hops)
        finally:
            if data is not None:  # JSON has nothing to let go of
                await request.close()
        if response.sets_cookies:
            store_cookies(self.cookie_jar, response, request.origin.key.host)
        if check := self._raise_for_status if raise_for_status is None else raise_for_status:
            await statuscheck.check_status(response, check, NO_TRACES)
        return response

    async def _request_in_full(
        self,
        method: str,
        str_or_url: StrOrURL,
        params: Params = None,
        data: Any = None,
        json: Any = None,
        files: Files | None = None,
        cookies: LooseCookies | None = None,
        headers: LooseHeaders | None = None,
        skip_auto_headers: Iterable[str] | None = None,
        auth: BasicAuth | None = None,
        allow_redirects: AllowRedirects = True,
        max_redirects: int | None = MAX_REDIRECTS,
        compress: str | bool | None = None,
        chunked: bool | None = None,
        expect100: bool = False,
        raise_for_status: RaiseForStatus | None = None,
        read_until_eof: bool = True,
        timeout: ClientTimeout | float | None = NOT_GIVEN,
        verify_ssl: bool | None = None,
        fingerprint: bytes | None = None,
        ssl_context: Any = None,
        ssl: SSLSetting = True,
        server_hostname: str | None = None,
        proxy: StrOrURL | None = None,
        proxy_auth: BasicAuth | None = None,
        proxy_headers: LooseHeaders | None = None,
        trace_request_ctx: object = None,
        read_bufsize: int | None = None,
        auto_decompress: bool | None = None,
        max_line_size: int | None = None,
        max_field_size: int | None = None,
        max_headers: int | None = None,
        max_body_size: int | None = None,
        on_informational: OnInformational | None = None,
        timings: bool = False,
        middlewares: Sequence[ClientMiddlewareType] | None = None,
        trailers: Trailers | None = None,
        upload_tracker: UploadTracker | None = None,
    ) -> ClientResponse:
        if upload_tracker is not None:
            upload_tracker.bind()
        traces = NO_TRACES
        try:
            connector = self._connector
            if connector is None or connector.closed:
                raise RuntimeError("Session is closed")
            timer = self._timer or self._bind()
            if json is not None or files or trailers:
                data = bodies.body_of(data, json, files, trailers, self._json_serialize, self._json_serialize_bytes)
            limits, settings = self._timeout if timeout is NOT_GIVEN else as_timeout(timeout), self._settings
            said = (read_bufsize, auto_decompress, max_body_size, on_informational, max_field_size, max_headers, max_line_size)
            if limits is not self._timeout or not read_until_eof or any(one is not None for one in (*said, upload_tracker)):
                settings = self._settings_for(limits, read_until_eof, *said, upload_tracker)
            if ssl is not True or verify_ssl is not None or ssl_context is not None or fingerprint is not None:
                ssl = tls.merge_ssl_settings(ssl, verify_ssl, ssl_context, fingerprint)
            cut = self._plain and params is None and type(str_or_url) is str
            url = (self._defaults.cut(str_or_url) if cut else None) or self._parsed(str_or_url, connector)  # type: ignore[arg-type]
            cookie = None
            if cookies is not None or ((jar := self._jar) is not None and may_have_cookies(jar, url)):
                url = URL(url[0]) if isinstance(url, tuple) else url
                cookie = cookie_field(self.cookie_jar, url, cookies)
            middlewares = self._middlewares if middlewares is None else middlewares
            if self._trace_configs:
                headers = self._prepare_headers(headers)
                traces = await start_traces(self, method, url, params, headers, trace_request_ctx)
            options: dict[str, Any] = {"skip_auto_headers": skip_auto_headers, "compress": compress, "chunked": chunked}
            options |= {"expect100": expect100, "ssl": ssl, "server_hostname": server_hostname, "settings": settings}
            options |= {"defaults": self._defaults, "traces": traces, **self._routes.told(proxy, proxy_auth, proxy_headers)}
            options["headers"] = None if headers is None else self._prepare_headers(headers)
            options["auth"] = auth if self._plain or isinstance(url, tuple) else await self._credentials(url, auth, headers)
            hops = Hops(options, cookies, max_redirects, allow_redirects) if allow_redirects else None
            make = timing.timed(self._request_class) if timings else self._request_class
            request = make(method, url, params=params, data=data, cookies=cookie, session=self, **options)
            followed = connector if upload_tracker is None else upload_tracker.follow(connector)
            try:
                response = await exchange(followed, timer, request, limits, self._retry_connection, hops, middlewares)
            finally:
                await request.close()
            if response.sets_cookies:
                store_cookies(self.cookie_jar, response, request.origin.key.host)
            if (check := self._raise_for_status if raise_for_status is None else raise_for_status) or traces:
                await statuscheck.check_status(response, check, traces)
        except BaseException as error:
            await traces.fail(error)
            raise
        finally:
            if upload_tracker is not None:
                upload_tracker.end()
        return response

    # What it takes is asked of its signature, and said in errors under its name.
    _request.__wrapped__ = _request_in_full  # type: ignore[attr-defined]
    _request_in_full.__qualname__ = "ClientSession._request"

    def _parsed(self, url: StrOrURL, connector: BaseConnector) -> URL:
        try:
            parsed = self._build_url(url)
        except ValueError as error:
            told = None if "@" in str(url) else error  # its text may show credentials
            raise InvalidUrlClientError(url, str(told or "it cannot be parsed")) from told
        return parsed if parsed.scheme in connector.allowed_protocol_schema_set else self._unix_url(parsed, url)

    async def _credentials(self, url: URL, auth: BasicAuth | None, headers: LooseHeaders | None) -> BasicAuth | None:
        """`auth` of a request to `url`, or else what the session has for it, unless there are credentials in `url`."""
        if auth is not None or url.raw_user is not None or url.raw_password is not None:
            return auth
        auth = self._default_auth
        if auth is not None and (self._base_url is None or origin_of(self._base_url) == origin_of(url)):
            return auth
        if self._trust_env and hdrs.AUTHORIZATION not in self._prepare_headers(headers):
            return await netrc_credentials(url.host or "")
        return None

    def _settings_for(self, limits: ClientTimeout, read_until_eof: bool, *said: Any) -> Settings:
        """The session's settings, but for what a request says (None says nothing)."""
        own = {name: value for name, value in zip(_SETTINGS, said, strict=True) if value is not None}
        return self._settings._replace(read_until_eof=read_until_eof, sock_read=limits.sock_read, write=limits.write, **own)

    def _build_url(self, str_or_url: StrOrURL) -> URL:
        url = URL(str_or_url)
        return url if self._base_url is None else join(self._base_url, url)

    _usual_url = _build_url  # which a class that derives from this may override

    def _unix_url(self, url: URL, str_or_url: StrOrURL) -> URL:
        """`url` anew, if it leads to a Unix socket. Raises `NonHttpUrlClientError` if not, or if the connector leads nowhere
        else."""
        if url.scheme != UNIX_SCHEME or self._connector is None or not self._connector.takes_unix_urls:
            raise NonHttpUrlClientError(url)
        url = unix_url(str_or_url)
        return url if self._base_url is None else join(self._base_url, url)

    def _prepare_headers(self, headers: LooseHeaders | None) -> CIMultiDict[str]:
        """The session's fields, overridden by those of a request; a name given twice there is sent twice."""
        if headers and not self._defaults.headers:
            return CIMultiDict(headers)
        merged = CIMultiDict(self._defaults.headers)
        if headers:
            own: CIMultiDict[str] = CIMultiDict(headers)
            for name in set(map(istr, own)):
                merged.popall(name, None)
            merged.extend(own)
        return merged
