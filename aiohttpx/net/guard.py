"""Whom not to connect to: addresses that are nobody's business outside (server-side request forgery)."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from ..errors import SSRFError

if TYPE_CHECKING:
    from .key import ConnectionKey
    from .resolver import ResolveResult

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

#: IANA's registry of special-purpose addresses, as far as they are not globally reachable; and where clouds keep what their
#: machines may know.
_SPECIAL: Final[dict[_Network, str]] = {
    ip_network(network): kind
    for network, kind in {
        "168.63.129.16/32": "a metadata service",
        "0.0.0.0/8": "of this network",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "shared by a carrier",
        "127.0.0.0/8": "loopback",
        "169.254.0.0/16": "link-local",
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "reserved",
        "192.0.2.0/24": "for documentation",
        "192.88.99.0/24": "reserved",
        "192.168.0.0/16": "private",
        "198.18.0.0/15": "for benchmarks",
        "198.51.100.0/24": "for documentation",
        "203.0.113.0/24": "for documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",
        "::/128": "unspecified",
        "::1/128": "loopback",
        "2001::/23": "reserved",  # Teredo among others, which leads to an IPv4 address
        "2001:db8::/32": "for documentation",
        "3fff::/20": "for documentation",
        "fc00::/7": "private",
        "fe80::/10": "link-local",
        "ff00::/8": "multicast",
    }.items()
}
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
#: Prefixes whose addresses stand for an IPv4 address, and how many bits after it there are: IPv4-mapped (RFC 4291, section
#: 2.5.5.2), NAT64 (RFC 6052, section 2.1), 6to4 (RFC 3056, section 2).
_WRAPPED: Final = ((IPv6Network("::ffff:0:0/96"), 0), (IPv6Network("64:ff9b::/96"), 0), (IPv6Network("2002::/16"), 80))


class SSRFGuard:
    """Lets a connector connect to public addresses only: `TCPConnector(guard=SSRFGuard())`.

    What counts is the address that is connected to, after the name was looked up, for each connection that is opened: redirects,
    names that change their address, and connections that are used again have no way around it. Private, loopback, link-local,
    multicast and reserved addresses are refused, metadata services of clouds, and whatever stands for such an IPv4 address in
    IPv6; so are Unix sockets, and proxies, which look up names themselves. A refusal is an `SSRFError`.

    :param allow: addresses or networks that are let through all the same.
    :param block: addresses or networks that are refused, too, those in `allow` as well.

    Raises `ValueError` for what is no network.
    """

    def __init__(self, *, allow: Iterable[str] = (), block: Iterable[str] = ()) -> None:
        self._allowed = tuple(ip_network(network) for network in allow)
        self._blocked = tuple(ip_network(network) for network in block)

    def objection(self, host: str) -> str | None:
        """What is wrong with `host`, an IP address; None if it may be connected to."""
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return f"{host} is not an address"
        meant = _unwrapped(address)
        if _within(address, self._blocked) or _within(meant, self._blocked):
            return f"{host} is blocked"
        if _within(address, self._allowed) or _within(meant, self._allowed):
            return None
        kind = next((kind for network, kind in _SPECIAL.items() if meant in network), None)
        if kind is None and isinstance(meant, IPv6Address) and meant not in _GLOBAL_UNICAST:
            kind = "not public"
        return None if kind is None else f"{host} is {kind}"

    def permitted(self, key: ConnectionKey, hosts: Iterable[ResolveResult]) -> list[ResolveResult]:
        """Those of the addresses of a peer that may be connected to. Raises `SSRFError` when there are none."""
        hosts = list(hosts)
        permitted = [host for host in hosts if self.objection(host["host"]) is None]
        if not permitted:
            self.refuse(key, ", ".join(filter(None, (self.objection(host["host"]) for host in hosts))))
        return permitted

    def refuse(self, key: ConnectionKey, reason: str) -> None:
        """Raise the `SSRFError` that says so."""
        raise SSRFError(key, PermissionError(errno.EACCES, f"SSRFGuard: {reason}"))


def _within(address: _Address, networks: tuple[_Network, ...]) -> bool:
    return any(address in network for network in networks)


def _unwrapped(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for, or itself."""
    for prefix, after in _WRAPPED:
        if address in prefix:
            return IPv4Address(int(address) >> after & 0xFFFFFFFF)
    return address
