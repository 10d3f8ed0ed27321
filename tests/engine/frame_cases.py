"""What a server may send over a WebSocket, and what both parsers must make of it, however the bytes are cut.

A case is the bytes and the messages they say: all of them, or those before the violation. The sections of the Autobahn|Testsuite
are all here: framing, pings and pongs, reserved bits, opcodes, fragmentation, UTF-8, close handling, limits, compression.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from aiohttpx.messages import Deflated, Message, WSMessage, WSMessageTextBytes, WSMsgType

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
CONTINUATION = 0


class Case(NamedTuple):
    wire: bytes
    messages: list[Message]
    code: int = 0  # the close code of the violation
    error: str = ""  # a part of its text
    settings: dict[str, Any] = {}  # noqa: RUF012 (never changed)


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """A frame that is not masked, made here and not by what is tested."""
    size = len(payload)
    length = size.to_bytes(1) if size < 126 else b"\x7e" + size.to_bytes(2) if size < 2**16 else b"\x7f" + size.to_bytes(8)
    return bytes([fin << 7 | rsv << 4 | opcode]) + length + payload


def fragments(opcode: int, *payloads: bytes, rsv: int = 0) -> bytes:
    """A message in one frame for each payload."""
    last = len(payloads) - 1
    return b"".join(
        frame(CONTINUATION if at else opcode, payload, fin=at == last, rsv=0 if at else rsv)
        for at, payload in enumerate(payloads)
    )


def text(data: str) -> WSMessage:
    return WSMessage(WSMsgType.TEXT, data, "")


def binary(data: bytes) -> WSMessage:
    return WSMessage(WSMsgType.BINARY, data, "")


def ping(data: bytes) -> WSMessage:
    return WSMessage(WSMsgType.PING, data, "")


def pong(data: bytes) -> WSMessage:
    return WSMessage(WSMsgType.PONG, data, "")


def close(code: int = 0, reason: str = "") -> WSMessage:
    return WSMessage(WSMsgType.CLOSE, code, reason)


HELLO = frame(TEXT, b"hello")
SAID = text("hello")
LENGTHS = [0, 1, 125, 126, 127, 128, 65535, 65536]

FRAMING = {
    **{f"text of {size}": Case(frame(TEXT, b"*" * size), [text("*" * size)]) for size in LENGTHS},
    **{f"binary of {size}": Case(frame(BINARY, b"\xfe" * size), [binary(b"\xfe" * size)]) for size in LENGTHS},
    "nothing": Case(b"", []),
    "several at once": Case(HELLO + frame(BINARY, b"b") + frame(TEXT) + HELLO, [SAID, binary(b"b"), text(""), SAID]),
    "the unmasked frame of the RFC": Case(bytes.fromhex("81 05 48 65 6c 6c 6f"), [text("Hello")]),
    "the fragments of the RFC": Case(bytes.fromhex("01 03 48 65 6c 80 02 6c 6f"), [text("Hello")]),
    "masked": Case(bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58"), [], 1002, "A masked frame from a server"),
    "masked, of a client": Case(
        bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58") * 2, [text("Hello")] * 2, settings={"masked": True}
    ),
    "masked fragments of a client": Case(
        bytes.fromhex("01 83 37 fa 21 3d 7f 9f 4d 89 82 01 02 03 04 60 60 80 82 11 22 33 44 7d 4d"),
        [ping(b"ab"), text("Hello")],
        settings={"masked": True},
    ),
    "not masked, of a client": Case(HELLO, [], 1002, "A frame that is not masked", {"masked": True}),
    "long form for 125": Case(b"\x82\x7e\x00\x7d", [], 1002, "not in its shortest form: 125"),
    "longest form for 125": Case(HELLO + b"\x82\x7f" + (125).to_bytes(8), [SAID], 1002, "not in its shortest form: 125"),
    "longest form for 65535": Case(b"\x82\x7f" + (65535).to_bytes(8), [], 1002, "not in its shortest form: 65535"),
    "highest bit of the length": Case(b"\x82\x7f" + (2**63).to_bytes(8), [], 1002, "with its highest bit set"),
    "text that is not decoded": Case(
        frame(TEXT, b"\xff") + fragments(TEXT, b"a\xc3", b"b"),
        [WSMessageTextBytes(WSMsgType.TEXT, b"\xff", ""), WSMessageTextBytes(WSMsgType.TEXT, b"a\xc3b", "")],
        settings={"decode_text": False},
    ),
}

PINGS = {
    "ping": Case(frame(PING), [ping(b"")]),
    "ping of 125": Case(frame(PING, b"\xfe" * 125), [ping(b"\xfe" * 125)]),
    "ping of 126": Case(frame(PING, b"\xfe" * 126), [], 1002, "A control frame of more than 125 bytes: opcode 9"),
    "pong of 126": Case(frame(PONG, b"\xfe" * 126), [], 1002, "A control frame of more than 125 bytes: opcode 10"),
    "close of 65536": Case(frame(CLOSE, b"\xfe" * 65536), [], 1002, "A control frame of more than 125 bytes: opcode 8"),
    "unasked pong": Case(frame(PONG, b"\0\xff") + HELLO, [pong(b"\0\xff"), SAID]),
    "many pings": Case(b"".join(frame(PING, b"%d" % at) for at in range(10)), [ping(b"%d" % at) for at in range(10)]),
}

RESERVED_BITS = {
    **{
        f"reserved bits {rsv} in opcode {opcode}": Case(
            HELLO + frame(opcode, b"hello", rsv=rsv) + HELLO, [SAID], 1002, "non-zero reserved bits"
        )
        for rsv in range(1, 8)
        for opcode in (TEXT, BINARY, CLOSE, PING, PONG)
    },
    "reserved bit in a continuation": Case(
        frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b", rsv=4), [], 1002, "non-zero reserved bits"
    ),
}

OPCODES = {
    f"opcode {opcode}, fin {fin}": Case(HELLO + frame(opcode, payload, fin=fin), [SAID], 1002, f"A reserved opcode: {opcode}")
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    for fin in (True, False)
    for payload in (b"", b"hello")
}

FRAGMENTATION = {
    "ping in two": Case(fragments(PING, b"a", b"b"), [], 1002, "A fragmented control frame: opcode 9"),
    "pong in two": Case(fragments(PONG, b"a", b"b"), [], 1002, "A fragmented control frame: opcode 10"),
    "close in two": Case(fragments(CLOSE, b"\x03", b"\xe8"), [], 1002, "A fragmented control frame: opcode 8"),
    "text in two": Case(fragments(TEXT, b"hel", b"lo"), [SAID]),
    "text in two with a ping between": Case(
        frame(TEXT, b"hel", fin=False) + frame(PING, b"p") + frame(CONTINUATION, b"lo"), [ping(b"p"), SAID]
    ),
    "text in five with pings between": Case(
        frame(TEXT, b"h", fin=False)
        + frame(CONTINUATION, b"e", fin=False)
        + frame(PING, b"1")
        + frame(CONTINUATION, b"l", fin=False)
        + frame(PONG, b"2")
        + frame(CONTINUATION, b"", fin=False)
        + frame(CONTINUATION, b"lo")
        + HELLO,
        [ping(b"1"), pong(b"2"), SAID, SAID],
    ),
    "empty fragments": Case(fragments(BINARY, b"", b"", b"") + fragments(TEXT, b"", b"hello") * 2, [binary(b""), SAID, SAID]),
    "text that ends empty": Case(fragments(TEXT, b"hello", b""), [SAID]),
    "nothing to continue": Case(frame(CONTINUATION, b"a"), [], 1002, "no message to continue"),
    "nothing to continue, not the last": Case(frame(CONTINUATION, b"a", fin=False), [], 1002, "no message to continue"),
    "nothing to continue after a message": Case(HELLO + frame(CONTINUATION), [SAID], 1002, "no message to continue"),
    "nothing to continue after fragments": Case(
        fragments(TEXT, b"hel", b"lo") + frame(CONTINUATION), [SAID], 1002, "no message to continue"
    ),
    "text within text": Case(frame(TEXT, b"a", fin=False) + HELLO, [], 1002, "A new message within a fragmented one: opcode 1"),
    "binary within an empty text": Case(
        frame(TEXT, b"", fin=False) + frame(BINARY), [], 1002, "A new message within a fragmented one: opcode 2"
    ),
    "close within text": Case(frame(TEXT, b"a", fin=False) + frame(CLOSE), [close()]),
}

VALID = {
    "Greek": "κόσμε",
    "examples": "Hello-µ@ßöäüàá-UTF-8!!",
    "first and last of each length": "\0\x7f\x80\u07ff\u0800\uffff\U00010000\U0010ffff",
    "around the surrogates": "\ud7ff\ue000\ufffd",
    "noncharacters": "\ufffe\uffff\ufdd0\U0001fffe\U0010fffe",
    "ASCII, and more": "a" * 40 + "€" + "b" * 20 + "😀" + "c" * 9,
}
#: Bytes, and where the fault begins.
INVALID = {
    "a continuation byte": (b"ab\x80", 2),
    "the last continuation byte": (b"\xbf", 0),
    "all continuation bytes": (bytes(range(0x80, 0xC0)), 0),
    "C0": (b"a\xc0\xaf", 1),
    "C1": (b"a\xc1\xbf", 1),
    "F5": (b"a\xf5\x80\x80\x80", 1),
    "five bytes": (b"\xf8\x88\x80\x80\x80", 0),
    "six bytes": (b"\xfc\x84\x80\x80\x80\x80", 0),
    "FE": (b"\xfe", 0),
    "FF": (b"\xff", 0),
    "overlong in three": (b"a\xe0\x9f\xbf", 1),
    "overlong in four": (b"a\xf0\x8f\xbf\xbf", 1),
    "first surrogate": (b"a\xed\xa0\x80", 1),
    "last surrogate": (b"a\xed\xbf\xbf", 1),
    "a pair of surrogates": (b"\xed\xa0\x80\xed\xb0\x80", 0),
    "too large": (b"a\xf4\x90\x80\x80", 1),
    "one of two": (b"a\xc3a", 1),
    "two of three": (b"a\xe2\x82 ", 1),
    "three of four": (b"a\xf0\x9f\x98\xc3\xa4", 1),
    "two of four, and a first byte": (b"\xf0\x9f\xf0\x9f\x98\x80", 0),
    "Greek, then wrong": ("κόσμε".encode() + b"\xf4\x90\x80\x80 edited", 10),
    "far behind ASCII": (b"a" * 77 + b"\xff", 77),
    "cut short, of two": (b"ab\xc3", 2),
    "cut short, of three": (b"ab\xe2\x82", 2),
    "cut short, of four": (b"ab\xf0\x9f\x98", 2),
}
UTF8 = {
    **{f"valid: {name}": Case(frame(TEXT, data.encode()) + HELLO, [text(data), SAID]) for name, data in VALID.items()},
    **{
        f"valid, in bytes: {name}": Case(fragments(TEXT, *(bytes([byte]) for byte in data.encode())), [text(data)])
        for name, data in VALID.items()
    },
    **{
        f"invalid: {name}": Case(HELLO + frame(TEXT, data), [SAID], 1007, f"A text message is not UTF-8 at byte {at}")
        for name, (data, at) in INVALID.items()
    },
    **{
        f"invalid, in bytes: {name}": Case(
            fragments(TEXT, *(bytes([byte]) for byte in data)), [], 1007, f"A text message is not UTF-8 at byte {at}"
        )
        for name, (data, at) in INVALID.items()
    },
    "invalid in the second fragment": Case(
        frame(TEXT, b"hel", fin=False) + frame(PING) + frame(CONTINUATION, b"l\xff", fin=False), [ping(b"")], 1007, "at byte 4"
    ),
    "the beginning of a surrogate, then too many frames": Case(
        frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"\xed", fin=False) + frame(CONTINUATION, b"\xa0", fin=False) * 2,
        [],
        1007,
        "not UTF-8 at byte 1",
        {"max_fragments": 3},
    ),
    "one message's end is not the next one's beginning": Case(
        frame(TEXT, b"a\xc3") + frame(TEXT, b"\xa4"), [], 1007, "A text message is not UTF-8 at byte 1"
    ),
    "fragments whose end is missing": Case(
        fragments(TEXT, b"a\xc3", b"") + frame(TEXT, b"\xa4"), [], 1007, "A text message is not UTF-8 at byte 1"
    ),
    "binary need not be": Case(fragments(BINARY, b"\xff", b"\xc3"), [binary(b"\xff\xc3")]),
}

CLOSING = {
    "close": Case(frame(CLOSE), [close()]),
    "close with half a code": Case(frame(CLOSE, b"\x03"), [], 1002, "half a close code"),
    "close with a reason": Case(frame(CLOSE, b"\x03\xe8b\xc3\xa4h"), [close(1000, "bäh")]),
    "close with the longest reason": Case(frame(CLOSE, b"\x03\xe8" + b"*" * 123), [close(1000, "*" * 123)]),
    "close with a reason that is too long": Case(frame(CLOSE, b"\x03\xe8" + b"*" * 124), [], 1002, "more than 125 bytes"),
    "close with a reason that is not UTF-8": Case(
        frame(CLOSE, b"\x03\xe8ab\xff"), [], 1007, "close frame is not UTF-8 at byte 2"
    ),
    "close with a reason that is cut short": Case(frame(CLOSE, b"\x03\xe8\xc3"), [], 1007, "close frame is not UTF-8 at byte 0"),
    "what follows a close": Case(frame(CLOSE, b"\x03\xe8") + HELLO + frame(PING) + b"\xff" * 9, [close(1000)]),
    "two closes": Case(HELLO + frame(CLOSE) + frame(CLOSE), [SAID, close()]),
    **{
        f"close code {code}": Case(frame(CLOSE, code.to_bytes(2)), [close(code)])
        for code in (1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999)
    },
    **{
        f"close code {code}": Case(frame(CLOSE, code.to_bytes(2) + b"why"), [], 1002, f"may not be sent: {code}")
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
}

TEN = {"max_size": 10}
LIMITS = {
    "as much as is allowed": Case(
        frame(TEXT, b"*" * 10) + fragments(BINARY, b"*" * 9, b"", b"*"), [text("*" * 10), binary(b"*" * 10)], settings=TEN
    ),
    "too much": Case(HELLO + frame(TEXT, b"*" * 11)[:2], [SAID], 1009, "A message of 11 bytes or more, the limit is 10", TEN),
    "too much is announced": Case(
        b"\x82\x7f" + (2**40).to_bytes(8), [], 1009, "A message of 1099511627776 bytes or more, the limit is 10", TEN
    ),
    "too much in fragments": Case(
        frame(TEXT, b"*" * 9, fin=False) + frame(CONTINUATION, b"**")[:2], [], 1009, "A message of 11 bytes or more", TEN
    ),
    "the limit is for each message": Case(frame(TEXT, b"*" * 10) * 3, [text("*" * 10)] * 3, settings=TEN),
    "not for control frames": Case(frame(PING, b"*" * 125), [ping(b"*" * 125)], settings=TEN),
    "more than any memory": Case(
        frame(BINARY, b"*", fin=False) + b"\x80\x7f" + (2**63 - 1).to_bytes(8), [], 1009, "A message of 9223372036854775808 bytes"
    ),
    "as many frames as are allowed": Case(
        fragments(TEXT, b"a", b"b", b"c") * 2, [text("abc")] * 2, settings={"max_fragments": 3}
    ),
    "too many frames": Case(
        fragments(TEXT, b"a", b"", b"", b"d"), [], 1009, "A message of more than 3 frames", {"max_fragments": 3}
    ),
    "frames of 64 bytes": Case(fragments(BINARY, *[b"*" * 64] * 256), [binary(b"*" * 64 * 256)]),
}

DEFLATE = {"deflate": True}
SQUASHED = b"\xf2\x48\xcd\xc9\xc9\x07\x00"
COMPRESSION = {
    "compressed": Case(frame(TEXT, SQUASHED, rsv=4), [Deflated(WSMsgType.TEXT, SQUASHED)], settings=DEFLATE),
    "compressed, in bytes": Case(
        fragments(BINARY, *(bytes([byte]) for byte in SQUASHED), rsv=4), [Deflated(WSMsgType.BINARY, SQUASHED)], settings=DEFLATE
    ),
    "compressed, empty": Case(
        frame(BINARY, b"\0", rsv=4) + frame(TEXT, rsv=4),
        [Deflated(WSMsgType.BINARY, b"\0"), Deflated(WSMsgType.TEXT, b"")],
        settings=DEFLATE,
    ),
    "compressed or not": Case(
        frame(TEXT, SQUASHED, rsv=4) + HELLO + frame(BINARY, b"\xff", rsv=4) + fragments(TEXT, b"hel", b"lo"),
        [Deflated(WSMsgType.TEXT, SQUASHED), SAID, Deflated(WSMsgType.BINARY, b"\xff"), SAID],
        settings=DEFLATE,
    ),
    "compressed with a ping between": Case(
        frame(TEXT, SQUASHED[:3], rsv=4, fin=False) + frame(PING) + frame(CONTINUATION, SQUASHED[3:]),
        [ping(b""), Deflated(WSMsgType.TEXT, SQUASHED)],
        settings=DEFLATE,
    ),
    "compressed text is checked where it is inflated": Case(
        fragments(TEXT, b"\xff", b"\xff", rsv=4), [Deflated(WSMsgType.TEXT, b"\xff\xff")], settings=DEFLATE
    ),
    "compressed text that is not decoded": Case(
        frame(TEXT, SQUASHED, rsv=4), [Deflated(WSMsgType.TEXT, SQUASHED)], settings={"deflate": True, "decode_text": False}
    ),
    "text that is not compressed is checked": Case(frame(TEXT, b"\xff"), [], 1007, "not UTF-8", DEFLATE),
    "a compressed continuation": Case(
        frame(TEXT, SQUASHED[:3], rsv=4, fin=False) + frame(CONTINUATION, SQUASHED[3:], rsv=4),
        [],
        1002,
        "non-zero reserved bits",
        DEFLATE,
    ),
    "a compressed ping": Case(frame(PING, rsv=4), [], 1002, "non-zero reserved bits", DEFLATE),
    "RSV2": Case(frame(TEXT, SQUASHED, rsv=6), [], 1002, "non-zero reserved bits", DEFLATE),
    "RSV3": Case(frame(TEXT, SQUASHED, rsv=1), [], 1002, "non-zero reserved bits", DEFLATE),
    "a little more than is allowed": Case(
        frame(BINARY, b"*" * 75, rsv=4), [Deflated(WSMsgType.BINARY, b"*" * 75)], settings={"deflate": True, **TEN}
    ),
    "compressed, and too much": Case(
        frame(BINARY, b"*" * 76, rsv=4)[:2], [], 1009, "A message of 76 bytes or more, the limit is 10", {"deflate": True, **TEN}
    ),
}

CASES = FRAMING | PINGS | RESERVED_BITS | OPCODES | FRAGMENTATION | UTF8 | CLOSING | LIMITS | COMPRESSION
