"""What the loopback server's handlers are given and give back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from multidict import CIMultiDictProxy
from yarl import URL


@dataclass(slots=True, repr=False)
class Request:
    """A request as it came (RFC 9112, section 3).

    `target` is the request target, untouched; `path` is its path with percent-encodings decoded, `query` what follows the `?`,
    untouched. `fields` are the field lines in their order and spelling; in `headers` names may be asked for in either case, and
    the values of repeated ones are joined by ", ". `body` is the whole content without its transfer coding, empty when the route
    only counts; `body_size` is its length in bytes. `origin` is whom the client asked: "http://127.0.0.1:8080".
    """

    method: str
    target: str
    path: str
    query: str
    version: tuple[int, int]
    fields: tuple[tuple[str, str], ...]
    headers: CIMultiDictProxy[str]
    #: The announced length of the content in bytes; None when it is chunked.
    content_length: int | None
    #: The client waits for 100 before it sends the content (RFC 9110, section 10.1.1).
    expects_continue: bool
    #: The client wants to send another request on this connection (RFC 9112, section 9.3).
    persistent: bool
    body: bytes = b""
    body_size: int = 0
    origin: str = ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.method} {self.url.with_query(None)}>"

    @property
    def url(self) -> URL:
        """What was asked for. A target that is a URL itself, as proxies are sent, is that."""
        return URL(self.target if "://" in self.target.partition("?")[0] else self.origin + self.target, encoded=True)

    def text(self) -> str:
        """The content as UTF-8. Raises `UnicodeDecodeError`."""
        return self.body.decode()

    def json(self) -> Any:
        """The value that the content is in JSON. Raises `ValueError`."""
        return json.loads(self.body)


@dataclass(slots=True)
class Response:
    """What a handler answers.

    `headers` are sent as given, in their order; Connection, Content-Length and Transfer-Encoding are the server's own and may not
    be among them. `body` is bytes, or an asynchronous iterator of bytes, which is sent as it comes: chunked, or with a
    Content-Length when `length` announces it. A body that raises, or does not have `length` bytes, cuts the connection.
    `chunked` sends bytes as one chunk; `close` ends the connection after this response; `reason` replaces the usual phrase.
    `talk` is what makes it the opening of a WebSocket: see `Response.websocket`.
    """

    status: int = 200
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    body: bytes | AsyncIterator[bytes] = b""
    length: int | None = None
    chunked: bool = False
    close: bool = False
    reason: str | None = None
    talk: Callable[[Any], Awaitable[None]] | None = None

    @classmethod
    def websocket(
        cls, talk: Callable[[Any], Awaitable[None]], protocol: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Opens a WebSocket: `talk` is called with a `PeerWebSocket`, and when it returns that is closed.

        A request that is none for a WebSocket is answered with 426 (Upgrade Required).

        :param protocol: the subprotocol that is chosen.
        """
        chosen = {} if protocol is None else {"Sec-WebSocket-Protocol": protocol}
        return cls(101, {**(headers or {}), **chosen}, talk=talk)

    @classmethod
    def text(cls, text: str, status: int = 200) -> Response:
        """A response of plain text in UTF-8."""
        return cls(status, [("Content-Type", "text/plain; charset=utf-8")], text.encode())

    @classmethod
    def json(cls, value: Any, status: int = 200) -> Response:
        """A response of JSON."""
        return cls(status, [("Content-Type", "application/json")], json.dumps(value).encode())
