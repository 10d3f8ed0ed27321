"""What a timeout is made of: a dataclass, whichever question is the first to need that."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

import aiohttpx
from aiohttpx.frozen import Frozen


@pytest.fixture
def limits() -> Any:
    """A class that has not been asked anything."""

    class Limits(Frozen):
        total: float | None = None
        connect: float = 5

        def __init__(self, total: float | None = None, connect: float = 5) -> None:
            self.__dict__.update(total=total, connect=connect)

    return Limits


def test_is_replaced(limits: Any) -> None:
    assert dataclasses.replace(limits(1, 3), total=2) == limits(2, 3)
    assert limits(1, 3).__replace__(total=2) == limits(2, 3)
    with pytest.raises(TypeError, match="tottal"):
        dataclasses.replace(limits(), tottal=2)


def test_has_fields(limits: Any) -> None:
    assert [(field.name, field.default) for field in dataclasses.fields(limits(1))] == [("total", None), ("connect", 5)]
    assert dataclasses.asdict(limits(1)) == {"total": 1, "connect": 5}
    assert dataclasses.is_dataclass(limits)


def test_has_those_of_attrs(limits: Any) -> None:
    attrs: Any = pytest.importorskip("attrs")
    assert attrs.evolve(limits(1, 3), total=2) == limits(2, 3)


def test_is_matched(limits: Any) -> None:
    match limits(1, 3):
        case limits(total, connect):
            assert (total, connect) == (1, 3)
        case _:
            pytest.fail("no match")


@pytest.mark.parametrize("asked", [False, True])
def test_is_frozen(limits: Any, asked: bool) -> None:
    if asked:
        dataclasses.fields(limits)
    one = limits(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="total"):
        one.total = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="total"):
        del one.total
    assert one.total == 1


def test_is_compared_by_its_fields(limits: Any) -> None:
    assert {limits(1), limits(1)} == {limits(1)} != {limits(2)}
    assert limits(1) != (1, 5)
    assert repr(limits(1)).endswith("Limits(total=1, connect=5)")


def test_is_derived_from(limits: Any) -> None:
    @dataclasses.dataclass(frozen=True)
    class More(limits):  # type: ignore[misc]
        more: int = 0

    assert (More(1, more=2).total, More(1).more) == (1, 0)
    assert dataclasses.replace(More(2), total=1) == More(1) != limits(1)


def test_is_derived_from_as_it_is(limits: Any) -> None:
    class Same(limits):  # type: ignore[misc]
        pass

    assert dataclasses.replace(Same(2, 3), total=1) == Same(1, 3) != limits(1, 3)


def test_is_copied_and_pickled() -> None:
    timeout = aiohttpx.ClientTimeout(1, connect=3)
    assert pickle.loads(pickle.dumps(timeout)) == copy.deepcopy(timeout) == copy.copy(timeout) == timeout


def test_what_is_no_dataclass_says_so() -> None:
    with pytest.raises(TypeError, match="dataclass"):
        dataclasses.fields(Frozen)


def test_what_derives_from_it_may_have_attributes_of_its_own() -> None:
    class Named(aiohttpx.ClientTimeout):
        label = "none"

    named = Named(total=5)
    named.label = "a"
    named.label = "b"
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'total'"):
        named.total = 6  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'total'"):
        del named.total
    assert named.__replace__(connect=1) == Named(total=5, connect=1)
    assert (named.label, named.total) == ("b", 5)
    del named.label
    assert named.label == "none"
