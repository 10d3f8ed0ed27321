"""A status line and a field section, read line by line (RFC 9112, sections 4 and 5). Trailers are a field section too (7.1.2).

The Python parser reads with this; the compiled one asks it what is wrong with a head that llhttp, or a check of its own, refused.

A line is checked as it comes, so that rubbish is refused at its first byte, and memory is bounded. What a field means is decided
when the byte after its line shows that it is not continued there (obsolete line folding, 5.2).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ._violations import FIELD_LINE, FIELD_VALUE, REASON, STATUS_CODE, STATUS_LINE, expected, show, walk
from .errors import BadHttpMessage, BadStatusLine, InvalidHeader, LineTooLong, TransferEncodingError
from .events import HttpVersion10, HttpVersion11

# What most lines look like; the others are walked, byte by byte.
_PLAIN_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-9][0-9][0-9] [\t -~\x80-\xff]*").fullmatch
_PLAIN_FIELD_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*").fullmatch

_TIMEOUT = re.compile(rb"[ \t]*timeout[ \t]*=[ \t]*([0-9]{1,9})[ \t]*", re.I).fullmatch
_MAX_LENGTH = 2**64 - 1

#: Fields that say where a message ends, or who speaks next, are never folded.
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection", b"upgrade"})


class Limits(NamedTuple):
    """Bytes of one line, bytes of the whole section, number of field lines, bytes of the status line."""

    line: int
    section: int
    fields: int
    status_line: int


class HeadReader:
    """Reads one head, or one trailer section: `read()` until `complete`, then look at what it says."""

    def __init__(self, limits: Limits, *, trailers: bool = False) -> None:
        self._limits = limits
        self._trailers = trailers
        self._lines: list[bytes] = []  # complete field lines, unfolded, without their ends
        self._size = 0  # of all complete lines
        self._line = bytearray()  # the line under way
        self._on_status_line = not trailers
        self._state = FIELD_LINE if trailers else STATUS_LINE  # where the grammar stands in the line
        self._walked = 0  # how much of it the grammar has seen
        self._cr = b""  # a CR behind it that waits for its LF
        self._ended = False  # its end has come, and the next byte decides whether it is continued
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
        self._options: set[bytes] = set()  # of the Connection fields

    @property
    def fields(self) -> bytes:
        """The field lines, each ended by CRLF."""
        return b"".join([line + b"\r\n" for line in self._lines])

    @property
    def persistent(self) -> bool:
        """RFC 9112, section 9.3."""
        if b"close" in self._options:
            return False
        return self.version == HttpVersion11 or b"keep-alive" in self._options

    def read(self, data: bytes, at: int = 0) -> int:
        """Read from `data[at:]` to the end of the section, or of the data; say how far that is.

        :raises BadHttpMessage: a byte is at fault, or one too many.
        """
        while at < len(data) and not self.complete:
            end = data.find(b"\n", at)
            ends = end >= 0
            text = self._cr + (data[at:end] if ends else data[at:])
            at = end + 1 if ends else len(data)
            self._cr = b""
            if text.endswith(b"\r"):
                text = text[:-1]
                self._cr = b"" if ends else b"\r"
            elif ends and self._trailers:
                text += b"\n"  # refused below: a bare LF ends a line only in a head
            if text or ends:
                self._take(text, ends)
        return at

    def cut_short(self) -> BadHttpMessage:
        """The error to raise when the connection has ended before the section did."""
        return show(BadHttpMessage, "The connection was closed in the middle of the head", self._line, len(self._line))

    def _take(self, text: bytes, ends: bool) -> None:
        """Add to the line, or begin the next one; `ends`: the line ends behind this text."""
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
        allowed = self._allowed()
        room = allowed - len(self._line)
        self._line += text[:room]
        self._check(whole=ends and len(text) <= room)
        if len(text) > room:
            self._line += text[room : room + 1]
            raise show(LineTooLong, self._over_limit(), self._line, allowed)

    def _allowed(self) -> int:
        """How long the line may become. A line that may not be there at all has one byte, which can be at fault by itself."""
        if len(self._lines) >= self._limits.fields and not self._on_status_line:
            return 1
        return max(1, min(self._longest_line(), self._limits.section - self._size))

    def _longest_line(self) -> int:
        return self._limits.status_line if self._on_status_line else self._limits.line

    def _over_limit(self) -> str:
        most = self._limits
        if len(self._lines) >= most.fields and not self._on_status_line:
            return f"There are more than {most.fields} field lines"
        if most.section - self._size < self._longest_line():
            return f"The {'trailer section' if self._trailers else 'head'} is longer than {most.section} bytes"
        return f"The line is longer than {self._longest_line()} bytes"

    def _check(self, *, whole: bool) -> None:
        """Refuse the first byte of the line that cannot be there."""
        line = self._line
        if line[:18].lower().startswith((b"content-length:", b"transfer-encoding:")):
            self._check_body_framing(line.index(b":"))
        if whole and (_PLAIN_STATUS_LINE if self._on_status_line else _PLAIN_FIELD_LINE)(line):
            self._state = REASON if self._on_status_line else FIELD_VALUE
            self._walked = len(line)
            return
        self._state, self._walked = walk(self._state, line, self._walked)
        if self._walked < len(line):
            raise self._fault(f"expected {expected(self._state)}", self._walked)

    def _check_body_framing(self, colon: int) -> None:
        """What frames content cannot come behind it (RFC 9110, section 6.5.1). The digits of a length are checked one by one."""
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
        """The line goes on in the next one: both are read as one, with a space between them. RFC 9112, section 5.2."""
        name = bytes(self._line.partition(b":")[0]).lower()
        if self._trailers or self._state != FIELD_VALUE or name in _FRAMING:
            self._line += text[:1]
            raise self._fault("expected no line folding here", len(self._line) - 1)

    def _finish_status_line(self) -> None:
        if self._state not in (STATUS_CODE, REASON):
            raise self._fault(f"expected {expected(self._state)}", len(self._line))
        line = self.status_line = bytes(self._line)
        self.version = HttpVersion10 if line[7:8] == b"0" else HttpVersion11
        self.status = int(line[9:12])
        self.reason = _text(line[12:])
        self._on_status_line = False
        self._begin_line()

    def _finish_field_line(self) -> None:
        line = bytes(self._line)
        if self._state != FIELD_VALUE:
            raise self._fault(f"expected {expected(self._state)}", len(line))
        name, _, value = line.partition(b":")
        meaning = _MEANINGS.get(name.lower())
        if meaning is not None and not self._trailers:
            meaning(self, value.strip(b" \t"))
        self._lines.append(line)
        self._begin_line()

    def _begin_line(self) -> None:
        self._size += len(self._line) + len("\r\n")
        self._line.clear()
        self._state, self._walked = FIELD_LINE, 0

    def _fault(self, sentence: str, at: int) -> BadHttpMessage:
        """An error that shows the line as far as the byte at fault."""
        shown = self._line[: at + 1]
        if self._on_status_line:
            return show(BadStatusLine, f"Bad status line, {sentence}", shown, at)
        if self._trailers:
            return show(TransferEncodingError, f"Bad trailer, {sentence}", shown, at)
        return show(InvalidHeader, f"Bad field line, {sentence}", shown, at)

    def _bad_value(self, sentence: str) -> InvalidHeader:
        """An error that shows the whole line and points at its value."""
        value = self._line.partition(b":")[2].lstrip(b" \t")
        return show(InvalidHeader, f"Bad field line, {sentence}", self._line, len(self._line) - len(value))

    # The fields that frame the message, and those that everyone asks for

    def _read_content_length(self, value: bytes) -> None:
        """RFC 9112, section 6.3, items 3 and 5. The same length twice is harmless."""
        if not value:
            raise self._bad_value("expected the digits of a length")
        if self.chunked:
            raise self._bad_value("Content-Length behind Transfer-Encoding may be request smuggling")
        length = int(value.lstrip(b"0") or b"0")
        if self.content_length not in (None, length):
            raise self._bad_value(f"there was a Content-Length of {self.content_length} before")
        self.content_length = length

    def _read_transfer_encoding(self, value: bytes) -> None:
        """RFC 9112, section 6.1. No other coding than chunked was asked for: no TE is sent (RFC 9110, section 10.1.4)."""
        if self.content_length is not None:
            raise self._bad_value("Transfer-Encoding behind Content-Length may be request smuggling")
        if self.chunked or value.lower() != b"chunked":
            raise self._bad_value('expected "chunked", once')
        self.chunked = True

    def _read_connection(self, value: bytes) -> None:
        self._options.update(option.strip(b" \t") for option in value.lower().split(b","))

    def _read_content_type(self, value: bytes) -> None:
        if self.content_type is None:
            self.content_type = _text(value)

    def _read_content_encoding(self, value: bytes) -> None:
        codings = _text(value.lower().translate(None, b" \t"))
        self.content_encoding = ",".join(filter(None, (self.content_encoding, codings)))

    def _read_keep_alive(self, value: bytes) -> None:
        found = next(filter(None, map(_TIMEOUT, value.split(b","))), None)
        if found is not None and self.keep_alive is None:
            self.keep_alive = int(found[1])

    def _read_set_cookie(self, _: bytes) -> None:
        self.sets_cookies = True


_MEANINGS = {
    b"content-length": HeadReader._read_content_length,
    b"transfer-encoding": HeadReader._read_transfer_encoding,
    b"connection": HeadReader._read_connection,
    b"content-type": HeadReader._read_content_type,
    b"content-encoding": HeadReader._read_content_encoding,
    b"keep-alive": HeadReader._read_keep_alive,
    b"set-cookie": HeadReader._read_set_cookie,
}


def _text(value: bytes) -> str:
    """What is not UTF-8 survives as lone surrogates, and can be encoded back."""
    return value.strip(b" \t").decode("utf-8", "surrogateescape")
