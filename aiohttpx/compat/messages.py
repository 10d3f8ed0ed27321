"""Heads of messages in the form of aiohttp's parsers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from multidict import CIMultiDictProxy
from yarl import URL

from .. import hdrs
from .._impl import ResponseParser, parse_fields
from ..errors import InvalidHeader
from ..events import HttpVersion, ResponseHead
from ..typedefs import RawHeaders
from ..wire.fields import header_map, parse_content_type

#: A type of the server half; aiohttp has nothing under this name either when a program runs.
BaseRequest: Final = None


class RawRequestMessage(NamedTuple):
    """The head of a request, as a server gets it."""

    method: str
    path: str
    version: HttpVersion
    headers: CIMultiDictProxy[str]
    raw_headers: RawHeaders
    should_close: bool
    compression: str | None
    upgrade: bool
    chunked: bool
    url: URL


class RawResponseMessage(NamedTuple):
    """The head of a response."""

    version: HttpVersion
    code: int
    reason: str
    headers: CIMultiDictProxy[str]
    raw_headers: RawHeaders
    should_close: bool
    compression: str | None
    upgrade: bool
    chunked: bool


class HeadersMixin:
    """What Content-Type and Content-Length among `_headers` say."""

    _headers: Mapping[str, str]

    @property
    def content_type(self) -> str:
        """The media type without its parameters; `application/octet-stream` when there is none."""
        return parse_content_type(self._headers.get(hdrs.CONTENT_TYPE, ""))[0]

    @property
    def charset(self) -> str | None:
        """The `charset` parameter of the media type."""
        return parse_content_type(self._headers.get(hdrs.CONTENT_TYPE, ""))[1].get("charset")

    @property
    def content_length(self) -> int | None:
        """The announced length, in bytes."""
        value = self._headers.get(hdrs.CONTENT_LENGTH)
        return None if value is None else int(value)


class HeadersParser:
    """Parses the lines of a field section.

    :param max_field_size: bytes that a line may have; `max_headers`: how many lines there may be.
    """

    def __init__(
        self, max_line_size: int = 8190, max_headers: int = 32768, max_field_size: int = 8190, lax: bool = False
    ) -> None:
        self._limits = max_field_size, 2**31 - 1, max_headers

    def parse_headers(self, lines: list[bytes]) -> tuple[CIMultiDictProxy[str], RawHeaders]:
        """The fields by name, and as they are, of `lines` up to the first empty one. Raises `HttpProcessingError`."""
        end = lines.index(b"") if b"" in lines else len(lines)
        block = b"".join(line + b"\r\n" for line in lines[:end])
        events = ResponseParser(*self._limits).feed(b"HTTP/1.1 204 -\r\n" + block + b"\r\n")
        if not events or not isinstance(events[0], ResponseHead):
            raise InvalidHeader(repr(block))
        raw = parse_fields(events[0].fields)
        return header_map(raw), raw
