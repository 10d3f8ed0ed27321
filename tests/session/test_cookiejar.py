"""session/cookiejar.py: what a jar takes from responses, and what it gives to requests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.cookies import BaseCookie, Morsel, SimpleCookie
from types import MappingProxyType
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from yarl import URL

from aiohttpx import AbstractCookieJar, CookieJar, DummyCookieJar
from aiohttpx._impl import serialize_head
from aiohttpx.session import publicsuffix
from aiohttpx.wire.setcookie import parse_set_cookies

HERE = URL("https://www.example.org/dir/page?query")


def jar_with(*fields: str, url: URL = HERE, **kwargs: Any) -> CookieJar:
    jar = CookieJar(**kwargs)
    jar.update_cookies_from_headers(fields, url)
    return jar


def sent(jar: CookieJar, url: str) -> str:
    """The Cookie field; both ways to it agree on the names."""
    field = jar.cookie_header(URL(url))
    assert {pair.partition("=")[0] for pair in filter(None, field.split("; "))} == set(jar.filter_cookies(URL(url)))
    return field


# -- where cookies of a server go


@pytest.mark.parametrize(
    ("field", "urls", "not_urls"),
    [
        ("a=1", ["https://www.example.org/dir/", "http://www.example.org:81/dir"], ["https://www.example.org/"]),
        ("a=1; Path=/", ["https://www.example.org"], ["https://example.org", "https://sub.www.example.org"]),
        ("a=1; Path=/; Domain=example.org", ["https://example.org", "https://a.b.example.org"], ["https://badexample.org"]),
        ("a=1; Path=/; Domain=.Example.ORG", ["https://example.org", "https://www.example.org"], ["https://org"]),
        (
            "a=1; Path=/; Domain=www.example.org",
            ["https://www.example.org", "https://x.www.example.org"],
            ["https://example.org"],
        ),
        ("a=1; Path=/; Domain=", ["https://www.example.org"], ["https://x.www.example.org"]),
        ("a=1; Path=/; Domain=example.org.", ["https://www.example.org"], ["https://example.org"]),
        ('a=1; Path="/"; Domain="example.org"', ["https://example.org"], []),
        ("a=1; Path=/; Secure", ["https://www.example.org", "wss://www.example.org"], ["http://www.example.org"]),
        ("a=1; Path=relative", ["https://www.example.org/dir/x"], ["https://www.example.org/"]),
        ("a=1; Path=/a b", [], ["https://www.example.org/a%20b"]),
        ("a=1; Path=/a%20b", ["https://www.example.org/a%20b", "https://www.example.org/a b/c"], []),
        ("a=1; Path=/; Max-Age=100", ["https://www.example.org"], []),
        ("a=1; Path=/; Expires=Wed, 09 Jun 2100 10:18:14 GMT", ["https://www.example.org"], []),
        ("a=1; Path=/; Max-Age=" + "9" * 400, ["https://www.example.org"], []),
        ("a=1; Path=/; Expires=whenever; Max-Age=1e3", ["https://www.example.org"], []),
        ("__Secure-a=1; Secure; Path=/", ["https://www.example.org"], []),
        ("__Host-a=1; Secure; Path=/", ["https://www.example.org"], ["https://x.www.example.org"]),
    ],
)
def test_where_a_cookie_goes(field: str, urls: list[str], not_urls: list[str]) -> None:
    jar = jar_with(field)
    assert len(jar) == 1
    for url in urls:
        assert sent(jar, url) == field.partition(";")[0], url
    for url in not_urls:
        assert sent(jar, url) == "", url


@pytest.mark.parametrize(
    ("field", "url"),
    [
        ("a=1; Domain=other.org", HERE),
        ("a=1; Domain=sub.www.example.org", HERE),
        ("a=1; Domain=xample.org", HERE),
        ("a=1; Domain=org", HERE),
        ("a=1; Domain=..example.org", HERE),
        ("a=1; Domain=exämple.org", HERE),
        ("a=1; Domain=[", HERE),
        ("a=1; Max-Age=0", HERE),
        ("a=1; Max-Age=-" + "9" * 400, HERE),
        ("a=1; Expires=Wed, 09 Jun 2000 10:18:14 GMT", HERE),
        ("=1", HERE),
        ("a=\udcff", HERE),
        ("a=1", URL("http://127.0.0.1")),
        ("a=1", URL("http://[::1]")),
        ("a=1", URL("http://0x7f000001")),
        ("__Secure-a=1", HERE),
        ("__Secure-a=1; Secure", URL("http://www.example.org")),
        ("__secure-a=1", HERE),
        ("__Host-a=1; Secure", HERE),
        ("__Host-a=1; Secure; Path=/dir", HERE),
        ("__Host-a=1; Secure; Path=/; Domain=www.example.org", HERE),
        ("__Host-a=1; Path=/", HERE),
        ("__HOST-a=1; Path=/", HERE),
        ("__Host-a=1; Secure; Path=/", URL("http://www.example.org")),
    ],
)
def test_what_is_not_taken(field: str, url: URL) -> None:
    assert len(jar_with(field, url=url)) == 0


def test_a_cookie_over_http_may_be_secure_and_goes_over_https_only() -> None:
    jar = jar_with("a=1; Path=/; Secure", url=URL("http://www.example.org"))
    assert sent(jar, "http://www.example.org") == ""
    assert sent(jar, "https://www.example.org") == "a=1"


@pytest.mark.parametrize(
    ("field", "url"),
    [
        ("a=evil; Path=/", "http://www.example.org/"),
        ("a=evil; Path=/; Secure", "http://www.example.org/"),
        ("a=evil; Path=/dir", "http://www.example.org/"),
        ("a=evil; Path=/; Domain=example.org", "http://example.org/"),
        ("a=; Path=/; Max-Age=0", "http://www.example.org/"),
        ("a=evil; Path=/", "http://sub.www.example.org/"),
    ],
)
def test_over_http_nothing_takes_the_place_of_a_secure_cookie(field: str, url: str) -> None:
    jar = jar_with("a=good; Path=/; Secure; Domain=www.example.org")
    jar.update_cookies_from_headers([field], URL(url))
    assert sent(jar, "https://www.example.org/dir") == sent(jar, "https://sub.www.example.org/") == "a=good"
    assert len(jar) == 1


def test_a_secure_cookie_that_came_over_http_is_not_guarded() -> None:
    url = URL("http://www.example.org")
    jar = jar_with("a=1; Secure; Domain=example.org", "a=2; Domain=www.example.org", "a=3; Secure; Domain=example.org", url=url)
    assert jar.cookie_header(URL("https://www.example.org")) == "a=3; a=2"


def test_over_https_a_secure_cookie_can_be_replaced() -> None:
    jar = jar_with("a=1; Path=/; Secure")
    jar.update_cookies_from_headers(["a=2; Path=/", "b=3; Path=/"], HERE)
    assert sent(jar, "http://www.example.org/") == "a=2; b=3"


def test_a_subdomain_cannot_change_what_is_for_the_host_only() -> None:
    jar = jar_with("sid=secret; Path=/", url=URL("https://example.org"))
    evil = URL("https://evil.example.org")
    jar.update_cookies_from_headers(["sid=forced; Domain=example.org; Path=/"], evil)
    assert jar.host_only_cookies == {("example.org", "", "sid")}
    assert jar.cookie_header(URL("https://example.org")) == "sid=secret; sid=forced"
    assert sent(jar, "https://evil.example.org") == "sid=forced"
    jar.update_cookies_from_headers(["sid=; Domain=example.org; Path=/; Max-Age=0"], evil)
    assert sent(jar, "https://example.org") == "sid=secret"


@pytest.mark.parametrize("fields", [("a=1; Domain=www.example.org", "a=2"), ("a=1", "a=2; Domain=www.example.org")])
def test_the_host_itself_can_change_whether_a_cookie_is_for_it_only(fields: tuple[str, str]) -> None:
    jar = jar_with(*fields)
    assert sent(jar, str(HERE)) == "a=2"
    assert len(jar) == 1


def test_deleting_a_host_only_cookie_leaves_that_of_the_domain() -> None:
    jar = jar_with("a=1; Domain=www.example.org", "a=; Max-Age=0")
    assert sent(jar, str(HERE)) == "a=1"


@pytest.mark.parametrize("deletion", ["a=; Max-Age=0", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "a=1; max-age=-1"])
def test_a_cookie_is_deleted_by_ending_it(deletion: str) -> None:
    jar = jar_with("a=1", "b=2")
    jar.update_cookies_from_headers([deletion], HERE)
    assert sent(jar, str(HERE)) == "b=2"
    assert len(jar) == 1


def test_a_replacement_does_not_inherit_the_end() -> None:
    jar = jar_with("a=1; Max-Age=1", "a=2")
    assert next(iter(jar))["max-age"] == ""
    assert sent(jar, str(HERE)) == "a=2"


def test_cookies_end_in_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    jar = jar_with("a=1; Max-Age=60", "b=2; Max-Age=120", "c=3")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 100)
    assert jar.cookie_header(HERE) == "b=2; c=3"
    assert [morsel.key for morsel in jar] == ["b", "c"]
    monkeypatch.setattr(time, "time", lambda: now + 200)
    assert list(jar.filter_cookies(URL("https://elsewhere.org"))) == []
    assert len(jar) == 1


@pytest.mark.parametrize("value", ['"quoted"', r'"esc\"aped\073"', "x/y==", "%20+%3B", '{"a":1}', "ä€", "in  ner", ""])
def test_values_go_back_byte_for_byte(value: str) -> None:
    for quote in (True, False):
        jar = jar_with(f"a={value}", quote_cookie=quote)
        assert jar.cookie_header(HERE) == f"a={value}"
        assert jar.filter_cookies(HERE)["a"].coded_value == value


def test_names_that_browsers_take_are_taken() -> None:
    names = ["{A-B}", "a[0]", "a/b", "path", "expires", "a b", "a@b:c"]
    assert jar_with(*(f"{name}=1" for name in names)).cookie_header(HERE) == "; ".join(f"{name}=1" for name in names)


def test_names_that_cannot_be_read_are_logged_and_values_never(caplog: pytest.LogCaptureFixture) -> None:
    jar = jar_with("a,b=secret; Path=/", "c=1")
    assert [morsel.key for morsel in jar] == ["c"]
    assert "Illegal cookie name 'a,b'" in caplog.text
    assert "secret" not in caplog.text


def test_public_suffixes() -> None:
    pytest.importorskip("publicsuffixlist")
    publicsuffix._listed.cache_clear()
    shop, page = URL("https://shop.co.uk"), URL("https://me.github.io")
    assert len(jar_with("a=1; Domain=co.uk", url=shop)) == len(jar_with("a=1; Domain=github.io", url=page)) == 0
    assert len(jar_with("a=1; Domain=shop.co.uk", url=URL("https://www.shop.co.uk"))) == 1
    itself = jar_with("a=1; Domain=github.io", url=URL("https://github.io"))
    assert sent(itself, "https://github.io") == "a=1"
    assert sent(itself, "https://me.github.io") == ""


def test_a_host_without_a_dot_has_cookies_of_its_own() -> None:
    for field in ("a=1", "a=1; Domain=localhost"):
        jar = jar_with(field, url=URL("http://localhost:8080"))
        assert sent(jar, "http://localhost:9090") == "a=1"
        assert sent(jar, "http://sub.localhost") == ""


def test_international_names() -> None:
    for url, domain in (("https://www.éé.com/", "xn--9caa.com"), ("https://www.xn--9caa.com/", "éé.com")):
        jar = jar_with(f"a=1; Domain={domain}", url=URL(url))
        assert sent(jar, "https://éé.com") == sent(jar, "https://xn--9caa.com") == "a=1"


# -- IP addresses, and origins treated as secure


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.1"])
def test_ip_addresses_have_cookies_if_it_is_unsafe(host: str) -> None:
    url = URL(f"http://{host}/")
    assert CookieJar().unsafe is False
    jar = CookieJar(unsafe=True)
    assert jar.unsafe is True
    jar.update_cookies_from_headers(["a=1", "b=2; Domain=" + str(url.host), "c=3; Domain=0.1", "d=4; Domain=1"], url)
    assert sent(jar, f"http://{host}:81/") == "a=1; b=2"
    assert sent(jar, "http://sub.127.0.0.1/") == sent(jar, "http://x.10.1/") == ""


def test_the_users_cookies_for_an_ip_address() -> None:
    cookie = SimpleCookie("a=1; Domain=10.0.0.1")
    safe, unsafe = CookieJar(), CookieJar(unsafe=True)
    for jar in (safe, unsafe):
        jar.update_cookies(cookie)
        jar.update_cookies({"everywhere": "2"})
    assert sent(safe, "http://10.0.0.1") == "everywhere=2"
    assert sent(unsafe, "http://10.0.0.1") == "a=1; everywhere=2"


@pytest.mark.parametrize(
    "origins",
    ["http://dev.local/x", URL("http://dev.local"), ["http://dev.local"], [URL("http://dev.local/y"), "http://dev.local:81"]],
)
def test_origins_treated_as_secure(origins: Any) -> None:
    jar = CookieJar(treat_as_secure_origin=origins)
    assert URL("http://dev.local") in jar.treat_as_secure_origin
    jar.update_cookies_from_headers(["__Host-a=1; Secure; Path=/"], URL("http://dev.local/path"))
    assert sent(jar, "http://dev.local/") == sent(jar, "https://dev.local/") == "__Host-a=1"
    assert sent(jar, "http://dev.local:82/") == ""
    assert CookieJar().treat_as_secure_origin == frozenset()


# -- the user's own


@pytest.mark.parametrize("make", [dict, list, lambda pairs: (pair for pair in pairs), SimpleCookie])
def test_cookies_from_nowhere_go_everywhere(make: Any) -> None:
    jar = CookieJar()
    jar.update_cookies(make([("a", "1"), ("b", "2")]) if make is not SimpleCookie else SimpleCookie("a=1; b=2"))
    for url in ("http://example.org/", "https://a.b/c", "http://127.0.0.1", "http://[::1]/", "/"):
        assert sent(jar, url) == "a=1; b=2"
    assert set(jar.filter_cookies()) == {"a", "b"}


def test_cookies_for_an_url() -> None:
    jar = CookieJar()
    jar.update_cookies({"a": "1", "b": 2}, HERE)
    assert jar.host_only_cookies == {("www.example.org", "/dir", "a"), ("www.example.org", "/dir", "b")}
    assert sent(jar, "https://www.example.org/dir/x") == "a=1; b=2"


def test_the_attributes_of_a_morsel_count() -> None:
    cookies = SimpleCookie("a=1; b=2; Domain=example.org; c=3; Path=/x; d=4; Secure; e=5; Max-Age=0; f=6; Domain=com")
    jar = CookieJar()
    jar.update_cookies(cookies)
    assert sent(jar, "http://sub.example.org/") == "a=1; b=2"
    assert sent(jar, "https://example.org/x/y") == "c=3; a=1; b=2; d=4"
    assert sent(jar, "http://com/") == "a=1; f=6"
    assert sent(jar, "http://example.com/") == "a=1"  # not for all of com, even if the user says so


def test_the_callers_morsel_is_left_as_it_is() -> None:
    cookies = SimpleCookie("a=1")
    jar = CookieJar()
    jar.update_cookies(cookies, HERE)
    assert (cookies["a"]["domain"], cookies["a"]["path"]) == ("", "")
    cookies["a"].set("a", "2", "2")
    assert sent(jar, str(HERE)) == "a=1"


def test_values_are_quoted_if_they_need_it() -> None:
    values = {"a": "x y", "b": "x/y", "c": "plain", "d": '"given"'}
    jar = CookieJar()
    assert jar.quote_cookie is True
    jar.update_cookies(values)
    assert jar.cookie_header(HERE) == 'a="x y"; b="x/y"; c=plain; d="\\"given\\""'
    jar = CookieJar(quote_cookie=False)
    assert jar.quote_cookie is False
    jar.update_cookies(values)
    assert jar.cookie_header(HERE) == 'a=x y; b=x/y; c=plain; d="given"'


def test_the_cookies_of_a_response_are_not_quoted_anew() -> None:
    jar = CookieJar()
    jar.update_cookies(parse_set_cookies(["a=x/y=="]), HERE)
    assert jar.cookie_header(HERE) == "a=x/y=="


@pytest.mark.parametrize(("name", "value"), [("a=b", "1"), ("a;b", "1"), ("", "1"), ("a\r\nb", "1"), ("a", "\udcff")])
def test_what_cannot_be_sent_is_an_error_of_the_user(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        CookieJar().update_cookies({name: value})


def test_line_ends_cannot_get_into_the_field() -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        CookieJar(quote_cookie=False).update_cookies({"a": "x\r\ny"})
    jar = CookieJar()
    jar.update_cookies({"a": "x\r\ny"})
    assert jar.cookie_header(HERE) == r'a="x\015\012y"'
    assert [morsel.coded_value for morsel in jar] == [r'"x\015\012y"']


# -- looking and forgetting


def test_iteration_gives_morsels_with_all_attributes() -> None:
    jar = jar_with("a=1; Domain=example.org; Path=/x; Secure; HttpOnly; SameSite=Lax; Max-Age=99", "b=2")
    first, second = jar
    assert (first.key, first.value, first["domain"], first["path"]) == ("a", "1", "example.org", "/x")
    assert (first["secure"], first["httponly"], first["samesite"], first["max-age"]) == (True, True, "Lax", "99")
    assert (second["domain"], second["path"], second["secure"]) == ("www.example.org", "/dir", "")


def test_cookies_by_domain_and_path() -> None:
    jar = jar_with("a=1; Domain=example.org; Path=/x/", "b=2; Path=/")
    jar.update_cookies({"c": "3"})
    cookies = jar.cookies
    assert isinstance(cookies, MappingProxyType)
    assert {place: list(found) for place, found in cookies.items()} == {
        ("example.org", "/x"): ["a"],
        ("www.example.org", ""): ["b"],
        ("", ""): ["c"],
    }
    assert cookies["example.org", "/x"]["a"].value == "1"
    with pytest.raises(TypeError):
        cookies["new", ""] = SimpleCookie()  # type: ignore[index]


def test_filter_cookies_has_the_closest_of_a_name() -> None:
    jar = jar_with("a=parent; Domain=example.org; Path=/dir", "a=host; Path=/", "a=other; Path=/other")
    jar.update_cookies({"a": "all", "b": "all"})
    filtered = jar.filter_cookies(HERE)
    assert isinstance(filtered, BaseCookie)
    assert {name: morsel.value for name, morsel in filtered.items()} == {"a": "host", "b": "all"}
    assert filtered["a"]["path"] == ""
    assert jar.cookie_header(HERE) == "a=parent; a=host; b=all"


def test_filter_cookies_takes_a_str_with_a_warning() -> None:
    jar = jar_with("a=1")
    with pytest.warns(DeprecationWarning, match="URL"):
        assert set(jar.filter_cookies(str(HERE))) == {"a"}  # type: ignore[arg-type]


def test_clear() -> None:
    jar = jar_with("a=1", "b=2; Secure", "c=3; Secure")
    jar.clear(lambda morsel: morsel["secure"] is True and morsel.value == "2")
    assert [morsel.key for morsel in jar] == ["a", "c"]
    jar.clear()
    assert (len(jar), list(jar), bool(jar)) == (0, [], False)


@pytest.mark.parametrize("domain", ["example.org", ".Example.org"])
def test_clear_domain(domain: str) -> None:
    jar = jar_with("a=1; Domain=example.org", "b=2")
    jar.update_cookies_from_headers(["c=3"], URL("https://notexample.org"))
    jar.update_cookies({"d": "4"})
    jar.clear_domain(domain)
    assert [morsel.key for morsel in jar] == ["c", "d"]
    jar.clear_domain("")
    assert len(jar) == 2


# -- other jars


def test_a_dummy_keeps_nothing() -> None:
    jar = DummyCookieJar()
    jar.update_cookies({"a": "1"})
    jar.update_cookies_from_headers(["a=1"], HERE)
    jar.clear()
    jar.clear_domain("example.org")
    assert (len(jar), list(jar), jar.cookie_header(HERE), dict(jar.filter_cookies()), dict(jar.cookies)) == (0, [], "", {}, {})
    assert (jar.unsafe, jar.quote_cookie, jar.treat_as_secure_origin, jar.host_only_cookies) == (
        False,
        True,
        frozenset(),
        frozenset(),
    )


class OneCookie(AbstractCookieJar):
    """The least a jar of one's own has."""

    def __init__(self) -> None:
        super().__init__()
        self.given: Any = None
        self.cookies_sent = SimpleCookie('a="x y"; b=2')

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Iterator[Morsel[str]]:
        return iter(self.cookies_sent.values())

    def clear(self, predicate: Any = None) -> None: ...

    def clear_domain(self, domain: str) -> None: ...

    def update_cookies(self, cookies: Any, response_url: URL = HERE) -> None:
        self.given = cookies

    def filter_cookies(self, request_url: URL) -> BaseCookie[str]:
        return self.cookies_sent


