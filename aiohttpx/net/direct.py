"""Sending past the transport, right to its socket: what is large need not be copied into a buffer, or into Python at all."""

from __future__ import annotations

import socket
from collections.abc import Callable

from ..errors import ClientConnectionResetError
from . import transports
from .connection import HTTPConnection


async def send_directly(connection: HTTPConnection, send: Callable[[socket.socket], bool]) -> None:
    """Call `send` with the socket of a direct transport whenever that takes more, until it returns False.

    The answer is heard meanwhile. Raises `ClientConnectionResetError` when the connection is lost, and what `send` raises.
    """
    await _flush(connection)
    loop, transport = connection.loop, connection.transport
    if transport is None:
        raise ClientConnectionResetError(f"Connection lost ({connection.peer})")
    # The loop knows the transport's own socket and would not let it be watched twice.
    sock = transports.own_socket(transport)
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
            if transport.is_reading():
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
    if transport is not None and transports.unsent(transport):
        transport.set_write_buffer_limits(0)
        try:
            await connection.drain()
        finally:
            transport.set_write_buffer_limits()
