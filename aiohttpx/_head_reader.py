"""A status line and a field section, read line by line (RFC 9112, sections 4 and 5); trailers are a field section too (7.1.2).

The Python parser reads with this. The compiled one asks it what is wrong with a head that llhttp, or a check of its own, has refused.

A line is checked byte by byte as it comes, so that rubbish is refused at once. What a field means is decided when the first byte after its line shows
that it is not continued (obsolete line folding, 5.2). Memory is bounded: a line over a limit is refused at the first byte too many.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ._violations import (
    FIELD_LINE,
    FIELD_VALUE,
    STATUS_LINE,
    STATUS_LINE_MAY_END,
    expected,
    show,
    walk,
)
from .errors import BadHttpMessage, BadStatusLine, InvalidHeader, LineTooLong, TransferEncodingError
from .events import HttpVersion, HttpVersion10, HttpVersion11

_PLAIN_FIELD_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*").fullmatch
_MAX_LENGTH = 2**64 - 1
_KEEP_ALIVE_TIMEOUT = re.compile(rb"(?:^|,)[ \t]*timeout[ \t]*=[ \t]*([0-9]{1,9})[ \t]*(?:,|$)", re.I).search
#: Fields that say where a message ends, or who speaks next, are never folded.
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection", b"upgrade"})


class Limits(NamedTuple):
    """Bytes of one line, bytes of the whole section, number of field lines."""

    field: int
    head: int
    fields: int


class HeadReader:
    """Reads one head, or one trailer section: `read()` until `complete`, then look at what it says."""

    def __init__(self, limits: Limits, *, trailers: bool = False) -> None:
        self._limits = limits
        self._trailers = trailers
        self._lines: list[bytes] = []  # complete field lines, unfolded, without their ends
        self._size = 0  # of all complete lines
        self._line = bytearray()  # the line under way
        self._state = FIELD_LINE if trailers else STATUS_LINE  # where the grammar stands in it
        self._walked = 0  # how much of it the grammar has seen
        self._ended = False  # its end has come, and the next byte decides whether it is continued
        self._cr = b""  # a CR that waits for its LF
        self._on_status_line = not trailers
        self.complete = False

        self.status_line = b""
        self.version = HttpVersion11
        self.status = 0
        self.reason = ""
        self.content_length: int | None = None
        self.chunked = False
        self.content_type: str | None = None
        self.content_encoding = ""
        self.keep_alive: int | None = None
        self.sets_cookies = False
        self.connection: set[bytes] = set()  # the options of the Connection fields, in lower case

    @property
    def fields(self) -> bytes:
        """The field lines, each ended by CRLF."""
        return b"".join(line + b"\r\n" for line in self._lines)

    @property
    def persistent(self) -> bool:
        """RFC 9112, section 9.3."""
        if self.version == HttpVersion10:
            return b"keep-alive" in self.connection and b"close" not in self.connection
        return b"close" not in self.connection

    def read(self, data: bytes, at: int = 0) -> int:
        """Read from `data[at:]` to the end of the section, or of the data; say how far that is."""
        while at < len(data) and not self.complete:
            end = data.find(b"\n", at)
            text = self._cr + (data[at:end] if end >= 0 else data[at:])
            at = end + 1 if end >= 0 else len(data)
            self._cr = b""
            if text.endswith(b"\r"):
                text = text[:-1]
                if end < 0:
                    self._cr = b"\r"
            elif end >= 0 and self._trailers:
                text += b"\n"  # to be refused: in a head a bare LF ends a line too, but not here
            if text or end >= 0:
                self._take(text, end >= 0)
        return at

    def cut_short(self) -> BadHttpMessage:
        """The error to raise when the connection has ended before the section did."""
        return show(BadHttpMessage, "The connection was closed in the middle of the head", self._line, len(self._line))

    def _take(self, text: bytes, ends: bool) -> None:
        """Add text to the line, or begin the next one with it; `ends`: the line ends behind it."""
        if self._ended:
            self._ended = False
            if text.startswith((b" ", b"\t")):
                self._unfold(text)
                text = b" " + text[1:]
            else:
                self._finish_field_line()
        self._append(text, ends)
        if ends and self._on_status_line:
            self._finish_status_line()
        elif ends and self._line:
            self._ended = True
        elif ends:
            self.complete = True

    def _append(self, text: bytes, ends: bool) -> None:
        allowed, sentence = self._allowance()
        room = allowed - len(self._line)
        self._line += text[:room]
        self._check(ends and len(text) <= room)
        if len(text) > room:
            self._line += text[room : room + 1]
            raise show(LineTooLong, sentence, self._line, allowed)

    def _allowance(self) -> tuple[int, str]:
        """How long the line may become, and what to say when it does not stop there."""
        most = self._limits
        left = most.head - self._size
        if len(self._lines) >= most.fields and not self._on_status_line:
            return 1, f"There are more than {most.fields} field lines"
        if left < most.field:
            return max(1, left), f"The {'trailer section' if self._trailers else 'head'} is longer than {most.head} bytes"
        return most.field, f"The line is longer than {most.field} bytes"

    def _check(self, whole: bool) -> None:
        """Refuse the first byte of the line that cannot be there."""
        line = self._line
        if line[:18].lower().startswith((b"content-length:", b"transfer-encoding:")):
            self._check_body_framing(line.index(b":"))
        if whole and not self._on_status_line and _PLAIN_FIELD_LINE(line):
            self._state, self._walked = FIELD_VALUE, len(line)
            return
        self._state, self._walked = walk(self._state, line, self._walked)
        if self._walked < len(line):
            raise self._fault(f"expected {expected(self._state)}", self._walked)

    def _check_body_framing(self, colon: int) -> None:
        """A field that frames content cannot come after it, as a trailer; the digits of a length are checked as they come."""
        if self._trailers:
            raise self._fault("this field cannot be a trailer", colon)
        if colon != len("content-length"):
            return
        number = self._line[colon + 1 :].lstrip(b" \t").lstrip(b"0")
        behind = number.lstrip(b"0123456789")
        digits = number[: len(number) - len(behind)]
        fitting = 19 if int(digits[:20] or b"0") > _MAX_LENGTH else 20
        if len(digits) > fitting:
            raise self._fault("the length does not fit in 64 bits", len(self._line) - len(number) + fitting)
        if bad := behind.lstrip(b" \t"):
            raise self._fault("expected the digits of a length", len(self._line) - len(bad))

    def _unfold(self, text: bytes) -> None:
        """A field line goes on in the next one. Both are read as one with a space between them (RFC 9112, section 5.2)."""
        name = bytes(self._line.partition(b":")[0]).lower()
        if self._trailers or name in _FRAMING or self._state != FIELD_VALUE:
            self._line += text[:1]
            raise self._fault("expected no line folding here", len(self._line) - 1)

    def _finish_status_line(self) -> None:
        """Section 4."""
        line = bytes(self._line)
        if self._state not in STATUS_LINE_MAY_END:
            raise self._fault(f"expected {expected(self._state)}", len(line))
        self.status_line = line
        self.version = HttpVersion10 if line[7:8] == b"0" else HttpVersion11
        self.status = int(line[9:12])
        self.reason = _text(line[12:])
        self._on_status_line = False
        self._begin_line(len(line))

    def _finish_field_line(self) -> None:
        line = bytes(self._line)
        if self._state != FIELD_VALUE:
            raise self._fault(f"expected {expected(self._state)}", len(line))
        name, _, value = line.partition(b":")
        meaning = _MEANINGS.get(name.lower())
        if meaning is not None and not self._trailers:
            meaning(self, value.strip(b" \t"))
        self._lines.append(line)
        self._begin_line(len(line))

    def _begin_line(self, finished: int) -> None:
        self._size += finished + len(b"\r\n")
        self._line.clear()
        self._state, self._walked = FIELD_LINE, 0

    def _fault(self, sentence: str, at: int) -> BadHttpMessage:
        """An error that shows the line as far as the byte at fault."""
        if self._on_status_line:
            return show(BadStatusLine, f"Bad status line, {sentence}", self._line[: at + 1], at)
        if self._trailers:
            return show(TransferEncodingError, f"Bad trailer, {sentence}", self._line[: at + 1], at)
        return show(InvalidHeader, f"Bad field line, {sentence}", self._line[: at + 1], at)

    def _meant(self, sentence: str) -> BadHttpMessage:
        """An error that shows the whole line, and points at its value."""
        name, _, value = self._line.partition(b":")
        at = len(name) + 1 + len(value) - len(value.lstrip(b" \t"))
        return show(InvalidHeader, f"Bad field line, {sentence}", self._line, at)

    # What the fields mean that this package must know before anyone looks at the rest.

    def _read_content_length(self, value: bytes) -> None:
        """RFC 9112, section 6.3, items 3 and 5. The same length twice is harmless."""
        if not value:
            raise self._meant("expected the digits of a length")
        if self.chunked:
            raise self._meant("Content-Length with Transfer-Encoding may be an attempt at request smuggling")
        length = int(value.lstrip(b"0") or b"0")
        if self.content_length not in (None, length):
            raise self._meant(f"Content-Length was {self.content_length} before")
        self.content_length = length

    def _read_transfer_encoding(self, value: bytes) -> None:
        """RFC 9112, section 6.1. No other coding was asked for (RFC 9110, section 10.1.4: no TE is sent)."""
        if self.content_length is not None:
            raise self._meant("Transfer-Encoding with Content-Length may be an attempt at request smuggling")
        if self.chunked or value.lower() != b"chunked":
            raise self._meant('expected "chunked", once')
        self.chunked = True

    def _read_connection(self, value: bytes) -> None:
        self.connection.update(option.strip(b" \t") for option in value.lower().split(b","))

    def _read_content_type(self, value: bytes) -> None:
        if self.content_type is None:
            self.content_type = _text(value)

    def _read_content_encoding(self, value: bytes) -> None:
        codings = _text(value.lower().replace(b" ", b"").replace(b"\t", b""))
        self.content_encoding = ",".join(filter(None, (self.content_encoding, codings)))

    def _read_keep_alive(self, value: bytes) -> None:
        found = _KEEP_ALIVE_TIMEOUT(value)
        if found:
            self.keep_alive = int(found[1])

    def _read_set_cookie(self, value: bytes) -> None:
        self.sets_cookies = True


def _text(value: bytes) -> str:
    """Bytes that are not UTF-8 survive as lone surrogates, and can be encoded back."""
    return value.strip(b" \t").decode("utf-8", "surrogateescape")


_MEANINGS = {
    b"content-length": HeadReader._read_content_length,
    b"transfer-encoding": HeadReader._read_transfer_encoding,
    b"connection": HeadReader._read_connection,
    b"content-type": HeadReader._read_content_type,
    b"content-encoding": HeadReader._read_content_encoding,
    b"keep-alive": HeadReader._read_keep_alive,
    b"set-cookie": HeadReader._read_set_cookie,
}
