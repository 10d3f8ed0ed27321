"""A proxy: which one it is, and what it alone is told."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from multidict import CIMultiDict
from yarl import URL

from .. import hdrs
from ..errors import InvalidURL
from ..records import NamedTuple
from ..typedefs import LooseHeaders, StrOrURL
from ..wire.basicauth import BasicAuth, split_credentials

__all__ = ("Proxy", "proxy_of")

_SOCKS_PORT: Final = 1080
_SCHEMES: Final = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
#: They say where a request goes and how it is framed, which is not for the caller to say of a CONNECT.
_NOT_FOR_A_PROXY: Final = frozenset({"host", "content-length", "transfer-encoding"})


class Proxy(NamedTuple):
    """A proxy, without the credentials in its URL: they are in `auth`. Made by `proxy_of`."""

    url: URL
    auth: BasicAuth | None
    #: Further fields that are meant for it.
    headers: tuple[tuple[str, str], ...]

    @property
    def socks(self) -> bool:
        return self.url.scheme.startswith("socks")

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Everything that is meant for it: its credentials (RFC 9110, section 11.7.2) and its headers."""
        if self.auth is None:
            return self.headers
        return ((hdrs.PROXY_AUTHORIZATION, self.auth.encode()), *self.headers)


def proxy_of(proxy: StrOrURL, auth: BasicAuth | None = None, headers: LooseHeaders | None = None) -> Proxy:
    """The proxy at that URL, with the credentials `auth` or those in its URL.

    Raises `InvalidURL` when that is no URL, or of a scheme that no proxy has, `TypeError` when it is neither text nor a `URL`,
    and `ValueError` when `auth` is no `BasicAuth`.
    """
    if auth is not None and not isinstance(auth, BasicAuth):
        raise ValueError("proxy_auth must be None or BasicAuth() tuple")
    if not isinstance(proxy, str | URL):
        raise TypeError(f"proxy must be a str or a URL, not {type(proxy).__name__}")
    chosen = _parsed(proxy, auth)
    if not headers:
        return chosen
    left_out = _NOT_FOR_A_PROXY if chosen.auth is None else _NOT_FOR_A_PROXY | {"proxy-authorization"}
    fields = CIMultiDict(headers).items()
    return chosen._replace(headers=tuple((name, value) for name, value in fields if name.lower() not in left_out))


@lru_cache  # the same one is named with each request
def _parsed(proxy: StrOrURL, auth: BasicAuth | None) -> Proxy:
    try:
        url, own = split_credentials(URL(proxy))
    except ValueError:  # whose text may show the credentials
        raise InvalidURL(_shown(proxy), "it is not the URL of a proxy") from None
    if url.scheme not in _SCHEMES or not url.raw_host:
        raise InvalidURL(_shown(proxy), f"a proxy is given as scheme://host:port, and the scheme is one of {', '.join(_SCHEMES)}")
    return Proxy(URL.build(scheme=url.scheme, host=url.raw_host, port=url.port or _SOCKS_PORT), auth or own, ())


def _shown(proxy: StrOrURL) -> str:
    """What an error may say of it: no credentials, whatever it is."""
    return str(proxy).rpartition("@")[2]
