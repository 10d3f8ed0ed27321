"""How a response is framed (RFC 9112, section 6): its head as bytes, and what follows it. No asyncio, no sockets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from .messages import Request, Response

LAST_CHUNK = b"0\r\n\r\n"

_FRAMING_FIELDS = frozenset({"connection", "content-length", "transfer-encoding"})
_FIELD_LINE = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [^\x00-\x08\x0a-\x1f\x7f]*")
_REASON = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Framing(NamedTuple):
    """A serialized head, and how to go on."""

    head: bytes
    has_body: bool
    chunked: bool
    persistent: bool


def frame(request: Request, response: Response, length: int | None) -> Framing:
    """Decides the framing of a response.

    No Date is among its fields: tests compare bytes, so this server has no clock (RFC 9110, section 6.6.1).

    :param length: bytes of the body; None when it is not known or not to be told.
    :raises ValueError: a status, a reason or a field that cannot be sent.
    """
    if not 200 <= response.status <= 999:
        raise ValueError(f"not a final status: {response.status}")
    reason = _REASONS.get(response.status, "") if response.reason is None else response.reason
    if not _REASON.fullmatch(reason):
        raise ValueError(f"bad reason phrase: {reason!r}")
    old = request.version == (1, 0)
    content = response.status not in (204, 304)
    chunked = content and length is None and not old
    persistent = request.persistent and not response.close and not (content and length is None and old)
    lines = [f"HTTP/1.1 {response.status} {reason}"]
    given: Any = response.headers
    for name, value in given.items() if isinstance(given, Mapping) else given:
        line = f"{name}: {value}"
        if name.lower() in _FRAMING_FIELDS or not _FIELD_LINE.fullmatch(line):
            raise ValueError(f"a handler cannot send this field: {line!r}")
        lines.append(line)
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    elif content and length is not None:
        lines.append(f"Content-Length: {length}")
    if not persistent:
        lines.append("Connection: close")
    elif old:
        lines.append("Connection: keep-alive")
    head = "\r\n".join((*lines, "\r\n")).encode("utf-8", "surrogateescape")
    return Framing(head, content and request.method != "HEAD", chunked, persistent)


def chunk(data: bytes) -> bytes:
    """`data`, not empty, as one chunk (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)
