"""The body for `json=`."""

from __future__ import annotations

import enum
import json
import math
from typing import Any

import pytest

from aiohttpx.message import bodies
from aiohttpx.message.bodies import body_of


class Colour(enum.IntEnum):
    red = 1


class Text(str):
    __slots__ = ()


def circle() -> list[Any]:
    value: list[Any] = []
    value.append({"again": value})
    return value


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


VALUES: dict[str, Any] = {
    "a constant": False,
    "text": 'Grüße "\\/\n\x00\u2028\U0001f600\ud800',
    "a text of one's own": Text("a"),
    "numbers": [0, -1, 2**70, 1.5, -0.0, 1e300, math.inf, -math.inf, math.nan, True, Colour.red],
    "names": {2: 1, 2.5: 2, None: 3, True: 4, Text("b"): 5},
    "empty": [{}, [], (), ""],
    "nested": {"a": [{"b": (None, {"c": [[]]})}] * 3},
    "deep": deep(200),
}
WRONG: dict[str, Any] = {
    "bytes": {"a": b"b"},
    "a set": [{1}],
    "a name": {(1, 2): 3},
    "a value that contains itself": circle(),
}


@pytest.fixture(params=[True, False], ids=["C", "Python"], autouse=True)
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `json` has no C, there is nothing to be kept of it."""
    if not request.param:
        monkeypatch.setattr(bodies, "_encode", None)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
async def test_json_is_what_json_dumps_makes_of_it(value: Any) -> None:
    payload = body_of(None, value, None, None, json.dumps, None)
    assert await payload.as_bytes() == json.dumps(value).encode()
    assert payload.content_type == "application/json"


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
def test_what_cannot_be_json_is_refused_as_json_dumps_refuses_it(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as expected:
        json.dumps(value)
    for _ in range(2):  # and the first time leaves nothing behind
        with pytest.raises(expected.type) as raised:
            body_of(None, value, None, None, json.dumps, None)
        assert str(raised.value) == str(expected.value)


async def test_ones_own_dumps_is_asked() -> None:
    payload = body_of(None, [1], None, None, lambda value: f"<{value}>", None)
    assert await payload.as_bytes() == b"<[1]>"
