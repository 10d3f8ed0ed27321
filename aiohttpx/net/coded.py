"""Content on its way from the wire to its reader, still in its content coding."""

from __future__ import annotations

import asyncio
import sys
from collections import deque

from ..errors import BodyTooLarge, ClientPayloadError, ContentEncodingError
from ..wire.codings import Decoder, decode_at_once, make_decoder
from .heap import keep_room_for

#: Bytes that are decoded before the loop has its turn, and the most one step decodes.
DECODE_TURN = 2**20
#: The same for who has the whole body and waits for all of its content: most need no second turn then.
WHOLE_TURN = 2**21


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


async def decode_whole(content_encoding: str, data: bytes, max_size: int | None = None) -> bytes:
    """The content of a body that is there as a whole, decoded at once, or in turns when there is much of it.

    Raises `ClientPayloadError` for a body that is broken or cut short, `BodyTooLarge` for more than `max_size` bytes. A body in
    an unknown coding is returned as it is.
    """
    content = decode_at_once(content_encoding, data, WHOLE_TURN if max_size is None else min(WHOLE_TURN, max_size))
    if content is None:
        decoder = make_decoder(content_encoding)
        if decoder is None:
            return data
        try:
            content = await _decode_in_turns(decoder, data, sys.maxsize if max_size is None else max_size)
        except ContentEncodingError as error:
            raise ClientPayloadError(str(error)) from error
    keep_room_for(content)
    return content


async def _decode_in_turns(decoder: Decoder, data: bytes, max_size: int) -> bytes:
    parts, size = [decoder.decode(data, WHOLE_TURN)], 0
    while (size := size + len(parts[-1])) <= max_size:
        if not decoder.pending:
            decoder.finish()
            return b"".join(parts)
        await asyncio.sleep(0)
        parts.append(decoder.decode(b"", WHOLE_TURN))
    raise BodyTooLarge(max_size)
