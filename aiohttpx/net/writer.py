"""The body of a request on its way out (RFC 9112, sections 6 and 7)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from ..errors import ClientPayloadError
from ..typedefs import Byteish
from ..wire.codings import Encoder
from .connection import HTTPConnection


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
    `encoder`.

    A body longer than `length` is cut there, as an explicit Content-Length asks; a shorter one raises `ClientPayloadError`.
    """

    def __init__(
        self, connection: HTTPConnection, *, length: int | None = None, chunked: bool = False, encoder: Encoder | None = None
    ) -> None:
        self._connection = connection
        self._chunked = chunked
        self._encoder = encoder
        self._ended = False
        self.length = length
        self.buffer_size = 0
        self.output_size = 0

    async def write(self, chunk: Byteish) -> None:
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise TypeError(f"data argument must be byte-ish ({type(chunk)!r})")
        if self._ended:
            raise RuntimeError("Cannot call write() after write_eof()")
        if isinstance(chunk, memoryview) and (chunk.ndim != 1 or chunk.itemsize != 1):
            chunk = chunk.tobytes()
        data: Byteish = self._encoder.encode(bytes(chunk)) if self._encoder is not None else chunk
        if self._send(data):
            await self._connection.drain()

    async def write_eof(self, chunk: bytes = b"") -> None:
        if self._ended:
            return
        if chunk:
            await self.write(chunk)
        if self._encoder is not None:
            self._send(self._encoder.finish())
        if self.length:
            raise ClientPayloadError(f"The body is {self.length} bytes shorter than its Content-Length")
        if self._chunked:
            self._put([b"0\r\n\r\n"])
        self._ended = True
        self._connection.request_sent()
        await self._connection.drain()

    async def drain(self) -> None:
        await self._connection.drain()

    def _send(self, data: Byteish) -> bool:
        size = len(data)
        if self.length is not None:
            size = min(size, self.length)
            self.length -= size
            data = data[:size] if size < len(data) else data
        if not size:
            return False
        # A buffer of the caller's may change after this returns; bytes cannot.
        whole = data if isinstance(data, bytes) else bytes(data)
        self._put([b"%x\r\n" % size, whole, b"\r\n"] if self._chunked else [whole])
        if self.length == 0 and not self._chunked:
            self._connection.request_sent()
        return True

    def _put(self, parts: list[bytes]) -> None:
        self.output_size += sum(map(len, parts))
        self._connection.write(parts)

    def __repr__(self) -> str:
        how: Any = "chunked" if self._chunked else f"length={self.length}"
        return f"<{type(self).__name__} {how} output_size={self.output_size}>"
