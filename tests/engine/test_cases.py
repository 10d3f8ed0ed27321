"""Both parsers make of every case what its line in the table says: whole, cut in two at every place, byte by byte."""

from __future__ import annotations

from types import ModuleType

import pytest

from aiohttpx.events import END_OF_MESSAGE, Chunks, Event, ResponseHead

from .cases import CASES, GET, PERSISTENCE, Case
from .outcome import cut, joined, outcome, single_bytes

MANY = 300  # bytes: longer cases are not cut at every place


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case(engine: ModuleType, case: Case) -> None:
    found = outcome(engine, case.request, [case.wire], eof=case.eof)
    assert found.events == joined(case.events)
    assert found.error == case.error
    assert case.message in found.message
    assert bool(found.message) == (case.error is not None)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case_however_it_is_cut(engine: ModuleType, case: Case) -> None:
    whole = outcome(engine, case.request, [case.wire], eof=case.eof)
    step = 1 + len(case.wire) // MANY
    ways = [cut(case.wire, place) for place in range(1, len(case.wire), step)]
    for parts in [*ways, single_bytes(case.wire)]:
        assert outcome(engine, case.request, parts, eof=case.eof) == whole


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case_cut_anywhere_is_not_yet_wrong(engine: ModuleType, case: Case) -> None:
    """What was refused at the end was not refused before, and nothing that was said is taken back."""
    whole = outcome(engine, case.request, [case.wire])
    for place in range(0, len(case.wire), 1 + len(case.wire) // MANY):
        begun = outcome(engine, case.request, [case.wire[:place]])
        if begun.error is None:
            assert _begins(whole.events, begun.events)
        else:
            assert begun == whole


def _begins(whole: list[Event], begun: list[Event]) -> bool:
    """`whole` goes on where `begun` ends, which may be in the middle of content."""
    if not begun or len(begun) > len(whole):
        return not begun
    last, there = begun[-1], whole[len(begun) - 1]
    if isinstance(last, bytes) and isinstance(there, bytes):
        same = there.startswith(last)
    elif isinstance(last, Chunks) and isinstance(there, Chunks):
        same = there.data.startswith(last.data) and there.ends[: len(last.ends)] == last.ends
    else:
        same = there == last
    return same and whole[: len(begun) - 1] == begun[:-1]


@pytest.mark.parametrize(("version", "options", "persistent"), PERSISTENCE)
def test_persistence(engine: ModuleType, version: bytes, options: list[bytes], persistent: bool) -> None:
    fields = b"".join(b"Connection: %s\r\n" % option for option in options)
    wire = b"HTTP/%s 200 OK\r\n%sContent-Length: 0\r\n\r\n" % (version, fields)
    for parts in ([wire], single_bytes(wire)):
        head, end = outcome(engine, GET, parts).events
        assert isinstance(head, ResponseHead)
        assert head.persistent is persistent
        assert end is END_OF_MESSAGE


def test_a_body_until_the_end_is_never_persistent(engine: ModuleType) -> None:
    [head] = outcome(engine, GET, [b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"]).events
    assert isinstance(head, ResponseHead)
    assert head.persistent is False
