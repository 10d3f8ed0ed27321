"""A part of a multipart body, read as it comes (RFC 2046, section 5.1.1; RFC 7578 for the parts of forms)."""

from __future__ import annotations

import asyncio
import codecs
import json
import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any, Final, Protocol, Self
from urllib.parse import parse_qsl

from .. import hdrs
from ..errors import ClientPayloadError, ContentEncodingError
from ..net.reader import ChunkTooBig
from ..wire.codings import Decoder, make_decoder
from ..wire.fields import content_disposition_filename, parse_content_disposition, parse_mimetype
from ..wire.multipart import PartBuffer, decode_transfer, whole_quartets
from .payload import PAYLOAD_REGISTRY, Payload
from .sources import Writer

#: Bytes that are read ahead, and decoded at a time, at the most.
READ_SIZE: Final = 2**18
#: The longest line that `readline` gives, in bytes.
MAX_LINE: Final = 2**17

_DIGITS: Final = re.compile("[0-9]{1,18}")
_LINE_END: Final = b"\r\n"


class PartTooLarge(ValueError):
    """A part has more bytes than its reader was told to take."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The part has more than {limit} bytes")


class Content(Protocol):
    """What a multipart body is read from: a `StreamReader`."""

    async def read(self, n: int, /) -> bytes: ...

    def unread_data(self, data: bytes, /) -> None: ...


class PartSource:
    """The content of a multipart body, and what of it was read ahead. The readers of all its parts share it."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self.buffer = PartBuffer()

    async def fill(self) -> bool:
        """Read on. False at the end of the content."""
        data = await self._content.read(READ_SIZE)
        self.buffer.feed(data)
        return bool(data)

    async def readline(self, limit: int) -> bytes:
        """A line with its LF; what is left when the content ends before. Raises `ChunkTooBig` (ValueError) for a longer one."""
        searched = 0
        while True:
            end, found = self.buffer.find(b"\n", searched)
            if end >= limit:
                raise ChunkTooBig(f"A line has more than {limit} bytes: {self.buffer.peek(100)!r}...")
            if found:
                return self.buffer.take(end + 1)
            searched = end
            if not await self.fill():
                return self.buffer.take(end)

    def give_back(self) -> None:
        """Let whoever reads the content next have what was read ahead."""
        self._content.unread_data(self.buffer.take(len(self.buffer)))


