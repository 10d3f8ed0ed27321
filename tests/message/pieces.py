"""A body that comes in exactly these pieces."""

from __future__ import annotations

from collections.abc import Iterable


class Pieces:
    """What a `StreamReader` is to a multipart reader: each read gives one piece, and b"" at the end."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = [piece for piece in pieces if piece]
        self.reads = 0

    @classmethod
    def of(cls, body: bytes, size: int | None = None) -> Pieces:
        """`body` in pieces of `size` bytes; None: in one."""
        size = size or max(1, len(body))
        return cls([body[start : start + size] for start in range(0, len(body), size)])

    async def read(self, n: int, /) -> bytes:
        self.reads += 1
        if not self.pieces:
            return b""
        piece, rest = self.pieces[0][:n], self.pieces[0][n:]
        self.pieces[:1] = [rest] if rest else []
        return piece

    def unread_data(self, data: bytes, /) -> None:
        if data:
            self.pieces.insert(0, data)

    @property
    def left(self) -> bytes:
        return b"".join(self.pieces)
