"""Which byte may follow which (RFC 9112, sections 4, 5 and 7.1), and how one that may not is shown.

Both parsers answer to this page: the Python one walks these tables, the compiled one asks them what llhttp refused. The fault is
the first byte that no valid message has there, so the text of an error is the same however the bytes were cut into reads:

    Bad field line, expected a byte of a name or ":":
      b"Content-Length "
                      ^
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeVar

from .errors import BadHttpMessage, ContentLengthError, LineTooLong, TransferEncodingError
from .secrets import SECRET_FIELDS

_Error = TypeVar("_Error", bound=Exception)

TCHAR: Final = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGIT = b"0123456789"
_HEXDIG = b"0123456789abcdefABCDEF"
_TEXT = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])  # HTAB, SP, VCHAR and obs-text
_QDTEXT = _TEXT.replace(b'"', b"").replace(b"\\", b"")
_HTTP = b"HTTP/1."
_SIZE_DIGITS = 16

# state: (what is expected there, {bytes: the state they lead to})
_GRAMMAR: Final[dict[str, tuple[str, dict[bytes, str]]]] = {
    # Section 4: status-line = HTTP-version SP status-code SP [ reason-phrase ]. Many servers leave out the second SP.
    **{f"http {at}": ("HTTP/1.0 or HTTP/1.1", {_HTTP[at : at + 1]: f"http {at + 1}"}) for at in range(len(_HTTP))},
    f"http {len(_HTTP)}": ("HTTP/1.0 or HTTP/1.1", {b"01": "version"}),
    "version": ("a space after the version", {b" ": "code 1"}),
    "code 1": ("a status code of three digits from 100", {b"123456789": "code 2"}),
    "code 2": ("a status code of three digits", {_DIGIT: "code 3"}),
    "code 3": ("a status code of three digits", {_DIGIT: "code"}),
    "code": ("a space after the status code", {b" ": "reason"}),
    "reason": ("text without control characters", {_TEXT: "reason"}),
    # Section 5: field-line = field-name ":" OWS field-value OWS.
    "field": ("a field name", {TCHAR: "name"}),
    "name": ('a byte of a name or ":"', {TCHAR: "name", b":": "value"}),
    "value": ("text without control characters", {_TEXT: "value"}),
    # Section 7.1: CRLF after the data of a chunk, then chunk-size [ chunk-ext ] CRLF. Some servers put spaces after the size.
    "data": ("CRLF after the data of a chunk", {b"\r": "data cr"}),
    "data cr": ("CRLF after the data of a chunk", {b"\n": "size"}),
    "size": ("a chunk size", {_HEXDIG: "size 1"}),
    **{
        f"size {n}": (
            "the hexadecimal digits of a chunk size, then CRLF",
            {_HEXDIG: f"size {n + 1}", b" \t": "size sp", b";": "extension", b"\r": "line cr"},
        )
        for n in range(1, _SIZE_DIGITS)
    },
    f"size {_SIZE_DIGITS}": ("CRLF after the chunk size", {b" \t": "size sp", b";": "extension", b"\r": "line cr"}),
    "size sp": ("CRLF after the chunk size", {b" \t": "size sp", b";": "extension", b"\r": "line cr"}),
    "extension": ("a chunk extension", {TCHAR: "ext name", b";": "extension", b"=": "ext value"}),
    "ext name": ("a chunk extension", {TCHAR: "ext name", b";": "extension", b"=": "ext value", b"\r": "line cr"}),
    "ext value": ("a chunk extension", {TCHAR: "ext value", b";": "extension", b'"': "quoted", b"\r": "line cr"}),
    "quoted": ("a quoted string", {_QDTEXT: "quoted", b"\\": "quoted pair", b'"': "quoted end"}),
    "quoted pair": ("a quoted string", {_TEXT: "quoted"}),
    "quoted end": ("CRLF after the chunk extension", {b";": "extension", b"\r": "line cr"}),
    "line cr": ("LF after CR", {b"\n": "chunk"}),
    "chunk": ("the data of a chunk", {}),
}
_NUMBER = {name: number for number, name in enumerate(_GRAMMAR, 1)}  # 0 is a fault


def _row(moves: dict[bytes, str]) -> bytes:
    row = bytearray(256)
    for allowed, state in moves.items():
        for byte in allowed:
            row[byte] = _NUMBER[state]
    return bytes(row)


_NEXT: Final = (bytes(256), *(_row(moves) for _, moves in _GRAMMAR.values()))
_EXPECTED: Final = ("", *(expected for expected, _ in _GRAMMAR.values()))

STATUS_LINE: Final = _NUMBER["http 0"]
STATUS_CODE: Final = _NUMBER["code"]
REASON: Final = _NUMBER["reason"]
FIELD_LINE: Final = _NUMBER["field"]
FIELD_VALUE: Final = _NUMBER["value"]
CHUNK_DATA_END: Final = _NUMBER["data"]
CHUNK_SIZE: Final = _NUMBER["size"]
CHUNK: Final = _NUMBER["chunk"]


def walk(state: int, text: bytes | bytearray, at: int = 0) -> tuple[int, int]:
    """Follow the grammar from `state` over `text[at:]`, at most to CHUNK: the state reached, and where.

    In any other state than CHUNK, an index before the end of the text is that of the byte at fault.
    """
    for index in range(at, len(text)):
        reached = _NEXT[state][text[index]]
        if not reached:
            return state, index
        state = reached
        if state == CHUNK:
            return state, index + 1
    return state, len(text)


def expected(state: int) -> str:
    """What the grammar wants in this state, in words."""
    return _EXPECTED[state]


_BEFORE, _SHOWN = 79, 120  # bytes shown before the one at fault, and in all


def show(error: Callable[[str], _Error], sentence: str, line: bytes | bytearray | str, at: int) -> _Error:
    """An error that says `sentence` and shows the line with a caret under `line[at]`, or under its end."""
    first = max(0, at - _BEFORE)
    shown = line[first : first + _SHOWN]
    if isinstance(shown, str):
        opening, chars = '"', [repr(char)[1:-1] for char in shown]
    else:
        opening, chars = 'b"', [ascii(chr(byte))[1:-1] for byte in shown]
    chars = ['\\"' if char == '"' else char for char in chars]
    indent = len(opening) + sum(map(len, chars[: at - first]))
    caret = "^" * len(chars[at - first] if at - first < len(chars) else '"')
    return error(f'{sentence}:\n  {opening}{"".join(chars)}"\n  {" " * indent}{caret}')


def chunk_fault(line: bytes | bytearray, state: int, max_field: int) -> BadHttpMessage | None:
    """What is wrong between the data of two chunks, if anything is; `state` is where the grammar stands before `line`."""
    start = 2 if state == CHUNK_DATA_END else 0
    state, at = walk(state, line)
    text = line[start:].rstrip(b"\r\n")
    if len(text) > max_field <= at - start:
        return show(LineTooLong, f"The line is longer than {max_field} bytes", text[: max_field + 1], max_field)
    if at < len(line) and state != CHUNK:
        start = start if at >= start else 0
        return show(TransferEncodingError, f"Bad chunk, expected {expected(state)}", line[start : at + 1], at - start)
    return None


def unwanted_switch(status_line: bytes) -> BadHttpMessage:
    """101 (Switching Protocols) is no answer to a request that offers no other protocol (RFC 9110, section 7.8)."""
    return show(BadHttpMessage, "The server switches to a protocol that nobody asked for", status_line, len("HTTP/1.1 "))


def surplus(data: bytes) -> BadHttpMessage:
    """A byte has come when no response is due."""
    return show(BadHttpMessage, "Bytes came that belong to no response", data[:1], 0)


def length_cut_short(left: int, length: int) -> ContentLengthError:
    """The connection has ended before the announced length (RFC 9112, section 8)."""
    return ContentLengthError(f"The connection was closed after {length - left} of {length} bytes of the body")


def chunks_cut_short() -> TransferEncodingError:
    """The connection has ended before the last chunk and its trailer section (RFC 9112, section 8)."""
    return TransferEncodingError("The connection was closed before the end of a chunked body")


_NO_TOKEN = re.compile(r"[^!#$%&'*+\-.^_`|~0-9A-Za-z]|\Z")
_UNSENDABLE = {
    "method": _NO_TOKEN,
    "request target": re.compile(r"[^!-~]|\Z"),
    "field name": _NO_TOKEN,
    "field value": re.compile(r"[\r\n\0\ud800-\udfff]|\Z"),
}


def request_fault(part: str, text: str, name: str = "") -> ValueError:
    """Why `text` cannot be sent as this part of a request's head; `name` is the field's when it is a value."""
    found = _UNSENDABLE[part].search(text)
    if found and name.lower() in SECRET_FIELDS:
        return ValueError(f"Bad {part} of {name!r}: {found[0]!r} at position {found.start()} (the rest is not shown)")
    return show(ValueError, f"Bad {part} of {name!r}" if name else f"Bad {part}", text, found.start() if found else len(text))