class BodyPartReader:
    """Reads one part. A `MultipartReader` makes it.

    :param boundary: the boundary with the two dashes before it.
    :param headers: the fields of the part.
    :param content: the multipart body, from the first byte after these fields.
    :param subtype: of the multipart body; in "form-data" Content-Length and Content-Encoding mean nothing (RFC 7578, section
        4.8).
    :param default_charset: of texts that name none.
    :param max_decompress_size: bytes that `decode_iter` gives at a time.
    :param client_max_size: the most bytes that `read` gives, decoded ones too.
    :param max_size_error_cls: is raised with that limit when there are more.

    Raises `ValueError` for a malformed Content-Length. What reads raises `ValueError` when the body is malformed or ends within
    the part, and what reading the content raises.
    """

    chunk_size = 8192

    def __init__(
        self,
        boundary: bytes | str,
        headers: Mapping[str, str],
        content: Any,
        *,
        subtype: str = "mixed",
        default_charset: str | None = None,
        max_decompress_size: int = READ_SIZE,
        client_max_size: int = sys.maxsize,
        max_size_error_cls: type[Exception] = PartTooLarge,
    ) -> None:
        self.headers = headers
        self._boundary = boundary.encode() if isinstance(boundary, str) else boundary
        self._delimiter = _LINE_END + self._boundary
        self._default_charset = default_charset
        self._max_decompress_size = max_decompress_size
        self._client_max_size = client_max_size
        self._max_size_error_cls = max_size_error_cls
        self._is_form_data = subtype == "form-data"
        self._transfer_encoding = headers.get(hdrs.CONTENT_TRANSFER_ENCODING, "").lower()
        self._shares = isinstance(content, PartSource)
        self._source: PartSource = content if self._shares else PartSource(content)
        self._left = None if self._is_form_data else _content_length(headers)
        # So many bytes in the buffer are known to be the part's; if `_ended`, these are its last.
        self._known = 0
        self._begun = False
        self._ended = False
        self._at_eof = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        data = await self.next()
        if data is None:
            raise StopAsyncIteration
        return data

    # -- what it is

    @cached_property
    def name(self) -> str | None:
        """The name of the form field; None when there is none that can be read."""
        return content_disposition_filename(self._disposition, "name")

    @cached_property
    def filename(self) -> str | None:
        """The name of the file; None when there is none that can be read."""
        return content_disposition_filename(self._disposition)

    @cached_property
    def _disposition(self) -> dict[str, str]:
        return parse_content_disposition(self.headers.get(hdrs.CONTENT_DISPOSITION))[1]

    def get_charset(self, default: str) -> str:
        """The charset that the part names; else that of its form; else `default`."""
        mimetype = parse_mimetype(self.headers.get(hdrs.CONTENT_TYPE, ""))
        return mimetype.parameters.get("charset", self._default_charset or default)

    # -- reading it

    def at_eof(self) -> bool:
        """It was read to its end."""
        return self._at_eof

    async def next(self) -> bytes | None:
        """`read()`, once; then None."""
        return await self.read() or None

    async def read(self, *, decode: bool = False) -> bytes:
        """The part, or what is left of it; with `decode`, what `decode` makes of it."""
        pieces = []
        size = 0
        while not self._at_eof:
            pieces.append(await self.read_chunk(READ_SIZE))
            size = self._counted(size, pieces[-1])
        data = b"".join(pieces)
        if not decode:
            return data
        pieces = []
        size = 0
        async for piece in self.decode_iter(data):
            size = self._counted(size, piece)
            pieces.append(piece)
        return b"".join(pieces)

    async def read_chunk(self, size: int = chunk_size) -> bytes:
        """Up to `size` bytes, as soon as there are any; b"" only at the end.

        Of a part in base64, as many as can be decoded for themselves. Raises `ValueError` for a `size` below 1.
        """
        if size < 1:
            raise ValueError(f"size must be at least 1, not {size}")
        if self._at_eof:
            return b""
        await self._learn(min(size, len(self._delimiter)))  # not one by one
        return await self._take(await self._whole_quartets(size) if self._transfer_encoding == "base64" else size)

    async def readline(self) -> bytes:
        """A line with its LF; what is left at the end of the part; b"" then. Raises `ChunkTooBig` (ValueError) over 128 KiB."""
        buffer, searched = self._source.buffer, 0
        while not self._at_eof:
            await self._learn()
            end, found = buffer.find(b"\n", searched)
            whole = found and end < self._known
            size = end + 1 if whole else self._known
            if size > MAX_LINE:
                raise ChunkTooBig(f"A line of a part has more than {MAX_LINE} bytes: {buffer.peek(100)!r}...")
            if whole or self._ended:
                return await self._take(size)
            searched = size
            if not await self._learn_more():
                return await self._take(self._known)
        return b""

    async def release(self) -> None:
        """Read it to its end and forget it."""
        while not self._at_eof:
            await self._learn()
            await self._take(self._known)

    async def text(self, *, encoding: str | None = None) -> str:
        """The part, decoded, as text: in `encoding`, else in its own charset, else in UTF-8."""
        data = await self.read(decode=True)
        return data.decode(encoding or self._charset())

    async def json(self, *, encoding: str | None = None) -> Any:
        """The part, decoded, as JSON; None when it is empty."""
        data = await self.read(decode=True)
        return json.loads(data.decode(encoding or self._charset())) if data else None

    async def form(self, *, encoding: str | None = None) -> list[tuple[str, str]]:
        """The part, decoded, as application/x-www-form-urlencoded. Raises `ValueError` when it is not in the encoding."""
        data = await self.read(decode=True)
        encoding = encoding or self._charset()
        try:
            text = data.rstrip().decode(encoding)
        except UnicodeDecodeError as error:
            raise ValueError(f"data cannot be decoded with {encoding} encoding") from error
        return parse_qsl(text, keep_blank_values=True, encoding=encoding)

    def _charset(self) -> str:
        charset = self.get_charset(default="utf-8")
        try:
            codecs.lookup(charset)
        except (LookupError, ValueError):
            return "utf-8"  # an unknown name is as good as none
        return charset

    # -- taking off what it is packed in

    def decode(self, data: bytes) -> bytes:
        """Take the transfer encoding and the content coding off `data`, a whole part, without a turn of the loop.

        Raises `RuntimeError` for one that is not known, `ClientPayloadError` or `ValueError` when it is broken.
        """
        decoder = self._make_decoder()
        data = decode_transfer(self._transfer_encoding, data)
        if decoder is None:
            return data
        pieces = []
        size = 0
        for piece in _decoded(decoder, data, self._max_decompress_size):
            size = self._counted(size, piece)
            pieces.append(piece)
        _finish(decoder)
        return b"".join(pieces)

    async def decode_iter(self, data: bytes) -> AsyncIterator[bytes]:
        """The same in pieces, with turns of the loop in between."""
        decoder = self._make_decoder()
        data = decode_transfer(self._transfer_encoding, data)
        if decoder is None:
            yield data
            return
        for piece in _decoded(decoder, data, self._max_decompress_size):
            yield piece
            await asyncio.sleep(0)
        _finish(decoder)

    async def decoded(self) -> AsyncGenerator[bytes]:
        """What is left of the part, decoded, in pieces, as it comes. Raises as `decode` does."""
        decoder = self._make_decoder()
        # A line can be decoded for itself, but not any piece of quoted-printable.
        lines = self._transfer_encoding == "quoted-printable"
        read: Callable[[], Awaitable[bytes]] = self.readline if lines else partial(self.read_chunk, READ_SIZE)
        while not self._at_eof:
            data = decode_transfer(self._transfer_encoding, await read())
            if decoder is None:
                if data:
                    yield data
                continue
            for piece in _decoded(decoder, data, self._max_decompress_size):
                yield piece
                await asyncio.sleep(0)
        if decoder is not None:
            _finish(decoder)

    def _make_decoder(self) -> Decoder | None:
        coding = "" if self._is_form_data else self.headers.get(hdrs.CONTENT_ENCODING, "").lower()
        decoder = make_decoder(coding)
        if decoder is None and coding not in ("", "identity"):
            raise RuntimeError(f"unknown content encoding: {coding}")
        return decoder

    def _counted(self, size: int, piece: bytes) -> int:
        size += len(piece)
        if size > self._client_max_size:
            raise self._max_size_error_cls(self._client_max_size)
        return size

    # -- where it ends

    async def _learn(self, wanted: int = 1) -> None:
        """Wait until `wanted` bytes of the part are there, or its end."""
        if self._known < wanted and not self._ended:
            self._look()
        while self._known < wanted and not self._ended:
            if not await self._learn_more():
                if not self._known:
                    raise ValueError(f"The body ends within a part; it has no boundary {self._boundary!r}")
                return

    async def _learn_more(self) -> bool:
        """Read on. False when the content ends here; then what had looked like a boundary was none."""
        if not await self._source.fill():
            self._known = len(self._source.buffer)
            return False
        self._look()
        return True

    def _look(self) -> None:
        """See how much of the buffer is the part's."""
        buffer = self._source.buffer
        if self._left is not None:
            self._known = min(len(buffer), self._left)
            self._ended = self._known == self._left
            return
        if not self._begun:
            # The line end before the boundary may be that of the empty line which ended the fields.
            empty = buffer.begins(self._boundary)
            if empty is None:
                return
            self._begun = True
            if empty:
                self._ended = True
                self._delimiter = self._boundary
                return
        self._known, self._ended = buffer.find(self._delimiter, self._known)

    async def _take(self, n: int) -> bytes:
        """Up to `n` bytes of those that are known."""
        data = self._source.buffer.take(min(n, self._known))
        self._known -= len(data)
        if self._left is not None:
            self._left -= len(data)
        if self._ended and not self._known:
            await self._end()
        return data

    async def _end(self) -> None:
        """Leave the boundary to whoever reads on."""
        self._at_eof = True
        buffer = self._source.buffer
        if self._left is not None:
            while len(buffer) < len(_LINE_END) and await self._source.fill():
                pass
            if buffer.peek(len(_LINE_END)) != _LINE_END:
                raise ValueError(f"The part is malformed: its Content-Length is up, but it goes on with {buffer.peek(20)!r}")
        buffer.skip(len(self._delimiter) - len(self._boundary))
        if not self._shares:
            self._source.give_back()

    async def _whole_quartets(self, size: int) -> int:
        """How many of the next `size` bytes, if there are as many, are whole quartets of base64."""
        while True:
            data = self._source.buffer.peek(min(size, self._known))
            if self._ended and len(data) == self._known:
                return len(data)
            # Where there is not one quartet, giving everything is the only way to get on.
            n = whole_quartets(data) or (size if len(data) == size else 0)
            if n or not await self._learn_more():
                return n or len(data)


