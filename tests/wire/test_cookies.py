from __future__ import annotations

from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest

from aiohttpx.wire.cookies import can_be_sent, code_value, format_cookies, merge_cookies, named_cookies
from aiohttpx.wire.setcookie import parse_set_cookies


def morsel(name: str, value: str, coded: str) -> Morsel[str]:
    made: Morsel[str] = Morsel()
    made.set(name, value, coded)
    return made


@pytest.mark.parametrize(
    ("cookies", "field"),
    [
        ({}, ""),
        ({"a": "1"}, "a=1"),
        ({"a": ""}, 'a=""'),
        ([("b", "1"), ("a", "2")], "b=1; a=2"),
        ({"a": 1}, "a=1"),
        ({"a": "x y/z"}, 'a="x y/z"'),
        ({"a": "x;y"}, r'a="x\073y"'),
        ({"a": "x\r\ny"}, r'a="x\015\012y"'),
        ({"a": morsel("a", "x y", '"x y"')}, 'a="x y"'),
        ({"alias": morsel("a", "1", "1")}, "a=1"),
        ({"path": "reserved"}, "path=reserved"),
        ({"a b": "1"}, "a b=1"),
        ({"ключ": "1"}, "ключ=1"),
        (SimpleCookie("a=1; b=2"), "a=1; b=2"),
        ({"a": Morsel()}, 'a=""'),
    ],
)
def test_format(cookies: Any, field: str) -> None:
    assert format_cookies(cookies) == field


def test_what_a_server_has_coded_is_never_coded_again() -> None:
    cookies = parse_set_cookies(["a=x/y=="])
    assert format_cookies(cookies) == "a=x/y=="
    assert code_value(cookies["a"], quote=False) == "x/y=="


def test_quoting_can_be_left_out() -> None:
    assert code_value("x/y", quote=False) == "x/y"
    assert code_value(morsel("a", "x y", '"x y"'), quote=False) == "x y"
    assert code_value(morsel("a", "x/y", "x/y")) == '"x/y"'


@pytest.mark.parametrize("name", ["", "a=b", "a;b", "a\r\nX: y", "a\0", "a\tb", "\udcff"])
def test_names_that_cannot_be_sent(name: str) -> None:
    assert not can_be_sent(name, "value")
    with pytest.raises(ValueError, match="cannot be sent") as caught:
        format_cookies({name: "secret"})
    assert repr(name) in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "can"),
    [
        ("a b", True),
        ('"a;b"', True),
        ("ä", True),
        ("a;b", False),
        ('"a;b', False),
        ("a\nb", False),
        ("a\x7f", False),
        ("\udcff", False),
        ('"a\tb"', False),
    ],
)
def test_values_that_can_be_sent(value: str, can: bool) -> None:
    assert can_be_sent("a", value) is can


def test_a_morsels_own_name_wins() -> None:
    assert [name for name, _ in named_cookies({"alias": morsel("a", "1", "1"), "b": "2"})] == ["a", "b"]
    assert [name for name, _ in named_cookies([("c", Morsel())])] == ["c"]


@pytest.mark.parametrize(
    ("fields", "over", "merged"),
    [
        (["a=1"], "b=2", "a=1; b=2"),
        (["a=1; b=old"], "b=2; b=3", "a=1; b=2; b=3"),
        (["a=1;b=2 ;  c=3"], "d=4", "a=1; b=2; c=3; d=4"),
        (["a=1", "b=2"], "c=3", "a=1; b=2; c=3"),
        (['a="x;y;z" ; b=2'], "b=3", 'a="x;y;z"; b=3'),
        (['a="x;y'], "b=3", 'a="x; y; b=3'),
        (["flag; ; ;a={1}"], "b=3", "flag; a={1}; b=3"),
        ([""], "b=3", "b=3"),
        ([], "b=3", "b=3"),
        (["A=1"], "a=2", "A=1; a=2"),
    ],
)
def test_merge(fields: list[str], over: str, merged: str) -> None:
    assert merge_cookies(fields, over) == merged


def test_merging_a_long_field_takes_linear_time() -> None:
    assert merge_cookies(['a="' * 50_000], "b=1").endswith("; b=1")
    assert merge_cookies(["=" * 200_000, ";" * 200_000], "b=1").endswith("; b=1")