def test_a_jar_of_ones_own() -> None:
    jar = OneCookie()
    assert jar.cookie_header(HERE) == 'a="x y"; b=2'
    assert set(jar.cookies["", ""]) == {"a", "b"}
    jar.update_cookies_from_headers(["c=3; Path=/", "nothing", "c=4"], HERE)
    assert [(name, morsel.value) for name, morsel in jar.given] == [("c", "3"), ("c", "4")]
    jar.given = None
    jar.update_cookies_from_headers(["nothing"], HERE)
    assert jar.given is None
    with pytest.raises(TypeError):
        AbstractCookieJar()  # type: ignore[abstract]


def test_a_subclass_that_filters_is_asked_for_the_field_too() -> None:
    class Filtering(CookieJar):
        def filter_cookies(self, request_url: URL = HERE) -> BaseCookie[str]:
            return SimpleCookie("filtered=1")

    class Both(Filtering):
        def cookie_header(self, request_url: URL) -> str:
            return "mine=1"

    class Taking(CookieJar):
        def update_cookies_from_headers(self, headers: Any, response_url: URL) -> None: ...

    class Plain(CookieJar):
        pass

    assert Filtering().cookie_header(HERE) == "filtered=1"
    assert Both().cookie_header(HERE) == "mine=1"
    assert Plain().cookie_header(HERE) == ""
    assert [jar.gives_to("a.example") for jar in (Filtering(), Both(), Plain(), Taking(), DummyCookieJar(), OneCookie())] == [
        True,
        True,
        False,
        False,
        False,
        True,
    ]
    assert [
        jar.takes_from("127.0.0.1") for jar in (Plain(), Taking(), CookieJar(unsafe=True), DummyCookieJar(), OneCookie())
    ] == [
        False,
        True,
        True,
        False,
        True,
    ]


# -- whatever servers say

PIECES = st.sampled_from(
    [
        *'aAb;=,"\\ \t/.-\r\n\0\x7fä\udcff',
        "Domain=",
        "Path=/",
        "Max-Age=",
        "Expires=",
        "Secure",
        "example.org",
        "__Host-",
        "99999999999",
    ]
)


@hypothesis.given(st.lists(st.lists(PIECES, max_size=12).map("".join), max_size=5), st.booleans())
def test_no_set_cookie_raises_and_what_is_kept_can_be_sent(fields: list[str], secure: bool) -> None:
    url = HERE if secure else HERE.with_scheme("http")
    jar = jar_with(*fields, url=url)
    field = jar.cookie_header(url)
    serialize_head("GET", "/", (("Cookie", field),))
    assert len(list(jar)) == len(jar) <= len(fields)
    assert set(jar.filter_cookies(url)) == {pair.partition("=")[0] for pair in filter(None, field.split("; "))}
    again = CookieJar()
    again.update_cookies({str(number): morsel for number, morsel in enumerate(jar)})
    assert sorted(again.cookie_header(url).split("; ")) == sorted(field.split("; "))
