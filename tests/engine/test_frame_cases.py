"""Both frame parsers make of every case what its line in the table says: whole, cut in two at every place, byte by byte."""

from __future__ import annotations

from types import ModuleType

import pytest

from .frame_cases import CASES, Case
from .frame_outcome import outcome
from .outcome import cut, single_bytes

MANY = 150  # bytes: longer cases are not cut at every place


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case(framing: ModuleType, case: Case) -> None:
    found = outcome(framing, [case.wire], **case.settings)
    assert found.messages == case.messages
    assert [type(message) for message in found.messages] == [type(message) for message in case.messages]
    assert found.code == case.code
    assert case.error in found.error
    assert bool(found.error) == bool(case.code)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case_however_it_is_cut(framing: ModuleType, case: Case) -> None:
    """Also: what was refused at the end was not refused before, and nothing that was said is taken back."""
    whole = outcome(framing, [case.wire], **case.settings)
    for place in range(0, len(case.wire), 1 + len(case.wire) // MANY):
        assert outcome(framing, cut(case.wire, place), **case.settings) == whole
        begun = outcome(framing, [case.wire[:place]], **case.settings)
        if begun.code:
            assert begun == whole
        else:
            assert begun.messages == whole.messages[: len(begun.messages)]
    if len(case.wire) < 100 * MANY:
        assert outcome(framing, single_bytes(case.wire), **case.settings) == whole
