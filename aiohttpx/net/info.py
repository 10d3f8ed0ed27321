"""What is known of a connection, also when it is over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeAlias

from ..records import NamedTuple

if TYPE_CHECKING:
    import ssl


class ConnectionInfo(NamedTuple):
    """What a response came through.

    `peer` and `local` are socket addresses: (host, port) for IPv4, (host, port, flow info, scope id) for IPv6, a path for a Unix
    socket. The others are None without TLS, and once that has failed.
    """

    peer: Any
    local: Any
    #: For example "TLSv1.3".
    tls_version: str | None = None
    #: Its name, the version of TLS that defined it, and its secret bits.
    cipher: tuple[str, str, int] | None = None
    #: The peer's certificate, as `ssl.SSLSocket.getpeercert()` gives it ({} when it was not verified), and in DER.
    certificate: dict[str, Any] | None = None
    certificate_der: bytes | None = None
    #: The connection had been used before.
    reused: bool = False


#: The addresses of a connection's ends, and its end of TLS.
Ends: TypeAlias = tuple[Any, Any, "ssl.SSLObject | None"]


def ends_of(transport: asyncio.BaseTransport) -> Ends:
    """What `transport` knows only as long as it is open."""
    ask = transport.get_extra_info
    return ask("peername"), ask("sockname"), ask("ssl_object")


def info_of(ends: Ends) -> ConnectionInfo:
    """What there is to say of a connection with these ends. (To decode the certificate is dear: it is done for who asks.)"""
    peer, local, tls = ends
    if tls is None:
        return ConnectionInfo(peer, local)
    try:
        return ConnectionInfo(peer, local, tls.version(), tls.cipher(), tls.getpeercert(), tls.getpeercert(True))
    except ValueError:  # it has failed, and OpenSSL tells no more of the certificate
        return ConnectionInfo(peer, local)
