from __future__ import annotations

import pytest
from yarl import URL

from aiohttpx.session.environment import Exemptions, ProxyEnvironment

HTTP, HTTPS, WS, WSS = (URL(f"{scheme}://example.org/path") for scheme in ("http", "https", "ws", "wss"))


def proxies(**environ: str) -> list[str | None]:
    environment = ProxyEnvironment(environ)
    return [environment.proxy_for(url) for url in (HTTP, HTTPS, WS, WSS)]


class TestProxyEnvironment:
    def test_an_empty_one(self) -> None:
        assert proxies() == [None] * 4
        assert proxies(HTTP_PROXY="", https_proxy="  ", ALL_PROXY="") == [None] * 4

    def test_each_scheme_has_its_own(self) -> None:
        said = proxies(http_proxy="http://a:1", HTTPS_PROXY="http://b:2", WS_PROXY="http://c:3", wss_proxy="socks5://d:4")
        assert said == ["http://a:1", "http://b:2", "http://c:3", "socks5://d:4"]

    def test_one_for_those_that_have_none(self) -> None:
        assert proxies(all_proxy="http://a:1", https_proxy="http://b:2") == [
            "http://a:1",
            "http://b:2",
            "http://a:1",
            "http://a:1",
        ]
        assert proxies(ALL_PROXY="socks5h://a") == ["socks5h://a"] * 4

    def test_lower_case_wins(self) -> None:
        assert proxies(HTTP_PROXY="http://upper", http_proxy="http://lower")[0] == "http://lower"
        assert proxies(http_proxy="http://lower", HTTP_PROXY="http://upper")[0] == "http://lower"
        assert proxies(Https_Proxy="http://either")[1] == "http://either"

    def test_lower_case_without_a_value_takes_the_other_back(self) -> None:
        assert proxies(HTTP_PROXY="http://upper", http_proxy="")[0] is None

    def test_a_cgi_script_is_not_led_astray(self) -> None:
        assert proxies(REQUEST_METHOD="GET", HTTP_PROXY="http://evil", HTTPS_PROXY="http://b") == [None, "http://b", None, None]
        assert proxies(REQUEST_METHOD="GET", HTTP_PROXY="http://evil", http_proxy="http://good")[0] == "http://good"
        assert proxies(REQUEST_METHOD="GET", Http_Proxy="http://evil")[0] is None

    def test_a_scheme_may_be_left_out(self) -> None:
        assert proxies(http_proxy=" proxy.example:3128 ")[0] == "http://proxy.example:3128"
        assert proxies(http_proxy="user:word@proxy.example")[0] == "http://user:word@proxy.example"

    def test_exemptions(self) -> None:
        assert proxies(ALL_PROXY="http://a", NO_PROXY="example.org") == [None] * 4
        assert proxies(ALL_PROXY="http://a", NO_PROXY="example.org:443") == ["http://a", None, "http://a", None]
        assert proxies(ALL_PROXY="http://a", NO_PROXY="example.org", no_proxy="example.com") == ["http://a"] * 4
        assert proxies(ALL_PROXY="http://a", NO_PROXY="example.org", no_proxy="") == ["http://a"] * 4

    def test_other_variables_and_schemes_say_nothing(self) -> None:
        assert proxies(FTP_PROXY="http://a", HTTP_PROXY_HOST="b", PROXY="c") == [None] * 4
        assert ProxyEnvironment({"NO_PROXY_PROXY": "x", "NO_PROXY": "http://x"}).proxy_for(URL("no://example.org")) is None


COVERED = [
    ("*", "example.org"),
    ("a.example, *", "example.org"),
    ("*", "127.0.0.1"),
    ("example.org", "example.org"),
    ("example.org", "www.example.org"),
    (".example.org", "www.example.org"),
    (".example.org", "example.org"),
    ("*.example.org", "www.example.org"),
    ("EXAMPLE.org", "example.ORG"),
    ("example.org.", "example.org"),
    ("example.org", "example.org."),
    ("a,example.org", "example.org"),
    ("a, example.org ,b", "example.org"),
    ("a example.org\tb", "example.org"),
    ("localhost", "localhost"),
    ("org", "example.org"),
    ("bücher.example", "xn--bcher-kva.example"),
    ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ("example.org:80", "example.org"),
    (".example.org:80", "www.example.org"),
    ("127.0.0.1", "127.0.0.1"),
    ("127.0.0.1:80", "127.0.0.1"),
    ("127.0.0.0/8", "127.1.2.3"),
    ("10.1.2.3/8", "10.200.0.1"),
    ("0.0.0.0/0", "192.0.2.1"),
    ("10.0.0.0/8:80", "10.0.0.1"),
    ("10.0.0.0/8", "::ffff:10.0.0.1"),
    ("::1", "::1"),
    ("[::1]", "::1"),
    ("[::1]:80", "::1"),
    ("0:0:0:0:0:0:0:1", "::1"),
    ("fd00::/8", "fd12:3456::1"),
    ("fe80::/10", "fe80::1%eth0"),
]

NOT_COVERED = [
    ("", "example.org"),
    (",, ,", "example.org"),
    ("example.org", "badexample.org"),
    ("example.org", "example.org.evil"),
    ("www.example.org", "example.org"),
    ("example.org:8080", "example.org"),
    ("example.org:443", "example.org"),
    ("127.0.0.1", "localhost"),
    ("localhost", "127.0.0.1"),
    ("27.0.0.1", "127.0.0.1"),
    ("0.0.1", "127.0.0.1"),
    ("127.0.0.1:8080", "127.0.0.1"),
    ("127.0.0.0/24", "127.0.1.1"),
    ("10.0.0.0/33", "10.0.0.1"),
    ("10.0.0.0/8:81", "10.0.0.1"),
    ("fd00::/8", "fe80::1"),
    ("[::1]:81", "::1"),
    ("::/0", "127.0.0.1"),
    ("0.0.0.0/0", "::1"),
    ("*.", "example.org"),
    (".", "example.org"),
    ("..", "example.org"),
    ("http://example.org", "example.org"),
    ("exa mple.org", "example.com"),
    ("exam*", "example.org"),
    (":80", "example.org"),
    ("example.org", ""),
]


class TestExemptions:
    @pytest.mark.parametrize(("text", "host"), COVERED)
    def test_covered(self, text: str, host: str) -> None:
        assert Exemptions(text).cover(host, 80)

    @pytest.mark.parametrize(("text", "host"), NOT_COVERED)
    def test_not_covered(self, text: str, host: str) -> None:
        assert not Exemptions(text).cover(host, 80)

    def test_a_host_as_a_url_has_it(self) -> None:
        exemptions = Exemptions("bücher.example [fd00::1]:8080")
        for url in ("http://bücher.example/", "https://www.BÜCHER.example", "http://[FD00:0::1]:8080/"):
            assert exemptions.cover(URL(url).raw_host or "", URL(url).port)
