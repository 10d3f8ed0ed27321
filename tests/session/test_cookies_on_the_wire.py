"""Cookies through real sockets: what a session keeps of what servers set, and what it sends to whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from typing import Any, ClassVar

import pytest
from yarl import URL

from aiohttpx import ClientSession, CookieJar, DummyCookieJar, NonHttpUrlRedirectClientError
from aiohttpx.testing import ExpectRequest, ScriptedPeer

from .site import Site, cookies_of, setting

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


async def test_cookies_come_back(session: ClientSession) -> None:
    async with Site(login=setting('sid="a b"; Path=/', "x=1/2=; Path=/sub")) as site:
        async with session.get(f"{site.url}/login") as response:
            assert response.cookies["sid"].value == "a b"
        for path in ("/", "/sub", "/login"):
            async with session.get(f"{site.url}{path}"):
                pass
        async with session.post(f"{site.url}/", data=b"body", headers={"X-Own": "1"}):
            pass
        assert [cookies_of(request) for request in site.asked] == [
            None,
            'sid="a b"',
            'x=1/2=; sid="a b"',
            'sid="a b"',
            'sid="a b"',
        ]
    assert len(session.cookie_jar) == 2


async def test_a_jar_is_not_asked_for_a_host_that_it_has_nothing_for() -> None:
    class Asked(CookieJar):
        urls: ClassVar[list[str]] = []
        gives_to = CookieJar.gives_to

        def cookie_header(self, request_url: URL) -> str:
            self.urls.append(request_url.host or "")
            return super().cookie_header(request_url)

    jar = Asked()
    jar.update_cookies({"a": "1"}, URL("http://example.org/"))
    async with (
        ScriptedPeer([ExpectRequest(), OK] * 6) as peer,
        ClientSession(cookie_jar=jar, connector=peer.connector()) as session,
    ):
        for host in ("other.org", "example.org", "other.org"):
            await session.get(f"http://{host}/")
            await session.get(URL(f"http://{host}/"))
    assert jar.urls == ["example.org"] * 2
    assert peer.received.count(b"Cookie: a=1") == 2


async def test_the_cookies_of_every_hop_are_kept(session: ClientSession) -> None:
    async with Site(one=setting("a=1", "b=1", location="/two"), two=setting("b=2", location="/end"), end=setting("c=3")) as site:
        async with session.get(f"{site.url}/one") as response:
            assert {name: morsel.value for name, morsel in response.cookies.items()} == {"c": "3"}
            assert set(response.history[0].cookies) == {"a", "b"}
        assert [cookies_of(request) for request in site.asked] == [None, "a=1; b=1", "a=1; b=2"]
    assert session.cookie_jar.cookie_header(URL(site.url)) == "a=1; b=2; c=3"


async def test_the_cookies_of_a_redirect_into_the_void_are_kept(session: ClientSession) -> None:
    async with Site(hop=setting("a=1", location="ftp://example.org")) as site:
        with pytest.raises(NonHttpUrlRedirectClientError):
            await session.get(f"{site.url}/hop")
        async with session.get(f"{site.url}/hop", allow_redirects=False):
            pass
        assert [cookies_of(request) for request in site.asked] == [None, "a=1"]


async def test_the_jars_cookies_are_chosen_anew_for_each_origin(here: Site, there: Site) -> None:
    jar = CookieJar(unsafe=True)
    async with ClientSession(cookie_jar=jar, cookies={"everywhere": "0"}) as session:
        jar.update_cookies({"a": "1"}, URL("http://localhost"))
        jar.update_cookies({"b": "2"}, URL("http://127.0.0.1"))
        there_by_name = there.url.replace("127.0.0.1", "localhost")
        async with session.get(here.to(there_by_name)):
            pass
    assert cookies_of(here.asked[0]) == "everywhere=0; b=2"
    assert cookies_of(there.asked[0]) == "everywhere=0; a=1"


async def test_ip_addresses_have_no_cookies_by_default() -> None:
    async with Site(login=setting("a=1; Path=/")) as site, ClientSession() as session:
        async with session.get(f"{site.url}/login"), session.get(f"{site.url}/"):
            pass
        assert len(session.cookie_jar) == 0
        assert [cookies_of(request) for request in site.asked] == [None, None]
        by_name = site.url.replace("127.0.0.1", "localhost")
        async with session.get(f"{by_name}/login"), session.get(f"{by_name}/"):
            pass
        assert cookies_of(site.asked[3]) == "a=1"


async def test_a_dummy_jar_keeps_nothing() -> None:
    async with Site(login=setting("a=1; Path=/")) as site, ClientSession(cookie_jar=DummyCookieJar()) as session:
        async with session.get(f"{site.url}/login"), session.get(f"{site.url}/", cookies={"b": "2"}):
            pass
        assert [cookies_of(request) for request in site.asked] == [None, "b=2"]


@pytest.mark.parametrize("kwargs", [{}, {"headers": {"X-Own": "1"}}, {"cookies": {"b": "2"}}])
async def test_the_field_stands_between_the_generated_ones_and_those_of_the_body(kwargs: dict[str, Any]) -> None:
    async with ScriptedPeer(OK) as peer, ClientSession(cookies={"a": "1"}) as session:
        async with session.post(peer.url, data=b"body", **kwargs) as response:
            assert response.request_info.headers["Cookie"] == ("a=1; b=2" if "cookies" in kwargs else "a=1")
        names = [line.partition(b":")[0] for line in peer.received.partition(b"\r\n\r\n")[0].split(b"\r\n")]
        assert names[-4:] == [b"User-Agent", b"Cookie", b"Content-Length", b"Content-Type"]


async def test_a_requests_own_cookies_win(here: Site) -> None:
    async with ClientSession(cookies={"a": "session", "b": "session", "c": "session"}) as session:
        async with session.get(here.url, cookies={"b": "request", "d": "x y"}, headers={"Cookie": "c=field; e=field"}):
            pass
        async with session.get(here.url):
            pass
        async with session.get(here.url, cookies={}):
            pass
    assert cookies_of(here.asked[0]) == 'e=field; a=session; c=session; b=request; d="x y"'
    assert cookies_of(here.asked[1]) == cookies_of(here.asked[2]) == "a=session; b=session; c=session"


async def test_a_field_of_ones_own_is_left_alone_when_there_are_no_cookies(here: Site, session: ClientSession) -> None:
    async with session.get(here.url, headers=[("cookie", 'odd="x;y";;'), ("Cookie", "b=2")]):
        pass
    assert [value for name, value in here.asked[0].fields if name.lower() == "cookie"] == ['odd="x;y";;', "b=2"]


async def test_more_cookies_than_a_jar_would_send(here: Site, session: ClientSession) -> None:
    cookies = {f"c{number}": "x" * 100 for number in range(200)}
    async with session.get(here.url, cookies=cookies):
        pass
    assert (cookies_of(here.asked[0]) or "").count(";") == 199


async def test_a_requests_own_morsels_go_where_they_say(here: Site) -> None:
    cookies = SimpleCookie("a=1; b=2; Secure; c=3; Path=/sub; d=4; Domain=example.org; e=5; Max-Age=0")
    async with ClientSession() as session:
        async with session.get(here.url, cookies=cookies):
            pass
        assert len(session.cookie_jar) == 0
    jar = CookieJar(treat_as_secure_origin=here.url)
    async with ClientSession(cookie_jar=jar) as session, session.get(f"{here.url}/sub", cookies=cookies):
        pass
    assert [cookies_of(request) for request in here.asked] == ["a=1", "c=3; a=1; b=2"]


async def test_quoting_is_the_jars(here: Site) -> None:
    async with ClientSession(cookie_jar=CookieJar(quote_cookie=False)) as session, session.get(here.url, cookies={"a": "x=y"}):
        pass
    assert cookies_of(here.asked[0]) == "a=x=y"


@pytest.mark.parametrize("value", ["x\r\nX-Evil: 1", "x\0", "\udcff"])
async def test_a_cookie_cannot_smuggle_a_field(here: Site, value: str) -> None:
    async with ClientSession(cookie_jar=CookieJar(quote_cookie=False)) as session:
        with pytest.raises(ValueError, match="cookie 'a' cannot be sent"):
            await session.get(here.url, cookies={"a": value})
    assert here.asked == []


async def test_a_jar_that_raises_does_not_keep_the_connection() -> None:
    class Broken(CookieJar):
        def update_cookies_from_headers(self, headers: Any, response_url: URL) -> None:
            raise LookupError("broken")

    paths = {"plain": setting("a=1"), "hop": setting("a=1", location="/end")}
    async with Site(**paths) as site, ClientSession(cookie_jar=Broken(unsafe=True)) as session:
        for path in paths:
            with pytest.raises(LookupError, match="broken"):
                await session.get(f"{site.url}/{path}")
        assert session.connector is not None
        async with session.get(f"{site.url}/after") as response:
            assert response.status == 200


async def test_a_session_shows_its_jar() -> None:
    jar = CookieJar()
    async with ClientSession(cookie_jar=jar, cookies=[("a", "1")]) as session:
        assert session.cookie_jar is session._cookie_jar is jar
        assert [morsel.key for morsel in jar] == ["a"]
        session._cookie_jar = other = DummyCookieJar()
        assert session.cookie_jar is other
    async with ClientSession() as session:
        assert isinstance(session.cookie_jar, CookieJar)
        assert session.cookie_jar is session.cookie_jar


async def test_what_reaches_a_server_that_sets_too_much(session: ClientSession) -> None:
    many = setting(*(f"c{number}={'x' * 90}; Path=/" for number in range(400)))
    async with Site(many=many) as site:
        async with session.get(f"{site.url}/many"), session.get(f"{site.url}/"):
            pass
        field = cookies_of(site.asked[1]) or ""
    assert len(session.cookie_jar) <= 180
    assert len("Cookie: " + field) <= 8190
    assert field.count("=") <= 150
