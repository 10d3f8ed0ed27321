"""Which proxy each request of a session goes through."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from yarl import URL

from ..late import late

if TYPE_CHECKING:
    from ..net import proxy as proxies
    from ..net.proxy import Proxy
    from ..typedefs import LooseHeaders, StrOrURL
    from ..wire.basicauth import BasicAuth
    from .environment import ProxyEnvironment
else:
    proxies = late("aiohttpx.net.proxy")


class Routes:
    """The proxies of a session.

    :param proxy: for all requests that do not name one themselves.
    :param auth: the credentials for it; without `proxy`, those for the proxies of requests that come without.

    Raises what `proxy_of` raises.
    """

    def __init__(self, proxy: StrOrURL | None, auth: BasicAuth | None) -> None:
        self._proxy = None if proxy is None else proxies.proxy_of(proxy, auth)
        self._auth = auth if self._proxy is None else self._proxy.auth
        self._environment: ProxyEnvironment | None = None

    def trust_environment(self) -> None:
        """Ask the environment, as it is now, for the proxies of requests for which none is named."""
        from .environment import ProxyEnvironment

        self._environment = ProxyEnvironment(os.environ)

    def __call__(self, url: URL) -> Proxy | None:
        """The proxy of a request to `url` that names none. Raises `InvalidURL` when the environment names what is none."""
        if self._proxy is not None or self._environment is None:
            return self._proxy
        named = self._environment.proxy_for(url)
        if named is None:
            return None
        from .netrcfile import credentials_of, read_netrc

        proxy = proxies.proxy_of(named)
        if proxy.auth is None and (entries := read_netrc()) is not None:
            proxy = proxy._replace(auth=credentials_of(entries, proxy.url.host or ""))
        return proxy

    def told(self, proxy: StrOrURL | None, auth: BasicAuth | None, headers: LooseHeaders | None) -> dict[str, Any]:
        """What a `ClientRequest` is told of the proxy that one request names: {} for none. Raises what `proxy_of` raises."""
        own = self._proxy
        if not proxy:
            if own is None or (auth is None and headers is None):
                return {}
            proxy = own.url
        if auth is None and (own is None or proxies.proxy_of(proxy).url == own.url):  # credentials are for one proxy
            auth = self._auth
        return {"proxy": proxy, "proxy_auth": auth, "proxy_headers": headers}


def netrc_credentials(host: str) -> Awaitable[BasicAuth | None]:
    """The credentials that the user's netrc file has for `host`."""
    from . import netrcfile

    return netrcfile.netrc_credentials(host)
