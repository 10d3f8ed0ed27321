"""A connection without sockets: two transports, where what one writes is what the other's protocol receives."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from ..typedefs import Byteish

#: Bytes that were written and not received, above which a writer is told to pause, and below which to go on.
_HIGH: Final = 65_536
_LOW: Final = 16_384


def connect(
    loop: asyncio.AbstractEventLoop, client: asyncio.BaseProtocol, server: asyncio.BaseProtocol, info: Mapping[str, Any]
) -> None:
    """Make a connection between two protocols, and tell both of it.

    :param info: what the client's transport knows (`get_extra_info`).
    """
    ours, theirs = MemoryTransport(loop, client, info), MemoryTransport(loop, server, {})
    ours.peer, theirs.peer = theirs, ours
    client.connection_made(ours)
    server.connection_made(theirs)


class MemoryTransport(asyncio.Transport):
    """One end of such a connection. As with sockets, nothing is received before the next turn of the loop."""

    peer: MemoryTransport

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.BaseProtocol, info: Mapping[str, Any]) -> None:
        super().__init__(info)
        self._loop = loop
        self._protocol: Any = protocol
        self._inbox: deque[bytes] = deque()  # what the peer has written
        self._waiting = 0  # its bytes
        self._scheduled = False
        self._reading = True
        self._writer_paused = False
        self._ended = False  # the peer writes no more
        self._failure: ConnectionError | None = None  # how the peer ended, when it cut the connection
        self._said_end = False
        self._closing = False
        self._lost = False

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol  # type: ignore[no-any-return]

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    # -- reading

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and not self._closing:
            self._scheduled = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
        while self._inbox and self.is_reading():
            self._receive(self._inbox.popleft())
        if self._waiting <= _LOW and self.peer._writer_paused:
            self.peer._writer_paused = False
            self.peer._protocol.resume_writing()
        if not self._inbox and self._ended and self.is_reading():
            if self._failure is not None:
                self._lose(self._failure)
            elif not self._said_end:
                self._said_end = True
                if not self._protocol.eof_received():
                    self.close()

    def _receive(self, data: bytes) -> None:
        protocol = self._protocol
        if isinstance(protocol, asyncio.BufferedProtocol):
            buffer = memoryview(protocol.get_buffer(len(data)))
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            if size < len(data):
                self._inbox.appendleft(data[size:])
            self._waiting -= size
            protocol.buffer_updated(size)
        else:
            self._waiting -= len(data)
            protocol.data_received(data)

    # -- writing

    def write(self, data: Byteish) -> None:
        peer = self.peer
        if self._closing or not data:
            return
        if peer._ended:
            raise RuntimeError("Cannot write after write_eof()")
        if peer._closing:  # which we have not heard of yet
            self._failure = BrokenPipeError("the peer has gone")
            self._loop.call_soon(self._lose, self._failure)
            return
        peer._inbox.append(bytes(data))
        peer._waiting += len(peer._inbox[-1])
        peer._schedule()
        if peer._waiting > _HIGH and not self._writer_paused:
            self._writer_paused = True
            self._protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        return self.peer._waiting

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self._end(None)

    def _end(self, failure: ConnectionError | None) -> None:
        peer = self.peer
        peer._ended = True
        peer._failure = peer._failure or failure
        peer._schedule()

    # -- ending

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """End the connection; the peer still receives what was written."""
        self._close(None)

    def abort(self) -> None:
        """The same, but the peer is told that the connection was cut."""
        self._close(ConnectionResetError("the peer has cut the connection"))

    def _close(self, failure: ConnectionError | None) -> None:
        if not self._closing:
            self._closing = True
            self._end(failure)
            self._loop.call_soon(self._lose, None)

    def _lose(self, error: ConnectionError | None) -> None:
        if not self._lost:
            self._lost = self._closing = True
            self._inbox.clear()
            self._waiting = 0
            self._end(None)
            self._protocol.connection_lost(error)
