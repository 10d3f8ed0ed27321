"""What the wire says of WebSockets. `FrameParser.feed(data)` gives a list of these, in the order of the wire:

[WSMessage(WSMsgType.TEXT, "hello", ""), Deflated(WSMsgType.BINARY, b"..."), WSMessage(WSMsgType.CLOSE, 1000, "bye")]
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple


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
