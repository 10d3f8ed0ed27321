"""Standard input, read as it comes."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import suppress

_CHUNK = 1 << 16


async def standard_input() -> AsyncGenerator[bytes]:
    """What comes, in the pieces it comes in; the next one is read when this one was used.

    Nothing can end a read from a terminal but who sits there. So it is done in a thread that nobody waits for, past Python's own
    buffer, whose lock would be held at exit.
    """
    loop, pieces, wanted = asyncio.get_running_loop(), asyncio.Queue[bytes](), threading.Semaphore(1)
    descriptor = sys.stdin.fileno()

    def read() -> None:
        piece = b"first"
        with suppress(RuntimeError):  # the loop is closed: nobody wants it any more
            while piece:
                wanted.acquire()
                try:
                    piece = os.read(descriptor, _CHUNK)
                except OSError:  # the terminal is gone
                    piece = b""
                loop.call_soon_threadsafe(pieces.put_nowait, piece)

    threading.Thread(target=read, name="aiohttpx standard input", daemon=True).start()
    while piece := await pieces.get():
        yield piece
        wanted.release()


async def lines_of(pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The lines that `pieces` are of, without their ends."""
    rest = bytearray()
    async for piece in pieces:
        *ended, last = piece.split(b"\n")
        for line in ended:
            rest += line
            yield bytes(rest.removesuffix(b"\r"))
            rest.clear()
        rest += last
    if rest:
        yield bytes(rest)
