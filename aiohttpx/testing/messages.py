"""What the loopback server's handlers are given and give back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Request:
    """A request as it came (RFC 9112, section 3).

    `target` is the request target, untouched; `path` is its path with percent-encodings decoded, `query` what follows the `?`,
    untouched. `fields` are the field lines in their order and spelling; in `headers` the names are in lower case and the values
    of repeated ones joined by ", ". `body` is the whole content without its transfer coding, empty when the route only counts;
    `body_size` is its length in bytes.
    """

    method: str
    target: str
    path: str
    query: str
    version: tuple[int, int]
    fields: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    #: The announced length of the content in bytes; None when it is chunked.
    content_length: int | None
    #: The client waits for 100 before it sends the content (RFC 9110, section 10.1.1).
    expects_continue: bool
    #: The client wants to send another request on this connection (RFC 9112, section 9.3).
    persistent: bool
    body: bytes = b""
    body_size: int = 0


@dataclass(slots=True)
class Response:
    """What a handler answers.

    `headers` are sent as given, in their order; Connection, Content-Length and Transfer-Encoding are the server's own and may not
    be among them. `body` is bytes, or an asynchronous iterator of bytes, which is sent as it comes: chunked, or with a
    Content-Length when `length` announces it. An iterator that raises, or does not give `length` bytes, cuts the connection.
    `chunked` sends bytes as one chunk; `close` ends the connection after this response; `reason` replaces the usual phrase.
    """

    status: int = 200
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    body: bytes | AsyncIterator[bytes] = b""
    length: int | None = None
    chunked: bool = False
    close: bool = False
    reason: str | None = None

    @classmethod
    def text(cls, text: str, status: int = 200) -> Response:
        """A response of plain text in UTF-8."""
        return cls(status, [("Content-Type", "text/plain; charset=utf-8")], text.encode())

    @classmethod
    def json(cls, value: Any, status: int = 200) -> Response:
        """A response of JSON."""
        return cls(status, [("Content-Type", "application/json")], json.dumps(value).encode())
