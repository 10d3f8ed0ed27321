from __future__ import annotations

import copy
import pickle
import sys

import pytest

from aiohttpx.wire.setcookie import parse_set_cookie, parse_set_cookies


@pytest.mark.parametrize(
    ("field", "name", "value", "attributes"),
    [
        ("a=b", "a", "b", {}),
        ("a=", "a", "", {}),
        (" \ta \t= \tb c\t ; Path=/", "a", "b c", {"path": "/"}),
        ("a=b=c==", "a", "b=c==", {}),
        ("a=b;;  ; Secure;", "a", "b", {"secure": ""}),
        ("path=b; Path=/", "path", "b", {"path": "/"}),
        ("a=b; PATH = /x ; domain=.Example.org", "a", "b", {"path": "/x", "domain": ".Example.org"}),
        ("a=b; Path=/x; path=/y", "a", "b", {"path": "/y"}),
        ("a=b; SameSite=Lax; HttpOnly=; Priority=High", "a", "b", {"samesite": "Lax", "httponly": ""}),
        ("a=b; Expires=Wed, 09 Jun 2021 10:18:14 GMT", "a", "b", {"expires": "Wed, 09 Jun 2021 10:18:14 GMT"}),
        ("a=b; Max-Age=-1; Partitioned", "a", "b", {"max-age": "-1", "partitioned": ""}),
        ("a=b; Domain", "a", "b", {"domain": ""}),
        ("a=b; Path=" + "x" * 1024, "a", "b", {"path": "x" * 1024}),
        ("a=b; Path=" + "x" * 1025, "a", "b", {}),
        ("a=b; Path=" + "ä" * 513, "a", "b", {}),
        ("a=b; Path=x\ty", "a", "b", {}),
        ("a=b; Not-Secure; SecureX", "a", "b", {}),
    ],
)
def test_parse_set_cookie(field: str, name: str, value: str, attributes: dict[str, str]) -> None:
    assert parse_set_cookie(field) == (name, value, attributes)


@pytest.mark.parametrize(
    "value",
    ['"quoted"', r'"esc\"aped\073"', "%20%3B+", '{"a":1,"b":[2]}', "a,b", "ä€", "\udcff", "back\\slash", '"', "in  ner"],
)
def test_values_are_kept_octet_for_octet(value: str) -> None:
    morsel = parse_set_cookies([f"a={value}"])["a"]
    assert morsel.value == morsel.coded_value == value
    assert morsel.OutputString() == f"a={value}"


def test_a_value_ends_at_the_first_semicolon_even_in_quotes() -> None:
    assert parse_set_cookie('a="b; Path=/"') == ("a", '"b', {"path": '/"'})


@pytest.mark.parametrize(
    "name", ["{A-B}", "a:b", "a/b", "a b", "a@b", "ключ", "[0]", "a?b", 'a"b', "expires", "__Host-a", "\udce4"]
)
def test_names_that_browsers_take_are_taken(name: str) -> None:
    cookies = parse_set_cookies([f"{name}=1"])
    assert cookies[name].key == name
    assert cookies[name].value == "1"


@pytest.mark.parametrize(
    "field",
    [
        "",
        ";",
        "=",
        "a",
        "=b",
        " =b",
        "; a=b",
        "Secure",
        "a,b=c",
        "a=b\0",
        "a=b\r\nX: y",
        "a=b; Path=/\x7f",
        "a\x01=b",
        "a=b\tc",
        "a\tb=c",
        "a=" + "b" * 4096,
        "ä" * 2048 + "=b",
        "a=" + "\udcff" * 4096,
    ],
)
def test_what_cannot_be_read_or_kept_is_left_out(field: str) -> None:
    assert parse_set_cookie(field) is None
    assert list(parse_set_cookies(["x=1", field, "y=2"])) == ["x", "y"]


def test_name_and_value_may_have_4096_octets_together() -> None:
    assert parse_set_cookie("ä=" + "b" * 4094) == ("ä", "b" * 4094, {})
    assert parse_set_cookie("ä=" + "b" * 4095) is None


def test_attributes_are_those_of_a_morsel() -> None:
    (morsel,) = parse_set_cookies(["a=b; Domain=example.org; Path=/; Max-Age=3; Secure=no; HttpOnly; Partitioned"]).values()
    assert (morsel["domain"], morsel["path"], morsel["max-age"]) == ("example.org", "/", "3")
    assert morsel["secure"] is True
    assert morsel["httponly"] is True
    assert morsel["samesite"] == ""
    assert ("partitioned" in morsel) == (sys.version_info >= (3, 14))


def test_a_later_cookie_takes_the_place_of_an_earlier() -> None:
    cookies = parse_set_cookies(["a=1; Path=/x", "b=2", "a=3"])
    assert {name: morsel.value for name, morsel in cookies.items()} == {"a": "3", "b": "2"}
    assert cookies["a"]["path"] == ""


def test_cookies_can_be_copied_and_pickled() -> None:
    cookies = parse_set_cookies(["{a}=b; Secure; Partitioned; Path=/"])
    assert copy.deepcopy(cookies) == cookies
    assert pickle.loads(pickle.dumps(cookies)) == cookies


def test_a_megabyte_of_attributes() -> None:
    field = "a=b" + "; Path=/x" * (2**20 // 9)
    assert parse_set_cookie(field) == ("a", "b", {"path": "/x"})
    assert parse_set_cookie("a" * 2**20 + "=") is None
    assert parse_set_cookie("a=b" + ";" * 2**20) == ("a", "b", {})
