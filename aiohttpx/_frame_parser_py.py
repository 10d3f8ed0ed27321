"""WebSocket frames (RFC 6455, section 5): frames in, messages out; and the other way. This says what `_frame_parser.pyx` does.

    parser = FrameParser(max_size=2**22)
    parser.feed(b"\\x81\\x05hel")       # []
    parser.feed(b"lo")                 # [WSMessage(WSMsgType.TEXT, "hello", "")]

It knows no socket and no clock. What it holds is bounded by `max_size`, and grows only with what has come.
"""

from __future__ import annotations

import codecs
import os
import sys

from ._frame_rules import (
    FIN,
    LENGTH,
    MASKED,
    OPCODE,
    RSV1,
    bad_text,
    close_message,
    first_byte_fault,
    length_fault,
    second_byte_fault,
    too_big,
    too_many_fragments,
)
from .errors import WebSocketError
from .messages import Deflated, Message, WSMessage, WSMessageTextBytes, WSMsgType

_make_decoder = codecs.getincrementaldecoder("utf-8")
_NO_LIMIT = sys.maxsize // 2
_EXTENDED = {126: 2, 127: 8}  # bytes of an extended payload length


class FrameParser:
    """What a peer sends on one connection, turned into messages.

    :param max_size: bytes of one message, 0 for no limit; of a compressed one, as it comes, an eighth more.
    :param deflate: permessage-deflate was agreed on: RSV1 marks a compressed message, which is said as `Deflated`.
    :param decode_text: say TEXT as str; else as `WSMessageTextBytes`, unchecked.
    :param masked: frames have to be masked, as a client's are; else they must not be.
    :param max_fragments: frames of one message.

    A violation raises a `WebSocketError` with what came before it in `messages`; then the parser only repeats the error. What
    comes after a close frame is ignored.
    """

    def __init__(
        self,
        max_size: int = 0,
        deflate: bool = False,
        decode_text: bool = True,
        masked: bool = False,
        max_fragments: int = 2**20,
    ) -> None:
        self._max_size = max_size or _NO_LIMIT
        # What cannot be compressed grows: by as much as this, says zlib (`deflateBound`).
        self._max_compressed = self._max_size + self._max_size // 8 + 64
        self._deflate = deflate
        self._decode_text = decode_text
        self._masked = masked
        self._max_fragments = max_fragments
        self._error: tuple[int, str] | None = None
        self._has_control = False
        self._closed = False  # a close frame has come

        self._head = bytearray()  # of the frame under way, as far as it has come
        self._head_length = 2
        self._length = 0  # of its payload
        self._left = 0  # ... as much of it as is still to come
        self._control = bytearray()  # the payload of a control frame

        self._type = WSMsgType.CONTINUATION  # of the message under way; CONTINUATION: there is none
        self._compressed = False
        self._message = bytearray()  # its payload
        self._fragments = 0
        self._checker = _make_decoder()  # of its text, which may end within a character

    @property
    def has_control(self) -> bool:
        """Not all that the last `feed` has said are data messages."""
        return self._has_control

    def feed(self, data: bytes | bytearray | memoryview, size: int = sys.maxsize) -> list[Message]:
        """The messages that are complete with these bytes, or with the first so many of them.

        :raises WebSocketError: they break the protocol.
        """
        if self._error is not None:
            raise WebSocketError(*self._error)
        messages: list[Message] = []
        self._has_control = False
        with memoryview(data).cast("B")[:size] as view:
            at = 0
            try:
                while at < len(view) and not self._closed:
                    if len(self._head) < self._head_length:
                        self._read_head(view[at])
                        at += 1
                    else:
                        with view[at : at + self._left] as payload:
                            self._read_payload(payload)
                            at += len(payload)
                    if len(self._head) == self._head_length and not self._left:
                        self._finish_frame(messages)
            except WebSocketError as error:
                self._error = error.code, str(error)
                error.messages = messages
                raise
        return messages

    def room(self) -> memoryview | None:
        """Where the rest of a large payload may be received to spare a copy: a writable view, of which `feed` is to be given what
        was received into it, in order; or None. Here it is None: the message becomes another object anyway."""
        return None

    def _read_head(self, byte: int) -> None:
        head = self._head
        head.append(byte)
        fault = None
        if len(head) == 1:
            fault = first_byte_fault(byte, self._deflate, self._type != WSMsgType.CONTINUATION)
        elif len(head) == 2:
            fault = second_byte_fault(head[0], byte, self._masked)
            self._head_length = 2 + _EXTENDED.get(byte & LENGTH, 0) + 4 * self._masked
        if fault is not None:
            raise fault
        if len(head) == self._head_length:
            self._begin_payload()

    def _begin_payload(self) -> None:
        head = self._head
        length = head[1] & LENGTH
        if extended := _EXTENDED.get(length):
            form, length = length, int.from_bytes(head[2 : 2 + extended])
            if fault := length_fault(length, form):
                raise fault
        self._length = self._left = length
        opcode = WSMsgType(head[0] & OPCODE)
        if opcode >= WSMsgType.CLOSE:
            return
        if opcode != WSMsgType.CONTINUATION:
            self._type = opcode
            self._compressed = head[0] & RSV1 != 0
            self._fragments = 0
        self._fragments += 1
        if self._fragments > self._max_fragments:
            raise too_many_fragments(self._max_fragments)
        size = len(self._message) + length
        if size > (self._max_compressed if self._compressed else self._max_size):
            raise too_big(size, self._max_size)

    def _read_payload(self, payload: memoryview) -> None:
        if self._masked:
            mask = bytes(self._head[-4:])
            at = (self._length - self._left) % 4
            payload = memoryview(apply_mask(mask[at:] + mask[:at], payload))
        self._left -= len(payload)
        if self._head[0] & OPCODE >= WSMsgType.CLOSE:
            self._control += payload
            return
        if self._is_text:
            self._check(payload)
        self._message += payload

    def _finish_frame(self, messages: list[Message]) -> None:
        first = self._head[0]
        self._head.clear()
        self._head_length = 2
        opcode = WSMsgType(first & OPCODE)
        if opcode >= WSMsgType.CLOSE:
            self._has_control = True
            payload = bytes(self._control)
            self._control.clear()
            messages.append(WSMessage(opcode, payload, "") if opcode != WSMsgType.CLOSE else close_message(payload))
            self._closed = opcode == WSMsgType.CLOSE
        elif first & FIN:
            if self._is_text:
                self._check(memoryview(b""), final=True)
            messages.append(self._message_of(bytes(self._message)))
            self._message = bytearray()
            self._type = WSMsgType.CONTINUATION

    def _message_of(self, payload: bytes) -> Message:
        if self._compressed:
            return Deflated(self._type, payload)
        if self._type == WSMsgType.BINARY:
            return WSMessage(WSMsgType.BINARY, payload, "")
        if not self._decode_text:
            return WSMessageTextBytes(WSMsgType.TEXT, payload, "")
        return WSMessage(WSMsgType.TEXT, payload.decode(), "")

    @property
    def _is_text(self) -> bool:
        return self._type == WSMsgType.TEXT and self._decode_text and not self._compressed

    def _check(self, payload: memoryview, final: bool = False) -> None:
        """Text that goes on with this payload is UTF-8 (RFC 6455, section 8.1)."""
        start = len(self._message) - len(self._checker.getstate()[0])
        try:
            self._checker.decode(payload, final)
        except UnicodeDecodeError as wrong:
            raise bad_text(start + wrong.start) from None
        # Of a surrogate, Python waits for the third byte.
        if b"\xed\xa0" <= self._checker.getstate()[0] < b"\xee":
            raise bad_text(len(self._message) + len(payload) - 2)