def _content_length(headers: Mapping[str, str]) -> int | None:
    value = headers.get(hdrs.CONTENT_LENGTH)
    if value is None:
        return None
    if not _DIGITS.fullmatch(str(value)):
        raise ValueError(f"invalid Content-Length of a part: {value!r:.100}")
    return int(value)


def _decoded(decoder: Decoder, data: bytes, size: int) -> Iterator[bytes]:
    try:
        decoder.feed(data)
        while decoder.pending:
            if piece := decoder.decode(b"", size):
                yield piece
    except ContentEncodingError as error:
        raise ClientPayloadError(str(error)) from error


def _finish(decoder: Decoder) -> None:
    try:
        decoder.finish()
    except ContentEncodingError as error:
        raise ClientPayloadError(str(error)) from error


class BodyPartReaderPayload(Payload):
    """A part that is passed on, decoded, as it comes. It can be sent once."""

    _value: BodyPartReader
    _autoclose = True

    def __init__(self, value: BodyPartReader, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("content_type", value.headers.get(hdrs.CONTENT_TYPE))
        super().__init__(value, *args, **kwargs)
        said = {"name": value.name, "filename": value.filename}
        params = {name: text for name, text in said.items() if text is not None}
        if params:
            self.set_content_disposition("attachment", True, **params)

    @property
    def replayable(self) -> bool:
        return False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("Unable to decode.")

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        raise TypeError("Unable to read body part as bytes. Use write() to consume.")

    async def write(self, writer: Writer) -> None:
        if self._consumed:
            raise ClientPayloadError("The body part was read already, and cannot be sent again")
        self._consumed = True
        async for piece in self._value.decoded():
            await writer.write(piece)


PAYLOAD_REGISTRY.register(BodyPartReaderPayload, BodyPartReader)
