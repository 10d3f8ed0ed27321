"""What the case table does not say of frames: parsers that have ended, other buffers, memory, and frames on their way out."""

from __future__ import annotations

import gc
import os
import pickle
import random
import sys
import tracemalloc
from types import ModuleType

import pytest

from aiohttpx import WebSocketError, WSCloseCode, WSMessage, WSMsgType

from .conftest import FRAME_TWINS
from .frame_cases import BINARY, CLOSE, CONTINUATION, HELLO, PING, SAID, TEXT, binary, close, fragments, frame
from .outcome import single_bytes

MEGABYTE = random.Random(6455).randbytes(2**20)


def test_a_violation_is_repeated(framing: ModuleType) -> None:
    parser = framing.FrameParser()
    errors = []
    for wire in (HELLO + frame(3), HELLO):
        with pytest.raises(WebSocketError, match="A reserved opcode: 3") as caught:
            parser.feed(wire)
        errors.append(caught.value)
    assert [error.code for error in errors] == [WSCloseCode.PROTOCOL_ERROR] * 2
    assert [error.messages for error in errors] == [[SAID], []]


def test_a_violation_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(WebSocketError(1002, "why")))
    assert (error.code, str(error), error.args) == (1002, "why", (1002, "why"))


def test_what_follows_a_close_is_ignored(framing: ModuleType) -> None:
    parser = framing.FrameParser()
    assert parser.feed(frame(CLOSE)) == [close()]
    assert parser.feed(HELLO + b"\xff" * 100) == []


def test_control_frames_are_announced(framing: ModuleType) -> None:
    parser = framing.FrameParser()
    said = []
    for wire in (b"", HELLO, HELLO + frame(PING), HELLO, frame(TEXT, fin=False), frame(PING)[:1], frame(PING)[1:], b""):
        parser.feed(wire)
        said.append(parser.has_control)
    assert said == [False, False, True, False, False, False, True, False]
    with pytest.raises(WebSocketError):
        parser.feed(frame(PING) + frame(3))
    assert parser.has_control


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="of CPython's collector")
def test_the_garbage_collector_need_not_look_at_messages() -> None:
    for parser in (twin.FrameParser() for twin in FRAME_TWINS if not twin.__name__.endswith("_py")):
        messages = parser.feed(HELLO + frame(PING) + fragments(BINARY, b"a", b"b"))
        assert not any(gc.is_tracked(message) for message in messages)


@pytest.mark.parametrize(
    "text",
    [b"\x80", b"\xc1", b"\xf5", b"\xe0\x9f", b"\xed\xa0", b"\xf0\x8f", b"\xf4\x90", b"\xc3(", b"\xe2\x82\xc3", b"\xf0\x9f\x98a"],
)
@pytest.mark.parametrize("in_frames", [False, True])
def test_a_byte_that_cannot_be_text_fails_at_once(framing: ModuleType, text: bytes, in_frames: bool) -> None:
    parser = framing.FrameParser()
    wire = fragments(TEXT, b"ab", *(bytes([byte]) for byte in text), b"cd") if in_frames else frame(TEXT, b"ab" + text + b"cd")
    end = len(wire) - len(frame(CONTINUATION, b"cd") if in_frames else b"cd")
    assert parser.feed(wire[: end - 1]) == []
    with pytest.raises(WebSocketError, match="not UTF-8 at byte 2") as caught:
        parser.feed(wire[end - 1 : end])
    assert caught.value.code == WSCloseCode.INVALID_TEXT


@pytest.mark.parametrize("kind", [bytearray, memoryview, lambda wire: memoryview(wire + b"\0" * (len(wire) % 2)).cast("H")])
def test_other_buffers(framing: ModuleType, kind: type[bytearray]) -> None:
    parser = framing.FrameParser()
    assert parser.feed(kind(HELLO + frame(BINARY, b"odd"))) == [SAID, binary(b"odd")]
    assert parser.feed(memoryview(b"")) == []


def test_messages_do_not_change_with_the_buffer_they_came_in(framing: ModuleType) -> None:
    buffer = bytearray(frame(BINARY, b"abc") + frame(BINARY, b"def")[:4])
    parser = framing.FrameParser()
    [message] = parser.feed(buffer)
    buffer[:] = b"\0" * len(buffer)
    assert message.data == b"abc"
    assert parser.feed(b"f") == [binary(b"def")]


def test_messages_are_what_aiohttp_makes(framing: ModuleType) -> None:
    [message] = framing.FrameParser().feed(frame(TEXT, b'{"a": 1}'))
    assert type(message) is WSMessage
    assert message.json() == {"a": 1}
    assert message.type is WSMsgType.TEXT is WSMsgType.text
    assert repr(message) == "WSMessage(type=<WSMsgType.TEXT: 1>, data='{\"a\": 1}', extra='')"
    assert hash(message) == hash((WSMsgType.TEXT, '{"a": 1}', ""))


