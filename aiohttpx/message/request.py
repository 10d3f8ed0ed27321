"""A request: what is asked, worked out once, and put on a connection (RFC 9112, section 3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final

from multidict import CIMultiDict, CIMultiDictProxy, istr
from yarl import URL

from .. import hdrs
from .._impl import serialize_head
from ..errors import ClientConnectionError, ClientError, ClientOSError, InvalidUrlClientError, ServerTimeoutError
from ..events import HttpVersion, HttpVersion10, HttpVersion11
from ..net.connection import HTTPConnection
from ..net.phases import Phases
from ..net.proxy import proxy_of
from ..net.settings import Settings
from ..net.writer import StreamWriter
from ..patterns import pattern
from ..typedefs import Byteish, LooseCookies, LooseHeaders, Params, StrOrURL
from ..wire.basicauth import BasicAuth, split_credentials
from ..wire.codings import make_encoder
from .defaults import NO_DEFAULTS, CutURL, Origin, RequestDefaults
from .query import extend_query
from .requestinfo import RequestInfo
from .response import ClientResponse, Lent

if TYPE_CHECKING:
    from .payload import Payload
    from .sources import Writer

#: A body up to this size, in bytes, goes out in the same write as its head.
_SMALL_BODY: Final = 64 * 1024
#: Seconds to wait for 100 (Continue) before the body is sent all the same (RFC 9110, section 10.1.1).
_CONTINUE_WAIT: Final = 3.0

_TOKEN: Final = pattern(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_DIGITS: Final = pattern(r"[0-9]+")
_NO_FIELDS: Final[CIMultiDict[str]] = CIMultiDict()
_NO_LENGTH: Final = ((hdrs.CONTENT_LENGTH, "0"),)
_CLOSE: Final = (hdrs.CONNECTION, "close")
_OCTETS: Final = (hdrs.CONTENT_TYPE, "application/octet-stream")

Fields = tuple[tuple[str, str], ...]
#: What a request without a body says about that, by method; others say that their length is 0 (RFC 9110, section 8.6).
_WITHOUT_BODY: Final[dict[str, Fields]] = {
    **dict.fromkeys(("GET", "HEAD", "OPTIONS", "TRACE"), ()),
    **dict.fromkeys(("PATCH", "POST", "PUT"), (*_NO_LENGTH, _OCTETS)),
}


class ClientRequest:
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

    GET_METHODS: ClassVar[frozenset[str]] = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
    POST_METHODS: ClassVar[frozenset[str]] = frozenset({"PATCH", "POST", "PUT"})
    ALL_METHODS: ClassVar[frozenset[str]] = GET_METHODS | POST_METHODS | {"DELETE"}

    # What most requests do not change is looked up here.
    ssl: Any = True
    server_hostname: str | None = None
    compress: str | bool | None = None
    chunked: bool | None = None
    _text = ""  # the URL, as long as nobody looks at it
    _original_url: URL | None = None
    _url: URL | None = None
    _payload: Payload | None = None
    _sending: asyncio.Task[None] | None = None  # sends the body
    _begun = False  # it does: a task may also be cancelled before it begins
    _over = False
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
    #: Who is told of what happens to it.
    traces: Sequence[Any] = ()

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
        self.version = version or defaults.version
        self.loop = loop or defaults.loop or asyncio.get_running_loop()
        self.response_class = response_class or defaults.response_class
        self.settings = settings or defaults.settings
        self.session = session
        self._defaults = defaults
        self._skipped = defaults.skipped
        self._body_fields: Fields = _WITHOUT_BODY.get(method, _NO_LENGTH)
        if compress or chunked:
            self.compress = compress
            self.chunked = chunked
        plain = headers is None and skip_auto_headers is None and auth is None and not traces
        if plain and self.version == HttpVersion11 and not expect100:
            self._common = defaults.block() or b""
        if not self._common:
            if skip_auto_headers is not None:
                self._skipped |= {name.lower() for name in skip_auto_headers}
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
            self._set_body(data)
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
        if not isinstance(auth, BasicAuth):
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
        chosen = None if proxy is None else proxy_of(proxy, proxy_auth, proxy_headers)
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
        info = RequestInfo(self.url, self.method, CIMultiDictProxy(self.headers), self.original_url)
        return info if self._payload is None else info.with_body(self._payload, bool(self.compress))

    # -- its body

    @property
    def body(self) -> Payload | bytes:
        """The body as a `Payload`; `b""` when there is none."""
        return self._payload or b""

    async def update_body(self, body: Any) -> None:
        """Send `body` instead, and close the one there was. It takes what `data=` takes."""
        if self._payload is not None:
            if self.compress or self._payload.size is None:
                self.chunked = None  # that was this body's need
            await self._payload.close()
        for name in (hdrs.CONTENT_LENGTH, hdrs.TRANSFER_ENCODING, *(name for name, _ in self._body_fields)):
            self.headers.popall(name, None)
        self._set_body(body)

    @property
    def replayable(self) -> bool:
        """The request can be sent again as it was."""
        return self._payload is None or self._payload.replayable

    @property
    def consumed(self) -> bool:
        """The body was sent, and cannot be sent again."""
        return self._payload is not None and self._payload.consumed

    def disown_body(self) -> None:
        """Another request has the body now, and closes it."""
        self._payload = None

    async def close(self) -> None:
        """The request is not sent again: let go of what its body holds, as soon as it is sent. Waits for nothing."""
        self._over = True
        if self._payload is not None and not self._begun:
            await self._payload.close()

    def _set_body(self, data: Any) -> None:
        headers = _NO_FIELDS if self._headers is None else self._headers
        if data is None:
            self._payload = None
            self._body_fields = self._fields_without_body(headers)
        else:
            self._payload = payload = _payload_of(data)
            self._body_fields = self._fields_with_body(headers, payload)
        if self._headers is not None:
            self._headers.extend(self._body_fields)

    def _fields_without_body(self, headers: CIMultiDict[str]) -> Fields:
        self.compress = None
        fields: Fields = ()
        if hdrs.TRANSFER_ENCODING in headers:
            self._be_chunked(headers)
        elif self.chunked and hdrs.CONTENT_LENGTH not in headers:
            fields = ((hdrs.TRANSFER_ENCODING, "chunked"),)
        elif self.method in self.GET_METHODS and not self.chunked:
            return ()
        elif hdrs.CONTENT_LENGTH not in headers:
            fields = _NO_LENGTH
        elif self.chunked or self._explicit_length(headers):
            raise ValueError(f"Content-Length is {headers[hdrs.CONTENT_LENGTH]}, but the request has no body of that length")
        if self.method in self.POST_METHODS and self._wants(hdrs.CONTENT_TYPE, headers):
            fields += (_OCTETS,)
        return fields

    def _be_chunked(self, headers: CIMultiDict[str]) -> None:
        """`headers` say so: nothing else may say how long the body is (RFC 9112, section 6.2)."""
        if self.chunked or hdrs.CONTENT_LENGTH in headers:
            raise ValueError('chunked can not be set if "Transfer-Encoding: chunked" header is set, nor can Content-Length')
        self.chunked = True

    def _fields_with_body(self, headers: CIMultiDict[str], payload: Payload) -> Fields:
        """RFC 9112, section 6.3: a length that is known, or else chunks."""
        fields: list[tuple[str, str]] = []
        size = payload.size
        if self.compress and size == 0:
            self.compress = None
        if self.compress:
            if hdrs.CONTENT_ENCODING in headers:
                raise ValueError("compress can not be set if Content-Encoding header is set")
            self.compress = "deflate" if self.compress is True else self.compress
            make_encoder(self.compress)  # or it is a ValueError before anything is sent
            fields.append((hdrs.CONTENT_ENCODING, self.compress))
        if hdrs.TRANSFER_ENCODING in headers:
            self._be_chunked(headers)
        elif hdrs.CONTENT_LENGTH in headers:
            if self.chunked or self.compress or payload.has_trailers:
                raise ValueError("chunked, compress and trailers can not be set if Content-Length header is set")
            self._explicit_length(headers)
        elif self.chunked or self.compress or size is None:
            self.chunked = True
            fields.append((hdrs.TRANSFER_ENCODING, "chunked"))
        else:
            fields.append((hdrs.CONTENT_LENGTH, str(size)))
        if headers is _NO_FIELDS or self._wants(hdrs.CONTENT_TYPE, headers):
            fields.append((hdrs.CONTENT_TYPE, payload.content_type))
        for name, value in payload.other_fields:
            if name not in headers:
                fields.append((name, value))
        return tuple(fields)

    def _wants(self, name: istr, headers: Mapping[str, str]) -> bool:
        return name not in headers and name.lower() not in self._skipped

    def _explicit_length(self, headers: CIMultiDict[str]) -> int | None:
        value = headers.get(hdrs.CONTENT_LENGTH)
        if value is None:
            return None
        if not _DIGITS.fullmatch(value):
            raise ValueError(f"Invalid Content-Length header: {value!r}")
        return int(value)

    def _make_headers(self, given: LooseHeaders) -> CIMultiDict[str]:
        headers: CIMultiDict[str] = CIMultiDict()
        headers[hdrs.HOST] = self.origin.host
        given = given if isinstance(given, CIMultiDict) else CIMultiDict(given)
        if hdrs.HOST in given:
            headers[hdrs.HOST] = given[hdrs.HOST]
        for name, value in given.items():
            if name.lower() != "host":
                headers.add(name, value)
        self._defaults.generate(headers, self._skipped)
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
        payload = self._payload
        if protocol.single_use:
            self._say_close()
        if self._headers is None:
            fields = ((hdrs.COOKIE, self._cookie), *self._body_fields) if self._cookie else self._body_fields
            origin = self.origin
            data = serialize_head(self.method, origin.prefix + self._target, origin.block, self._common, fields)
            upgrade = expects = False
        else:
            for trace in self.traces:
                await trace.send_request_headers(self.method, self.url, self._headers)
            data = self._serialize(self._headers)
            upgrade, expects = hdrs.UPGRADE in self._headers, hdrs.EXPECT in self._headers
        if payload is None and not self.chunked and not expects:
            answer = protocol.exchange(self.method, data, conn.release, self.settings, upgrade)
        elif payload is not None and (body := self._small_body(payload)) is not None:
            answer = protocol.exchange(self.method, data + body, conn.release, self.settings, upgrade)
        else:
            if self._sending is not None:  # for an earlier response, which came before the body was sent whole
                self._sending.cancel()
                await asyncio.wait((self._sending,))
            answer = protocol.exchange(self.method, data, conn.release, self.settings, upgrade)
            self._sending = protocol.start_upload(self._upload(protocol))
        made_here = self.response_class is ClientResponse
        response = self.response_class(self.method, None if made_here else self.original_url, request=self)
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

    def _small_body(self, payload: Payload) -> bytes | None:
        """The body, if it can go out with the head: there is little of it, it is in memory, and as long as the head says."""
        size = payload.size
        if size is None or size > _SMALL_BODY or self.chunked or self.traces or self.settings.tracker is not None:
            return None
        headers = self._headers
        if headers is not None and (hdrs.EXPECT in headers or headers.get(hdrs.CONTENT_LENGTH) != str(size)):
            return None
        return payload.in_memory()

    async def _upload(self, protocol: HTTPConnection) -> None:
        """Send the body, part by part."""
        payload, tracker = self._payload, self.settings.tracker
        self._begun = True
        length = None if self.chunked else self._explicit_length(self.headers)
        encoder = make_encoder(str(self.compress)) if self.compress else None
        writer = StreamWriter(protocol, length=length, chunked=bool(self.chunked), encoder=encoder, tracker=tracker)
        if tracker is not None:
            tracker.writing(writer, payload.size if length is None and payload is not None else length)
        failure: BaseException | None = None
        try:
            await self._write_body(protocol, writer)
        except BaseException as error:
            failure = error
            raise
        finally:
            if tracker is not None:
                tracker.ended(writer, failure)
            self._sending, self._begun = None, False
            if self._over and payload is not None and payload is self._payload:
                await payload.close()

    async def _write_body(self, protocol: HTTPConnection, writer: StreamWriter) -> None:
        payload = self._payload
        limit = self.settings.write or None
        clock = asyncio.timeout(limit)
        try:
            if self.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
                with suppress(TimeoutError):
                    await asyncio.wait_for(protocol.expect_continue(), _CONTINUE_WAIT)
            async with clock:
                if payload is not None:
                    await payload.write_with_length(_Telling(self, writer) if self.traces else writer, writer.length)
                await writer.write_eof(trailers=b"" if payload is None else payload.trailers())
        except ClientError:
            raise
        except OSError as error:
            if isinstance(error, TimeoutError) and clock.expired():
                text = f"Timeout of {limit:g} s (write) on {protocol.peer} while sending the body"
                raise ServerTimeoutError(text) from error
            raise ClientOSError(error.errno, f"Can not write request body for {self.url}: {error}") from error
        except Exception as error:
            raise ClientConnectionError(f"Failed to send the body of {self.method} {self.url}: {error!r}") from error


def _load_payloads(data: Any) -> Payload:
    """For the first body: what makes bodies is loaded, and takes the place of this."""
    global _payload_of
    from .form import payload_of

    _payload_of = payload_of
    return payload_of(data)


_payload_of: Callable[[Any], Payload] = _load_payloads


def _own_credentials(url: URL, auth: BasicAuth | None) -> tuple[URL, BasicAuth | None]:
    try:
        url, own = split_credentials(url)
    except ValueError as error:
        raise InvalidUrlClientError(url, str(error)) from error
    if auth is not None and own is not None:
        raise ValueError("Cannot combine AUTH argument with credentials encoded in URL")
    return url, auth or own


class _Telling:
    """Tells a request's traces of what is written to a writer."""

    def __init__(self, request: ClientRequest, writer: Writer) -> None:
        self._request = request
        self._writer = writer

    async def write(self, chunk: Byteish, /) -> None:
        request = self._request
        for trace in request.traces:
            await trace.send_request_chunk_sent(request.method, request.url, bytes(chunk))
        await self._writer.write(chunk)


def _checked_method(method: str) -> str:
    if not _TOKEN.fullmatch(method):
        raise ValueError(f"Method cannot contain non-token characters {method!r}")
    return method.upper()
