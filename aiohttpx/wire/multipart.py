"""Bodies in parts (RFC 2046, section 5.1) as bytes: their boundaries, the heads of parts, and what parts are packed in."""

from __future__ import annotations

import base64
import binascii
import os
import re
import zlib
from collections.abc import Iterable
from typing import Final

from multidict import CIMultiDict, CIMultiDictProxy

from ..errors import InvalidHeader
from .codings import Encoder, make_encoder

#: RFC 2046, section 5.1.1.
MAX_BOUNDARY: Final = 70

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BOUNDARY: Final = re.compile(r"[\x20-\x7e]*[\x21-\x7e]")
_UNWRITABLE: Final = re.compile(r"[\r\n\0\ud800-\udfff]")
_UNREADABLE: Final = re.compile(r"[\r\0]")
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64: Final = bytes(octet for octet in range(256) if octet not in _BASE64)
#: Transfer encodings that change nothing (RFC 2045, section 6.2).
_PLAIN: Final = ("", "7bit", "8bit", "binary")


# -- boundaries


def new_boundary() -> str:
    """A boundary that no one can foresee: 32 hexadecimal digits."""
    return os.urandom(16).hex()


def boundary_parameter(boundary: str) -> str:
    """`boundary` as the value of a parameter, in quotes if it is no token.

    Raises `ValueError` unless it has 1 to 70 printable ASCII characters, of which the last is no space.
    """
    if len(boundary) > MAX_BOUNDARY or not _BOUNDARY.fullmatch(boundary):
        raise ValueError(f"A boundary has 1 to {MAX_BOUNDARY} printable ASCII characters, unlike {boundary!r:.100}")
    if _TOKEN.fullmatch(boundary):
        return boundary
    return '"' + boundary.replace("\\", "\\\\").replace('"', '\\"') + '"'


class PartBuffer:
    """What came of a body in parts, and was not taken yet."""

    def __init__(self) -> None:
        self._data = b""
        self._at = 0

    def __len__(self) -> int:
        return len(self._data) - self._at

    def feed(self, data: bytes) -> None:
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def peek(self, n: int) -> bytes:
        """Up to `n` bytes, which stay."""
        return self._data[self._at : self._at + n]

    def skip(self, n: int) -> None:
        self._at += n

    def take(self, n: int) -> bytes:
        """Up to `n` bytes."""
        if self._at == 0 and n >= len(self._data):
            data, self._data = self._data, b""
        else:
            data = self.peek(n)
            self._at += len(data)
        return data

    def begins(self, delimiter: bytes) -> bool | None:
        """`delimiter` is what comes first. None: there is too little to know."""
        head = self.peek(len(delimiter))
        return head == delimiter if len(head) == len(delimiter) or not delimiter.startswith(head) else None

    def find(self, delimiter: bytes, start: int = 0) -> tuple[int, bool]:
        """How many bytes come before `delimiter`, whose first byte is not in it again, and whether it was found.

        If it was not, these are the bytes that it cannot begin in any more. Looks for it from `start` on.
        """
        data, start = self._data, self._at + start
        at = data.find(delimiter, start)
        if at >= 0:
            return at - self._at, True
        tail = data.rfind(delimiter[:1], max(start, len(data) - len(delimiter) + 1))
        end = tail if tail >= 0 and delimiter.startswith(data[tail:]) else len(data)
        return end - self._at, False


# -- the heads of parts


def serialize_part_head(fields: Iterable[tuple[str, str]]) -> bytes:
    """Field lines and the empty line, in UTF-8.

    Raises `ValueError`, with the name of the field, for a name that is no token, and for CR, LF, NUL or a lone surrogate in a
    value.
    """
    lines = []
    for name, value in fields:
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"The name of a field of a part is no token: {name!r:.100}")
        if _UNWRITABLE.search(value):
            raise ValueError(f"The field {name} of a part has CR, LF, NUL or a lone surrogate in it: {value!r:.100}")
        lines.append(f"{name}: {value}\r\n")
    return "".join((*lines, "\r\n")).encode()


