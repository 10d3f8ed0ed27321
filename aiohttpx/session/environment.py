"""What the environment says: which proxy takes which request (`trust_env=True`). Nothing is opened or awaited here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from yarl import URL

_VARIABLES: Final = frozenset({"http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "all_proxy", "no_proxy"})
_PORT: Final = re.compile(r"(.*):([0-9]{1,5})")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class ProxyEnvironment:
    """The proxies that `environ` names; changes to it later are not seen.

    HTTP_PROXY, HTTPS_PROXY, WS_PROXY and WSS_PROXY are for URLs of that scheme, ALL_PROXY is for those that have none of their
    own, and NO_PROXY names the `Exemptions`. In lower case the names count more: `http_proxy=` without a value takes HTTP_PROXY
    back. Where REQUEST_METHOD is set, as it is for a CGI script, HTTP_PROXY may be the Proxy field of whoever asked for the page
    and does not count; http_proxy does.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        said = {name.lower(): value for name, value in environ.items() if name.lower() in _VARIABLES}
        if "REQUEST_METHOD" in environ:
            said.pop("http_proxy", None)
        said.update((name, value) for name, value in environ.items() if name in _VARIABLES)
        self._proxies = {name: value.strip() for name, value in said.items()}
        self._exemptions = Exemptions(self._proxies.pop("no_proxy", ""))

    def proxy_for(self, url: URL) -> str | None:
        """The URL of the proxy for `url`, None to go there directly. One written without a scheme is an http proxy."""
        proxy = self._proxies.get(f"{url.scheme}_proxy") or self._proxies.get("all_proxy")
        if not proxy or self._exemptions.cover(url.raw_host or "", url.port):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"


class Exemptions:
    """The hosts that NO_PROXY names, separated by commas or spaces: `*` for all; a domain, which stands for its subdomains too,
    with or without a dot or `*.` before it; an IP address, or a network of them as 10.0.0.0/8. A port at the end of one is the
    only one that it is for."""

    def __init__(self, text: str) -> None:
        self._domains: list[tuple[str, int | None]] = []
        self._networks: list[tuple[Network, int | None]] = []
        self._all = False
        for entry in re.split(r"[\s,]+", text):
            if entry == "*":
                self._all = True
            elif entry:
                self._add(entry)

    def _add(self, entry: str) -> None:
        port = None
        network = _network(entry)  # before a port is looked for: ::1 has none
        if network is None and (found := _PORT.fullmatch(entry)):
            entry, port = found[1], int(found[2])
            network = _network(entry)
        if network is not None:
            self._networks.append((network, port))
        elif domain := _ascii(entry.removeprefix("*").strip(".")):
            self._domains.append((domain, port))

    def cover(self, host: str, port: int | None) -> bool:
        """Whether `host`, a domain name in ASCII or an IP address, is asked directly on `port`."""
        if self._all:
            return True
        address = _address(host)
        if address is not None:
            return any(address in network for network, on in self._networks if on in (None, port))
        host = "." + host.lower().rstrip(".")
        return any(host.endswith("." + domain) for domain, on in self._domains if on in (None, port))


def _network(text: str) -> Network | None:
    try:
        return ip_network(text.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        return None


def _address(host: str) -> Address | None:
    """The address that `host` is; one of IPv4 that is mapped into IPv6 counts as what it is (RFC 4291, section 2.5.5.2)."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _ascii(domain: str) -> str:
    """`domain` as URLs have it."""
    try:
        return URL.build(scheme="http", host=domain).raw_host or ""
    except ValueError:
        return ""  # it is the name of nothing
