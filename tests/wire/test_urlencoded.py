from __future__ import annotations

import decimal
import io
import uuid
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict, MultiDictProxy

from aiohttpx.wire.urlencoded import urlencode_form, urlencode_plain


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({}, b""),
        ([], b""),
        ({"a": "1", "b": "2"}, b"a=1&b=2"),
        ([("a", "1"), ["b", "2"], ("a", "3")], b"a=1&b=2&a=3"),
        (MultiDict([("a", "1"), ("b", "2"), ("a", "3")]), b"a=1&b=2&a=3"),
        (MultiDictProxy(MultiDict([("a", "1"), ("a", "2")])), b"a=1&a=2"),
        (iter([("a", "1")]), b"a=1"),
        ({"a b": "c d"}, b"a+b=c+d"),
        ({"a": "+&=;%/?#"}, b"a=%2B%26%3D%3B%25%2F%3F%23"),
        ({"a": "A-Z_a.z~0*"}, b"a=A-Z_a.z~0%2A"),
        ({"ключ": "käse\r\n\0"}, b"%D0%BA%D0%BB%D1%8E%D1%87=k%C3%A4se%0D%0A%00"),
        ({"a": "", "": "b"}, b"a=&=b"),
        ({"a": 1, "b": -2.5, "c": None, "d": True}, b"a=1&b=-2.5&c=None&d=True"),
        ({"a": decimal.Decimal("1.10"), "b": uuid.UUID(int=1)}, b"a=1.10&b=00000000-0000-0000-0000-000000000001"),
        ({"a": ["1", 2, "x y"], "b": (), "c": ("3",)}, b"a=1&a=2&a=x+y&c=3"),
        ({"a": range(2)}, b"a=0&a=1"),
    ],
)
def test_urlencode_form(fields: Any, body: bytes) -> None:
    assert urlencode_form(fields) == body


def test_charset() -> None:
    assert urlencode_form({"ä": "€ a"}, "iso-8859-15") == b"%E4=%A4+a"
    assert urlencode_form({"a": "b"}, "utf-16-le") == b"a%00=b%00"
    with pytest.raises(UnicodeEncodeError):
        urlencode_form({"a": "€"}, "latin-1")


@given(st.lists(st.tuples(*[st.text(st.sampled_from("aZ9-_.~ =&+%*\n\u00e9"))] * 2)))
def test_plain_fields_are_encoded_all_at_once(fields: list[tuple[str, str]]) -> None:
    plain = urlencode_plain(fields)
    if fields and not set("".join(map("".join, fields))) & set("=&+%*\n\u00e9"):
        assert plain is not None
    assert plain in (None, urlencode(fields).encode())


@pytest.mark.parametrize("value", [1, None, b"x", ["1"], io.BytesIO()])
def test_what_is_no_text_is_not_plain(value: Any) -> None:
    assert urlencode_plain([("a", "1"), ("b", value)]) is None


@given(st.lists(st.tuples(st.text(), st.text())))
def test_what_is_encoded_can_be_decoded(fields: list[tuple[str, str]]) -> None:
    body = urlencode_form(fields)
    assert body == urlencode(fields).encode()
    assert parse_qsl(body.decode(), keep_blank_values=True) == fields


def numbers() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    "value",
    [b"x", bytearray(b"x"), memoryview(b"x"), io.BytesIO(), {"x": 1}, numbers(), ["x", b"y"], [["x"]], [{}]],
    ids=lambda value: type(value).__name__,
)
def test_values_without_a_text_are_refused_by_the_name_of_their_field(value: Any) -> None:
    with pytest.raises(TypeError, match="'photo'"):
        urlencode_form({"a": "b", "photo": value})


@pytest.mark.parametrize("fields", ["ab", b"ab", ["ab"], [("a",)], [("a", "b", "c")], 1, [None]], ids=repr)
def test_what_is_no_form_is_refused(fields: Any) -> None:
    with pytest.raises(TypeError, match="A form is a mapping or pairs"):
        urlencode_form(fields)


@pytest.mark.parametrize("fields", [{1: "a"}, [(b"a", "b")], [(None, "b")]], ids=repr)
def test_names_are_str(fields: Iterable[Any]) -> None:
    with pytest.raises(TypeError, match="name of a form field"):
        urlencode_form(fields)
