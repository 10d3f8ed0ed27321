"""Content on its way from the wire to its reader, still in its content coding."""

from __future__ import annotations

from collections import deque

from ..wire.codings import Decoder


class CodedContent:
    """Content as it came, in its coding. None among the pieces is the end of a chunk."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self.pieces: deque[bytes | None] = deque()
        self.size = 0
        self.total = 0

    @property
    def left(self) -> bool:
        """There is something to decode, though it may come to nothing."""
        return self._decoder.pending or bool(self.pieces)

    def feed(self, data: bytes) -> None:
        self.pieces.append(data)
        self.size += len(data)
        self.total += len(data)

    def feed_chunks(self, data: bytes, ends: tuple[int, ...]) -> None:
        start = 0
        for end in ends:
            if end > start:
                self.feed(data[start:end])
            self.pieces.append(None)
            start = end
        if start < len(data):
            self.feed(data[start:])

    def decode(self, max_length: int) -> tuple[bytes, bool]:
        """One step: what it gave, and whether a chunk ended with that. Raises `ContentEncodingError`."""
        decoder, pieces = self._decoder, self.pieces
        data = b""
        if not decoder.pending and pieces and (piece := pieces[0]) is not None:
            data = piece
            pieces.popleft()
            self.size -= len(data)
        content = decoder.decode(data, max_length)
        ended = False
        while not decoder.pending and pieces and pieces[0] is None:
            pieces.popleft()
            ended = True
        return content, ended

    def finish(self) -> None:
        """All was decoded. Raises `ContentEncodingError` when the coded content is cut short."""
        self._decoder.finish()
