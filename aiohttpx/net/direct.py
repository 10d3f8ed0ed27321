"""Sending past the transport, right to its socket: what is large need not be copied into a buffer, or into Python at all."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Final

from .connection import HTTPConnection

#: Transports that have nothing but a buffer between themselves and a socket that can be watched, by module and name.
_DIRECT: Final = {
    ("asyncio.selector_events", "_SelectorSocketTransport"),
    ("uvloop.loop", "TCPTransport"),
    ("uvloop.loop", "UnixTransport"),
}


def is_direct(transport: asyncio.Transport | None) -> bool:
    """What `send_directly` sends is what the peer receives. With TLS it would not be."""
    kind = type(transport)
    return (kind.__module__, kind.__name__) in _DIRECT


async def send_directly(connection: HTTPConnection, send: Callable[[socket.socket], bool]) -> None:
    """Call `send` with the socket of a direct transport whenever that takes more, until it returns False.

    The answer is heard meanwhile. Raises `ClientConnectionResetError` when the connection is lost, and what `send` raises.
    """
    await _flush(connection)
    loop, transport = connection.loop, connection.transport
    # The loop knows the transport's own socket and would not let it be watched twice.
    sock = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))  # type: ignore[union-attr]
    done = loop.create_future()

    def ready() -> None:
        if done.done():
            return
        try:
            if not send(sock):
                done.set_result(None)
        except (BlockingIOError, InterruptedError):
            pass
        except ConnectionError as error:
            if transport is not None and transport.is_reading():
                # The peer has left, perhaps after an answer that is still to be read: the transport will find out.
                loop.remove_writer(sock)
            else:
                done.set_exception(error)
        except Exception as error:
            done.set_exception(error)

    loop.add_writer(sock, ready)
    try:
        await done
    finally:
        loop.remove_writer(sock)
        sock.close()


async def _flush(connection: HTTPConnection) -> None:
    """Wait until the transport has sent everything."""
    await connection.drain()
    transport = connection.transport
    if transport is not None and transport.get_write_buffer_size():
        transport.set_write_buffer_limits(0)
        try:
            await connection.drain()
        finally:
            transport.set_write_buffer_limits()
