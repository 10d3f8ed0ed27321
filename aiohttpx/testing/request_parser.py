"""Requests from bytes: strict, bounded, linear in what it is given. No asyncio, no sockets.

What a client may not send is refused here, so that a client tested against this server learns of it (RFC 9112, sections 3 to 7).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from multidict import CIMultiDict, CIMultiDictProxy

from .messages import Request

MAX_REQUEST_LINE = 65_536
MAX_FIELDS = 262_144
_MAX_CHUNK_LINE = 4_096

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])\r\n")
_FIELD_LINE = re.compile(rb"(" + _TOKEN + rb"):([^\x00-\x08\x0a-\x1f\x7f]*)\r\n")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?\r\n")
_AUTHORITY = re.compile(r"https?://[^/?#]+", re.IGNORECASE)
_BARE_LF = re.compile(rb"(?<!\r)\n")
_LENGTH = re.compile(r"[0-9]{1,18}")
_SHOWN = 100


class BadRequest(Exception):
    """The client broke the protocol; `status` is the answer it deserves, the message shows the bytes."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class _EndOfRequest:
    __slots__ = ()

    def __repr__(self) -> str:
        return "END_OF_REQUEST"


#: The request is complete.
END_OF_REQUEST: Final = _EndOfRequest()

#: The head of a request (its `body` still empty), a part of its content, or its end.
RequestEvent = Request | bytes | _EndOfRequest


class _Fields(NamedTuple):
    """A field section, and what it says of the framing."""

    pairs: tuple[tuple[str, str], ...]
    headers: CIMultiDictProxy[str]
    hosts: int
    content_length: int | None
    connection: frozenset[str]


