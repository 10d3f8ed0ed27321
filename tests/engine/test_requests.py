"""Heads of requests, and field sections split."""

from __future__ import annotations

import re
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import TWINS


def test_a_head_of_all_kinds_of_parts(engine: ModuleType) -> None:
    head = engine.serialize_head(
        "GET",
        "/a?b=%20",
        b"Host: example.org\r\nAccept: */*\r\n",
        (("X-A", "b"), ("X-A", " c ")),
        [],
        b"",
        {"Content-Length": "3"}.items(),
        (pair for pair in [("Empty", "")]),
        [["X-List", "\t\x01\x7f"]],
    )
    assert head == (
        b"GET /a?b=%20 HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nX-A: b\r\nX-A:  c \r\nContent-Length: 3\r\nEmpty: \r\n"
        b"X-List: \t\x01\x7f\r\n\r\n"
    )


@pytest.mark.parametrize("target", ["/", "*", "http://example.org/", "example.org:443", "/%D0?a=b&c", "/~!$&'()*+,;=:@[]^|`{}\\"])
def test_targets(engine: ModuleType, target: str) -> None:
    assert engine.serialize_head("M-SEARCH", target) == f"M-SEARCH {target} HTTP/1.1\r\n\r\n".encode()


def test_values_are_utf_8(engine: ModuleType) -> None:
    assert engine.serialize_head("GET", "/", [("A", "é\u20ac\U0001f600")]).split(b"\r\n")[1] == "A: é€😀".encode()


def test_long_heads(engine: ModuleType) -> None:
    target, value = "/" + "t" * 3000, "v" * 5000
    head = engine.serialize_head("GET", target, [("A", value)] * 3, b"B: c\r\n" * 1000)
    assert head == f"GET {target} HTTP/1.1\r\n{f'A: {value}' + chr(13) + chr(10)}".encode() + f"A: {value}\r\n".encode() * 2 + (
        b"B: c\r\n" * 1000 + b"\r\n"
    )


@pytest.mark.parametrize(
    ("method", "target", "pair", "message"),
    [
        ("", "/", None, 'Bad method:\n  ""\n   ^'),
        ("GE T", "/", None, 'Bad method:\n  "GE T"\n     ^'),
        ("GET\r\nX: y", "/", None, 'Bad method:\n  "GET\\r\\nX: y"\n      ^^'),
        ("GÉT", "/", None, 'Bad method:\n  "GÉT"\n    ^'),
        ("GET", "", None, 'Bad request target:\n  ""\n   ^'),
        ("GET", "/a b", None, 'Bad request target:\n  "/a b"\n     ^'),
        ("GET", "/\n", None, 'Bad request target:\n  "/\\n"\n    ^^'),
        ("GET", "/\x7f", None, "Bad request target"),
        ("GET", "/é", None, "Bad request target"),
        ("GET", "/\ud800", None, "Bad request target"),
        ("GET", "/", ("", "b"), 'Bad field name:\n  ""\n   ^'),
        ("GET", "/", ("A:", "b"), 'Bad field name:\n  "A:"\n    ^'),
        ("GET", "/", ("A b", "b"), "Bad field name"),
        ("GET", "/", ("Ä", "b"), "Bad field name"),
        ("GET", "/", ("A\n", "b"), "Bad field name"),
        ("GET", "/", ("A", "b\rc"), "Bad field value of 'A':\n  \"b\\rc\"\n    ^^"),
        ("GET", "/", ("A", "b\n"), "Bad field value of 'A':\n  \"b\\n\"\n    ^^"),
        ("GET", "/", ("A", "\0"), "Bad field value of 'A':\n  \"\\x00\"\n   ^^^^"),
        ("GET", "/", ("A", '"b"\n'), 'Bad field value of \'A\':\n  "\\"b\\"\\n"\n        ^^'),
        ("GET", "/", ("A", "\udc80"), "Bad field value of 'A'"),
        ("GET", "/", ("Authorization", "secret\n"), "Bad field value of 'Authorization': '\\n' at position 6 (the rest is not"),
        ("GET", "/", ("cookie", "secret\udc80"), "Bad field value of 'cookie': '\\udc80' at position 6 (the rest is not shown)"),
    ],
)
def test_what_cannot_be_sent(engine: ModuleType, method: str, target: str, pair: tuple[str, str] | None, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        engine.serialize_head(method, target, [pair] if pair else [])


@pytest.mark.parametrize("part", [[("A", 1)], [(1, "b")], [("A", None)], [(b"A", b"b")], 5, [5]])
def test_what_is_no_part(engine: ModuleType, part: object) -> None:
    with pytest.raises(TypeError):
        engine.serialize_head("GET", "/", part)


@pytest.mark.parametrize(
    ("block", "fields"),
    [
        (b"", ()),
        (b"A: b\r\n", ((b"A", b"b"),)),
        (b"A:b\r\nA: \t c d \t\r\nSet-cookie:\r\n", ((b"A", b"b"), (b"A", b"c d"), (b"Set-cookie", b""))),
        (b"A: b:c\r\nD:\t \r\n", ((b"A", b"b:c"), (b"D", b""))),
    ],
)
def test_parse_fields(engine: ModuleType, block: bytes, fields: tuple[tuple[bytes, bytes], ...]) -> None:
    assert engine.parse_fields(block) == fields


def test_parse_fields_takes_what_a_parser_gives(engine: ModuleType) -> None:
    parser = engine.ResponseParser()
    parser.expect("HEAD")
    head, _ = parser.feed(b"HTTP/1.1 200 OK\nA: b\r\n c \nD:e\n\n")
    assert engine.parse_fields(head.fields) == ((b"A", b"b c"), (b"D", b"e"))


texts = st.text(st.sampled_from("aZ9-_~ \t:\r\n\0é\udc80\U0001f600\x7f/"), max_size=5) | st.just("GET")
pairs = st.lists(st.tuples(texts | st.just("A"), texts), max_size=3)


@pytest.mark.skipif(len(TWINS) < 2, reason="the compiled engine is not built")
@settings(max_examples=300)
@given(method=texts, target=texts, parts=st.lists(st.binary(max_size=3) | pairs, max_size=3))
def test_twins_send_and_refuse_the_same(method: str, target: str, parts: list[bytes | list[tuple[str, str]]]) -> None:
    first, second = (_serialized(twin, method, target, parts) for twin in TWINS)
    assert first == second


def _serialized(engine: ModuleType, method: str, target: str, parts: list[bytes | list[tuple[str, str]]]) -> object:
    try:
        return engine.serialize_head(method, target, *parts)
    except ValueError as error:
        return str(error)