def parse_part_head(lines: Iterable[bytes]) -> CIMultiDictProxy[str]:
    """The fields of a part from its lines, without their ends. Lines may be folded (RFC 2822, section 2.2.3).

    Bytes that are not UTF-8 become surrogates. Raises `InvalidHeader` for a malformed line.
    """
    fields: list[list[str]] = []
    for line in lines:
        text = line.decode("utf-8", "surrogateescape")
        if _UNREADABLE.search(text):
            raise InvalidHeader(f"CR or NUL in the head of a part: {line!r:.200}")
        if fields and text[0] in " \t":
            fields[-1].append(text.strip(" \t"))
            continue
        name, colon, value = text.partition(":")
        if not colon or not _TOKEN.fullmatch(name):
            raise InvalidHeader(f"Bad field line in the head of a part: {line!r:.200}")
        fields.append([name, value.strip(" \t")])
    return CIMultiDictProxy(CIMultiDict((name, " ".join(values)) for name, *values in fields))


# -- what parts are packed in


def part_encoder(coding: str, transfer_encoding: str) -> Encoder | None:
    """What puts a content coding and then a transfer encoding (RFC 2045, section 6) on a part; None when neither changes it.

    Raises `RuntimeError` for one that is not known.
    """
    if transfer_encoding in _PLAIN:
        transfer = None
    elif transfer_encoding == "base64":
        transfer = _base64_encoder()
    elif transfer_encoding == "quoted-printable":
        transfer = _quoted_printable_encoder()
    else:
        raise RuntimeError(f"unknown content transfer encoding: {transfer_encoding}")
    content = None if coding in ("", "identity") else _content_encoder(coding)
    if content is None or transfer is None:
        return content or transfer
    (encode, finish), (encode_transfer, finish_transfer) = content, transfer
    return Encoder(lambda data: encode_transfer(encode(data)), lambda: encode_transfer(finish()) + finish_transfer())


def _content_encoder(coding: str) -> Encoder:
    if coding == "deflate":
        # Without zlib's header and checksum, as aiohttp writes it in parts; readers take both.
        compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return Encoder(compressor.compress, compressor.flush)
    try:
        return make_encoder(coding)
    except ValueError as error:
        raise RuntimeError(f"unknown content encoding: {coding}") from error


def _base64_encoder() -> Encoder:
    rest = b""

    def encode(data: bytes) -> bytes:
        nonlocal rest
        data = rest + data
        whole = len(data) - len(data) % 3
        rest = data[whole:]
        return binascii.b2a_base64(data[:whole], newline=False)

    return Encoder(encode, lambda: binascii.b2a_base64(rest, newline=False))


def _quoted_printable_encoder() -> Encoder:
    soft_break = b""

    def encode(data: bytes) -> bytes:
        nonlocal soft_break
        if not data:
            return b""
        # Not as text: line ends come back as they are, whatever is done to those of the encoded form.
        encoded = soft_break + binascii.b2a_qp(data, istext=False).replace(b"=\n", b"=\r\n")
        soft_break = b"=\r\n"  # what has been encoded does not know how long its last line is
        return encoded

    return Encoder(encode, lambda: b"")


def decode_transfer(transfer_encoding: str, data: bytes) -> bytes:
    """Undo a transfer encoding. Raises `ValueError` for malformed base64, `RuntimeError` for an encoding that is not known."""
    if transfer_encoding == "base64":
        return base64.b64decode(data)
    if transfer_encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    if transfer_encoding in _PLAIN:
        return data
    raise RuntimeError(f"unknown content transfer encoding: {transfer_encoding}")


def whole_quartets(data: bytes) -> int:
    """So many bytes of `data`, base64 with line ends and the like in it, can be decoded for themselves."""
    end = len(data)
    for _ in range(len(data.translate(None, _NOT_BASE64)) % 4):
        end = len(data[:end].rstrip(_NOT_BASE64)) - 1
    return end
