"""What the wire says: the words in which the engine speaks to everyone above it.

`ResponseParser.feed(data)` gives a list of these, in the order of the wire:

    [ResponseHead(...), b"content", END_OF_MESSAGE]
    [ResponseHead(...), Chunks(b"content", (3, 7)), Trailers(b"Expires: 0\\r\\n"), END_OF_MESSAGE]

A body delimited by its length, or by the end of the connection, is plain `bytes`; after an upgrade, plain `bytes` is whatever the
peer sent.

`FrameParser.feed(data)` gives a list of WebSocket messages:

    [WSMessage(WSMsgType.TEXT, "hello", ""), Deflated(WSMsgType.BINARY, b"..."), WSMessage(WSMsgType.CLOSE, 1000, "bye")]
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final, NamedTuple


class HttpVersion(NamedTuple):
    """An HTTP version as (major, minor)."""

    major: int
    minor: int


HttpVersion10: Final = HttpVersion(1, 0)
HttpVersion11: Final = HttpVersion(1, 1)


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


class WSMsgType(IntEnum):
    """What a WebSocket message is: the opcodes of RFC 6455, section 5.2, and three that never travel."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA
    #: The connection is being closed from here.
    CLOSING = 0x100
    #: The connection is closed.
    CLOSED = 0x101
    #: The connection has failed; `data` is the exception.
    ERROR = 0x102

    text = TEXT
    binary = BINARY
    close = CLOSE
    ping = PING
    pong = PONG
    closing = CLOSING
    closed = CLOSED
    error = ERROR


class WSCloseCode(IntEnum):
    """Why a WebSocket is closed (RFC 6455, section 7.4.1, and IANA's registry). ABNORMAL_CLOSURE never travels."""

    OK = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    ABNORMAL_CLOSURE = 1006
    INVALID_TEXT = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014


class WSMessage(NamedTuple):
    """A WebSocket message.

    `data` is str for TEXT; bytes for BINARY, PING and PONG; for CLOSE the close code, 0 when there was none; for ERROR the
    exception; else None. `extra` is the reason of a CLOSE.
    """

    type: WSMsgType
    data: Any
    extra: str | None

    def json(self, *, loads: Callable[[Any], Any] = json.loads) -> Any:
        """What `loads` makes of `data`; it raises what `loads` raises, ValueError as a rule."""
        return loads(self.data)


class WSMessageTextBytes(NamedTuple):
    """A TEXT message whose `data` is bytes as they came, neither decoded nor checked (`decode_text=False`)."""

    type: WSMsgType
    data: Any
    extra: str | None

    def json(self, *, loads: Callable[[Any], Any] = json.loads) -> Any:
        """What `loads` makes of `data`; it raises what `loads` raises, ValueError as a rule."""
        return loads(self.data)


class Deflated(NamedTuple):
    """A TEXT or BINARY message that is still compressed (RFC 7692, section 7.2.2)."""

    type: WSMsgType
    payload: bytes


#: What `FrameParser` says.
Message = WSMessage | WSMessageTextBytes | Deflated
