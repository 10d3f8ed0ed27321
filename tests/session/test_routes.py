"""Which proxy a request goes through, with whose credentials, and where redirects lead."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from aiohttpx import BasicAuth, ClientHttpProxyError, ClientSession, InvalidURL, ProxyConnector, TCPConnector, UnixConnector
from aiohttpx.testing import LoopbackServer, Response

from .site import Site, lines

AUTH, OTHER = BasicAuth("user", "secret"), BasicAuth("other", "word")


class ForwardProxy(Site):
    """A proxy that answers every request itself, with where it was to go."""

    @property
    def credentials(self) -> list[str | None]:
        return [request.headers.get("proxy-authorization") for request in self.asked]


@pytest.fixture
async def one() -> AsyncIterator[ForwardProxy]:
    async with ForwardProxy() as proxy:
        yield proxy


@pytest.fixture
async def two() -> AsyncIterator[ForwardProxy]:
    async with ForwardProxy() as proxy:
        yield proxy


def credited(proxy: Site, who: str = "user:secret") -> str:
    return proxy.url.replace("//", f"//{who}@")


async def get(session: ClientSession, url: str = "http://example.org/", **options: Any) -> int:
    async with session.get(url, **options) as response:
        await response.read()
        return response.status


class TestSession:
    async def test_a_proxy_for_all(self, one: ForwardProxy) -> None:
        async with ClientSession(proxy=one.url, proxy_auth=AUTH) as session:
            await get(session)
            await get(session, headers={"A": "b"})
            await get(session, "http://example.com:81/path")
        targets = ["http://example.org/", "http://example.org/", "http://example.com:81/path"]
        assert lines(one) == [f"GET {target}" for target in targets]
        assert one.credentials == [AUTH.encode()] * 3

    async def test_one_of_a_requests_own(self, one: ForwardProxy, two: ForwardProxy) -> None:
        async with ClientSession(proxy=credited(one)) as session:
            await get(session, proxy=two.url)
            await get(session, proxy=URL(two.url), proxy_auth=OTHER)
            await get(session, proxy=one.url)
            await get(session, proxy_auth=OTHER)
            await get(session, proxy="")
        assert two.credentials == [None, OTHER.encode()]
        assert one.credentials == [AUTH.encode(), OTHER.encode(), AUTH.encode()]

    async def test_credentials_without_a_proxy(self, one: ForwardProxy) -> None:
        async with ClientSession(proxy_auth=AUTH) as session:
            await get(session, proxy=one.url)
            await get(session, proxy=one.url, proxy_auth=OTHER)
            await get(session, one.url)
        assert one.credentials == [AUTH.encode(), OTHER.encode(), None]

    async def test_fields_for_the_proxy_of_the_session(self, one: ForwardProxy) -> None:
        async with ClientSession(proxy=one.url, proxy_auth=AUTH) as session:
            await get(session, proxy_headers={"X-Via": "a"})
        assert one.asked[0].headers["x-via"] == "a"
        assert one.credentials == [AUTH.encode()]

    @pytest.mark.parametrize(
        "proxy", ["example.org:80", "ftp://example.org", "http://", "", "http://a:99999", "user:secret@proxy:80", URL("/")]
    )
    def test_what_is_no_proxy(self, proxy: Any) -> None:
        with pytest.raises(InvalidURL) as caught:
            ClientSession(proxy=proxy)
        assert "secret" not in repr(caught.value) + str(caught.value) + repr(caught.value.__cause__)

    @pytest.mark.parametrize("proxy", [5, b"http://user:secret@proxy:80", ["http://proxy"]])
    async def test_what_is_not_even_text(self, proxy: Any) -> None:
        said = f"^proxy must be a str or a URL, not {type(proxy).__name__}$"
        with pytest.raises(TypeError, match=said):
            ClientSession(proxy=proxy)
        async with ClientSession() as session:
            with pytest.raises(TypeError, match=said):
                await session.get("http://127.0.0.1:9", proxy=proxy)

    async def test_what_is_no_proxy_of_a_request(self, one: ForwardProxy) -> None:
        async with ClientSession() as session:
            with pytest.raises(InvalidURL, match=r"localhost:1 .*scheme://host:port"):
                await session.get(one.url, proxy="user:secret@localhost:1")
            with pytest.raises(ValueError, match="proxy_auth must be None or BasicAuth"):
                await session.get(one.url, proxy=one.url, proxy_auth=("user", "secret"))
        assert one.asked == []

    async def test_a_subclass_gives_requests_a_proxy(self, one: ForwardProxy) -> None:
        async def through(request: Any, handler: Any) -> Any:
            request.update_proxy(URL(one.url), AUTH)
            return await handler(request)

        async with ClientSession(middlewares=(through,)) as session:
            await get(session)
        assert lines(one) == ["GET http://example.org/"]
        assert one.credentials == [AUTH.encode()]


class TestProxyConnector:
    async def test_all_through_one(self, one: ForwardProxy, two: ForwardProxy) -> None:
        connector = ProxyConnector(credited(one), limit=1)
        assert (connector.proxy, connector.proxy_auth, connector.limit) == (URL(one.url), AUTH, 1)
        async with ClientSession(connector=connector) as session:
            for _ in range(3):
                await get(session)
            await get(session, proxy=two.url)
        assert lines(one) == ["GET http://example.org/"] * 3
        assert one.credentials == [AUTH.encode()] * 3
        assert one.connections == 1
        assert two.credentials == [None]

    async def test_it_wins_over_the_environment(
        self, one: ForwardProxy, two: ForwardProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", two.url)
        async with ClientSession(connector=ProxyConnector(proxy=one.url, proxy_auth=AUTH), trust_env=True) as session:
            await get(session)
        assert len(one.asked) == 1

    def test_what_is_no_proxy(self) -> None:
        with pytest.raises(InvalidURL):
            ProxyConnector("example.org")


class TestEnvironment:
    @pytest.fixture(autouse=True)
    def named(self, one: ForwardProxy, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", one.url)

    async def test_it_is_asked_if_it_is_trusted(self, one: ForwardProxy, here: Site) -> None:
        async with ClientSession() as session:
            await get(session, here.url)
        assert one.asked == []
        async with ClientSession(trust_env=True) as session:
            for _ in range(3):
                await get(session)
        assert lines(one) == ["GET http://example.org/"] * 3
        assert one.connections == 1

    async def test_exemptions(self, one: ForwardProxy, here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("no_proxy", f"127.0.0.0/8:{URL(here.url).port}")
        async with ClientSession(trust_env=True) as session:
            await get(session, here.url)
            await get(session)
        assert lines(here) == ["GET /"]
        assert lines(one) == ["GET http://example.org/"]

    async def test_a_named_one_wins(self, one: ForwardProxy, two: ForwardProxy) -> None:
        async with ClientSession(trust_env=True) as session:
            await get(session, proxy=two.url)
        async with ClientSession(trust_env=True, proxy=two.url) as session:
            await get(session)
        assert len(two.asked) == 2
        assert one.asked == []

    async def test_credentials_in_its_url(self, one: ForwardProxy, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", credited(one).removeprefix("http://"))
        async with ClientSession(trust_env=True, proxy_auth=OTHER) as session:
            await get(session)
        assert one.credentials == [AUTH.encode()]

    async def test_credentials_from_netrc(self, one: ForwardProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "netrc"
        file.write_text("machine 127.0.0.1 login user password secret")
        file.chmod(0o600)
        monkeypatch.setenv("NETRC", str(file))
        async with ClientSession(trust_env=True) as session:
            await get(session)
            await get(session, "http://example.com/")
        assert one.credentials == [AUTH.encode()] * 2
        assert [request.headers.get("authorization") for request in one.asked] == [None, None]

    async def test_what_is_no_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "gopher://user:secret@proxy.example")
        async with ClientSession(trust_env=True) as session:
            with pytest.raises(InvalidURL, match=r"^proxy\.example - a proxy is given as"):
                await session.get("http://example.org/")

    async def test_it_is_read_when_the_session_is_first_used(
        self, one: ForwardProxy, two: ForwardProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        session = ClientSession(trust_env=True)
        monkeypatch.setenv("HTTP_PROXY", two.url)
        async with session:
            await get(session)
            monkeypatch.setenv("HTTP_PROXY", one.url)
            await get(session, "http://example.com/")
        assert len(two.asked) == 2

    async def test_not_for_unix_sockets(self, one: ForwardProxy, tmp_path: Path) -> None:
        path = str(tmp_path / "socket")
        server = LoopbackServer({"/": lambda request: Response.text(request.target)}, unix_path=path)
        async with server, ClientSession(trust_env=True, connector=UnixConnector(path)) as session:
            assert await get(session) == 200
        assert one.asked == []


class TestRedirects:
    async def test_each_goes_its_own_way(self, one: ForwardProxy, here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", credited(one))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with ClientSession(trust_env=True) as session:
            await get(session, here.to("http://example.org/a"))
            await get(session, f"http://example.org/to/302?{here.url}/b")
        assert lines(here)[1:] == ["GET /b"]
        assert [request.headers.get("proxy-authorization") for request in here.asked] == [None, None]
        assert one.credentials == [AUTH.encode()] * 2

    async def test_a_named_proxy_stays(self, one: ForwardProxy) -> None:
        async with ClientSession() as session:
            await get(session, "http://example.org/to/302?http://example.com/a", proxy=one.url, proxy_auth=AUTH)
        assert lines(one)[1:] == ["GET http://example.com/a"]
        assert one.credentials == [AUTH.encode()] * 2

    async def test_a_field_written_by_hand_does_not(self, one: ForwardProxy) -> None:
        async with ClientSession() as session:
            headers = {"Proxy-Authorization": "mine", "Authorization": "mine too"}
            await get(session, "http://example.org/to/302?http://example.com/a", proxy=one.url, headers=headers)
        assert one.credentials == ["mine", None]

    async def test_each_scheme_has_its_credentials(
        self, one: ForwardProxy, two: ForwardProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", credited(one))
        monkeypatch.setenv("https_proxy", two.url)
        async with ClientSession(trust_env=True) as session:
            with pytest.raises(ClientHttpProxyError):
                await get(session, "http://example.org/to/302?https://example.org/a")
        assert one.credentials == [AUTH.encode()]
        assert all(AUTH.encode() not in str(request.headers) for request in two.asked)


class TestConnectionsAreNotShared:
    @pytest.mark.parametrize(
        "options",
        [{"proxy_auth": OTHER}, {"proxy_headers": {"a": "b"}}, {"proxy": "two"}, {"proxy": "", "direct": True}],
        ids=["credentials", "fields", "proxy", "direct"],
    )
    async def test_with_another(self, one: ForwardProxy, two: ForwardProxy, options: dict[str, Any]) -> None:
        direct = options.pop("direct", False)
        if options.get("proxy") == "two":
            options["proxy"] = two.url
        url = f"{one.url}/" if direct else "http://example.org/"
        async with ClientSession(connector=TCPConnector()) as session:
            await get(session, url, proxy=one.url, proxy_auth=AUTH)
            await get(session, url, **{"proxy": one.url, "proxy_auth": None if direct else AUTH, **options})
        assert one.connections + two.connections == 2
