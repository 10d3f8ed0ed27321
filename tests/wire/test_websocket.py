"""The closing handshake (RFC 6455, section 7)."""

from __future__ import annotations

import pytest

from aiohttpx.wire.websocket import NEXT, ClosingEvent, ClosingState, serialize_close

OPEN, SENT, RECEIVED, DONE, ENDED = ClosingState
SEND, RECEIVE, END = ClosingEvent


@pytest.mark.parametrize("events", [(SEND, RECEIVE), (RECEIVE, SEND)])
def test_either_side_begins(events: tuple[ClosingEvent, ...]) -> None:
    state = OPEN
    for event in events:
        assert state is not DONE
        state = NEXT[state, event]
    assert state is DONE


def test_the_connection_can_end_at_any_time() -> None:
    assert {state for state in ClosingState if NEXT.get((state, END)) is ENDED} == {OPEN, SENT, RECEIVED, DONE}


def test_every_state_is_reached_and_nothing_is_sent_or_received_twice() -> None:
    ways = {(OPEN, ()): OPEN}
    for _ in range(3):
        ways |= {
            (OPEN, (*events, event)): after
            for (_, events), state in ways.items()
            for event in ClosingEvent
            if (after := NEXT.get((state, event))) is not None
        }
    assert set(ways.values()) == set(ClosingState)
    assert all(len(set(events)) == len(events) for _, events in ways)
    assert not [event for state, event in NEXT if state is ENDED]


def test_a_close_frame() -> None:
    assert serialize_close(1000) == b"\x03\xe8"
    assert serialize_close(4999, "ä" * 61) == b"\x13\x87" + "ä".encode() * 61
    assert serialize_close(1001, b"x" * 123) == b"\x03\xe9" + b"x" * 123


@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 70000])
def test_codes_that_may_not_be_sent(code: int) -> None:
    with pytest.raises(ValueError, match=f"close code {code} may not be sent"):
        serialize_close(code)


def test_a_reason_that_is_too_long() -> None:
    with pytest.raises(ValueError, match="at most 123 bytes, not 124"):
        serialize_close(1000, "ä" * 62)
