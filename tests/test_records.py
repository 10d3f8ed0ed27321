"""Named tuples are those of `typing`, in all that is asked of them."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections import namedtuple
from typing import Any, get_type_hints

import pytest

import aiohttpx
from aiohttpx.events import Chunks, HttpVersion
from aiohttpx.records import NamedTuple


class Point(NamedTuple):
    """Where."""

    x: int
    y: int | None = None

    @property
    def sum(self) -> int:
        return self.x + (self.y or 0)


def test_fields_defaults_and_methods() -> None:
    point = Point(1, y=2)
    assert point == (1, 2)
    assert (point.x, point.y, point.sum) == (1, 2, 3)
    assert Point(1) == (1, None)
    assert (Point._fields, Point._field_defaults) == (("x", "y"), {"y": None})
    assert point._replace(x=5)._asdict() == {"x": 5, "y": 2}
    assert repr(point) == "Point(x=1, y=2)"


def test_says_what_it_is() -> None:
    made: Any = Point
    assert (made.__doc__, made.__module__, made.__qualname__) == ("Where.", __name__, "Point")
    assert get_type_hints(made) == {"x": int, "y": int | None}
    assert made.__slots__ == ()
    assert not hasattr(Point(1), "__dict__")


def test_is_pickled() -> None:
    for record in (Point(1), HttpVersion(1, 1), Chunks(b"a", (1,)), aiohttpx.BasicAuth("user", "pass")):
        assert pickle.loads(pickle.dumps(record)) == record


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises((TypeError, ValueError)) as caught:
        namedtuple("Point", "x y")(1, 2)._replace(z=2)
    with pytest.raises(caught.type, match="'z'"):
        Point(1)._replace(z=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Expected 2 arguments, got 3"):
        Point._make((1, 2, 3))
    with pytest.raises(AttributeError):
        Point(1).x = 2  # type: ignore[misc]


def test_can_be_derived_from_and_looked_at_before_one_is_made() -> None:
    class Pair(NamedTuple):
        a: int
        b: int = 0

    class Ordered(Pair):
        def __new__(cls, *values: int) -> Ordered:
            return super().__new__(cls, *sorted(values))

    assert list(inspect.signature(Pair).parameters) == ["a", "b"]
    assert Ordered(2, 1) == Pair(1, 2) == copy.copy(Ordered(1, 2))
    assert type(Ordered(1, 2)._replace(b=3)) is Ordered
    match Pair(4):
        case Pair(a, b):
            assert (a, b) == (4, 0)