@pytest.mark.parametrize("size", [1000, 65536])
def test_a_large_message_in_reads(framing: ModuleType, size: int) -> None:
    wire = frame(BINARY, MEGABYTE) + fragments(BINARY, MEGABYTE[: 2**19], MEGABYTE[2**19 :]) + HELLO
    parser = framing.FrameParser(2**20)
    messages = [message for at in range(0, len(wire), size) for message in parser.feed(wire[at : at + size])]
    assert messages == [binary(MEGABYTE)] * 2 + [SAID]


def peak(framing: ModuleType, parts: list[bytes], **settings: int) -> int:
    """The most that a parser held while it was fed."""
    parser = framing.FrameParser(**settings)
    tracemalloc.start()
    try:
        for part in parts:
            parser.feed(part)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_grows_with_what_came_not_with_what_was_announced(framing: ModuleType) -> None:
    announced = b"\x82\x7f" + (2**40).to_bytes(8)
    assert peak(framing, [announced, b"x" * 1000]) < 50_000


def test_memory_is_that_of_the_payload_not_of_the_reads(framing: ModuleType) -> None:
    assert peak(framing, single_bytes(frame(BINARY, bytes(10_000))[:-1])) < 50_000
    assert peak(framing, [fragments(BINARY, *[b"x"] * 10_000)[:-3]]) < 50_000


def test_empty_fragments_take_no_memory_and_have_an_end(framing: ModuleType) -> None:
    flood = frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * 10_000
    assert peak(framing, [flood], max_fragments=20_000) < 50_000
    with pytest.raises(WebSocketError, match="more than 20000 frames") as caught:
        framing.FrameParser(max_fragments=20_000).feed(flood + flood[2:])
    assert caught.value.code == WSCloseCode.MESSAGE_TOO_BIG


def test_a_parser_can_be_left_at_any_point(framing: ModuleType) -> None:
    wire = frame(TEXT, b"x" * 300, fin=False) + frame(PING, b"p") + frame(CONTINUATION, b"y" * 300)
    whole = framing.FrameParser().feed(wire)
    for at in range(len(wire)):
        events = framing.FrameParser().feed(wire[:at])
        assert events == whole[: len(events)] != whole


# Frames on their way out


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 125, 126, 127, 65535, 65536, 2**20])
def test_a_frame_there_and_back(framing: ModuleType, size: int) -> None:
    payload = MEGABYTE[:size]
    assert framing.serialize_frame(BINARY, payload, b"") == frame(BINARY, payload)
    masked = framing.serialize_frame(BINARY, payload)
    assert len(masked) == len(frame(BINARY, payload)) + 4
    assert framing.FrameParser(masked=True).feed(masked) == [binary(payload)]
    assert framing.FrameParser(masked=True).feed(framing.serialize_frame(BINARY, payload, b"\xff\0\x80\1")) == [binary(payload)]


def test_the_masked_frame_of_the_rfc(framing: ModuleType) -> None:
    wire = framing.serialize_frame(TEXT, b"Hello", bytes.fromhex("37fa213d"))
    assert wire == bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58")


@pytest.mark.parametrize("rsv1", [True, False])
@pytest.mark.parametrize("fin", [True, False])
@pytest.mark.parametrize("opcode", [0, 1, 2, 8, 9, 10, WSMsgType.TEXT])
def test_the_bits_of_a_frame(framing: ModuleType, opcode: int, fin: bool, rsv1: bool) -> None:
    assert framing.serialize_frame(opcode, b"x", b"", rsv1, fin) == frame(opcode, b"x", fin=fin, rsv=4 * rsv1)


def test_payloads_of_other_types(framing: ModuleType) -> None:
    for payload in (bytearray(b"abcd"), memoryview(b"abcd"), memoryview(b"abcd").cast("H"), memoryview(bytearray(b"abcd"))):
        assert framing.serialize_frame(BINARY, payload, b"") == frame(BINARY, b"abcd")
        assert framing.serialize_frame(BINARY, payload, b"\0\0\0\0")[-4:] == b"abcd"
    with pytest.raises(TypeError):
        framing.serialize_frame(TEXT, 4)


def masks(framing: ModuleType, count: int) -> list[bytes]:
    return [framing.serialize_frame(TEXT, b"")[2:] for _ in range(count)]


