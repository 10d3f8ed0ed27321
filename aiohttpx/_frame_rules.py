"""What RFC 6455 forbids in a frame: the errors that both frame parsers raise.

The Python parser asks here about every frame, the compiled one about those that it refuses: so that both say the same.
"""

from __future__ import annotations

from .errors import WebSocketError
from .messages import WSCloseCode, WSMessage, WSMsgType

FIN, RSV1, RSV, OPCODE = 0x80, 0x40, 0x70, 0x0F
MASKED, LENGTH = 0x80, 0x7F
#: The most that a control frame carries (section 5.5).
MAX_CONTROL = 125

_DATA = (WSMsgType.TEXT, WSMsgType.BINARY)
_CONTROL = (WSMsgType.CLOSE, WSMsgType.PING, WSMsgType.PONG)
#: What a close frame may carry. 1005, 1006 and 1015 stand for what happened without one, 1004 is reserved (section 7.4.1); IANA
#: has given out those up to 1014.
CLOSE_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}


def _protocol_error(message: str) -> WebSocketError:
    return WebSocketError(WSCloseCode.PROTOCOL_ERROR, message)


def too_big(size: int, limit: int) -> WebSocketError:
    """A message would have at least `size` bytes."""
    return WebSocketError(WSCloseCode.MESSAGE_TOO_BIG, f"A message of {size} bytes or more, the limit is {limit}")


def too_many_fragments(limit: int) -> WebSocketError:
    """A message came in more frames than are allowed."""
    return WebSocketError(WSCloseCode.MESSAGE_TOO_BIG, f"A message of more than {limit} frames")


def first_byte_fault(first: int, deflate: bool, in_message: bool) -> WebSocketError | None:
    """What is wrong with a frame's first byte. `deflate`: RSV1 has a meaning; `in_message`: a fragmented message is under way."""
    opcode = first & OPCODE
    allowed = RSV1 if deflate and opcode in _DATA else 0
    if first & RSV & ~allowed:
        return _protocol_error("Received frame with non-zero reserved bits")
    if opcode in _CONTROL:
        return None if first & FIN else _protocol_error(f"A fragmented control frame: opcode {opcode}")
    if opcode == WSMsgType.CONTINUATION:
        return None if in_message else _protocol_error("A continuation frame, and no message to continue")
    if opcode not in _DATA:
        return _protocol_error(f"A reserved opcode: {opcode}")
    return _protocol_error(f"A new message within a fragmented one: opcode {opcode}") if in_message else None


def second_byte_fault(first: int, second: int, masked: bool) -> WebSocketError | None:
    """What is wrong with a frame's second byte. `masked`: whether frames have to be: a client's are, a server's are not."""
    if (second & MASKED != 0) != masked:
        return _protocol_error("A frame that is not masked" if masked else "A masked frame from a server")
    if first & OPCODE in _CONTROL and second & LENGTH > MAX_CONTROL:
        return _protocol_error(f"A control frame of more than {MAX_CONTROL} bytes: opcode {first & OPCODE}")
    return None


def length_fault(length: int, form: int) -> WebSocketError | None:
    """What is wrong with an extended payload length; `form`: 126 for two bytes, 127 for eight (section 5.2)."""
    if length < (126 if form == 126 else 2**16):
        return _protocol_error(f"A payload length that is not in its shortest form: {length}")
    if length >= 2**63:
        return _protocol_error(f"A payload length with its highest bit set: {length}")
    return None


def close_message(payload: bytes) -> WSMessage:
    """The message of a close frame (sections 5.5.1 and 7.4); WebSocketError when its code or its reason cannot be."""
    if not payload:
        return WSMessage(WSMsgType.CLOSE, 0, "")
    if len(payload) == 1:
        raise _protocol_error("A close frame with half a close code")
    code = int.from_bytes(payload[:2])
    if code not in CLOSE_CODES:
        raise _protocol_error(f"A close code that may not be sent: {code}")
    try:
        reason = payload[2:].decode()
    except UnicodeDecodeError as wrong:
        raise WebSocketError(
            WSCloseCode.INVALID_TEXT, f"The reason of a close frame is not UTF-8 at byte {wrong.start}"
        ) from None
    return WSMessage(WSMsgType.CLOSE, code, reason)


def bad_text(at: int) -> WebSocketError:
    """A text message is not UTF-8: the character that begins at this byte (section 8.1)."""
    return WebSocketError(WSCloseCode.INVALID_TEXT, f"A text message is not UTF-8 at byte {at}")
