"""The body of a request on its way out (RFC 9112, sections 6 and 7)."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from socket import socket
from typing import Any, Final

from ..errors import ClientPayloadError
from ..typedefs import Byteish
from ..wire.codings import Encoder
from .connection import HTTPConnection
from .direct import send_directly
from .transports import is_direct, unsent
from .upload import UploadTracker

#: As much as is handed to the transport at a time, in bytes: what does not fit into the socket is copied there.
_PIECE: Final = 2**18
#: As much as is put into a content coding at a time: that takes some milliseconds, and the loop waits.
_ENCODED_PIECE: Final = 2**16
#: As much as the system is asked to send of a file at a time: it may have to read that from the disk, and the loop waits.
_SENDFILE_PIECE: Final = 2**20

_sendfile: Final = getattr(os, "sendfile", None)


class AbstractStreamWriter(ABC):
    """What a payload writes itself to. `output_size` counts the bytes written so far, as they are on the wire."""

    buffer_size: int = 0
    output_size: int = 0
    length: int | None = 0

    @abstractmethod
    async def write(self, chunk: Byteish) -> None:
        """Write a part of the body; waits while the peer takes no more."""

    @abstractmethod
    async def write_eof(self, chunk: bytes = b"") -> None:
        """Write the last part, which may be empty: the body is complete."""

    @abstractmethod
    async def drain(self) -> None:
        """Wait until more can be written."""


class StreamWriter(AbstractStreamWriter):
    """Writes a body to a connection: plainly, counted against `length`, or in chunks; through a content coding when there is an
    `encoder`. A `tracker` is told of it.

    A body longer than `length` is cut there, as an explicit Content-Length asks; a shorter one raises `ClientPayloadError`.
    """

    def __init__(
        self,
        connection: HTTPConnection,
        *,
        length: int | None = None,
        chunked: bool = False,
        encoder: Encoder | None = None,
        tracker: UploadTracker | None = None,
    ) -> None:
        self._connection = connection
        self._chunked = chunked
        self._encoder = encoder
        self._tracker = tracker
        self._ended = False
        self.length = length
        self.buffer_size = 0
        self.output_size = 0

    async def write(self, chunk: Byteish) -> None:
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise TypeError(f"data argument must be byte-ish ({type(chunk)!r})")
        if self._ended:
            raise RuntimeError("Cannot call write() after write_eof()")
        if isinstance(chunk, memoryview) and (chunk.ndim != 1 or chunk.itemsize != 1 or not chunk.contiguous):
            chunk = chunk.tobytes()
        at_once = _PIECE if self._encoder is None else _ENCODED_PIECE
        if len(chunk) <= at_once:
            await self._write(chunk)
            return
        view = memoryview(chunk)
        for start in range(0, len(view), at_once):
            await self._write(view[start : start + at_once])
            await asyncio.sleep(0)  # a peer that takes everything at once must not keep the loop to itself

    async def write_eof(self, chunk: bytes = b"", trailers: bytes = b"") -> None:
        """Write the last part, and in chunks `trailers`, which are field lines (RFC 9112, section 7.1.2)."""
        if self._ended:
            return
        if chunk:
            await self.write(chunk)
        if self._encoder is not None:
            self._send(self._encoder.finish())
        if self.length:
            raise ClientPayloadError(f"The body is {self.length} bytes shorter than its Content-Length")
        if self._chunked:
            self._put([b"0\r\n%s\r\n" % trailers])
        self._ended = True
        self._connection.request_sent()
        await self._connection.drain()

    async def drain(self) -> None:
        await self._connection.drain()

    async def write_file(self, file: int, offset: int, size: int) -> bool:
        """Write `size` bytes of an open file (its descriptor) from `offset` on, past Python. The file may turn out shorter.

        False when that cannot be done here, and nothing is written.
        """
        sendfile = _sendfile
        if sendfile is None or self._encoder is not None or self.length is None or not is_direct(self._connection.transport):
            return False
        left = min(size, self.length)
        begun = False

        def send(sock: socket) -> bool:
            nonlocal begun, left, offset
            sent = sendfile(sock.fileno(), file, offset, min(left, _SENDFILE_PIECE))
            begun = True
            left -= sent
            offset += sent
            self._count(sent)
            return bool(sent and left)

        try:
            if left:
                await send_directly(self._connection, send)
        except OSError as error:
            if begun or isinstance(error, ConnectionError):
                raise
            return False  # there are file systems and sockets without it
        return True

    def unsent(self) -> int | None:
        """How many of the bytes written wait in the transport; None when the connection is lost."""
        transport = self._connection.transport
        return None if transport is None or transport.is_closing() else unsent(transport)

    async def _write(self, chunk: Byteish) -> None:
        data: Byteish = chunk if self._encoder is None else self._encoder.encode(bytes(chunk))
        sent = self._send(data)
        if self._tracker is not None:
            self._tracker.wrote(self, sent if self._encoder is None else len(chunk))
        if sent:
            await self._connection.drain()

    def _send(self, data: Byteish) -> int:
        size = len(data)
        if self.length is not None and size > self.length:
            size = self.length
            data = data[:size]
        if not size:
            return 0
        # A buffer of the caller's may change after this returns; bytes cannot.
        whole = data if isinstance(data, bytes) or (isinstance(data, memoryview) and type(data.obj) is bytes) else bytes(data)
        self._put([b"%x\r\n" % size, whole, b"\r\n"] if self._chunked else [whole])
        if self.length is not None:
            self._count_down(size)
        return size

    def _count(self, size: int) -> None:
        """So many bytes went past the transport."""
        self.output_size += size
        self._connection.content_sent(size)
        self._count_down(size)
        if self._tracker is not None:
            self._tracker.wrote(self, size)

    def _count_down(self, size: int) -> None:
        self.length -= size  # type: ignore[operator]  # it is known
        if self.length == 0 and not self._chunked:
            self._connection.request_sent()

    def _put(self, parts: list[Byteish]) -> None:
        self.output_size += sum(map(len, parts))
        self._connection.write(parts)

    def __repr__(self) -> str:
        how: Any = "chunked" if self._chunked else f"length={self.length}"
        return f"<{type(self).__name__} {how} output_size={self.output_size}>"
