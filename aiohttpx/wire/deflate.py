"""permessage-deflate (RFC 7692, section 7.2): messages compressed one by one, with or without what the ones before have taught.

    inflater = Inflater(max_size=2**22, bits=15, takeover=True)
    message = inflater.inflate(deflated)
    while message is None:                      # a large one: let others do something
        message = inflater.inflate()

Each call does a bounded amount of work, whatever it is fed.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any

from .._frame_rules import bad_text, too_big
from ..errors import WebSocketError
from ..messages import Deflated, WSCloseCode, WSMessage, WSMessageTextBytes, WSMsgType
from .codings import zlib_backend

# The end of an empty stored block, which ends every compressed message and is not sent (section 7.2.1).
_TAIL = b"\x00\x00\xff\xff"
# An empty message (section 7.2.3.6), where zlib would say nothing at all.
_EMPTY = b"\x00"
# Bytes given by one step, and compressed bytes handed over at a time. A stream may end within a message, and another begin
# (section 7.2.3.4): zlib then copies what is left over, so behind the first of thousands of tiny ones it is given little.
_ROOM = 2**16
_WINDOW = 2**16
_SMALL_WINDOW = 2**10
# Calls of zlib in one step: blocks and streams may be empty.
_CALLS = 64
# zlib's fastest: the peer waits.
_LEVEL = 1
# Where zlib looks matches up: 16 KiB stay in the processor's cache, unlike the usual 128 KiB, and nearly as many are found.
_MEMORY = 5


class Inflater:
    """Takes the compression off what `FrameParser` says as `Deflated`, in their order.

    :param max_size: bytes of one message, 0 for no limit.
    :param bits: the peer's window, 8 to 15 (`DeflateParameters.server_bits`).
    :param takeover: the peer's messages build on those before.
    :param decode_text: as for `FrameParser`.
    """

    def __init__(self, max_size: int, bits: int = 15, takeover: bool = True, decode_text: bool = True) -> None:
        self._max_size = max_size
        self._bits = bits
        self._takeover = takeover
        self._decode_text = decode_text
        self._zlib = zlib_backend()
        self._stream: Any = None

        self._type = WSMsgType.CONTINUATION  # of the message under way
        self._input = b""
        self._at = 0  # how much of it was handed over
        self._window = _WINDOW
        self._parts: list[Any] = []
        self._size = 0  # of the parts
        self._checker = codecs.getincrementaldecoder("utf-8")()

    def inflate(self, deflated: Deflated | None = None) -> WSMessage | WSMessageTextBytes | None:
        """Begin with this message; without one, go on with the last. The message, or None when there is more to do.

        :raises WebSocketError: it cannot be inflated (1002), is larger than `max_size` (1009), or is text that is not UTF-8
            (1007). Then the inflater is of no use.
        """
        room = _ROOM
        if deflated is not None:
            self._type, payload = deflated
            self._input = payload + _TAIL
            self._at = 0
            if len(self._input) <= self._window:
                part = self._call(self._input, room)
                if len(part) < room and not self._stream.eof:
                    return self._whole(part)
                room -= self._account(part)
        for _ in range(_CALLS):
            if not room:
                break
            size = self._step(room)
            if size < room and self._at == len(self._input):
                return self._finish()
            room -= size
        return None

    def _step(self, room: int) -> int:
        """Call zlib once: how many bytes came out. A full room may have left more inside."""
        return self._account(self._call(self._input[self._at : self._at + self._window], room))

    def _call(self, given: bytes, room: int) -> bytes:
        if self._stream is None:
            self._stream = self._zlib.decompressobj(wbits=-self._bits)
        self._at += len(given)
        try:
            part: bytes = self._stream.decompress(given, room)
        except self._zlib.error as wrong:
            raise WebSocketError(WSCloseCode.PROTOCOL_ERROR, f"A message that cannot be inflated: {wrong}") from wrong
        return part

    def _account(self, part: bytes) -> int:
        """Keep a part of the message: its size."""
        stream = self._stream
        if stream.eof:
            self._at -= len(stream.unused_data)
            self._stream = None
            self._window = _SMALL_WINDOW
        else:
            self._at -= len(stream.unconsumed_tail)
            self._window = min(4 * self._window, _WINDOW)
        self._add(part)
        return len(part)

    def _whole(self, part: bytes) -> WSMessage | WSMessageTextBytes:
        """The message of which zlib gave all at once, as nearly all are."""
        self._input = b""
        if not self._takeover:
            self._stream = None
        if self._max_size and len(part) > self._max_size:
            raise too_big(len(part), self._max_size)
        if self._type != WSMsgType.TEXT:
            return WSMessage(WSMsgType.BINARY, part, "")
        if not self._decode_text:
            return WSMessageTextBytes(WSMsgType.TEXT, part, "")
        try:
            return WSMessage(WSMsgType.TEXT, part.decode(), "")
        except UnicodeDecodeError as wrong:
            raise bad_text(wrong.start) from None

    def _add(self, part: bytes, final: bool = False) -> None:
        before = self._size
        self._size += len(part)
        if self._max_size and self._size > self._max_size:
            raise too_big(self._size, self._max_size)
        if not self._decodes:
            self._parts.append(part)
            return
        unfinished = len(self._checker.getstate()[0])
        try:
            self._parts.append(self._checker.decode(part, final))
        except UnicodeDecodeError as wrong:
            raise bad_text(before - unfinished + wrong.start) from None

    def _finish(self) -> WSMessage | WSMessageTextBytes:
        if self._decodes:
            self._add(b"", final=True)
        parts = self._parts
        self._parts = []
        self._size = 0
        self._input = b""
        if not self._takeover:
            self._stream = None
        if self._type != WSMsgType.TEXT:
            return WSMessage(WSMsgType.BINARY, b"".join(parts), "")
        if self._decode_text:
            return WSMessage(WSMsgType.TEXT, "".join(parts), "")
        return WSMessageTextBytes(WSMsgType.TEXT, b"".join(parts), "")

    @property
    def _decodes(self) -> bool:
        return self._type == WSMsgType.TEXT and self._decode_text


class Deflater:
    """Compresses messages, in the order in which they are sent.

    :param bits: the window, 9 to 15 (`DeflateParameters.client_bits`). ValueError for 8, with which zlib cannot write: who agreed
        on that sends its messages uncompressed (RFC 7692, section 6).
    :param takeover: messages build on those before. Then every compressed message has to pass through here.
    """

    def __init__(self, bits: int = 15, takeover: bool = True) -> None:
        backend = zlib_backend()
        self._stream = backend.compressobj(level=_LEVEL, wbits=-bits, memLevel=_MEMORY)
        # A full flush leaves nothing behind that a later message could refer to.
        self._flush = backend.Z_SYNC_FLUSH if takeover else backend.Z_FULL_FLUSH

    def deflate(self, message: bytes | bytearray | memoryview) -> bytes:
        """The payload of a compressed message, to be sent with RSV1 in its first frame."""
        if not len(message):
            return _EMPTY
        return (self._stream.compress(message) + self._stream.flush(self._flush))[: -len(_TAIL)]  # type: ignore[no-any-return]

    def steps(self, message: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """The same in parts, each a bounded amount of work. All are to be taken before the next message is begun."""
        with memoryview(message).cast("B") as view:
            for at in range(0, len(view), _WINDOW):
                yield self._stream.compress(view[at : at + _WINDOW])
            yield self._stream.flush(self._flush).removesuffix(_TAIL) if view else _EMPTY
