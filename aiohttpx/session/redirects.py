"""Where a redirect leads, and what may go there (RFC 9110, section 15.4). Nothing is sent or awaited here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from multidict import CIMultiDict
from yarl import URL

from .. import hdrs
from ..errors import ClientPayloadError, InvalidUrlRedirectClientError, NonHttpUrlRedirectClientError, TooManyRedirects
from ..net.unix import join
from ..patterns import pattern
from ..protocols import Protocol
from ..records import NamedTuple

REDIRECT_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
#: How many redirects lead to an error when the caller says nothing.
MAX_REDIRECTS: Final = 10

#: Fields that are meant for the origin they were first sent to.
_OF_THE_ORIGIN: Final = frozenset({"authorization", "cookie", "host", "proxy-authorization"})
#: Fields of a body, besides those that begin with "content-".
_OF_THE_BODY: Final = frozenset({"expect", "trailer", "transfer-encoding"})

_NOT_UTF8: Final = pattern("[\udc80-\udcff]")
_NOT_IN_URLS: Final = pattern(r"[^!-~]")
_PATH: Final = pattern(r"[^?#]*")
_HTTP: Final = pattern(r"(https?):(/*)", re.I)


class Answered(Protocol):
    """What counts of a response."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def request_info(self) -> Any: ...


class Redirect(NamedTuple):
    """The next request: its method, its URL, whether it has the body of the one before, and whether it goes to the same origin
    (scheme, host and port)."""

    method: str
    url: URL
    keeps_body: bool
    same_origin: bool

    def fields(self, headers: Mapping[str, str]) -> CIMultiDict[str]:
        """`headers` of the request before, as far as they may go along: credentials stay with their origin, and what describes a
        body stays with that."""
        fields: CIMultiDict[str] = CIMultiDict()
        for name, value in headers.items():
            lower = name.lower()
            if not self.same_origin and lower in _OF_THE_ORIGIN:
                continue
            if not self.keeps_body and (lower.startswith("content-") or lower in _OF_THE_BODY):
                continue
            fields.add(name, value)
        return fields


def next_request(
    method: str,
    url: URL,
    response: Answered,
    *,
    history: Sequence[Answered] = (),
    limit: int | None = MAX_REDIRECTS,
    consumed: bool = False,
    requote: bool = True,
) -> Redirect | None:
    """The request that `response` to `method` and `url` redirects to; None when it does not.

    :param history: the responses that led to this one.
    :param limit: with so many redirects it is an error, this one counted; 0 or None: never.
    :param consumed: the body was sent and cannot be sent again.
    :param requote: bring the target into canonical form; otherwise it is sent as the server has written it.

    Raises `TooManyRedirects`, `InvalidUrlRedirectClientError`, `NonHttpUrlRedirectClientError`, and `ClientPayloadError` when a
    consumed body would have to go along.
    """
    if response.status not in REDIRECT_STATUSES:
        return None
    location = response.headers.get(hdrs.LOCATION) or response.headers.get(hdrs.URI)
    if not location:
        return None
    if limit and len(history) + 1 >= limit:
        raise _too_many(limit, (*history, response))
    target = _target(location, url, requote)
    # RFC 9110, sections 15.4.2 to 15.4.4: POST becomes GET, as every browser does it.
    if (response.status == 303 and method != "HEAD") or (response.status in (301, 302) and method == "POST"):
        return Redirect("GET", target, False, origin_of(url) == origin_of(target))
    if consumed:
        raise ClientPayloadError(
            f"Cannot follow redirect with a consumed request body to {target.host}: what an iterator gives is sent once; bytes, "
            "text, forms and files that can seek are sent again"
        )
    return Redirect(method, target, True, origin_of(url) == origin_of(target))


def origin_of(url: URL) -> tuple[str, str, int | None]:
    """RFC 9110, section 4.3.1."""
    return url.scheme, (url.raw_host or "").lower(), url.port


def _too_many(limit: int, history: tuple[Answered, ...]) -> TooManyRedirects:
    last = history[-1]
    return TooManyRedirects(
        history[0].request_info, history, status=last.status, message=f"{len(history)} redirects, max_redirects={limit}"
    )


def _target(location: str, base: URL, requote: bool) -> URL:
    """`location` as browsers resolve it against `base` (WHATWG URL, section 4.4), with the fragment of `base` if it has none."""
    try:
        # What brings a URL into canonical form knows of all characters but these.
        text = (_NOT_UTF8 if requote else _NOT_IN_URLS).sub(_percent_encode, location)
        target = URL(_as_browsers_read(text, base.scheme), encoded=not requote)
        if target.scheme not in ("", "http", "https"):
            raise NonHttpUrlRedirectClientError(location)
        if not target.scheme:
            target = join(base, target)
        if base.raw_fragment and not target.raw_fragment:
            target = target.with_fragment(base.fragment)
        host = origin_of(target)[1]
    except NonHttpUrlRedirectClientError:
        raise
    except ValueError as error:
        raise InvalidUrlRedirectClientError(
            location, "Server attempted redirecting to a location that does not look like a URL"
        ) from (None if "@" in location else error)  # its text may show credentials
    if not host:
        raise InvalidUrlRedirectClientError(location, "Invalid redirect URL origin")
    return target


def _as_browsers_read(text: str, scheme: str) -> str:
    """`text` with slashes for backslashes, and without its scheme where that is `scheme` and no host follows."""
    path = _PATH.match(text)[0]  # type: ignore[index]  # it matches nothing, too
    text = path.replace("\\", "/") + text[len(path) :]
    found = _HTTP.match(text)
    if found is None:
        return text
    rest = text[found.end() :]
    if found[1].lower() != scheme or len(found[2]) > 1:
        return f"{found[1]}://{rest}"
    return found[2] + rest if found[2] or rest[:1] in ("", "?", "#") else f"./{rest}"


def _percent_encode(found: re.Match[str]) -> str:
    return "".join(f"%{octet:02X}" for octet in found[0].encode(errors="surrogateescape"))
