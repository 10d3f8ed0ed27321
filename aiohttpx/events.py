"""What the wire says: the words in which the engine speaks to everyone above it.

`ResponseParser.feed(data)` gives a list of these, in the order of the wire:

    [ResponseHead(...), b"content", END_OF_MESSAGE]
    [ResponseHead(...), Chunks(b"content", (3, 7)), Trailers(b"Expires: 0\\r\\n"), END_OF_MESSAGE]

A body delimited by its length, or by the end of the connection, is plain `bytes`; after an upgrade, plain `bytes` is whatever the
peer sent.

What `FrameParser` says is in `messages`.
"""

from __future__ import annotations

from typing import Final

from .records import NamedTuple


class HttpVersion(NamedTuple):
    """An HTTP version as (major, minor)."""

    major: int
    minor: int


HttpVersion10: Final = HttpVersion._make((1, 0))
HttpVersion11: Final = HttpVersion._make((1, 1))


class ResponseHead(NamedTuple):
    """A status line and a field section (RFC 9112, sections 4 and 5). Fields are split when someone looks, not here."""

    version: HttpVersion
    status: int
    reason: str
    #: The field lines as they came, each ended by CRLF, without the empty line that ends them; no obsolete line folding.
    fields: bytes
    #: The connection can carry another exchange once this message has ended (RFC 9112, section 9.3).
    persistent: bool
    #: The connection speaks another protocol from here on: 101 that was asked for, or success for CONNECT.
    upgraded: bool
    #: The announced length of the body; None when it is chunked or ends with the connection.
    content_length: int | None
    chunked: bool
    #: The value of Content-Type, "" when there is none.
    content_type: str
    #: The value of Content-Encoding in lower case, several joined by ","; "" when there is none.
    content_encoding: str
    #: Seconds of `Keep-Alive: timeout=`; None when the server gave no hint.
    keep_alive: int | None
    #: A Set-Cookie field is among `fields`.
    sets_cookies: bool


class Chunks(NamedTuple):
    """Content of a chunked body: `ends` are the offsets in `data` after which a chunk ended (RFC 9112, section 7.1)."""

    data: bytes
    ends: tuple[int, ...]


class Trailers(NamedTuple):
    """The trailer section of a chunked body, in the form of `ResponseHead.fields` (RFC 9112, section 7.1.2)."""

    fields: bytes


class _EndOfMessage:
    __slots__ = ()

    def __repr__(self) -> str:
        return "END_OF_MESSAGE"


#: The message is complete.
END_OF_MESSAGE: Final = _EndOfMessage()

#: What `ResponseParser` says.
Event = ResponseHead | bytes | Chunks | Trailers | _EndOfMessage
