"""What is asked of a transport, where one of somebody's own may have no answer: aiohttp calls `write`, `close`, `is_closing`."""

from __future__ import annotations

import asyncio
from contextlib import suppress


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
