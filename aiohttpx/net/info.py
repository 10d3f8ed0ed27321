"""What is known of a connection, also when it is over."""

from __future__ import annotations

import asyncio
from typing import Any

from ..records import NamedTuple


class ConnectionInfo(NamedTuple):
    """What a response came through.

    `peer` and `local` are socket addresses: (host, port) for IPv4, (host, port, flow info, scope id) for IPv6, a path for a Unix
    socket. The others are None without TLS.
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


def info_of(transport: asyncio.BaseTransport) -> ConnectionInfo:
    """What `transport` says about itself."""
    ask = transport.get_extra_info
    ssl_object = ask("ssl_object")
    if ssl_object is None:
        return ConnectionInfo(ask("peername"), ask("sockname"))
    return ConnectionInfo(
        ask("peername"),
        ask("sockname"),
        ssl_object.version(),
        ssl_object.cipher(),
        ssl_object.getpeercert(),
        ssl_object.getpeercert(True),
    )
