from __future__ import annotations

import copy
import pickle
import sys
from datetime import UTC, datetime

import pytest

from aiohttpx.wire.setcookie import MAX_TIME, expiry, parse_cookie_date, parse_morsels, parse_set_cookie, parse_set_cookies


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
        ("a=b; Path=/ Max-Age=3; x", "a", "b", {"path": "/", "max-age": "3"}),
        ("a=b; HttpOnly Path=/x  Secure", "a", "b", {"httponly": "", "path": "/x", "secure": ""}),
        ("a=b; Path=/x SECURE ; Max-Age=3 HttpOnly", "a", "b", {"path": "/x", "secure": "", "max-age": "3", "httponly": ""}),
        ("a=b; Path=/a secure place", "a", "b", {"path": "/a secure place"}),
        ("a=b; Path=/a securely; Path=/b", "a", "b", {"path": "/b"}),
        ("a=b Path=/x", "a", "b Path=/x", {}),
        ("a=b; Secure=" + "x" * 2000, "a", "b", {"secure": ""}),
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
    assert morsel.coded_value == value
    assert morsel.OutputString() == f"a={value}"


@pytest.mark.parametrize(
    ("coded", "value"),
    [
        ("plain", "plain"),
        ('"quoted"', "quoted"),
        (r'"esc\"aped\073"', 'esc"aped;'),
        ('"', '"'),
        ('{"a":1}', '{"a":1}'),
        (r'"\012"', r'"\012"'),  # a line feed, which a Morsel does not hold
        (r'"\011"', r'"\011"'),
    ],
)
def test_a_value_is_read_without_its_quotes(coded: str, value: str) -> None:
    assert parse_set_cookies([f"a={coded}"])["a"].value == value


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
    assert parse_set_cookie("a=b;" + " " * 2**20) == ("a", "b", {})
    assert parse_set_cookie("a=b;" + " secure " * 2**17) == ("a", "b", {"secure": ""})


def test_morsels_of_one_name_are_all_there_in_their_order() -> None:
    morsels = parse_morsels(["a=1; Domain=example.org", "nothing", "b=2", "a=3"])
    assert [(name, morsel.value, morsel["domain"]) for name, morsel in morsels] == [
        ("a", "1", "example.org"),
        ("b", "2", ""),
        ("a", "3", ""),
    ]


# -- how long it is kept

SOME_DAY = datetime(2021, 6, 9, 10, 18, 14, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "date",
    [
        "Wed, 09 Jun 2021 10:18:14 GMT",
        "Wed, 09-Jun-2021 10:18:14 GMT",
        "Wednesday, 09-Jun-21 10:18:14 GMT",
        "Wed Jun  9 10:18:14 2021",
        "9 june 2021 10:18:14",
        "10:18:14 2021 9 JUN",
        "2021-jun-09 10:18:14",  # 2021 is no day, and 09 is one
        "Wed, 9 Jun 2021 10:18:14 +0200",
        "Wed, 9th Jun 2021 10:18:14 UTC",
    ],
)
def test_dates_as_servers_write_them(date: str) -> None:
    assert parse_cookie_date(date) == SOME_DAY


@pytest.mark.parametrize(
    ("years", "year"), [("69", 2069), ("70", 1970), ("99", 1999), ("00", 2000), ("1601", 1601), ("9999", 9999)]
)
def test_years(years: str, year: int) -> None:
    assert parse_cookie_date(f"1 Jan {years} 00:00:00 GMT") == datetime(year, 1, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "date",
    [
        "",
        "0",
        "never",
        "Wed, 09 Jun 2021",
        "Jun 2021 10:18:14",
        "09 2021 10:18:14",
        "09 Jun 10:18:14",
        "00 Jun 2021 10:18:14",
        "32 Jun 2021 10:18:14",
        "30 Feb 2021 10:18:14",
        "09 Jun 1600 10:18:14",
        "09 Jun 20211 10:18:14",
        "09 Jun 2021 24:00:00",
        "09 Jun 2021 10:60:14",
        "09 Jun 2021 10:18:60",
        "09 Jun 2021 10:18",
        "٠٩ Jun 2021 10:18:14",
    ],
)
def test_what_is_no_date(date: str) -> None:
    assert parse_cookie_date(date) is None


@pytest.mark.parametrize(
    ("attributes", "end"),
    [
        ({}, None),
        ({"max-age": "60"}, 160.0),
        ({"max-age": 60}, 160.0),
        ({"max-age": "0060"}, 160.0),
        ({"max-age": "0"}, 0.0),
        ({"max-age": "-1"}, 0.0),
        ({"max-age": "-" + "9" * 1000}, 0.0),
        ({"max-age": "9" * 1000}, MAX_TIME),
        ({"max-age": str(MAX_TIME)}, MAX_TIME),
        ({"max-age": "0" * 1000 + "1"}, 101.0),
        ({"max-age": "60", "expires": "Wed, 09 Jun 2021 10:18:14 GMT"}, 160.0),
        ({"max-age": "soon", "expires": "Wed, 09 Jun 2021 10:18:14 GMT"}, SOME_DAY),
        ({"max-age": "+5", "expires": "soon"}, None),
        ({"max-age": "1.5"}, None),
        ({"max-age": "٣"}, None),
        ({"expires": ""}, None),
    ],
)
def test_when_a_cookie_ends(attributes: dict[str, object], end: float | None) -> None:
    assert expiry(attributes, 100.0) == end
