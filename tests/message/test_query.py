"""message/query.py: what `params=` adds to a URL."""

from __future__ import annotations

from typing import Any

import pytest
from multidict import MultiDict
from yarl import URL

from aiohttpx.message.query import extend_query

CASES: dict[str, tuple[Any, str]] = {
    "mapping": ({"b": "2", "a": "1"}, "b=2&a=1"),
    "pairs": ([("a", "1"), ("a", "2")], "a=1&a=2"),
    "iterator": (iter([("a", "1")]), "a=1"),
    "MultiDict": (MultiDict([("a", "1"), ("b", "2"), ("a", "3")]), "a=1&b=2&a=3"),
    "sequences": ({"a": ["1", 2], "b": (3,), "c": []}, "a=1&a=2&b=3"),
    "str": ("a=1+2&b", "a=1+2&b"),
    "quoted str": ("a=%C3%A4%2B%26&b=%41", "a=%C3%A4%2B%26&b=A"),
    "unquoted str": ("ä=b c#d&e=%", "%C3%A4=b+c%23d&e=%25"),
    "empty str": ("", ""),
    "numbers": ({"a": 1, "b": 1.5, "c": -1}, "a=1&b=1.5&c=-1"),
    "words": ({"a": True, "b": False, "c": None}, "a=true&b=false"),
    "words in sequences": ({"a": [True, None, False]}, "a=true&a=false"),
    "nothing left": ({"a": None, "b": []}, ""),
    "empty": ({}, ""),
    "reserved": ({"a b": "c&d=e+f#g", "é": "?/"}, "a+b=c%26d%3De%2Bf%23g&%C3%A9=?/"),
}


@pytest.mark.parametrize(("params", "query"), CASES.values(), ids=CASES)
def test_params(params: Any, query: str) -> None:
    params = list(params) if hasattr(params, "__next__") else params
    url = extend_query(URL("http://example.org/p#f"), params)
    assert str(url) == "http://example.org/p" + (f"?{query}" if query else "") + "#f"
    url = extend_query(URL("http://example.org/p?x=y"), params)
    assert str(url) == "http://example.org/p?x=y" + (f"&{query}" if query else "")


@pytest.mark.parametrize("value", [object(), b"bytes", {"a": 1}, 1j])
def test_other_values_are_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError):
        extend_query(URL("http://example.org/"), {"a": value})
