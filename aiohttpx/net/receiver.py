"""How bytes come from a transport of asyncio's own loops: into a buffer that all connections of a connector share.

asyncio allocates 256 KiB for each read, whatever comes; for small answers that costs more than reading them. The loop fills the
buffer and says so in one go, so that no two connections ever have it at once. Large bodies are another matter: what fills the
whole buffer has more behind it, and from there to its end the connection receives in asyncio's way, which hands over what it
allocated without a copy.
"""

from __future__ import annotations

import asyncio
import sys

from ..protocols import Protocol

#: Bytes that one read of a small answer takes at most.
BUFFER_SIZE = 64 * 1024
#: How large the rest of a body is that is received right where it will stay, in bytes. More is not believed before it is there.
MIN_FILLED = 2**18
MAX_FILLED = 2**28


class Receiving(Protocol):
    """What a connection does with bytes, and with the other callbacks of a transport."""

    def data_received(self, data: bytes | memoryview) -> None: ...
    def content_received(self, size: int) -> None: ...
    def receive_in_bulk(self) -> None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...
    def eof_received(self) -> bool | None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...


class Heir(Receiving, Protocol):
    """What another protocol, spoken on a connection after an upgrade, does with them; and with the connection's end."""

    def receiver(self, buffer: memoryview) -> Receiver: ...
    def exception(self) -> BaseException | None: ...
    def feed_eof(self) -> None: ...
    def set_exception(self, exc: BaseException) -> None: ...


class _Between(asyncio.BufferedProtocol):
    """Stands between a transport and a connection, which has all but the bytes from the transport itself."""

    def __init__(self, connection: Receiving) -> None:
        self._connection = connection
        self.connection_lost = connection.connection_lost  # type: ignore[method-assign]
        self.eof_received = connection.eof_received  # type: ignore[method-assign]
        self.pause_writing = connection.pause_writing  # type: ignore[method-assign]
        self.resume_writing = connection.resume_writing  # type: ignore[method-assign]


class Receiver(_Between):
    """Receives into a buffer that others use too, and hands on what came at once."""

    def __init__(self, connection: Receiving, buffer: bytearray | memoryview) -> None:
        super().__init__(connection)
        self._buffer = memoryview(buffer)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._connection.data_received(self._buffer[:nbytes])
        if nbytes == BUFFER_SIZE:
            self._connection.receive_in_bulk()


class Filler(_Between):
    """Receives what is left of a body where it will stay: the kernel writes it there, and nobody copies it again."""

    def __init__(self, connection: Receiving, room: memoryview) -> None:
        super().__init__(connection)
        self._room = room
        self.filled = 0

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._room[self.filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self.filled += nbytes
        self._connection.content_received(nbytes)


class RoomReceiver(_Between):
    """Receives into the room that there is for a part of a message, and hands that on as it comes."""

    def __init__(self, connection: Receiving, room: memoryview) -> None:
        super().__init__(connection)
        self._room = room

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        came, self._room = self._room[:nbytes], self._room[nbytes:]
        self._connection.data_received(came)
        if not self._room:
            self._connection.receive_in_bulk()


def can_share_a_buffer(loop: asyncio.AbstractEventLoop, secure: bool) -> bool:
    """A buffer is filled only at the moment of a read. (Proactors hold it while they wait; TLS is always decrypted in one go.)

    uvloop could, but without TLS it has such a buffer of its own.
    """
    return secure or isinstance(loop, asyncio.SelectorEventLoop)


def can_fill(loop: asyncio.AbstractEventLoop, secure: bool) -> bool:
    """What is left of a body can be received where it will stay."""
    return can_share_a_buffer(loop, secure) or (sys.platform != "win32" and type(loop).__module__.partition(".")[0] == "uvloop")
