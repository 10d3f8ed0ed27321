"""The closing handshake of a WebSocket (RFC 6455, section 7) as a table, and the payload of its frames.

It knows no socket and no clock: who waits for the peer's close frame, and for how long, is decided above.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from .._frame_rules import CLOSE_CODES, MAX_CONTROL


class ClosingState(Enum):
    """How far the closing handshake has come."""

    OPEN = "open"
    SENT = "close sent"  # no data frame may be sent any more; the peer's close frame is awaited
    RECEIVED = "close received"  # no data frame can come any more; ours is due
    DONE = "both sent"  # the server now closes the connection (section 7.1.1)
    ENDED = "connection ended"


class ClosingEvent(Enum):
    """What moves it."""

    SEND = "send close"
    RECEIVE = "receive close"
    END = "end of connection"


#: What is not in the table does not happen: a close frame is sent once, and the parser ignores what follows the peer's.
NEXT: Final = {
    (ClosingState.OPEN, ClosingEvent.SEND): ClosingState.SENT,
    (ClosingState.OPEN, ClosingEvent.RECEIVE): ClosingState.RECEIVED,
    (ClosingState.OPEN, ClosingEvent.END): ClosingState.ENDED,
    (ClosingState.SENT, ClosingEvent.RECEIVE): ClosingState.DONE,
    (ClosingState.SENT, ClosingEvent.END): ClosingState.ENDED,
    (ClosingState.RECEIVED, ClosingEvent.SEND): ClosingState.DONE,
    (ClosingState.RECEIVED, ClosingEvent.END): ClosingState.ENDED,
    (ClosingState.DONE, ClosingEvent.END): ClosingState.ENDED,
}


def serialize_close(code: int, reason: str | bytes = b"") -> bytes:
    """The payload of a close frame (section 5.5.1).

    :raises ValueError: the code may not be sent (section 7.4), or the reason is longer than 123 bytes of UTF-8.
    """
    if code not in CLOSE_CODES:
        raise ValueError(f"close code {code} may not be sent; 1000 to 1003, 1007 to 1014 and 3000 to 4999 may")
    text = reason.encode() if isinstance(reason, str) else reason
    if len(text) > MAX_CONTROL - 2:
        raise ValueError(f"the reason of a close frame has at most {MAX_CONTROL - 2} bytes, not {len(text)}")
    return code.to_bytes(2) + text
