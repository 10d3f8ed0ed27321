"""permessage-deflate (RFC 7692, section 7.2)."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator

import isal.isal_zlib
import pytest
import zlib_ng.zlib_ng

from aiohttpx.errors import WebSocketError
from aiohttpx.messages import Deflated, WSMessage, WSMessageTextBytes, WSMsgType
from aiohttpx.wire.codings import set_zlib_backend
from aiohttpx.wire.deflate import Deflater, Inflater

TEXT, BINARY = WSMsgType.TEXT, WSMsgType.BINARY
NOISE = random.Random(7692).randbytes(2**18)
MESSAGES = [b"", b"Hello", b"Hello", b"", b"", NOISE, b"x" * 2**20, NOISE[:1000] * 300, b"y"]


@pytest.fixture(params=["zlib", "zlib_ng", "isal"])
def backend(request: pytest.FixtureRequest) -> Iterator[None]:
    set_zlib_backend({"zlib": zlib, "zlib_ng": zlib_ng.zlib_ng, "isal": isal.isal_zlib}[request.param])
    yield
    set_zlib_backend(zlib)


def finish(inflater: Inflater, message: Deflated) -> WSMessage | WSMessageTextBytes:
    inflated = inflater.inflate(message)
    while inflated is None:
        inflated = inflater.inflate()
    return inflated


def inflate(payload: bytes, max_size: int = 0, kind: WSMsgType = BINARY) -> WSMessage | WSMessageTextBytes:
    return finish(Inflater(max_size), Deflated(kind, payload))


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("takeover", [True, False])
@pytest.mark.parametrize("bits", range(9, 16))
def test_there_and_back(bits: int, takeover: bool) -> None:
    deflater = Deflater(bits, takeover)
    inflater = Inflater(2**20, bits, takeover)
    for message in MESSAGES:
        assert finish(inflater, Deflated(BINARY, deflater.deflate(message))) == WSMessage(BINARY, message, "")


@pytest.mark.usefixtures("backend")
def test_with_takeover_a_message_builds_on_those_before() -> None:
    kept, forgotten = Deflater(), Deflater(takeover=False)
    first, again = (len(kept.deflate(NOISE[:1000])) for _ in range(2))
    assert again < 100 < first
    first, again = (len(forgotten.deflate(NOISE[:1000])) for _ in range(2))
    assert first > 1000
    assert again > 1000


def test_a_message_without_takeover_stands_alone() -> None:
    deflater = Deflater(takeover=False)
    deflater.deflate(b"Hello, Hello, Hello")
    assert inflate(deflater.deflate(b"Hello, Hello")).data == b"Hello, Hello"


def test_a_window_of_8_bits_can_be_read() -> None:
    deflater = Deflater(9)  # zlib refers no farther back than 250 bytes then
    assert finish(Inflater(0, 8), Deflated(BINARY, deflater.deflate(NOISE[:200] * 50))).data == NOISE[:200] * 50


@pytest.mark.parametrize("bits", [8, 16])
def test_windows_that_zlib_cannot_write(bits: int) -> None:
    with pytest.raises(ValueError, match="Invalid initialization option"):
        Deflater(bits)


@pytest.mark.parametrize(
    "payload",
    [
        "f2 48 cd c9 c9 07 00",  # section 7.2.3.1: one block
        "00 05 00 fa ff 48 65 6c 6c 6f 00",  # 7.2.3.3: a block that is not compressed
        "f3 48 cd c9 c9 07 00 00",  # 7.2.3.4: BFINAL is set
        "f2 48 05 00 00 00 ff ff ca c9 c9 07 00",  # 7.2.3.5: two blocks
    ],
)
def test_the_examples_of_the_rfc(payload: str) -> None:
    assert inflate(bytes.fromhex(payload), kind=TEXT) == WSMessage(TEXT, "Hello", "")


def test_the_examples_of_the_rfc_with_takeover() -> None:
    inflater = Inflater(0)
    for payload in ("f2 48 cd c9 c9 07 00", "f2 00 11 00 00"):  # section 7.2.3.2
        assert finish(inflater, Deflated(TEXT, bytes.fromhex(payload))).data == "Hello"
    assert Deflater().deflate(b"") == b"\x00"  # section 7.2.3.6


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("size", [2, 65535, 65536, 65537, 200_000])
def test_the_limit_is_exact(size: int) -> None:
    payload = Deflater().deflate(NOISE[:size])
    assert inflate(payload, size).data == NOISE[:size]
    with pytest.raises(WebSocketError, match=f"or more, the limit is {size - 1}"):
        inflate(payload, size - 1)


@pytest.mark.usefixtures("backend")
def test_a_bomb_is_found_out_early() -> None:
    payload = Deflater().deflate(bytes(2**24))
    inflater = Inflater(100_000)
    assert inflater.inflate(Deflated(BINARY, payload)) is None
    with pytest.raises(WebSocketError, match="or more, the limit is 100000") as caught:
        inflater.inflate()
    assert caught.value.code == 1009


@pytest.mark.usefixtures("backend")
def test_a_large_message_takes_many_steps() -> None:
    inflater = Inflater(0)
    message = inflater.inflate(Deflated(BINARY, Deflater().deflate(bytes(2**20))))
    steps = 1
    while message is None:
        message = inflater.inflate()
        steps += 1
    assert message.data == bytes(2**20)
    assert steps >= 16
    assert len(list(Deflater().steps(NOISE))) >= 4


def test_thousands_of_tiny_streams_take_linear_time() -> None:
    compressor = zlib.compressobj(wbits=-15)
    stream = compressor.compress(b"a") + compressor.flush()
    message = inflate(stream * 100_000 + b"\x00")
    assert message.data == b"a" * 100_000


def test_thousands_of_empty_blocks_are_bounded_steps() -> None:
    inflater = Inflater(10)
    assert finish(inflater, Deflated(BINARY, b"\x00\x00\x00\xff\xff" * 200_000 + b"\x00")).data == b""


@pytest.mark.parametrize("payload", [b"\xff", b"\x06", b"\x00\x05\x00\x05\x00Hello"])
def test_what_is_no_deflate(payload: bytes) -> None:
    with pytest.raises(WebSocketError, match="cannot be inflated") as caught:
        inflate(payload)
    assert caught.value.code == 1002
    assert isinstance(caught.value.__cause__, zlib.error)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (b"ab\xff", 2),
        (b"\xc3\xa4\xed\xa0\x80", 2),
        (b"ab\xc3", 2),
        (b"a" * 65535 + b"\xc3(", 65535),
        (b"\xc3\xa4" * 50_000 + b"\xe2\x82", 100_000),
    ],
    ids=["no first byte", "surrogate", "cut short", "across steps", "large and cut short"],
)
def test_text_that_is_not_utf8(text: bytes, at: int) -> None:
    payload = Deflater().deflate(text)
    with pytest.raises(WebSocketError, match=f"not UTF-8 at byte {at}") as caught:
        inflate(payload, kind=TEXT)
    assert caught.value.code == 1007


def test_text_across_steps() -> None:
    text = "a" + "ä€😀" * 50_000
    assert inflate(Deflater().deflate(text.encode()), kind=TEXT) == WSMessage(TEXT, text, "")


def test_text_that_is_not_decoded() -> None:
    inflater = Inflater(0, decode_text=False)
    message = finish(inflater, Deflated(TEXT, Deflater().deflate(b"\xff")))
    assert message == (TEXT, b"\xff", "")
    assert type(message) is WSMessageTextBytes


def test_payloads_of_other_types() -> None:
    assert inflate(Deflater().deflate(bytearray(b"ab"))).data == b"ab"
    assert inflate(Deflater().deflate(memoryview(b"ab\0\0").cast("H"))).data == b"ab\0\0"
