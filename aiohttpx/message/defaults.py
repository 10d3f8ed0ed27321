"""What the requests of a session have in common, worked out once: what they say by default, and what is known of each origin."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from multidict import CIMultiDict, getversion
from yarl import URL

from .. import hdrs
from .._impl import serialize_head
from ..errors import InvalidUrlClientError
from ..events import HttpVersion, HttpVersion11
from ..late import late
from ..net.key import ConnectionKey
from ..net.settings import DEFAULT_SETTINGS, Settings
from ..net.unix import UNIX_HOST, UNIX_SCHEME
from ..patterns import pattern
from ..version import __version__
from .response import ClientResponse

if TYPE_CHECKING:
    from ..net.proxy import Proxy
    from ..wire import codings
else:
    codings = late("aiohttpx.wire.codings")

USER_AGENT: Final = f"Python/{sys.version_info[0]}.{sys.version_info[1]} aiohttpx/{__version__}"

#: As many origins as are remembered at once; a scraper meets them without end.
_ORIGINS_KEPT = 1024

#: Fields whose presence among the defaults changes how a request is framed or where it goes: each request must look at them
#: itself.
_NOT_COMMON: Final = frozenset(
    {
        "host",
        "content-length",
        "content-type",
        "content-encoding",
        "transfer-encoding",
        "connection",
        "upgrade",
        "expect",
        "cookie",
        "proxy-authorization",
    }
)


#: Path and query that are canonical as they stand, dot segments left aside (RFC 3986, section 3.3 and 3.4).
_CANONICAL_TARGET: Final = pattern(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@/]*(?:\?[A-Za-z0-9\-._~!$&'()*+,;=:@/?]+)?")


class Origin:
    """What is known of a scheme, host and port (RFC 9110, section 4.3.1), and of the way there.

    :param host: the Host field; `block` is the same as a block of a head, with the credentials of a proxy that reads it.
    :param prefix: what makes the request target absolute, for a proxy that forwards the request (RFC 9112, section 3.2.2).
    """

    __slots__ = ("block", "host", "key", "prefix", "proxy")

    def __init__(self, key: ConnectionKey, host: str, block: bytes, proxy: Proxy | None, prefix: str) -> None:
        self.key = key
        self.host = host
        self.block = block
        self.proxy = proxy
        self.prefix = prefix

    def through_proxy(self, headers: CIMultiDict[str]) -> list[tuple[str, str]]:
        """What is meant for a proxy that reads the request takes the place of `headers`, and into a tunnel none of it goes."""
        told = self.proxy.fields if self.prefix and self.proxy is not None else ()
        taken = {name.lower() for name, _ in told} if self.prefix else {"proxy-authorization"}
        return [*((name, value) for name, value in headers.items() if name.lower() not in taken), *told]


#: A URL that is canonical as it stands, its origin, and the request target in it.
CutURL: TypeAlias = tuple[str, Origin, str]


class RequestDefaults:
    """What the requests of a session say when they say nothing themselves.

    :param headers: the session's own fields; they may be changed at any time.
    :param skip_auto_headers: names of the fields that are not to be generated.
    :param version: the version they speak.
    :param response_class: makes their responses.
    :param settings: how their answers are read.
    """

    def __init__(
        self,
        headers: CIMultiDict[str],
        skip_auto_headers: Iterable[str] = (),
        version: HttpVersion = HttpVersion11,
        response_class: type[ClientResponse] = ClientResponse,
        settings: Settings = DEFAULT_SETTINGS,
    ) -> None:
        self.headers = headers
        self.version = version
        self.response_class = response_class
        self.settings = settings
        #: The loop of the session, once it is bound to one.
        self.loop: asyncio.AbstractEventLoop | None = None
        self.skipped = frozenset(name.lower() for name in skip_auto_headers)
        self._block: bytes | None = None
        self._block_version = -1
        #: The proxy for a URL, if it is not for each request to say.
        self.route: Callable[[URL], Proxy | None] | None = None
        #: The origins that are known, by scheme and authority; by proxy too, for requests that name one.
        self.origins: dict[tuple[Any, ...], Origin] = {}
        #: The same, by what URLs of that origin start with.
        self._starts: dict[str, Origin] = {}

    def block(self) -> bytes | None:
        """The fields of a request that has none of its own, serialized; None when each request must be looked at."""
        version = getversion(self.headers)  # type: ignore[arg-type]  # of whatever values
        if version != self._block_version:
            self._block = self._serialize()  # or it raises, this time and the next
            self._block_version = version
        return self._block

    def _serialize(self) -> bytes | None:
        if not _NOT_COMMON.isdisjoint(map(str.lower, self.headers)) or "content-type" in self.skipped:
            return None
        if self.version != HttpVersion11:
            return None
        fields = CIMultiDict(self.headers)
        self.generate(fields, self.skipped)
        # A head of fields only: what is left of it without its request line and its empty line.
        return serialize_head("GET", "/", fields.items()).partition(b"\r\n")[2][:-2]

    def generate(self, fields: CIMultiDict[str], skipped: frozenset[str]) -> None:
        """Add the fields that every request has, unless they are there or, in lower case, among `skipped`."""
        for name, value in _generated():
            if name not in fields and name.lower() not in skipped:
                fields[name] = value

    def origin(self, url: URL) -> Origin:
        """Get to know the origin of `url`, and the way there. Raises `InvalidUrlClientError` when it has no host."""
        known = self._know((url.scheme, url.raw_authority), url, None if self.route is None else self.route(url))
        if not url.raw_user and url.raw_password is None:
            self._starts[str(url.origin())] = known
        return known

    def origin_through(self, url: URL, proxy: Proxy | None, tunnel: bool = False) -> Origin:
        """The origin of `url`, by the way that one request is told to go. Raises as `origin` does."""
        key = url.scheme, url.raw_authority, proxy, tunnel
        return self.origins.get(key) or self._know(key, url, proxy, tunnel)

    def _know(self, key: tuple[Any, ...], url: URL, proxy: Proxy | None, tunnel: bool = False) -> Origin:
        if len(self.origins) >= _ORIGINS_KEPT:
            self.origins.clear()
            self._starts.clear()
        known = self.origins[key] = origin_of(url, proxy, tunnel)
        return known

    def cut(self, url: str) -> CutURL | None:
        """Cut a URL of a known origin; None if it has to be parsed. That is dear, and most URLs are canonical as they stand."""
        end = url.find("/", 8)  # behind "https://"
        origin = self._starts.get(url[:end])
        if origin is None:
            return None
        target = url[end:]
        return (url, origin, target) if _CANONICAL_TARGET.fullmatch(target) and "/." not in target else None


@cache
def _generated() -> tuple[tuple[str, str], ...]:
    return (hdrs.ACCEPT, "*/*"), (hdrs.ACCEPT_ENCODING, codings.ACCEPT_ENCODING), (hdrs.USER_AGENT, USER_AGENT)


def origin_of(url: URL, proxy: Proxy | None = None, tunnel: bool = False) -> Origin:
    """Work out what there is to know of the origin of `url`, and of the way there by `proxy`.

    :param tunnel: the proxy is not to forward the request, even if it could.

    Raises `InvalidUrlClientError` when it has no host.
    """
    host = url.host_port_subcomponent
    if not url.raw_host or host is None:
        raise InvalidUrlClientError(url)
    if url.scheme == UNIX_SCHEME:
        host, proxy = UNIX_HOST, None
    key = ConnectionKey(url.raw_host, url.port, url.scheme in ("https", "wss"), True, None, None, None)
    fields: tuple[tuple[str, str], ...] = ((hdrs.HOST, host),)
    prefix = ""
    if proxy is not None:
        tunnel = tunnel or proxy.socks or url.scheme != "http"
        if not tunnel:
            prefix = f"http://{host}"
            fields += proxy.fields
        headers_hash = hash(proxy.headers) if proxy.headers else None
        key = key._replace(proxy=proxy.url, proxy_auth=proxy.auth, proxy_headers_hash=headers_hash, tunnel=tunnel)
    block = serialize_head("GET", "/", fields).partition(b"\r\n")[2][:-2]
    return Origin(key, host, block, proxy, prefix)


#: For a request made by hand, outside of a session.
NO_DEFAULTS: Final = RequestDefaults(CIMultiDict())
