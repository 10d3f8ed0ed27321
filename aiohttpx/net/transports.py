"""Who makes a transport, and what is asked of one, where somebody's own may have no answer: aiohttp calls `write`, `close`,
`is_closing`."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

#: Those that have nothing but a buffer between themselves and a socket that can be watched, by module and name.
_DIRECT: Final = {
    ("asyncio.selector_events", "_SelectorSocketTransport"),
    ("uvloop.loop", "TCPTransport"),
    ("uvloop.loop", "UnixTransport"),
}


def loops_own(name: str) -> Callable[..., Any]:
    """The running loop's method of that name, which makes transports; not aiofastnet's when that was put in its place.

    With the TLS of aiofastnet 1.2, what was decrypted when reading pauses may never arrive when it resumes; the protocol cannot
    become a plain one during a read; no session is resumed; and a context that logs its keys, as SSLKEYLOGFILE makes it, ends the
    process. Through a plain transport of its own no other TLS can begin.
    """
    loop = asyncio.get_running_loop()
    method: Callable[..., Any] = getattr(loop, name)
    if getattr(getattr(method, "func", None), "__module__", "").startswith("aiofastnet."):  # a partial, set by its patch_loop
        method = getattr(type(loop), name).__get__(loop)
    return method


def abort(transport: asyncio.Transport) -> None:
    """End it at once, or as fast as it can."""
    try:
        transport.abort()
    except NotImplementedError:
        transport.close()


def unsent(transport: asyncio.Transport) -> int:
    """Bytes that were written and not sent, as far as it says."""
    try:
        return transport.get_write_buffer_size()
    except NotImplementedError:
        return 0


def pause(transport: asyncio.Transport) -> None:
    """Read no more, if it can wait."""
    with suppress(NotImplementedError):
        transport.pause_reading()


def resume(transport: asyncio.Transport) -> None:
    """Read on."""
    with suppress(NotImplementedError):
        transport.resume_reading()


def is_direct(transport: asyncio.BaseTransport | None) -> bool:
    """What is sent on its socket is what the peer receives. With TLS it would not be."""
    kind = type(transport)
    return (kind.__module__, kind.__name__) in _DIRECT


def own_socket(transport: asyncio.BaseTransport) -> socket.socket:
    """The socket of a direct transport once more, for the caller to close."""
    return socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))


def read_rest(transport: asyncio.BaseTransport | None, receive: Callable[[bytes], Any]) -> None:
    """Give to `receive` what has reached the socket of a direct transport that failed, in writing for one."""
    if transport is not None and is_direct(transport):
        with suppress(OSError), own_socket(transport) as sock:
            while data := sock.recv(2**16):
                receive(data)
