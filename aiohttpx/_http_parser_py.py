"""Responses in, heads of requests out: HTTP/1.1 on the wire (RFC 9112). This is the specification; `_http_parser.pyx` does the same over llhttp.

    parser = ResponseParser()
    parser.expect("GET")
    parser.feed(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")     # [ResponseHead(...), b"ok", END_OF_MESSAGE]

It knows no socket and no clock. It must not know what a field means beyond framing and the few that everyone asks for: `wire/` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

from ._head_reader import HeadReader, Limits
from ._violations import (
    CHUNK,
    CHUNK_DATA_END,
    CHUNK_SIZE,
    chunk_fault,
    chunks_cut_short,
    length_cut_short,
    request_fault,
    surplus,
    unwanted_switch,
    walk,
)
from .errors import BadHttpMessage
from .events import END_OF_MESSAGE, Chunks, Event, HttpVersion10, ResponseHead, Trailers

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_TARGET = re.compile(r"[!-~]+").fullmatch
_VALUE = re.compile(r"[^\r\n\0\ud800-\udfff]*").fullmatch

_State: TypeAlias = Callable[[bytes, int], int]


class ResponseParser:
    """What a server sends on one connection, turned into events.

    :param max_field: bytes of one line of a head, of a trailer section or of chunk framing.
    :param max_head: bytes of one head, or of one trailer section.
    :param max_fields: field lines in one of them.

    Every violation raises an `HttpProcessingError` with what came before it in `events`; the parser then only repeats the error.
    """

    def __init__(self, max_field: int = 65536, max_head: int = 262144, max_fields: int = 512) -> None:
        self._limits = Limits(max_field, max_head, max_fields)
        self._head = HeadReader(self._limits)
        self._read: _State = self._read_nothing  # what the next byte belongs to
        self._error: tuple[type[BadHttpMessage], str] | None = None
        self._events: list[Event] = []
        self._method = ""
        self._upgrade = False
        self._persistent = True
        self._upgraded = False
        self._started = False
        self._left = 0  # bytes of the content, or of the chunk, that are still to come
        self._line = bytearray()  # what has come between the data of two chunks
        self._begins = self._state = CHUNK_SIZE  # where the grammar stands before it, and behind it
        self._content: list[bytes] = []  # of the chunks in this feed
        self._ends: list[int] = []  # ... and where each ended
        self._size = 0
        self._paused = False
        self._kept: list[bytes] = []  # what came while paused
        self._kept_eof = False

    @property
    def started(self) -> bool:
        """A byte of the answer to the last `expect()` has come."""
        return self._started

    @property
    def idle(self) -> bool:
        """No message is under way: before the first `expect()`, and after END_OF_MESSAGE."""
        return self._read in (self._read_nothing, self._read_surplus)

    def expect(self, method: str, upgrade: bool = False) -> None:
        """The next message answers a request of this method; `upgrade`: it asked for another protocol and 101 is welcome.

        :raises RuntimeError: when a message is under way, or the connection carries no other.
        """
        if self._read != self._read_nothing:
            raise RuntimeError("the connection cannot carry another exchange now")
        self._method = method
        self._upgrade = upgrade
        self._started = False
        self._head = HeadReader(self._limits)
        self._read = self._read_head

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        """What these bytes say. While paused, they are kept and say nothing.

        :raises HttpProcessingError: they are not a response to what was expected.
        """
        self._refuse_again()
        data = data if type(data) is bytes else bytes(memoryview(data))
        self._started = self._started or bool(data)
        if self._paused:
            self._kept.append(data)
            return []
        return self._run(data, eof=False)

    def feed_eof(self) -> list[Event]:
        """The connection has ended: that ends a body without a length (RFC 9112, section 8).

        :raises HttpProcessingError: a head or a body is cut short.
        """
        self._refuse_again()
        if self._paused:
            self._kept_eof = True
            return []
        return self._run(b"", eof=True)

    def pause(self) -> None:
        """Keep what is fed until `resume()`."""
        self._paused = True

    def resume(self) -> list[Event]:
        """Go on with what was kept, and say what it says."""
        self._paused = False
        data, self._kept = b"".join(self._kept), []
        eof, self._kept_eof = self._kept_eof, False
        return self._run(data, eof) if data or eof else []

    def _run(self, data: bytes, eof: bool) -> list[Event]:
        events = self._events = []
        try:
            at = 0
            while at < len(data):
                at = self._read(data, at)
            if eof:
                self._end()
            self._say_chunks()
        except BadHttpMessage as error:
            self._say_chunks()
            self._error = type(error), error.message
            error.events = events
            raise
        return events

    def _refuse_again(self) -> None:
        if self._error is not None:
            error, message = self._error
            raise error(message)

    # Each of these reads data[at:] as far as it is theirs, and returns how far that was.

    def _read_nothing(self, data: bytes, at: int) -> int:
        raise surplus(data[at:])

    def _read_surplus(self, data: bytes, at: int) -> int:
        """Nobody will read what comes after the last message of a connection."""
        return len(data)

    def _read_head(self, data: bytes, at: int) -> int:
        at = self._head.read(data, at)
        if self._head.complete:
            self._finish_head(self._head)
        return at

    def _finish_head(self, head: HeadReader) -> None:
        """Decide how long the body is: RFC 9112, section 6.3, in its order."""
        status = head.status
        if status == 101 and not self._upgrade:
            raise unwanted_switch(head.status_line)
        upgraded = status == 101 or (self._method == "CONNECT" and 200 <= status < 300)
        informational = status < 200 and not upgraded
        empty = informational or self._method == "HEAD" or status in (204, 304)
        until_eof = not (upgraded or empty or head.chunked or head.content_length is not None)
        # Transfer-Encoding in HTTP/1.0 is suspect: the connection ends with the message (section 6.1).
        persistent = head.persistent and not (upgraded or until_eof or (head.chunked and head.version == HttpVersion10))
        self._events.append(
            ResponseHead(
                head.version,
                status,
                head.reason,
                head.fields,
                persistent,
                upgraded,
                None if upgraded else head.content_length,
                head.chunked and not upgraded,
                head.content_type or "",
                head.content_encoding,
                head.keep_alive,
                head.sets_cookies,
            )
        )
        self._persistent = persistent
        self._upgraded = upgraded
        if informational:
            self._head = HeadReader(self._limits)
        elif upgraded or until_eof:
            self._read = self._read_all
        elif empty:
            self._finish_message()
        elif head.chunked:
            self._begin_chunk(CHUNK_SIZE)
        else:
            self._left = head.content_length or 0
            self._read = self._read_length
            if not self._left:
                self._finish_message()

    def _finish_message(self) -> None:
        self._events.append(END_OF_MESSAGE)
        self._read = self._read_nothing if self._persistent else self._read_surplus

    def _read_all(self, data: bytes, at: int) -> int:
        """Content until the connection ends, or another protocol."""
        self._events.append(data[at:])
        return len(data)

    def _read_length(self, data: bytes, at: int) -> int:
        """Section 6.2."""
        content = data[at : at + self._left]
        self._events.append(content)
        self._left -= len(content)
        if not self._left:
            self._finish_message()
        return at + len(content)

    # Section 7.1: chunked-body = *chunk last-chunk trailer-section CRLF

    def _begin_chunk(self, state: int) -> None:
        self._line.clear()
        self._begins = self._state = state
        self._read = self._read_chunk_line

    def _read_chunk_line(self, data: bytes, at: int) -> int:
        """All that stands between the data of two chunks: CRLF, size, extensions, CRLF."""
        self._state, end = walk(self._state, data, at)
        whole = self._state == CHUNK
        refused = end < len(data) and not whole
        self._line += data[at : end + refused]
        if refused or len(self._line) > self._limits.field:
            fault = chunk_fault(self._line, self._begins, self._limits.field)
            if fault is not None:
                raise fault
        if whole:
            self._left = int(self._line.translate(None, b"\r\n").partition(b";")[0], 16)
            self._read = self._read_chunk_data
            if not self._left:
                self._head = HeadReader(self._limits, trailers=True)
                self._read = self._read_trailers
        return end

    def _read_chunk_data(self, data: bytes, at: int) -> int:
        content = data[at : at + self._left]
        self._content.append(content)
        self._size += len(content)
        self._left -= len(content)
        if not self._left:
            self._ends.append(self._size)
            self._begin_chunk(CHUNK_DATA_END)
        return at + len(content)

    def _read_trailers(self, data: bytes, at: int) -> int:
        """Section 7.1.2."""
        at = self._head.read(data, at)
        if self._head.complete:
            self._say_chunks()
            if self._head.fields:
                self._events.append(Trailers(self._head.fields))
            self._finish_message()
        return at

    def _say_chunks(self) -> None:
        """One event for all chunks of a feed: very many tiny ones must stay cheap."""
        if self._content:
            self._events.append(Chunks(b"".join(self._content), tuple(self._ends)))
            self._content, self._ends, self._size = [], [], 0

    def _end(self) -> None:
        if self._read == self._read_head:
            if self._started:
                raise self._head.cut_short()
        elif self._read == self._read_length:
            raise length_cut_short(self._left, self._head.content_length or 0)
        elif self._read in (self._read_chunk_line, self._read_chunk_data, self._read_trailers):
            raise chunks_cut_short()
        elif self._read == self._read_all and not self._upgraded:
            self._finish_message()


def parse_fields(block: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Split `ResponseHead.fields` or `Trailers.fields` into names as they came and values without the white space around them."""
    fields = []
    for line in block.split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        fields.append((name, value.strip(b" \t")))
    return tuple(fields)


def serialize_head(method: str, target: str, *parts: bytes | Iterable[tuple[str, str]]) -> bytes:
    """The head of a request: its line (RFC 9112, section 3), the parts in their order, and the empty line.

    :param parts: bytes are field lines that were serialized before, each with its CRLF; otherwise pairs of name and value, sent as UTF-8.
    :raises ValueError: the method, a name or a value, or the target cannot be sent; the message shows the place.
    """
    if not _TOKEN(method):
        raise request_fault("method", method)
    if not _TARGET(target):
        raise request_fault("request target", target)
    head = [f"{method} {target} HTTP/1.1\r\n".encode("ascii")]
    for part in parts:
        if isinstance(part, bytes):
            head.append(part)
            continue
        for name, value in part:
            if not _TOKEN(name):
                raise request_fault("field name", name)
            if not _VALUE(value):
                raise request_fault("field value", value, name)
            head.append(f"{name}: {value}\r\n".encode())
    head.append(b"\r\n")
    return b"".join(head)
