"""message/defaults.py: what the requests of a session have in common."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict
from yarl import URL

from aiohttpx.errors import InvalidUrlClientError
from aiohttpx.message import defaults as defaults_module
from aiohttpx.message.defaults import USER_AGENT, RequestDefaults, origin_of
from aiohttpx.wire.codings import ACCEPT_ENCODING

GENERATED = f"Accept: */*\r\nAccept-Encoding: {ACCEPT_ENCODING}\r\nUser-Agent: {USER_AGENT}\r\n".encode()


def test_the_fields_are_serialized_once() -> None:
    defaults = RequestDefaults(CIMultiDict({"X-A": "1"}))
    block = defaults.block()
    assert block == b"X-A: 1\r\n" + GENERATED
    assert defaults.block() is block


def test_the_fields_may_change() -> None:
    headers: CIMultiDict[str] = CIMultiDict()
    defaults = RequestDefaults(headers)
    assert defaults.block() == GENERATED
    headers["X-A"] = "1"
    assert defaults.block() == b"X-A: 1\r\n" + GENERATED
    headers["X-A"] = "2"
    headers.add("X-A", "3")
    assert defaults.block() == b"X-A: 2\r\nX-A: 3\r\n" + GENERATED
    headers.clear()
    assert defaults.block() == GENERATED


def test_a_field_that_can_not_be_sent_is_refused_each_time() -> None:
    headers = CIMultiDict({"X-A": "1"})
    defaults = RequestDefaults(headers)
    assert defaults.block()
    headers["X-A"] = "a\r\nX-B: b"
    for _ in range(2):
        with pytest.raises(ValueError, match="X-A"):
            defaults.block()


def test_generated_fields_are_skipped_and_overridden() -> None:
    defaults = RequestDefaults(CIMultiDict({"accept": "text/html"}), ["USER-AGENT"])
    assert defaults.block() == f"accept: text/html\r\nAccept-Encoding: {ACCEPT_ENCODING}\r\n".encode()


@pytest.mark.parametrize(
    "name", ["Host", "content-type", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "Content-Encoding"]
)
def test_what_each_request_must_look_at_is_not_in_common(name: str) -> None:
    assert RequestDefaults(CIMultiDict({name: "x"})).block() is None


def test_no_content_type_is_not_in_common_either() -> None:
    assert RequestDefaults(CIMultiDict(), ["content-type"]).block() is None


def test_an_origin_is_worked_out_once() -> None:
    defaults = RequestDefaults(CIMultiDict())
    url = URL("http://user:password@EXAMPLE.org/path")
    origin = defaults.origin(url)
    assert defaults.origins[url.scheme, url.raw_authority] is origin
    assert origin.host == "example.org"
    assert origin.block == b"Host: example.org\r\n"
    assert (origin.key.host, origin.key.port, origin.key.is_ssl) == ("example.org", 80, False)


@pytest.mark.parametrize(
    ("url", "host", "port", "is_ssl"),
    [
        ("http://example.org", "example.org", 80, False),
        ("http://example.org:80", "example.org", 80, False),
        ("http://example.org:8080", "example.org:8080", 8080, False),
        ("https://example.org", "example.org", 443, True),
        ("https://example.org:80", "example.org:80", 80, True),
        ("wss://example.org", "example.org", 443, True),
        ("ws://example.org", "example.org", 80, False),
        ("http://[::1]:8080", "[::1]:8080", 8080, False),
        ("http://bücher.example", "xn--bcher-kva.example", 80, False),
        ("http://example.org./", "example.org", 80, False),
    ],
)
def test_origins(url: str, host: str, port: int, is_ssl: bool) -> None:
    origin = origin_of(URL(url))
    assert origin.host == host
    assert (origin.key.port, origin.key.is_ssl) == (port, is_ssl)
    assert origin.key.host == URL(url).raw_host


@pytest.mark.parametrize("url", ["/path", "http:///path", "example.org"])
def test_a_url_without_a_host_has_no_origin(url: str) -> None:
    with pytest.raises(InvalidUrlClientError):
        origin_of(URL(url))


def test_origins_are_remembered_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defaults_module, "_ORIGINS_KEPT", 10)
    defaults = RequestDefaults(CIMultiDict())
    for number in range(100):
        defaults.origin(URL(f"http://{number}.example.org/"))
        assert len(defaults.origins) <= 10


# -- URLs that need not be parsed


def known(*urls: str) -> RequestDefaults:
    defaults = RequestDefaults(CIMultiDict())
    for url in urls:
        defaults.origin(URL(url))
    return defaults


@settings(max_examples=300)
@given(st.from_regex(r"/[ -~]*", fullmatch=True) | st.text(st.sampled_from("/.%aZ?&=+;:@-_~!'()*,$#[]|\\\" é")).map("/".__add__))
@example("/?")
@example("/a/./b")
@example("/a/../b")
@example("/%7e")
@example("/a?b=c#d")
def test_what_is_cut_is_what_yarl_makes_of_it(target: str) -> None:
    text = f"http://example.org:8080{target}"
    cut = known("http://example.org:8080/").cut(text)
    if cut is not None:
        url = URL(text)
        assert (cut[0], cut[2]) == (str(url), url.raw_path_qs) == (text, target)


def test_a_plain_url_of_a_known_origin_is_cut() -> None:
    defaults = known("http://example.org/", "https://127.0.0.1:8443")
    assert defaults.cut("http://example.org/a/b;c=1?q=x+y&z=(1,2)") is not None
    url, origin, target = defaults.cut("https://127.0.0.1:8443/") or pytest.fail("it is not cut")
    assert (url, origin.host, target) == ("https://127.0.0.1:8443/", "127.0.0.1:8443", "/")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",  # not known
        "https://example.org/",
        "http://example.org:80/",
        "http://EXAMPLE.org/",
        "http://user:password@example.org/",
        "http://example.org",
        "http://example.org?a=/b",
        "http://example.org/a b",
        "http://example.org/ä",
        "http://example.org/%41",
        "http://example.org/a/../b",
        "http://example.org/a#b",
        "example.org/",
        "/",
        "",
    ],
)
def test_other_urls_are_parsed(url: str) -> None:
    assert known("http://example.org/a", "http://user:password@example.org/").cut(url) is None


def test_of_an_origin_with_credentials_no_url_is_cut() -> None:
    assert known("http://user:password@example.org/").cut("http://example.org/") is None
