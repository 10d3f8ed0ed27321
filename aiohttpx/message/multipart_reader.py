"""Bodies in parts, read as they come (RFC 2046, section 5.1)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar, Final, Self, TypeAlias

from multidict import CIMultiDictProxy

from .. import hdrs
from ..errors import BadHttpMessage, ClientError
from ..wire.fields import parse_mimetype
from ..wire.multipart import MAX_BOUNDARY, parse_part_head
from .bodypart import BodyPartReader, Content, PartSource, PartTooLarge
from .response import ClientResponse

#: How many multipart bodies may be nested in each other.
MAX_DEPTH: Final = 16

# A boundary may be followed by spaces and tabs (RFC 2046, section 5.1.1); as many as this are put up with.
_MAX_PADDING: Final = 256
# Bytes, and seconds, that the end of a response may take after the last part.
_MAX_EPILOGUE: Final = 2**16
_MOMENT: Final = 1.0
# Parts that are read before the loop has its turn: they may all be there already.
_PARTS_A_TURN: Final = 64
# The longest name of an encoding in the WHATWG Encoding standard has 19 characters.
_LONGEST_CHARSET: Final = 31

PartReader: TypeAlias = "MultipartReader | BodyPartReader"


class MultipartResponseWrapper:
    """Reads the parts of a response, and releases it after the last one."""

    def __init__(self, resp: ClientResponse, stream: MultipartReader) -> None:
        self.resp = resp
        self.stream = stream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> PartReader:
        part = await self.next()
        if part is None:
            raise StopAsyncIteration
        return part

    def at_eof(self) -> bool:
        """All parts were read."""
        return bool(self.resp.content.at_eof() or self.resp.closed) and self.stream.at_eof()

    async def next(self) -> PartReader | None:
        """The next part; None after the last one. See `MultipartReader.next`."""
        part = await self.stream.next()
        if self.stream.at_eof():
            await self.release()
        return part

    async def release(self) -> None:
        """Release the response."""
        await self.resp.release()


class MultipartReader:
    """Reads a body in parts, one after the other. What comes before the first and after the last of them is skipped.

    :param headers: those of the message, or of the part, whose content it is.
    :param content: that content: a `StreamReader`.
    :param client_max_size: the most bytes that `read()` of a part gives; `max_size_error_cls` is raised when there are more.
    :param max_field_size: bytes of a field line of a part.
    :param max_headers: how many of them a part may have.
    :param max_parts: how many parts there may be, those of nested bodies not counted; None for as many as come: they are read
        one by one.

    Raises `ValueError` when Content-Type is not multipart with a boundary, and for more than 16 bodies nested in each other. What
    reads raises `ValueError` when the body is malformed or cut short, `BadHttpMessage` and its kin for a malformed or too large
    head of a part, and what reading the content raises.
    """

    response_wrapper_cls: ClassVar[type[MultipartResponseWrapper]] = MultipartResponseWrapper
    #: Reads nested bodies; None for the class itself.
    multipart_reader_cls: type[MultipartReader] | None = None
    part_reader_cls: type[BodyPartReader] = BodyPartReader

    def __init__(
        self,
        headers: Mapping[str, str],
        content: Content | PartSource,
        *,
        client_max_size: int = sys.maxsize,
        max_field_size: int = 8190,
        max_headers: int = 128,
        max_size_error_cls: type[Exception] = PartTooLarge,
        max_parts: int | None = None,
    ) -> None:
        self.headers = headers
        self._subtype, self._boundary = _multipart_type(headers)
        self._source = content if isinstance(content, PartSource) else PartSource(content)
        self._client_max_size = client_max_size
        self._max_field_size = max_field_size
        self._max_headers = max_headers
        self._max_size_error_cls = max_size_error_cls
        self._max_parts = max_parts
        self._depth = 1
        self._count = 0
        self._default_charset: str | None = None
        self._last: PartReader | None = None
        self._whole_response = False
        self._at_eof = False

    @classmethod
    def from_response(cls, response: ClientResponse, **limits: Any) -> MultipartResponseWrapper:
        """A reader for the parts of a response. `limits` are arguments of this class."""
        reader = cls(response.headers, response.content, **limits)
        reader._whole_response = True
        return cls.response_wrapper_cls(response, reader)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> PartReader:
        part = await self.next()
        if part is None:
            raise StopAsyncIteration
        return part

    def at_eof(self) -> bool:
        """The last boundary was read."""
        return self._at_eof

    async def next(self) -> PartReader | None:
        """The next part, once the last one is read to its end, whoever reads it; None after the last one.

        A part that is a body in parts gives a `MultipartReader`, any other a `BodyPartReader`.
        """
        part = await self._next()
        # RFC 7578, section 4.6: the first part of a form may tell the charset of the others.
        if self._count == 1 and self._subtype == "form-data" and isinstance(part, BodyPartReader) and part.name == "_charset_":
            self._default_charset = await _read_charset(part)
            part = await self._next()
        return part

    async def release(self) -> None:
        """Read everything to its end and forget it."""
        while await self.next() is not None:
            pass

    async def _next(self) -> PartReader | None:
        if self._at_eof:
            return None
        if self._last is not None:
            await self._last.release()
        if not await self._find_part():
            self._at_eof = True
            if self._whole_response:
                await self._skip_epilogue()
            return None
        self._count += 1
        if self._max_parts is not None and self._count > self._max_parts:
            raise ValueError(f"The body has more than {self._max_parts} parts")
        if self._count % _PARTS_A_TURN == 0:
            await asyncio.sleep(0)
        self._last = await self.fetch_next_part()
        return self._last

    async def _skip_epilogue(self) -> None:
        """Give the end of the response a moment to come, so that its connection can be used again."""
        skipped = 0
        with suppress(ClientError, TimeoutError):
            async with asyncio.timeout(_MOMENT):
                while skipped <= _MAX_EPILOGUE and await self._source.fill():
                    skipped += len(self._source.buffer)
                    self._source.buffer.skip(len(self._source.buffer))

    async def fetch_next_part(self) -> PartReader:
        """A reader for the part whose head comes next."""
        lines: list[bytes] = []
        while line := (await self._readline()).rstrip(b"\r\n"):
            if len(lines) == self._max_headers:
                raise BadHttpMessage(f"Too many headers received: a part has more than {self._max_headers}")
            lines.append(line)
        return self._reader_for(parse_part_head(lines))

    async def _readline(self) -> bytes:
        line = await self._source.readline(self._max_field_size)
        if not line.endswith(b"\n"):
            raise ValueError(f"The body ends within the head of a part: {line!r:.100}")
        return line

    def _reader_for(self, headers: CIMultiDictProxy[str]) -> PartReader:
        if parse_mimetype(headers.get(hdrs.CONTENT_TYPE, "")).type != "multipart":
            return self.part_reader_cls(
                self._boundary,
                headers,
                self._source,
                subtype=self._subtype,
                default_charset=self._default_charset,
                client_max_size=self._client_max_size,
                max_size_error_cls=self._max_size_error_cls,
            )
        if self._depth == MAX_DEPTH:
            raise ValueError(f"More than {MAX_DEPTH} multipart bodies are nested in each other")
        nested = (self.multipart_reader_cls or type(self))(
            headers,
            self._source,
            client_max_size=self._client_max_size,
            max_field_size=self._max_field_size,
            max_headers=self._max_headers,
            max_size_error_cls=self._max_size_error_cls,
            max_parts=self._max_parts,
        )
        nested._depth = self._depth + 1
        return nested

    # -- boundaries

    async def _find_part(self) -> bool:
        """Go to the head of the next part. False when there is none."""
        buffer = self._source.buffer
        if isinstance(self._last, BodyPartReader):
            more = None
            if await self._boundary_is_here():
                buffer.skip(len(self._boundary))
                more = await self._what_follows()
            if more is None:
                raise ValueError(f"Invalid boundary, expected {self._boundary!r}, and then not {buffer.peek(100)!r}")
            return more
        # Before the first part, and after a nested body, anything may come but a line that is a boundary.
        delimiter = b"\n" + self._boundary
        if self._last is None and await self._boundary_is_here():
            delimiter = self._boundary
        while True:
            skipped, found = buffer.find(delimiter)
            buffer.skip(skipped)
            if found:
                buffer.skip(len(delimiter))
                more = await self._what_follows()
                if more is not None:
                    return more
                delimiter = b"\n" + self._boundary
            elif not await self._source.fill():
                raise ValueError(f"Could not find {'starting ' if self._last is None else ''}boundary {self._boundary!r}")

    async def _boundary_is_here(self) -> bool:
        while (here := self._source.buffer.begins(self._boundary)) is None and await self._source.fill():
            pass
        return bool(here)

    async def _what_follows(self) -> bool | None:
        """Behind a boundary: True for a line end, after which comes a part; False for the two dashes of the last one; None when
        neither is there."""
        buffer = self._source.buffer
        while True:
            end, found = buffer.find(b"\n")
            text = buffer.peek(min(end, _MAX_PADDING + 1))
            if text.startswith(b"--"):
                return False
            padded = not text.strip(b" \t\r") or (text == b"-" and not found)
            if not padded or len(text) > _MAX_PADDING:
                return None
            if found:
                buffer.skip(end + 1)
                return True
            if not await self._source.fill():
                return None


def _multipart_type(headers: Mapping[str, str]) -> tuple[str, bytes]:
    """The subtype, and the boundary with its two dashes."""
    content_type = headers.get(hdrs.CONTENT_TYPE, "")
    mimetype = parse_mimetype(content_type)
    if mimetype.type != "multipart":
        raise ValueError(f"multipart/* content type expected, not {content_type!r:.100}")
    boundary = mimetype.parameters.get("boundary", "").encode("utf-8", "surrogateescape")
    if not boundary:
        raise ValueError(f"boundary missed for Content-Type: {content_type:.100}")
    if len(boundary) > MAX_BOUNDARY or b"\r" in boundary or b"\n" in boundary:
        raise ValueError(f"boundary {boundary!r:.100} is no line of up to {MAX_BOUNDARY} characters")
    return mimetype.subtype, b"--" + boundary


async def _read_charset(part: BodyPartReader) -> str:
    charset = b""
    while len(charset) <= _LONGEST_CHARSET and not part.at_eof():
        charset += await part.read_chunk(_LONGEST_CHARSET + 1)
    if len(charset) > _LONGEST_CHARSET or not charset.isascii():
        raise RuntimeError(f"Invalid default charset: {charset!r:.100}")
    return charset.strip().decode()
