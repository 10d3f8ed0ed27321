"""URLs of servers on Unix sockets: `http+unix://%2Frun%2Fname.sock/path`, where the host is the percent-encoded path of the
socket."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from yarl import URL

from ..patterns import pattern

UNIX_SCHEME: Final = "http+unix"
#: What the Host field says of a server that has no name.
UNIX_HOST: Final = "localhost"

_FORM: Final = pattern(r"(?is)http\+unix://([^/?#]*)(.*)")


def unix_url(url: str | URL) -> URL:
    """`url` in canonical form. A str keeps the case of its socket's path, which `URL(str)` puts into lower case as it does with
    every host: of a URL that was made so, the path is what it says."""
    found = _FORM.fullmatch(url) if isinstance(url, str) else None
    if found is None:
        return URL(url)
    rest = URL(f"http://{UNIX_HOST}{found[2]}")
    return _at(found[1], rest)


def socket_path(url: URL) -> str:
    """Where the socket of `url` is."""
    return unquote(url.raw_host or "")


def join(base: URL, url: URL) -> URL:
    """What `url` means relative to `base` (RFC 3986, section 5), on a Unix socket too."""
    if base.scheme != UNIX_SCHEME:
        return base.join(url)
    if url.absolute:
        return url
    return _at(base.raw_host or "", URL(f"http://{UNIX_HOST}{base.raw_path_qs}", encoded=True).join(url))


def _at(host: str, rest: URL) -> URL:
    fragment = f"#{rest.raw_fragment}" if rest.raw_fragment else ""
    return URL(f"{UNIX_SCHEME}://{host}{rest.raw_path_qs}{fragment}", encoded=True)