def apply_mask(mask: bytes, data: bytes | bytearray | memoryview) -> bytes:
    """`data` masked with a key of 4 bytes, or with the mask taken off (RFC 6455, section 5.3).

    :raises ValueError: the key has another length.
    """
    if len(mask) != 4:
        raise ValueError(f"A masking key has 4 bytes, not {len(mask)}")
    size = memoryview(data).nbytes
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, sys.byteorder) ^ int.from_bytes(key, sys.byteorder)).to_bytes(size, sys.byteorder)


def serialize_frame(
    opcode: int,
    payload: str | bytes | bytearray | memoryview,
    mask: bytes | None = None,
    rsv1: bool = False,
    fin: bool = True,
    length: int = 0,
) -> bytes:
    """A frame as it travels (RFC 6455, section 5.2).

    :param payload: text is encoded.
    :param mask: the masking key; None for a fresh one that nobody can foresee (section 5.3), b"" for a frame that is not masked,
        as a server sends them.
    :param length: of the whole payload, when this is only its beginning.
    :raises ValueError: the key has neither 4 bytes nor none.
    """
    if mask is None:
        mask = os.urandom(4)
    if isinstance(payload, str):
        payload = payload.encode()
    size = length or memoryview(payload).nbytes
    head = bytearray([opcode | RSV1 * rsv1 | FIN * fin])
    masked = MASKED if mask else 0
    if size < 126:
        head.append(masked | size)
    elif size < 2**16:
        head.append(masked | 126)
        head += size.to_bytes(2)
    else:
        head.append(masked | 127)
        head += size.to_bytes(8)
    if not mask:
        return b"".join((head, payload))
    return b"".join((head, mask, apply_mask(mask, payload)))
