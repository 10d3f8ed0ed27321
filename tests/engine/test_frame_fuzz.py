"""The frame parsers agree on whatever a peer may send, however it is cut, and with what the frames were made from.

A few hundred examples as a rule; AIOHTTPX_FUZZ=100000 in the environment makes it as many.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import FRAME_TWINS
from .frame_cases import CASES, CONTINUATION, INVALID, PING, VALID, binary, frame, ping, text
from .frame_outcome import Outcome, outcome
from .outcome import cut, single_bytes

EXAMPLES = int(os.environ.get("AIOHTTPX_FUZZ", "300"))

pytestmark = pytest.mark.skipif(len(FRAME_TWINS) < 2, reason="the compiled engine is not built")
bounded = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))

places = st.lists(st.integers(0, 2000), max_size=6)
words = st.one_of(
    st.text(max_size=20).map(str.encode),
    st.binary(max_size=140),
    st.sampled_from([data.encode() for data in VALID.values()]),
    st.sampled_from([data for data, _ in INVALID.values()]),
    st.sampled_from([b"\x03\xe8", b"\x03\xe8why", b"\x03\xed", b"\x0f\xa0\xff", b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"*" * 126]),
)
opcodes = st.sampled_from([0, 0, 0, 1, 1, 1, 2, 2, 8, 9, 10, 3, 11])
options = st.fixed_dictionaries(
    {
        "max_size": st.sampled_from([0, 0, 10, 200]),
        "deflate": st.booleans(),
        "decode_text": st.sampled_from([True, True, True, False]),
        "masked": st.booleans(),
        "max_fragments": st.sampled_from([1, 3, 1000]),
    }
)


@st.composite
def frames(draw: st.DrawFn, masked: bool) -> bytes:
    """A frame that is right as a rule, but not always where it stands."""
    mask = draw(st.binary(min_size=4, max_size=4)) if masked else b""
    rsv1 = draw(st.integers(0, 9)) == 0
    return FRAME_TWINS[0].serialize_frame(draw(opcodes), draw(words), mask, rsv1, draw(st.integers(0, 2)) > 0)  # type: ignore[no-any-return]


@st.composite
def wires(draw: st.DrawFn, masked: bool) -> bytes:
    """Frames, wrong in a place or two."""
    cases = st.sampled_from([case.wire for case in CASES.values() if len(case.wire) < 300])
    wire = bytearray(b"".join(draw(st.lists(st.one_of(frames(masked), frames(masked), cases), max_size=6))))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(wire)))
        wire[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(wire)


def agreed(wire: bytes, places: list[int], setting: dict[str, Any]) -> Outcome:
    """The one outcome that all twins have, whichever way they are given the bytes."""
    ways = [[wire], cut(wire, *(min(place, len(wire)) for place in places)), single_bytes(wire)]
    first, *others = (outcome(twin, way, **setting) for twin in FRAME_TWINS for way in ways)
    for other in others:
        assert other == first
        assert [type(message) for message in other.messages] == [type(message) for message in first.messages]
    return first


@bounded
@given(data=st.data(), setting=options, places=places)
def test_twins_agree_however_the_bytes_are_cut(data: st.DataObject, setting: dict[str, Any], places: list[int]) -> None:
    agreed(data.draw(wires(setting["masked"])), places, setting)


@bounded
@given(st.binary(max_size=40), options, places)
def test_twins_agree_on_noise(wire: bytes, setting: dict[str, Any], places: list[int]) -> None:
    agreed(wire, places, setting)


@bounded
@given(st.binary(max_size=12))
def test_twins_agree_on_what_is_utf8(data: bytes) -> None:
    try:
        expected = Outcome([text(data.decode())], 0, "")
    except UnicodeDecodeError as wrong:
        expected = Outcome([], 1007, f"A text message is not UTF-8 at byte {wrong.start}")
    assert agreed(frame(1, data), [4, 5], {}) == expected


@bounded
@given(st.lists(st.tuples(st.booleans(), st.text(max_size=40), st.integers(0, 5)), max_size=5), places)
def test_messages_survive_fragmentation(messages: list[tuple[bool, str, int]], places: list[int]) -> None:
    """Each message in some frames, with a ping before every continuation."""
    wire, expected = b"", []
    for is_text, content, size in messages:
        payload = content.encode()
        parts = cut(payload, *range(size, len(payload), size)) if size else [payload]
        wire += frame(1 if is_text else 2, parts[0], fin=len(parts) == 1)
        for at, part in enumerate(parts[1:], 2):
            wire += frame(PING, b"p") + frame(CONTINUATION, part, fin=at == len(parts))
            expected.append(ping(b"p"))
        expected.append(text(content) if is_text else binary(payload))
    assert agreed(wire, places, {}).messages == expected


@bounded
@given(opcodes, st.binary(max_size=300), st.one_of(st.just(b""), st.binary(min_size=4, max_size=4)), st.booleans(), st.booleans())
def test_twins_write_the_same(opcode: int, payload: bytes, mask: bytes, rsv1: bool, fin: bool) -> None:
    first, *others = (twin.serialize_frame(opcode, payload, mask, rsv1, fin) for twin in FRAME_TWINS)
    assert others == [first] * len(others)


@pytest.mark.parametrize("in_message", [False, True])
@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_twins_agree_on_every_first_two_bytes(masked: bool, deflate: bool, in_message: bool) -> None:
    before = FRAME_TWINS[0].serialize_frame(1, b"a", bytes(4) if masked else b"", False, False) if in_message else b""
    for first in range(256):
        for second in (0, 1, 125, 126, 127, 128, 129, 253, 254, 255):
            wire = before + bytes([first, second]) + bytes(6)
            found = [outcome(twin, [wire], deflate=deflate, masked=masked) for twin in FRAME_TWINS]
            assert found[:-1] == found[1:]
