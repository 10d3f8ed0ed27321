"""SOCKS proxies (RFC 1928, RFC 1929, and SOCKS 4 and 4a before them), spoken by the package python-socks."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from ..errors import ClientConnectorDNSError, ClientProxyConnectionError
from .key import ConnectionKey

if TYPE_CHECKING:
    from .resolver import ResolveResult
    from .tunnel import ProxyRequest

__all__ = ("address_for", "open_socks_tunnel", "told_names")

#: The limit is the caller's; python-socks would set one of its own.
_A_YEAR: Final = 365 * 24 * 3600.0


class _InUTF8(str):
    """Credentials, which RFC 1929 names no charset for, and python-socks only ASCII."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return str.encode(self)

    def __len__(self) -> int:
        return len(self.encode())


class _Connected:
    """What python-socks takes for a proxy on the way to the first one: here, a socket that leads there already."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    async def connect(self, dest_host: str, dest_port: int, timeout: float | None = None) -> socket.socket:
        return self._sock


def told_names(scheme: str) -> bool:
    """Whether a proxy of this scheme is told names; the others are told addresses."""
    return scheme in ("socks4a", "socks5h")


def address_for(key: ConnectionKey, scheme: str, hosts: list[ResolveResult]) -> str:
    """The address to tell a proxy of this scheme: one of IPv4 where there is one, since many have no IPv6.

    Raises `ClientConnectorDNSError` when there is none: SOCKS 4 knows only IPv4.
    """
    known = [host["host"] for host in hosts]
    address = next((address for address in known if ":" not in address), known[0] if known and scheme == "socks5" else None)
    if address is None:
        raise ClientConnectorDNSError(key, OSError(None, f"No address that a {scheme} proxy can connect to"))
    return address


async def open_socks_tunnel(sock: socket.socket, asked: ProxyRequest, host: str, key: ConnectionKey) -> None:
    """Ask the proxy that `sock` leads to for a connection to `host` and the port of `key`. `sock` leads there from here on.

    Raises `ClientProxyConnectionError` when the proxy refuses or goes away, and when python-socks is not installed. The socket is
    closed then.
    """
    proxy_key = asked.connection_key
    with ExitStack() as failing:
        failing.callback(sock.close)
        try:
            await _proxy(sock, asked.url.scheme, key.proxy_auth).connect(host, key.port, timeout=_A_YEAR)
        except OSError as error:
            raise ClientProxyConnectionError(proxy_key, error) from error
        except Exception as error:
            if type(error).__name__ == "ProxyError":
                raise ClientProxyConnectionError(proxy_key, OSError(None, str(error))) from error
            # Something does not fit into the protocol; the text of the error may show the password.
            unfit = OSError(None, "The credentials or the host cannot be said in SOCKS")
            raise ClientProxyConnectionError(proxy_key, unfit) from None
        failing.pop_all()


def _proxy(sock: socket.socket, scheme: str, auth: Any) -> Any:
    try:
        from python_socks import ProxyType
        from python_socks.async_.asyncio import Proxy
    except ImportError as error:
        raise OSError(None, f"{scheme}:// needs python-socks: pip install 'aiohttpx[socks]'") from error
    login, password = (None, None) if auth is None else (_InUTF8(auth.login), _InUTF8(auth.password))
    kind = ProxyType.SOCKS4 if scheme.startswith("socks4") else ProxyType.SOCKS5
    forward: Any = _Connected(sock)
    return Proxy(kind, "", 0, login, password, rdns=True, forward=forward)
