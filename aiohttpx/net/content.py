"""The content of an answer: what it is read through, and how much of it there may be."""

from __future__ import annotations

import asyncio

from ..errors import BodyTooLarge
from ..events import Chunks, ResponseHead
from ..wire.codings import Decoder, make_decoder
from .reader import FlowControl, StreamReader
from .settings import Settings


def reader_of(head: ResponseHead, settings: Settings, protocol: FlowControl, loop: asyncio.AbstractEventLoop) -> StreamReader:
    """What the content behind `head` comes through; it says at once that this is too large, if it was announced."""
    decoder, limit = _decoder_of(head, settings), settings.max_body_size or None
    reader = StreamReader(protocol, settings.read_bufsize, loop=loop, decoder=decoder, max_size=limit)
    if limit is not None and decoder is None and (head.content_length or 0) > limit:
        reader.set_exception(BodyTooLarge(limit))
    return reader


def within_limit(
    head: ResponseHead, body: bytes | Chunks, settings: Settings, loop: asyncio.AbstractEventLoop
) -> bytes | Chunks | StreamReader:
    """`body`, or a reader that says that it is too large. One that has to be decoded is only judged by whoever does that."""
    data = body.data if isinstance(body, Chunks) else body
    if not settings.max_body_size or len(data) <= settings.max_body_size or _decoder_of(head, settings) is not None:
        return body
    reader = StreamReader(loop=loop, max_size=settings.max_body_size)
    reader.feed_data(data)
    return reader


def _decoder_of(head: ResponseHead, settings: Settings) -> Decoder | None:
    wanted = head.content_encoding and settings.auto_decompress and not head.upgraded
    return make_decoder(head.content_encoding) if wanted else None
