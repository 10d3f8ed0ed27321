"""The head of a response: its status line and its fields (RFC 9112, sections 4 and 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from multidict import CIMultiDict, CIMultiDictProxy, MultiDictProxy
from yarl import URL

from .. import hdrs
from .._impl import parse_fields
from ..events import HttpVersion, ResponseHead
from ..typedefs import RawHeaders
from ..wire.fields import ContentDisposition, header_map, parse_content_type, parse_links

if TYPE_CHECKING:
    from http.cookies import SimpleCookie

    from .requestinfo import RequestInfo

NO_HEADERS: Final[CIMultiDictProxy[str]] = CIMultiDictProxy(CIMultiDict())


class Head:
    """A part of `ClientResponse`."""

    #: The status code.
    status: int = None  # type: ignore[assignment]  # until it has started
    #: There are cookies among its fields.
    sets_cookies = False

    _head: ResponseHead | None = None
    # As somebody has set them.
    _version: HttpVersion | None = None
    _reason: str | None = None
    _headers: CIMultiDictProxy[str] | None = None
    _raw_headers: RawHeaders | None = None
    _cookies: SimpleCookie | None = None
    _real_url: URL | None = None
    _request: Any
    _request_info: RequestInfo | None = None

    @property
    def version(self) -> HttpVersion | None:
        """The version of HTTP that the server speaks."""
        return self._version if self._version is not None or self._head is None else self._head.version

    @version.setter
    def version(self, version: HttpVersion | None) -> None:
        self._version = version

    @property
    def reason(self) -> str | None:
        """The reason phrase, which may be empty."""
        return self._reason if self._reason is not None or self._head is None else self._head.reason

    @reason.setter
    def reason(self, reason: str | None) -> None:
        self._reason = reason

    @property
    def url(self) -> URL:
        """What was asked for, without its fragment."""
        return self.real_url.with_fragment(None) if self._request is None else self._request.url

    @property
    def real_url(self) -> URL:
        """What was asked for."""
        return self._request.original_url if self._real_url is None else self._real_url

    @property
    def host(self) -> str:
        return self.url.host or ""

    @property
    def request_info(self) -> RequestInfo:
        info = self._request_info
        if info is None:
            info = self._request_info = self._request.request_info
        return info

    @property
    def ok(self) -> bool:
        """The status is below 400."""
        return self.status < 400

    @property
    def raw_headers(self) -> RawHeaders:
        """The fields as they came: (name, value) pairs of bytes, in order."""
        if self._raw_headers is None:
            self._raw_headers = () if self._head is None else parse_fields(self._head.fields)
        return self._raw_headers

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The fields by name, in whatever case."""
        if self._headers is None:
            self._headers = NO_HEADERS if self._head is None else header_map(self.raw_headers)
        return self._headers

    def set_cookie_fields(self) -> list[str]:
        """The values of its Set-Cookie fields, in order."""
        return [value.decode("utf-8", "surrogateescape") for name, value in self.raw_headers if name.lower() == b"set-cookie"]

    @property
    def cookies(self) -> SimpleCookie:
        """The cookies that this response sets: `cookies["name"].value`."""
        if self._cookies is None:
            from ..wire.setcookie import parse_set_cookies

            sets = self._head is None or self._head.sets_cookies
            self._cookies = parse_set_cookies(self.headers.getall(hdrs.SET_COOKIE, ()) if sets else ())
        return self._cookies

    @cookies.setter
    def cookies(self, cookies: SimpleCookie) -> None:
        self._cookies = cookies

    @property
    def links(self) -> MultiDictProxy[MultiDictProxy[str | URL]]:
        """The Link fields (RFC 8288) by relation; each has its parameters and its `url`, absolute."""
        return parse_links(self.headers.getall(hdrs.LINK, []), self.url)

    def _content_type_field(self) -> str:
        if self._headers is None and self._head is not None:
            return self._head.content_type
        return self.headers.get(hdrs.CONTENT_TYPE, "")

    @property
    def content_type(self) -> str:
        """The media type without its parameters; `application/octet-stream` when the response has none."""
        return parse_content_type(self._content_type_field())[0]

    @property
    def charset(self) -> str | None:
        """The `charset` parameter of the media type."""
        return parse_content_type(self._content_type_field())[1].get("charset")

    @property
    def content_length(self) -> int | None:
        """The announced length of the content, in bytes, as it is coded."""
        value = self.headers.get(hdrs.CONTENT_LENGTH)
        return None if value is None else int(value)

    @property
    def content_disposition(self) -> ContentDisposition | None:
        """The Content-Disposition field (RFC 6266): `type`, `parameters`, `filename`."""
        value = self.headers.get(hdrs.CONTENT_DISPOSITION)
        return None if value is None else ContentDisposition.parse(value)