def test_a_fresh_mask_for_every_frame(framing: ModuleType) -> None:
    keys = masks(framing, 5000)
    assert {len(key) for key in keys} == {4}
    assert len(set(keys)) > 4900  # of 2 ** 32
    assert all(len({key[at] for key in keys}) == 256 for at in range(4))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_has_masks_of_its_own(framing: ModuleType) -> None:
    masks(framing, 1)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, b"".join(masks(framing, 8)))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 100) != b"".join(masks(framing, 8))
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("size", range(20))
def test_masking_twice_is_nothing(framing: ModuleType, size: int) -> None:
    data = MEGABYTE[:size]
    masked = framing.apply_mask(b"wxyz", data)
    assert masked == bytes(byte ^ b"wxyz"[at % 4] for at, byte in enumerate(data))
    assert framing.apply_mask(b"wxyz", memoryview(masked)) == data


@pytest.mark.parametrize("text", ["", "plain", "Käse", "\N{ROCKET}" * 100])
def test_text_is_encoded_as_it_is_framed(framing: ModuleType, text: str) -> None:
    assert framing.serialize_frame(TEXT, text, b"wxyz") == framing.serialize_frame(TEXT, text.encode(), b"wxyz")


def test_text_that_cannot_be_encoded(framing: ModuleType) -> None:
    with pytest.raises(UnicodeEncodeError, match="surrogates not allowed"):
        framing.serialize_frame(TEXT, "\ud800")


def test_only_the_first_bytes_count(framing: ModuleType) -> None:
    buffer = bytearray(b"\x82\x01a\x82\x01b and what came before")
    assert [message.data for message in framing.FrameParser().feed(memoryview(buffer), 6)] == [b"a", b"b"]


@pytest.mark.parametrize("mask", [b"abc", b"abcde", b"a"])
def test_a_mask_has_four_bytes(framing: ModuleType, mask: bytes) -> None:
    with pytest.raises(ValueError, match=f"4 bytes, not {len(mask)}"):
        framing.apply_mask(mask, b"x")
    with pytest.raises(ValueError, match=f"4 bytes, not {len(mask)}"):
        framing.serialize_frame(TEXT, b"x", mask)


@pytest.mark.parametrize("first", [1, 1000, 2**18])
@pytest.mark.parametrize("kind", ["binary", "ascii", "text", "fragments", "deflated", "larger than is believed"])
def test_a_large_payload_may_be_received_where_it_stays(framing: ModuleType, kind: str, first: int) -> None:
    payload = MEGABYTE if kind != "larger than is believed" else MEGABYTE * 5
    if kind in ("ascii", "text"):
        payload = payload.hex().encode() if kind == "ascii" else ("0" * 300_000 + "\N{SNOWMAN}" * 300_000).encode()
    opcode = TEXT if kind in ("ascii", "text") else BINARY
    wire = frame(opcode, payload, rsv=4 * (kind == "deflated"))
    if kind == "fragments":
        wire = frame(BINARY, payload[:400_000], fin=False) + frame(PING) + frame(CONTINUATION, payload[400_000:])
    whole, parser = framing.FrameParser(deflate=True), framing.FrameParser(deflate=True)
    at, said, rooms = first, parser.feed(wire[:first]), []
    while at < len(wire):
        room = parser.room()
        size = min(len(room), 300_000) if room is not None else 100_000
        if room is None:
            said += parser.feed(wire[at : at + size])
        else:
            rooms.append(room)  # somebody keeps it
            room[:size] = wire[at : at + size]
            said += parser.feed(room[:size])
        at += size
    assert said == whole.feed(wire)
    assert parser.room() is None
    assert bool(rooms) == (framing.__name__.endswith("_frame_parser"))


def test_there_is_no_room_where_little_is_to_come_or_nothing_may(framing: ModuleType) -> None:
    for wire in (b"", b"\x82", frame(BINARY, MEGABYTE)[:10], frame(BINARY, bytes(1000))[:500], frame(PING, b"ab")[:3]):
        parser = framing.FrameParser()
        parser.feed(wire)
        assert parser.room() is None
    with pytest.raises(WebSocketError):
        parser.feed(frame(3))
    assert parser.room() is None


def test_text_that_was_received_in_its_place_is_checked(framing: ModuleType) -> None:
    parser = framing.FrameParser()
    wire = frame(TEXT, b"a" * 500_000 + b"\xff" + b"a" * 500_000)
    parser.feed(wire[:100_000])
    rest = parser.room() or memoryview(bytearray(len(wire) - 100_000))
    rest[:] = wire[100_000:]
    with pytest.raises(WebSocketError, match="500000"):
        parser.feed(rest)


def test_the_beginning_of_a_frame_says_how_long_all_of_it_is(framing: ModuleType) -> None:
    start = framing.serialize_frame(BINARY, MEGABYTE[:1000], b"mask", length=len(MEGABYTE))
    assert framing.serialize_frame(BINARY, MEGABYTE, b"mask").startswith(start)
    assert len(start) == 14 + 1000
