"""session/redirects.py: where a redirect leads, and what goes along."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from aiohttpx import (
    ClientPayloadError,
    InvalidURL,
    InvalidUrlRedirectClientError,
    NonHttpUrlRedirectClientError,
    RedirectClientError,
    TooManyRedirects,
)
from aiohttpx._impl import serialize_head
from aiohttpx.session.redirects import MAX_REDIRECTS, REDIRECT_STATUSES, Redirect, next_request

HERE = URL("http://example.org/dir/page?query#fragment")


def answer(status: int = 302, location: str | None = "/there", **fields: str) -> Any:
    headers = CIMultiDict(fields)
    if location is not None:
        headers["Location"] = location
    return SimpleNamespace(
        status=status, reason="", headers=CIMultiDictProxy(headers), request_info=SimpleNamespace(real_url=HERE)
    )


def lead(location: str, url: URL = HERE, **kwargs: Any) -> str:
    redirect = next_request("GET", url, answer(location=location), **kwargs)
    assert redirect is not None
    return str(redirect.url)


# -- methods and bodies


@pytest.mark.parametrize(
    ("status", "method", "becomes", "keeps_body"),
    [
        (301, "GET", "GET", True),
        (301, "HEAD", "HEAD", True),
        (301, "POST", "GET", False),
        (301, "PUT", "PUT", True),
        (301, "DELETE", "DELETE", True),
        (302, "GET", "GET", True),
        (302, "POST", "GET", False),
        (302, "PATCH", "PATCH", True),
        (302, "QUERY", "QUERY", True),
        (303, "GET", "GET", False),
        (303, "HEAD", "HEAD", True),
        (303, "POST", "GET", False),
        (303, "PUT", "GET", False),
        (303, "DELETE", "GET", False),
        (303, "OPTIONS", "GET", False),
        (307, "GET", "GET", True),
        (307, "POST", "POST", True),
        (308, "POST", "POST", True),
        (308, "PUT", "PUT", True),
    ],
)
def test_methods(status: int, method: str, becomes: str, keeps_body: bool) -> None:
    redirect = next_request(method, HERE, answer(status))
    assert redirect is not None
    assert (redirect.method, redirect.keeps_body) == (becomes, keeps_body)


@pytest.mark.parametrize("status", [200, 201, 204, 300, 304, 305, 306, 309, 400, 404, 500])
def test_other_statuses_lead_nowhere(status: int) -> None:
    assert status not in REDIRECT_STATUSES
    assert next_request("GET", HERE, answer(status)) is None


def test_without_a_location_it_leads_nowhere() -> None:
    history = [answer()] * MAX_REDIRECTS
    for response in (answer(location=None), answer(location="")):
        assert next_request("GET", HERE, response, history=history, consumed=True) is None
    redirect = next_request("GET", HERE, answer(location=None, URI="/uri"))
    assert redirect is not None
    assert redirect.url.path == "/uri"


def test_a_consumed_body_cannot_go_along() -> None:
    with pytest.raises(ClientPayloadError, match=r"consumed request body to example\.org"):
        next_request("POST", HERE, answer(307), consumed=True)
    assert next_request("POST", HERE, answer(303), consumed=True) is not None


# -- targets


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/there", "http://example.org/there#fragment"),
        ("there", "http://example.org/dir/there#fragment"),
        ("../there", "http://example.org/there#fragment"),
        ("?q", "http://example.org/dir/page?q#fragment"),
        ("#new", "http://example.org/dir/page?query#new"),
        ("/there#new", "http://example.org/there#new"),
        ("//other.org/x", "http://other.org/x#fragment"),
        ("http://other.org", "http://other.org/#fragment"),
        ("HTTPS://Other.ORG:8443/x", "https://other.org:8443/x#fragment"),
        ("http://example.org:80/x", "http://example.org/x#fragment"),
        ("http:/there", "http://example.org/there#fragment"),
        ("HTTP:/there", "http://example.org/there#fragment"),
        ("http:there", "http://example.org/dir/there#fragment"),
        ("http:there:80", "http://example.org/dir/there:80#fragment"),
        ("http:?q", "http://example.org/dir/page?q#fragment"),
        ("http:", "http://example.org/dir/page?query#fragment"),
        ("http:/", "http://example.org/#fragment"),
        ("http:///other.org/x", "http://other.org/x#fragment"),
        ("https:/other.org/x", "https://other.org/x#fragment"),
        ("https:other.org/x", "https://other.org/x#fragment"),
        (r"\there\x?\q", "http://example.org/there/x?%5Cq#fragment"),
        (r"\\other.org\x", "http://other.org/x#fragment"),
        (r"http:\\other.org\x", "http://other.org/x#fragment"),
        ("/a b?c d", "http://example.org/a%20b?c+d#fragment"),
        ("/путь", "http://example.org/%D0%BF%D1%83%D1%82%D1%8C#fragment"),
        ("http://exämple.org/", "http://xn--exmple-cua.org/#fragment"),
        ("/caf\udce9", "http://example.org/caf%E9#fragment"),
        ("/%7e?a=%31", "http://example.org/~?a=1#fragment"),
        ("http://user:password@example.org/x", "http://user:password@example.org/x#fragment"),
        ("http://[::1]:81/x", "http://[::1]:81/x#fragment"),
    ],
)
def test_targets_as_browsers_resolve_them(location: str, target: str) -> None:
    assert lead(location) == str(URL(target))


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/%7e?a=%31&b=+", "/%7e?a=%31&b=+"),
        ("/a%2fb%zz", "/a%2fb%zz"),
        ("/a b?c d", "/a%20b?c%20d"),
        ("/путь", "/%D0%BF%D1%83%D1%82%D1%8C"),
        ("/caf\udce9", "/caf%E9"),
        ("http://example.org/%30", "/%30"),
    ],
)
def test_targets_as_servers_write_them(location: str, target: str) -> None:
    redirect = next_request("GET", HERE, answer(location=location), requote=False)
    assert redirect is not None
    assert redirect.url.raw_path_qs == target
    assert redirect.url.raw_fragment == "fragment"


def test_nothing_is_inherited_but_the_fragment() -> None:
    assert lead("/there", URL("http://example.org/here?query")) == "http://example.org/there"
    assert lead("/there", URL("http://example.org/#a%20b")) == "http://example.org/there#a%20b"


@pytest.mark.parametrize(
    "location",
    ["ftp://example.org/", "javascript:1", "mailto:a@b", "skype:x", "example.org:8080/x", "file:///etc/passwd", "ws://x"],
)
def test_other_schemes(location: str) -> None:
    with pytest.raises(NonHttpUrlRedirectClientError) as caught:
        lead(location)
    assert isinstance(caught.value, RedirectClientError)
    assert isinstance(caught.value, InvalidURL)
    assert caught.value.url == location


@pytest.mark.parametrize("requote", [True, False])
@pytest.mark.parametrize(
    "location",
    ["http://", "https:", "https:///", "http://[::1", "http://example.org:port/", "http://:80/", "http://example.org:99999"],
)
def test_targets_that_cannot_be_asked(location: str, requote: bool) -> None:
    with pytest.raises(InvalidUrlRedirectClientError) as caught:
        lead(location, requote=requote)
    assert isinstance(caught.value, RedirectClientError)
    assert caught.value.url == location
    assert str(caught.value).startswith(location)


PIECES = st.sampled_from([*"/\\:?#@[]%.ab18 \täö\udcff\u2028", "http", "https:", "//", "example.org", "%2f", "..", "xn--"])


@hypothesis.given(st.lists(PIECES, min_size=1, max_size=10).map("".join), st.booleans())
def test_a_target_can_be_asked_or_is_an_error(location: str, requote: bool) -> None:
    try:
        redirect = next_request("GET", HERE, answer(location=location), requote=requote)
    except RedirectClientError:
        return
    assert redirect is not None
    assert redirect.url.scheme in ("http", "https")
    assert redirect.url.raw_host
    serialize_head("GET", redirect.url.raw_path_qs, (("Host", redirect.url.host_port_subcomponent or ""),))


def test_so_many_redirects_are_too_many() -> None:
    first, second, third = answer(301), answer(302), answer(307)
    assert next_request("GET", HERE, second, history=[first], limit=3) is not None
    with pytest.raises(TooManyRedirects) as caught:
        next_request("GET", HERE, third, history=[first, second], limit=3)
    assert caught.value.history == (first, second, third)
    assert caught.value.request_info is first.request_info
    assert caught.value.status == 307
    assert "max_redirects=3" in caught.value.message


@pytest.mark.parametrize("limit", [0, None])
def test_without_a_limit_there_are_never_too_many(limit: int | None) -> None:
    assert next_request("GET", HERE, answer(), history=[answer()] * 1000, limit=limit) is not None


# -- fields

FIELDS = CIMultiDict(
    [
        ("Authorization", "one"),
        ("authorization", "two"),
        ("Cookie", "a=1"),
        ("COOKIE", "b=2"),
        ("Proxy-Authorization", "three"),
        ("Host", "example.org"),
        ("Content-Type", "text/plain"),
        ("content-length", "3"),
        ("Content-Encoding", "gzip"),
        ("Content-Language", "en"),
        ("Transfer-Encoding", "chunked"),
        ("Expect", "100-continue"),
        ("X-Own", "1"),
        ("x-own", "2"),
        ("Accept", "*/*"),
    ]
)


NAMES = [name for name, _ in FIELDS.items()]


def names(redirect: Redirect) -> list[str]:
    return [name for name, _ in redirect.fields(FIELDS).items()]


def test_fields_stay_with_what_they_are_for() -> None:
    assert names(Redirect("POST", HERE, True, True)) == NAMES
    assert names(Redirect("POST", HERE, True, False)) == NAMES[6:]
    assert names(Redirect("GET", HERE, False, True)) == [*NAMES[:6], "X-Own", "x-own", "Accept"]
    assert names(Redirect("GET", HERE, False, False)) == ["X-Own", "x-own", "Accept"]
    assert len(FIELDS) == len(NAMES)


@pytest.mark.parametrize(
    ("url", "location", "same"),
    [
        ("http://example.org/", "/", True),
        ("http://example.org/", "http://EXAMPLE.org:80/", True),
        ("https://example.org/", "https://example.org:443/", True),
        ("http://user:pw@example.org/", "http://example.org/", True),
        ("http://example.org/", "https://example.org/", False),
        ("https://example.org/", "http://example.org/", False),
        ("http://example.org/", "http://example.org:8080/", False),
        ("http://example.org:8080/", "http://example.org/", False),
        ("http://example.org/", "http://sub.example.org/", False),
        ("http://sub.example.org/", "http://example.org/", False),
        ("http://example.org/", "http://example.org./", False),
        ("http://example.org/", "http://example.org@evil.org/", False),
        ("http://example.org/", r"\\evil.org", False),
        ("http://127.0.0.1/", "http://localhost/", False),
    ],
)
@pytest.mark.parametrize("requote", [True, False])
def test_origins(url: str, location: str, same: bool, requote: bool) -> None:
    redirect = next_request("GET", URL(url), answer(location=location), requote=requote)
    assert redirect is not None
    assert redirect.same_origin is same