class RequestParser:
    """Says what the bytes of a connection mean; events are asked for one by one, so that an answer can come in between."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # no mark ends before this offset: a head in single bytes stays linear
        self._left = 0
        self._next: Callable[[RequestParser], RequestEvent | None] = RequestParser._request_line
        self._line = (b"", b"", (1, 1))

    @property
    def buffered(self) -> int:
        """Bytes that were fed and are in no event yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Takes what the peer sent; `next_event` says what it means."""
        self._buffer += data

    def take_rest(self) -> bytes:
        """Takes what was fed and is in no event yet: the peer speaks another protocol from here on."""
        return self._take(len(self._buffer))

    def next_event(self) -> RequestEvent | None:
        """The next event, or None when more bytes are needed.

        :raises BadRequest: the bytes are no HTTP request; the parser is of no more use.
        """
        return self._next(self)

    def _take_until(self, mark: bytes, limit: int, status: int) -> bytes | None:
        """Takes the bytes up to and with `mark`; None when it has not come yet."""
        found = self._buffer.find(mark, self._searched, limit)
        if found < 0:
            if len(self._buffer) >= limit:
                raise BadRequest(f"more than {limit} bytes: {_shown(self._buffer)}", status)
            self._searched = max(0, len(self._buffer) - len(mark) + 1)
            return None
        self._searched = 0
        return self._take(found + len(mark))

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _request_line(self) -> RequestEvent | None:
        # An empty line could be skipped here for old clients' sake (RFC 9112, section 2.2); a client under test shall hear of it.
        line = self._take_until(b"\n", MAX_REQUEST_LINE, 414)
        if line is None:
            return None
        match = _REQUEST_LINE.fullmatch(line)
        if match is None:
            raise BadRequest(f"bad request line: {_shown(line)}")
        method, target, major, minor = match.groups()
        if major != b"1":
            raise BadRequest(f"HTTP version not supported: {_shown(line)}", 505)
        self._line = (method, target, (1, min(int(minor), 1)))
        self._next = RequestParser._fields
        return self._fields()

    def _fields(self) -> RequestEvent | None:
        block = self._take_fields()
        if block is None:
            return None
        method, target, version = self._line
        fields = _read_fields(block)
        if fields.hosts > 1 or (fields.hosts == 0 and version == (1, 1)):
            raise BadRequest(f"one Host field is needed, not {fields.hosts} (RFC 9112, section 3.2)")
        if fields.content_length is None and version == (1, 0):
            raise BadRequest("HTTP/1.0 knows no Transfer-Encoding (RFC 9112, section 6.1)")
        path, query = _split_target(method, target.decode("ascii"))
        if fields.content_length is None:
            self._next = RequestParser._chunk_line
        else:
            self._left = fields.content_length
            self._next = RequestParser._content
        return Request(
            method=method.decode("ascii"),
            target=target.decode("ascii"),
            path=path,
            query=query,
            version=version,
            fields=fields.pairs,
            headers=fields.headers,
            content_length=fields.content_length,
            expects_continue=version == (1, 1) and fields.headers.get("expect", "").lower() == "100-continue",
            persistent="close" not in fields.connection and (version == (1, 1) or "keep-alive" in fields.connection),
        )

    def _take_fields(self) -> bytes | None:
        """Takes field lines and the empty line after them; gives the field lines."""
        if self._buffer.startswith(b"\r\n"):
            return self._take(2)[2:]
        searched = self._searched
        block = self._take_until(b"\r\n\r\n", MAX_FIELDS, 431)
        if block is None:
            # Lines that end with a bare LF would never have an empty line: say so now, and let nobody wait.
            if bare := _BARE_LF.search(self._buffer, searched):
                raise BadRequest(f"a line ends with a bare LF: {_shown(self._buffer[: bare.end()])}")
            return None
        return block[:-2]

    def _content(self) -> RequestEvent | None:
        if not self._left:
            return self._end()
        return self._take_content()

    def _take_content(self) -> bytes | None:
        if not self._buffer:
            return None
        content = self._take(min(self._left, len(self._buffer)))
        self._left -= len(content)
        return content

    def _chunk_line(self) -> RequestEvent | None:
        line = self._take_until(b"\n", _MAX_CHUNK_LINE, 400)
        if line is None:
            return None
        match = _CHUNK_LINE.fullmatch(line)
        if match is None:
            raise BadRequest(f"bad chunk size: {_shown(line)}")
        self._left = int(match[1], 16)
        self._next = RequestParser._chunk if self._left else RequestParser._trailers
        return self._next(self)

    def _chunk(self) -> RequestEvent | None:
        if self._left:
            return self._take_content()
        if len(self._buffer) < 2:
            return None
        if (end := self._take(2)) != b"\r\n":
            raise BadRequest(f"a chunk is not followed by CRLF but by {_shown(end)}")
        self._next = RequestParser._chunk_line
        return self._chunk_line()

    def _trailers(self) -> RequestEvent | None:
        block = self._take_fields()
        if block is None:
            return None
        _split_fields(block)  # checked, and dropped: RFC 9110, section 6.5.1
        return self._end()

    def _end(self) -> RequestEvent:
        self._next = RequestParser._request_line
        return END_OF_REQUEST


def _split_target(method: bytes, target: str) -> tuple[str, str]:
    """Path and query of a request target in any of the four forms (RFC 9112, section 3.2)."""
    if method == b"CONNECT":
        return target, ""
    origin = _AUTHORITY.match(target)
    local = target[origin.end() :] if origin else target
    path, _, query = local.partition("?")
    if origin and not path:
        path = "/"
    if not path.startswith("/") and not (method == b"OPTIONS" and target == "*"):
        raise BadRequest(f"bad request target: {target[:_SHOWN]!r}")
    if "#" in target:
        raise BadRequest(f"a fragment in the request target: {target[:_SHOWN]!r}")
    return (unquote(path) if "%" in path else path), query


# A client sends the same field lines again and again.
@lru_cache(maxsize=64)
def _read_fields(block: bytes) -> _Fields:
    pairs = _split_fields(block)
    headers: dict[str, str] = {}
    for name, value in pairs:
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    length = headers.get("content-length")
    coding = headers.get("transfer-encoding")
    if length is not None and coding is not None:
        raise BadRequest("both Content-Length and Transfer-Encoding (RFC 9112, section 6.2)")
    if length is not None and not _LENGTH.fullmatch(length):
        raise BadRequest(f"bad Content-Length: {length[:_SHOWN]!r}")
    if coding is not None and coding.lower() != "chunked":
        raise BadRequest(f"unknown transfer coding: {coding[:_SHOWN]!r}", 501)
    return _Fields(
        pairs=pairs,
        headers=CIMultiDictProxy(CIMultiDict(headers)),
        hosts=sum(name.lower() == "host" for name, _ in pairs),
        content_length=None if coding is not None else int(length or 0),
        connection=frozenset(option.strip().lower() for option in headers.get("connection", "").split(",")),
    )


def _split_fields(block: bytes) -> tuple[tuple[str, str], ...]:
    """Names and values of field lines (RFC 9112, section 5); folded lines are refused."""
    pairs = []
    position = 0
    while position < len(block):
        match = _FIELD_LINE.match(block, position)
        if match is None:
            raise BadRequest(f"bad field line: {_shown(block[position:])}")
        pairs.append((match[1].decode("ascii"), match[2].strip(b" \t").decode("utf-8", "surrogateescape")))
        position = match.end()
    return tuple(pairs)


def _shown(data: bytes | bytearray) -> str:
    return repr(bytes(data[:_SHOWN]))
