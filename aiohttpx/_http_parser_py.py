"""Responses in, heads of requests out: HTTP/1.1 as bytes (RFC 9112). This says what `_http_parser.pyx` does over llhttp.

    parser = ResponseParser()
    parser.expect("GET")
    parser.feed(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")     # [ResponseHead(...), b"ok", END_OF_MESSAGE]

It knows no socket and no clock, and of all fields only those that frame a message and the few that everyone asks for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

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


class ResponseParser:
    """What a server sends on one connection, turned into events.

    :param max_field: bytes of one line of a head, of a trailer section or of chunk framing.
    :param max_head: bytes of one head, or of one trailer section.
    :param max_fields: field lines in one of them.
    :param max_status_line: bytes of the status line.

    A violation raises an `HttpProcessingError` with what came before it in `events`; then the parser only repeats the error.
    """

    def __init__(
        self, max_field: int = 65536, max_head: int = 262144, max_fields: int = 512, max_status_line: int = 65536
    ) -> None:
        self._limits = Limits(max_field, max_head, max_fields, max_status_line)
        self._read: Callable[[ResponseParser, bytes, int], int] = ResponseParser._read_nothing  # whose the next byte is
        self._error: tuple[type[BadHttpMessage], str] | None = None
        self._events: list[Event] = []

        self._method = ""
        self._upgrade = False
        self._started = False
        self._head = HeadReader(self._limits)
        self._persistent = True
        self._upgraded = False

        self._left = 0  # bytes of the content, or of the chunk, that are still to come
        self._line = bytearray()  # what has come between the data of two chunks
        self._line_state = CHUNK_SIZE  # where the grammar stood before it
        self._state = CHUNK_SIZE  # ... and stands now
        self._chunks: list[bytes] = []  # what this feed brought of their data
        self._size = 0  # ... in bytes
        self._ends: list[int] = []

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
        return self._error is None and self._read in (ResponseParser._read_nothing, ResponseParser._read_surplus)

    def expect(self, method: str, upgrade: bool = False) -> None:
        """The next message answers a request of this method; `upgrade`: it offered another protocol, and 101 is welcome.

        :raises RuntimeError: a message is under way, or the connection carries no other.
        """
        if self._error is not None or self._read is not ResponseParser._read_nothing:
            raise RuntimeError("the connection cannot carry another exchange now")
        self._method = method
        self._upgrade = upgrade
        self._started = False
        self._head = HeadReader(self._limits)
        self._read = ResponseParser._read_head

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
        """The connection has ended, and with it a body without a length (RFC 9112, section 8).

        :raises HttpProcessingError: a head or a body is cut short.
        """
        self._refuse_again()
        if self._paused:
            self._kept_eof = True
            return []
        return self._run(b"", eof=True)

    @property
    def content_left(self) -> int:
        """Bytes of content that come next and have to, because their number was announced; 0 when something else does."""
        known = self._read is ResponseParser._read_length and not self._paused and self._error is None
        return self._left if known else 0

    def skip(self, size: int) -> list[Event]:
        """So much of `content_left` was received past the parser: what is to be said after it.

        :raises ValueError: that much is not left.
        """
        if not 0 <= size <= self.content_left:
            raise ValueError(f"{size} bytes of content cannot be skipped: {self.content_left} are left")
        self._left -= size
        self._events = []
        if size and not self._left:
            self._finish_message()
        return self._events

    def pause(self) -> None:
        """Keep what is fed until `resume()`."""
        self._paused = True

    def resume(self) -> list[Event]:
        """Go on with what was kept: what it says.

        :raises HttpProcessingError: as `feed()` and `feed_eof()` do.
        """
        self._refuse_again()
        self._paused = False
        data, self._kept = b"".join(self._kept), []
        eof, self._kept_eof = self._kept_eof, False
        return self._run(data, eof)

    def _refuse_again(self) -> None:
        if self._error is not None:
            error, message = self._error
            raise error(message)

    def _run(self, data: bytes, eof: bool) -> list[Event]:
        events = self._events = []
        at = 0
        try:
            while at < len(data):
                at = self._read(self, data, at)
            if eof:
                self._end()
        except BadHttpMessage as error:
            self._error = type(error), error.message
            error.events = events
            raise
        finally:
            self._say_chunks()
            self._events = []
        return events

    # Each reader takes what is its own of data[at:] and returns how far that was.

    def _read_nothing(self, data: bytes, at: int) -> int:
        raise surplus(data[at:])

    def _read_surplus(self, data: bytes, _: int) -> int:
        """The connection carries no other message, whatever comes."""
        return len(data)

    def _read_head(self, data: bytes, at: int) -> int:
        at = self._head.read(data, at)
        if self._head.complete:
            self._finish_head(self._head)
        return at

    def _finish_head(self, head: HeadReader) -> None:
        """How long is the body? RFC 9112, section 6.3, in its order."""
        status = head.status
        if status == 101 and not self._upgrade:
            raise unwanted_switch(head.status_line)
        upgraded = status == 101 or (self._method == "CONNECT" and 200 <= status < 300)
        informational = status < 200 and not upgraded
        empty = informational or self._method == "HEAD" or status in (204, 304)
        until_eof = not (upgraded or empty or head.chunked or head.content_length is not None)
        # Transfer-Encoding in HTTP/1.0 may be a framing fault: the connection ends with the message (section 6.1).
        suspect = head.chunked and head.version == HttpVersion10
        self._upgraded = upgraded
        self._persistent = head.persistent and not (upgraded or until_eof or suspect)
        self._events.append(
            ResponseHead(
                version=head.version,
                status=status,
                reason=head.reason,
                fields=head.fields,
                persistent=self._persistent,
                upgraded=upgraded,
                content_length=None if upgraded else head.content_length,
                chunked=head.chunked and not upgraded,
                content_type=head.content_type or "",
                content_encoding=head.content_encoding,
                keep_alive=head.keep_alive,
                sets_cookies=head.sets_cookies,
            )
        )
        if informational:
            self._head = HeadReader(self._limits)
        elif upgraded or until_eof:
            self._read = ResponseParser._read_all
        elif head.chunked and not empty:
            self._begin_line(CHUNK_SIZE)
        elif empty or not head.content_length:
            self._finish_message()
        else:
            self._left = head.content_length
            self._read = ResponseParser._read_length

    def _finish_message(self) -> None:
        self._events.append(END_OF_MESSAGE)
        self._read = ResponseParser._read_nothing if self._persistent else ResponseParser._read_surplus

    def _read_all(self, data: bytes, at: int) -> int:
        """Content until the connection ends, or another protocol."""
        self._events.append(data[at:])
        return len(data)

    def _read_length(self, data: bytes, at: int) -> int:
        content = data[at : at + self._left]
        self._events.append(content)
        self._left -= len(content)
        if not self._left:
            self._finish_message()
        return at + len(content)

    # Section 7.1: chunked-body = *chunk last-chunk trailer-section CRLF

    def _begin_line(self, state: int) -> None:
        self._line.clear()
        self._line_state = self._state = state
        self._read = ResponseParser._read_chunk_line

    def _read_chunk_line(self, data: bytes, at: int) -> int:
        """All that stands between the data of two chunks: CRLF, size, extensions, CRLF."""
        self._state, end = walk(self._state, data, at)
        complete = self._state == CHUNK
        refused = end < len(data) and not complete
        self._line += data[at : end + refused]
        if refused or len(self._line) > self._limits.line:
            fault = chunk_fault(self._line, self._line_state, self._limits.line)
            if fault is not None:
                raise fault
        if complete:
            self._begin_chunk(int(self._line.partition(b";")[0].translate(None, b"\r\n \t"), 16))
        return end

    def _begin_chunk(self, size: int) -> None:
        if size:
            self._left = size
            self._read = ResponseParser._read_chunk
        else:
            self._head = HeadReader(self._limits, trailers=True)
            self._read = ResponseParser._read_trailers

    def _read_chunk(self, data: bytes, at: int) -> int:
        content = data[at : at + self._left]
        self._chunks.append(content)
        self._size += len(content)
        self._left -= len(content)
        if not self._left:
            self._ends.append(self._size)
            self._begin_line(CHUNK_DATA_END)
        return at + len(content)

    def _read_trailers(self, data: bytes, at: int) -> int:
        at = self._head.read(data, at)
        if self._head.complete:
            self._say_chunks()
            if fields := self._head.fields:
                self._events.append(Trailers(fields))
            self._finish_message()
        return at

    def _say_chunks(self) -> None:
        """One event for all that a feed brought: very many tiny chunks must stay cheap."""
        if self._chunks:
            self._events.append(Chunks(b"".join(self._chunks), tuple(self._ends)))
            self._chunks, self._size, self._ends = [], 0, []

    def _end(self) -> None:
        if self._read is ResponseParser._read_head and self._started:
            raise self._head.cut_short()
        if self._read is ResponseParser._read_length:
            raise length_cut_short(self._left, self._head.content_length or 0)
        if self._read in (ResponseParser._read_chunk_line, ResponseParser._read_chunk, ResponseParser._read_trailers):
            raise chunks_cut_short()
        if self._read is ResponseParser._read_all and not self._upgraded:
            self._finish_message()


def parse_fields(block: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Split `ResponseHead.fields` or `Trailers.fields` into names as they came and values without the white space around them."""
    fields = []
    for line in block.split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        fields.append((name, value.strip(b" \t")))
    return tuple(fields)


_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_TARGET = re.compile(r"[!-~]+").fullmatch
_VALUE = re.compile(r"[^\r\n\0\ud800-\udfff]*").fullmatch


def serialize_head(method: str, target: str, *parts: bytes | Iterable[tuple[str, str]]) -> bytes:
    """The head of a request: its line (RFC 9112, section 3), the parts in their order, and the empty line.

    :param parts: bytes are field lines serialized before, each with its CRLF; otherwise pairs of name and value, sent as UTF-8.
    :raises ValueError: the method, the target, a name or a value cannot be sent; the message shows the place.
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
