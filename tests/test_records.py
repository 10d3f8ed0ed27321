"""Named tuples are those of `typing`, in all that is asked of them."""

from __future__ import annotations

import pickle
from typing import Any, get_type_hints

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
