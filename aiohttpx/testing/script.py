"""What a scripted peer can do. A step is an asynchronous callable that is given the connection: functions of your own, too."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle

from .peer_connection import PeerConnection

Step = Callable[[PeerConnection], Awaitable[None]]

#: Steps one after the other, where bytes stand for `Send`; bytes alone stand for "answer every request with these".
Script = bytes | Sequence[bytes | Step]

# struct linger, on with no time at all: what was not sent is dropped, and the peer is told by RST.
_LINGER_NOT = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


@dataclass(frozen=True)
class Send:
    """Sends `data`; with `cut`, in writes of so many bytes each, with a turn of the loop in between."""

    data: bytes
    cut: int | None = None

    async def __call__(self, connection: PeerConnection) -> None:
        size = self.cut or len(self.data) or 1
        for start in range(0, len(self.data), size):
            await connection.send(self.data[start : start + size])
            await asyncio.sleep(0)


@dataclass(frozen=True)
class Expect:
    """Waits until `data` has come, by default the empty line after a head; what came before it counts as read."""

    data: bytes = b"\r\n\r\n"

    async def __call__(self, connection: PeerConnection) -> None:
        await connection.read_until(self.data)


@dataclass(frozen=True)
class ExpectRequest:
    """Waits for a whole request, its content included; anything that is no request fails the script with `BadRequest`."""

    async def __call__(self, connection: PeerConnection) -> None:
        await connection.read_request()


@dataclass(frozen=True)
class Pause:
    """Does nothing for so many seconds."""

    seconds: float

    async def __call__(self, connection: PeerConnection) -> None:
        await asyncio.sleep(self.seconds)


@dataclass(frozen=True)
class StopReading:
    """Reads no more, so that the client's writes come to a stand."""

    async def __call__(self, connection: PeerConnection) -> None:
        connection.transport.pause_reading()


@dataclass(frozen=True)
class StallForever:
    """Says nothing more, until the client goes or the peer ends."""

    async def __call__(self, connection: PeerConnection) -> None:
        await asyncio.get_running_loop().create_future()


@dataclass(frozen=True)
class HalfClose:
    """Ends what the peer sends (FIN), and goes on reading. Over TLS there is no such thing: NotImplementedError."""

    async def __call__(self, connection: PeerConnection) -> None:
        connection.transport.write_eof()


@dataclass(frozen=True)
class Close:
    """Closes the connection."""

    async def __call__(self, connection: PeerConnection) -> None:
        connection.transport.close()


@dataclass(frozen=True)
class Reset:
    """Resets the connection: RST instead of FIN."""

    async def __call__(self, connection: PeerConnection) -> None:
        sock = connection.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        connection.transport.abort()


async def play(script: Script, connection: PeerConnection) -> None:
    """Plays `script`; a step that raises cuts the connection."""
    steps: Iterable[bytes | Step] = cycle((ExpectRequest(), script)) if isinstance(script, bytes) else script
    try:
        for step in steps:
            await (Send(step) if isinstance(step, bytes) else step)(connection)
    except Exception:
        connection.transport.abort()
        raise
