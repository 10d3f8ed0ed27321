"""A request: what is asked, worked out once, and put on a connection (RFC 9112, section 3)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from .. import hdrs
from .._impl import serialize_head
from ..errors import ClientConnectionError, InvalidUrlClientError
from ..events import HttpVersion, HttpVersion10
from ..late import late
from ..net.phases import Phases
from ..net.settings import Settings
from ..patterns import pattern
from ..typedefs import LooseCookies, LooseHeaders, Params, StrOrURL
from .defaults import NO_DEFAULTS, CutURL, Origin, RequestDefaults
from .query import extend_query
from .response import ClientResponse, Lent, response_to
from .sending import NO_LENGTH, OCTETS, Fields, Sending

if TYPE_CHECKING:
    from ..net import proxy as proxies
    from ..wire import basicauth
    from ..wire.basicauth import BasicAuth
    from . import requestinfo
    from .payload import Payload
    from .requestinfo import RequestInfo
else:
    basicauth, proxies = late("aiohttpx.wire.basicauth"), late("aiohttpx.net.proxy")
    requestinfo = late("aiohttpx.message.requestinfo")

_TOKEN: Final = pattern(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CLOSE: Final = (hdrs.CONNECTION, "close")
#: What a request without a body says about that, by method; others say that their length is 0 (RFC 9110, section 8.6).
_WITHOUT_BODY: Final[dict[str, Fields]] = {
    **dict.fromkeys(("GET", "HEAD", "OPTIONS", "TRACE"), ()),
    **dict.fromkeys(("PATCH", "POST", "PUT"), (*NO_LENGTH, OCTETS)),
    "DELETE": NO_LENGTH,
}


class ClientRequest(Sending):
    """What a session asks of a server.

    :param method: the request method, a token; it is sent in upper case.
    :param url: where to; its fragment stays here.
    :param params: what is added to the query: mapping, pairs or str.
    :param headers: the fields of this request and of its session, merged; None: only what `defaults` says.
    :param skip_auto_headers: names of fields that are not generated.
    :param data: the body: bytes, str, mapping or pairs (a form), file, iterable of bytes, or a `Payload`.
    :param cookies: cookies, or the value of a Cookie field; they take the place of those of the same name in `headers`.
    :param version: HTTP/1.1, or 1.0; this, `loop`, `response_class` and `settings` (how the answer is read) are by default those
        of `defaults`.
    :param compress: a content coding for the body; True means deflate.
    :param chunked: True to send the body in chunks, whatever its size.
    :param expect100: wait for 100 (Continue) before the body.
    :param auth: credentials; those in `url`, which it is left without, are used likewise.
    :param ssl: True, False, an SSLContext or a Fingerprint.
    :param proxy: what `update_proxy` is given, with `proxy_auth` and `proxy_headers`.
    :param traces: who is told of what happens to it.
    :param defaults: what the requests of the session have in common.

    Raises `ValueError` for what cannot be sent and for credentials given twice, `InvalidUrlClientError` for a URL without a host,
    `TypeError` for a body of no known type.
    """

    ALL_METHODS: ClassVar[frozenset[str]] = Sending.GET_METHODS | Sending.POST_METHODS | {"DELETE"}

    # What most requests do not change is looked up here.
    ssl: Any = True
    server_hostname: str | None = None
    _text = ""  # the URL, as long as nobody looks at it
    _original_url: URL | None = None
    _url: URL | None = None
    _version: HttpVersion | None = None  # that of the session's requests
    _keeps_proxy = False  # it was told which one
    #: What getting a connection took, if there was no idle one.
    phases: Phases | None = None
    #: The credentials in its Authorization field, as they were given.
    auth: BasicAuth | None = None
    # The fields as a map are made when someone looks, or when there are some of this request's own; until then, what the requests
    # of the session have in common, as a block, and the Cookie field.
    _headers: CIMultiDict[str] | None = None
    _common = b""
    _cookie = ""
    _payload: Payload | None = None

    def __init__(
        self,
        method: str,
        url: URL | CutURL,
        params: Params = None,
        headers: LooseHeaders | None = None,
        skip_auto_headers: Iterable[str] | None = None,
        data: Any = None,
        cookies: str | LooseCookies | None = None,
        version: HttpVersion | None = None,
        compress: str | bool | None = None,
        chunked: bool | None = None,
        expect100: bool = False,
        auth: BasicAuth | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        response_class: type[ClientResponse] | None = None,
        session: Any = None,
        ssl: Any = True,
        server_hostname: str | None = None,
        proxy: StrOrURL | None = None,
        proxy_auth: BasicAuth | None = None,
        proxy_headers: LooseHeaders | None = None,
        traces: Sequence[Any] | None = None,
        defaults: RequestDefaults = NO_DEFAULTS,
        settings: Settings | None = None,
    ) -> None:
        if method not in self.ALL_METHODS:
            method = _checked_method(method)
        self.method = method
        if isinstance(url, tuple):
            self._text, origin, self._target = url
        else:
            if params:
                url = extend_query(url, params)
            known = defaults.origins.get((url.scheme, url.raw_authority))
            if known is None:  # credentials are no part of an origin that is known
                url, auth = _own_credentials(url, auth)
                known = defaults.origin(url)
            origin = known
            self._original_url, self._target = url, url.raw_path_qs
        self.origin = origin
        #: What identifies the peer: requests with equal keys can share connections.
        self.connection_key = origin.key
        if ssl is not True or server_hostname is not None:
            self.ssl = True if ssl is None else ssl
            self.server_hostname = server_hostname
            self.connection_key = origin.key._replace(ssl=self.ssl, server_hostname=server_hostname)
        if version is not None:
            self.version = version
        self.loop = loop or defaults.loop or asyncio.get_running_loop()
        self.response_class = response_class or defaults.response_class
        self.settings = settings or defaults.settings
        self.session = session
        self._defaults = defaults
        self._body_fields: Fields = _WITHOUT_BODY.get(method, NO_LENGTH)
        if compress or chunked:
            self.compress = compress
            self.chunked = chunked
        plain = headers is None and skip_auto_headers is None and auth is None and not traces
        if plain and (version is None or version == defaults.version) and not expect100:
            self._common = defaults.block() or b""
        if not self._common:
            if skip_auto_headers is not None:
                self._skipped = frozenset(name.lower() for name in skip_auto_headers)
            self._headers = self._make_headers(defaults.headers if headers is None else headers)
            if origin.prefix:
                self._go_to(origin)
            if expect100:
                self._headers[hdrs.EXPECT] = "100-continue"
            if auth is not None:
                self.update_auth(auth)
            if traces:
                self.traces = traces
        if cookies:
            self.update_cookies(cookies)
        if data is not None or not self._common or chunked:
            self.set_body(data)
        if proxy is not None:
            self.update_proxy(proxy, proxy_auth, proxy_headers)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, value in [*vars(cls).items()]:
            if value is None and isinstance(getattr(ClientRequest, name, None), property):
                delattr(cls, name)  # `headers = None` declares an attribute, and is not to hide it

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {self.url}>"

    # -- what is asked

    @property
    def version(self) -> HttpVersion:
        """What it speaks."""
        return self._version or self._defaults.version

    @version.setter
    def version(self, version: HttpVersion) -> None:
        self._version = version

    @property
    def original_url(self) -> URL:
        """What was asked for, with its fragment."""
        if self._original_url is None:
            self._original_url = URL(self._text)
        return self._original_url

    @property
    def url(self) -> URL:
        """Where it goes, without a fragment. Assigned anew, it goes there, and a Host field that was written for the URL before
        changes with it; that raises `InvalidUrlClientError` for a URL without a host, `ValueError` for two credentials."""
        if self._url is None:
            url = self.original_url
            self._url = url.with_fragment(None) if url.raw_fragment else url
        return self._url

    @url.setter
    def url(self, url: URL) -> None:
        url, auth = _own_credentials(url, None)
        known = self._defaults
        origin = known.origin_through(url, self.origin.proxy) if self._keeps_proxy else known.origin(url)
        if self._headers is not None and self._headers.get(hdrs.HOST) == self.origin.host:
            self._headers[hdrs.HOST] = origin.host
        self._original_url, self._url, self._target = url, None, url.raw_path_qs
        self._go_to(origin)
        if auth is not None:
            self.update_auth(auth)

    @property
    def headers(self) -> CIMultiDict[str]:
        """Every field that is sent, in order. Changes reach the wire."""
        if self._headers is None:
            self._headers = self._make_headers(self._defaults.headers)
            if self._cookie:
                self._headers[hdrs.COOKIE] = self._cookie
            self._headers.extend(self._body_fields)
        return self._headers

    @headers.setter
    def headers(self, headers: CIMultiDict[str]) -> None:
        self._headers = headers

    def update_auth(self, auth: BasicAuth) -> None:
        """Send these credentials. Raises `TypeError` for anything else than a `BasicAuth`, `ValueError` when there are some."""
        if not isinstance(auth, basicauth.BasicAuth):
            raise TypeError(f"auth must be a BasicAuth, not {type(auth).__name__}")
        if hdrs.AUTHORIZATION in self.headers:
            raise ValueError("Cannot combine AUTHORIZATION header with AUTH argument or credentials encoded in URL")
        self.auth = auth
        self.headers[hdrs.AUTHORIZATION] = auth.encode()

    def update_cookies(self, cookies: str | LooseCookies) -> None:
        """Send these too: cookies, or the value of a Cookie field. They take the place of those of the same name.

        Raises `ValueError` for one that cannot be sent.
        """
        if isinstance(cookies, str):
            field = cookies
        else:
            from ..wire.cookies import format_cookies

            field = format_cookies(cookies)
        earlier = [self._cookie] if self._headers is None else self._headers.popall(hdrs.COOKIE, [])
        if any(earlier):
            from ..wire.cookies import merge_cookies

            field = merge_cookies(earlier, field)
        if self._headers is None:
            self._cookie = field
        else:
            self._headers[hdrs.COOKIE] = field

    def update_proxy(
        self, proxy: StrOrURL | None, proxy_auth: BasicAuth | None = None, proxy_headers: LooseHeaders | None = None
    ) -> None:
        """Go through this proxy, None for none: an http, https, socks4, socks4a, socks5 or socks5h URL, maybe with credentials.

        :param proxy_auth: credentials for it, instead of those in its URL.
        :param proxy_headers: fields that are meant for it.

        Raises `InvalidURL`, or `TypeError` for what is neither text nor a `URL`.
        """
        chosen = None if proxy is None else proxies.proxy_of(proxy, proxy_auth, proxy_headers)
        self._keeps_proxy = True
        self._go_to(self._defaults.origin_through(self.url, chosen))
        if chosen is not None and chosen.headers:
            self._headers = self.headers  # some of which the proxy may be told in another form

    def _go_to(self, origin: Origin) -> None:
        if origin.prefix and self._headers is not None and hdrs.UPGRADE in self._headers:
            # A proxy that forwards a request keeps that field to itself (RFC 9110, section 7.8).
            origin = self._defaults.origin_through(self.url, origin.proxy, tunnel=True)
        self.origin = origin
        self.connection_key = origin.key
        if self.ssl is not True or self.server_hostname is not None:
            self.connection_key = origin.key._replace(ssl=self.ssl, server_hostname=self.server_hostname)

    @property
    def proxy(self) -> URL | None:
        """The proxy it goes through, without credentials."""
        return self.connection_key.proxy

    @property
    def proxy_auth(self) -> BasicAuth | None:
        return None if self.origin.proxy is None else self.origin.proxy.auth

    @property
    def proxy_headers(self) -> CIMultiDict[str] | None:
        return None if self.origin.proxy is None else CIMultiDict(self.origin.proxy.headers)

    @property
    def host(self) -> str:
        return self.url.raw_host or ""

    @property
    def port(self) -> int | None:
        return self.url.port

    def is_ssl(self) -> bool:
        return self.url.scheme in ("https", "wss")

    @property
    def request_info(self) -> RequestInfo:
        info = requestinfo.RequestInfo(self.url, self.method, CIMultiDictProxy(self.headers), self.original_url)
        return info if self._payload is None else info.with_body(self._payload, bool(self.compress))

    def _make_headers(self, given: LooseHeaders) -> CIMultiDict[str]:
        given = given if isinstance(given, CIMultiDict) else CIMultiDict(given)
        if hdrs.HOST in given:
            own = [(name, value) for name, value in given.items() if name.lower() != "host"]
            headers = CIMultiDict(((hdrs.HOST, given[hdrs.HOST]), *own))
        else:
            headers = CIMultiDict(((hdrs.HOST, self.origin.host), *given.items()))
        self._defaults.generate(headers, self._defaults.skipped | self._skipped if self._skipped else self._defaults.skipped)
        if self.version == HttpVersion10 and hdrs.CONNECTION not in headers:
            headers[hdrs.CONNECTION] = "keep-alive"
        return headers

    # -- on its way

    async def send(self, conn: Lent) -> ClientResponse:
        """Put the request on the connection. Returns the response, which has yet to `start`.

        Raises `ClientConnectionResetError` when the connection is lost; a body that cannot be sent makes `start` raise.
        """
        protocol = conn.protocol
        if protocol is None:
            raise ClientConnectionError("The connection was given back already")
        if protocol.single_use:
            self._say_close()
        payload, headers = self._payload, self._headers
        if headers is None:
            fields = ((hdrs.COOKIE, self._cookie), *self._body_fields) if self._cookie else self._body_fields
            origin = self.origin
            data = serialize_head(self.method, origin.prefix + self._target, origin.block, self._common, fields)
            upgrade, alone = False, payload is None and not self.chunked
        else:
            for trace in self.traces:
                await trace.send_request_headers(self.method, self.url, headers)
            data = self._serialize(headers)
            upgrade = hdrs.UPGRADE in headers
            alone = payload is None and not self.chunked and hdrs.EXPECT not in headers
        if not alone and payload is not None and (body := self._small_body(payload)) is not None:
            data += body
            alone = True
        if not alone and self._sending is not None:  # for an earlier response, which came before the body was sent whole
            self._sending.cancel()
            await asyncio.wait((self._sending,))
        answer = protocol.exchange(self.method, data, conn.release, self.settings, upgrade)
        if not alone:
            self._sending = protocol.start_upload(self._upload(protocol))
        if self.response_class is ClientResponse:
            return response_to(self, answer, protocol)
        response = self.response_class(self.method, self.original_url, request=self)
        response.answer = answer
        response.carrier = protocol
        return response

    def _say_close(self) -> None:
        if self._headers is None:
            if _CLOSE not in self._body_fields:
                self._body_fields = (_CLOSE, *self._body_fields)
        elif hdrs.CONNECTION not in self._headers:
            self._headers.extend((_CLOSE,))

    def _serialize(self, headers: CIMultiDict[str]) -> bytes:
        origin = self.origin
        fields = headers.items() if origin.proxy is None else origin.through_proxy(headers)
        head = serialize_head(self.method, origin.prefix + self._target, fields)
        if self.version == HttpVersion10:
            head = head.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)
        return head


def request_of(method: str, url: URL | CutURL, data: Any, cookie: str, session: Any, defaults: RequestDefaults) -> ClientRequest:
    """A `ClientRequest` that says nothing else; `defaults` know the loop. Most are made here, without asking for all that others
    say."""
    common = defaults.block()
    if common is None or not isinstance(url, tuple):
        return ClientRequest(method, url, data=data, cookies=cookie, session=session, defaults=defaults)
    request: ClientRequest = _blank(ClientRequest)
    try:
        request._body_fields = _WITHOUT_BODY[method]
    except KeyError:
        method = _checked_method(method)
        request._body_fields = _WITHOUT_BODY.get(method, NO_LENGTH)
    request.method = method
    request._text, request.origin, request._target = url
    request.connection_key = request.origin.key
    request.loop = defaults.loop  # type: ignore[assignment]
    request.response_class = defaults.response_class
    request.settings = defaults.settings
    request.session = session
    request._defaults = defaults
    request._common = common
    # What is asked of each is dearer to look up in the class.
    request._headers = request._payload = request.chunked = None
    request._cookie = cookie
    request.traces = ()
    if data is not None:
        request.set_body(data)
    return request


_blank: Final = object.__new__


def _own_credentials(url: URL, auth: BasicAuth | None) -> tuple[URL, BasicAuth | None]:
    try:
        url, own = basicauth.split_credentials(url)
    except ValueError as error:
        raise InvalidUrlClientError(url, str(error)) from error
    if auth is not None and own is not None:
        raise ValueError("Cannot combine AUTH argument with credentials encoded in URL")
    return url, auth or own


def _checked_method(method: str) -> str:
    if not _TOKEN.fullmatch(method):
        raise ValueError(f"Method cannot contain non-token characters {method!r}")
    return method.upper()
