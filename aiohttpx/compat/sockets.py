"""Options of a transport's socket."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress


def tcp_keepalive(transport: asyncio.Transport) -> None:
    """Have the system find out whether an idle peer is still there."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def tcp_nodelay(transport: asyncio.Transport, value: bool) -> None:
    """Send small writes at once, or not."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):  # it may be closed
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, bool(value))
