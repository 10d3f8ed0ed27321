"""What makes two requests able to share a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..records import NamedTuple

if TYPE_CHECKING:
    from ssl import SSLContext

    from yarl import URL

    from .tls import Fingerprint


class ConnectionKey(NamedTuple):
    """Everything that identifies the peer of a connection. Nothing is shared between different keys, TLS sessions neither."""

    host: str
    port: int | None
    #: The connection to the origin is encrypted.
    is_ssl: bool
    #: The TLS setting: True (verified), False (not verified), a context of the user's, or a pin.
    ssl: SSLContext | bool | Fingerprint
    proxy: URL | None
    proxy_auth: Any
    #: The hash of the fields sent to the proxy.
    proxy_headers_hash: int | None
    #: The name asked for in the handshake and looked for in the certificate, when it is not `host`.
    server_hostname: str | None = None
    #: The proxy only passes bytes on, and does not know what they mean.
    tunnel: bool = False

    def __str__(self) -> str:
        """The peer, as texts name it."""
        return f"{self.host}:{self.port}" + (f" through {self.proxy}" if self.proxy is not None else "")
