"""What a proxy is told, byte by byte, and what comes of its answers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from yarl import URL

from aiohttpx import (
    BasicAuth,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
)
from aiohttpx.testing import Close, Expect, ExpectRequest, HalfClose, Reset, ScriptedPeer, Send, StallForever

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
AUTH = BasicAuth("user", "secret")
CREDENTIALS = b"Basic dXNlcjpzZWNyZXQ="
pytestmark = pytest.mark.every_loop


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=ClientTimeout(total=20)) as session:
        yield session


async def get(session: ClientSession, url: str | URL = "http://example.org/path?a=b#c", **options: Any) -> str:
    async with session.get(url, **options) as response:
        assert response.real_url == URL(url)
        return await response.text()


def head_of(peer: ScriptedPeer, number: int = 0) -> list[bytes]:
    """The lines of the first head that a connection has brought."""
    return peer.connections[number].received.partition(b"\r\n\r\n")[0].split(b"\r\n")


class TestForwarding:
    async def test_the_target_is_absolute(self, session: ClientSession) -> None:
        async with ScriptedPeer(OK) as proxy:
            assert await get(session, proxy=proxy.url) == "ok"
        assert head_of(proxy)[:2] == [b"GET http://example.org/path?a=b HTTP/1.1", b"Host: example.org"]
        assert b"roxy" not in proxy.received

    @pytest.mark.parametrize(
        ("url", "line", "host"),
        [
            ("http://example.org", b"GET http://example.org/ HTTP/1.1", b"Host: example.org"),
            ("http://example.org:80/", b"GET http://example.org/ HTTP/1.1", b"Host: example.org"),
            ("http://example.org:81/", b"GET http://example.org:81/ HTTP/1.1", b"Host: example.org:81"),
            ("http://[::1]:81/a b", b"GET http://[::1]:81/a%20b HTTP/1.1", b"Host: [::1]:81"),
            ("http://bücher.example/ü", b"GET http://xn--bcher-kva.example/%C3%BC HTTP/1.1", b"Host: xn--bcher-kva.example"),
            ("http://example.org/a%2Fb?c=d:e", b"GET http://example.org/a%2Fb?c=d:e HTTP/1.1", b"Host: example.org"),
        ],
    )
    async def test_targets(self, session: ClientSession, url: str, line: bytes, host: bytes) -> None:
        async with ScriptedPeer(OK) as proxy:
            await get(session, url, proxy=proxy.url)
        assert head_of(proxy)[:2] == [line, host]

    async def test_credentials_in_the_url(self, session: ClientSession) -> None:
        async with ScriptedPeer(OK) as proxy:
            await get(session, proxy=URL(proxy.url).with_user("user").with_password("secret"))
        assert head_of(proxy).count(b"Proxy-Authorization: " + CREDENTIALS) == 1

    async def test_credentials_of_their_own_win(self, session: ClientSession) -> None:
        async with ScriptedPeer(OK) as proxy:
            url = URL(proxy.url).with_user("other").with_password("word")
            await get(session, proxy=url, proxy_auth=AUTH, proxy_headers={"Proxy-Authorization": "x"})
        assert [line for line in head_of(proxy) if b"uthorization" in line] == [b"Proxy-Authorization: " + CREDENTIALS]

    @pytest.mark.parametrize("headers", [None, {"Proxy-Authorization": "mine", "A": "b"}])
    async def test_credentials_take_the_place_of_a_field(self, session: ClientSession, headers: dict[str, str] | None) -> None:
        async with ScriptedPeer(OK) as proxy:
            await get(session, proxy=proxy.url, proxy_auth=AUTH, headers=headers)
        assert [line for line in head_of(proxy) if b"uthorization" in line] == [b"Proxy-Authorization: " + CREDENTIALS]

    async def test_a_field_of_the_caller_is_credentials_too(self, session: ClientSession) -> None:
        async with ScriptedPeer(OK) as proxy:
            await get(session, proxy=proxy.url, headers={"Proxy-Authorization": "mine"})
        assert b"Proxy-Authorization: mine" in head_of(proxy)

    async def test_fields_for_the_proxy_win_over_others(self, session: ClientSession) -> None:
        async with ScriptedPeer(OK) as proxy:
            headers = {"X-Via": "a", "user-agent": "b", "Host": "evil", "Proxy-Authorization": "c"}
            await get(session, proxy=proxy.url, proxy_headers=headers)
        lines = head_of(proxy)
        assert lines[1] == b"Host: example.org"
        assert lines[-3:] == [b"X-Via: a", b"user-agent: b", b"Proxy-Authorization: c"]
        assert sum(line.lower().startswith((b"host", b"user-agent")) for line in lines) == 2

    async def test_a_body_and_cookies(self, session: ClientSession) -> None:
        async with ScriptedPeer(OK) as proxy:
            await session.post("http://example.org/", data=b"body", cookies={"a": "b"}, proxy=proxy.url)
        assert proxy.received.startswith(b"POST http://example.org/ HTTP/1.1\r\nHost: example.org\r\n")
        assert b"\r\nCookie: a=b\r\n" in proxy.received
        assert proxy.received.endswith(b"\r\n\r\nbody")

    async def test_connections_are_kept(self, session: ClientSession) -> None:
        async with ScriptedPeer(OK) as proxy:
            for _ in range(3):
                await get(session, proxy=proxy.url)
            await get(session, proxy=proxy.url, proxy_auth=AUTH)
            await get(session, proxy=proxy.url, proxy_headers={"a": "b"})
        assert len(proxy.connections) == 3

    async def test_a_refusal_is_a_response(self, session: ClientSession) -> None:
        refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
        async with ScriptedPeer(refusal) as proxy, session.get("http://example.org/", proxy=proxy.url) as response:
            assert response.status == 407
            assert response.headers["Proxy-Authenticate"] == "Basic"


CONNECTED = [Expect(), ESTABLISHED]


class TestTunnel:
    async def test_it_is_told_nothing_of_the_origins(self, session: ClientSession) -> None:
        async with ScriptedPeer([Expect(), b"HTTP/1.1 403 No\r\n\r\n", Close()]) as proxy:
            with pytest.raises(ClientHttpProxyError):
                await get(
                    session,
                    URL("https://user:secret@example.org/path?token=t"),
                    proxy=proxy.url,
                    headers={"Cookie": "a=b", "X-Token": "t", "Proxy-Authorization": "mine"},
                    cookies={"c": "d"},
                )
        assert proxy.received == b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n"

    async def test_what_it_is_told(self, session: ClientSession) -> None:
        async with ScriptedPeer([Expect(), b"HTTP/1.1 403 No\r\n\r\n", Close()]) as proxy:
            with pytest.raises(ClientHttpProxyError):
                await get(session, "https://[::1]:8443/", proxy=proxy.url, proxy_auth=AUTH, proxy_headers={"A": "b", "Host": "c"})
        lines = [b"CONNECT [::1]:8443 HTTP/1.1", b"Host: [::1]:8443", b"Proxy-Authorization: " + CREDENTIALS, b"A: b"]
        assert head_of(proxy) == lines

    async def test_a_refusal(self, session: ClientSession) -> None:
        refusal = b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic\r\nContent-Length: 5\r\n\r\nhello"
        async with ScriptedPeer([Expect(), refusal]) as proxy:
            with pytest.raises(ClientHttpProxyError) as caught:
                await get(
                    session, "https://example.org/path", proxy=proxy.url, proxy_auth=AUTH, headers={"Authorization": "token"}
                )
            assert session.connector is not None
            assert not session.connector._conns
        error = caught.value
        assert (error.status, error.message) == (407, "Who are you")
        assert error.headers is not None
        assert error.headers["proxy-authenticate"] == "Basic"
        assert error.request_info.method == "CONNECT"
        assert error.request_info.url == URL("https://example.org/path")
        assert "secret" not in repr(error) + str(error)
        assert CREDENTIALS.decode() not in repr(error)
        assert "token" not in repr(error)
        assert proxy.received.count(b"CONNECT") == 1

    @pytest.mark.parametrize("status", [b"HTTP/1.0 200 Yes", b"HTTP/1.1 200", b"HTTP/1.1 299 Odd", b"HTTP/1.1 204 No Content"])
    async def test_success_is_any_2xx(self, session: ClientSession, status: bytes) -> None:
        async with ScriptedPeer(
            [Expect(), b"HTTP/1.1 100 Wait\r\n\r\n" + status + b"\r\nContent-Length: 9\r\n\r\n", Expect(b"\x16\x03"), Close()]
        ) as proxy:
            with pytest.raises(ClientConnectorError, match=r"host example.org:443 .*through http://127"):
                await get(session, "https://example.org/", proxy=proxy.url)

    @pytest.mark.parametrize(
        ("script", "error", "text"),
        [
            ([Close()], ClientProxyConnectionError, "Server disconnected|reset"),
            ([Expect(), Close()], ClientProxyConnectionError, "Server disconnected"),
            ([Expect(), Reset()], ClientProxyConnectionError, "reset"),
            ([Expect(), HalfClose()], ClientProxyConnectionError, "Server disconnected"),
            ([Expect(), b"HTTP/1.1 20", Close()], ClientProxyConnectionError, "Server disconnected"),
            ([Expect(), b"SSH-2.0-OpenSSH\r\n"], ClientHttpProxyError, "400.*Bad status line"),
            ([Expect(), b"\x15\x03\x01\x00\x02\x02\x46"], ClientHttpProxyError, "400"),
            ([Expect(), b"HTTP/1.1 200 OK\r\nA" + b"a" * 300_000], ClientHttpProxyError, "400"),
            ([Expect(), ESTABLISHED + b"220 mail ready"], ClientProxyConnectionError, "220 mail ready"),
            ([Expect(), ESTABLISHED + ESTABLISHED], ClientProxyConnectionError, "before anything was asked"),
            ([Expect(), ESTABLISHED, Expect(b"\x16"), Close()], ClientConnectorError, "through http://127"),
            ([Expect(), ESTABLISHED, Expect(b"\x16"), Reset()], ClientConnectorError, "through http://127"),
            ([Expect(), ESTABLISHED, Expect(b"\x16"), b"HTTP/1.1 502 Bad\r\n\r\n"], ClientConnectorError, "through http://127"),
            ([Expect(), ESTABLISHED, Close()], ClientConnectorError, "127.0.0.1"),  # by then it may be in TLS, or not
            ([Expect(), ESTABLISHED, HalfClose()], ClientConnectorError, "127.0.0.1"),
        ],
        ids=str,
    )
    async def test_a_proxy_that_misbehaves(
        self, session: ClientSession, script: Any, error: type[ClientError], text: str
    ) -> None:
        async with ScriptedPeer(script) as proxy:
            with pytest.raises(error, match=text):
                await get(session, "https://example.org/", proxy=proxy.url)

    async def test_cut_into_bytes(self, session: ClientSession) -> None:
        refusal = b"HTTP/1.1 502 Bad\r\nA: b\r\n\r\n"
        async with ScriptedPeer([Expect(), Send(refusal, cut=1)]) as proxy:
            with pytest.raises(ClientHttpProxyError, match="502"):
                await get(session, "https://example.org/", proxy=proxy.url)

    @pytest.mark.parametrize(
        ("script", "phase"), [([StallForever()], "CONNECT"), ([Expect(), b"HTTP/1.1 2"], "CONNECT"), (CONNECTED, "tls")]
    )
    @pytest.mark.parametrize("limit", ["total", "connect", "sock_connect"])
    async def test_the_phase_in_which_a_limit_struck(self, session: ClientSession, script: Any, phase: str, limit: str) -> None:
        async with ScriptedPeer(script) as proxy:
            timeout = ClientTimeout(**{limit: 0.2})
            said = rf"^Connection timeout to host example.org:443 through {proxy.url} \({limit}, 0.2 s, in {phase}\)$"
            with pytest.raises(ConnectionTimeoutError, match=said):
                await get(session, "https://example.org/", proxy=proxy.url, timeout=timeout)

    async def test_the_limit_of_tls(self, session: ClientSession) -> None:
        async with ScriptedPeer(CONNECTED) as proxy:
            with pytest.raises(ConnectionTimeoutError, match=r"example.org:443 through .*\(tls, 0.05 s\)"):
                await get(session, "https://example.org/", proxy=proxy.url, timeout=ClientTimeout(tls=0.05))

    @pytest.mark.parametrize("script", [[StallForever()], CONNECTED], ids=["CONNECT", "TLS"])
    @pytest.mark.parametrize("turns", [1, 5, 20, 60])
    async def test_leaving_nothing(self, script: Any, turns: int) -> None:
        async with ScriptedPeer(script) as proxy, ClientSession() as session:
            task = asyncio.create_task(get(session, "https://example.org/", proxy=proxy.url))
            for _ in range(turns):
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    async def test_the_end_of_the_session(self) -> None:
        async with ScriptedPeer([StallForever()]) as proxy:
            session = ClientSession()
            task = asyncio.create_task(get(session, "https://example.org/", proxy=proxy.url))
            await asyncio.sleep(0.05)
            await session.close()
            with pytest.raises(ClientError):
                await task


class TestUnreachable:
    @pytest.mark.parametrize("url", ["http://example.org/", "https://example.org/"])
    @pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
    async def test_a_closed_port(self, session: ClientSession, url: str, scheme: str) -> None:
        async with ScriptedPeer(OK) as gone:
            pass
        proxy = URL.build(scheme=scheme, host="127.0.0.1", port=gone.port, user="user", password="secret")
        with pytest.raises(ClientProxyConnectionError, match=f"host 127.0.0.1:{gone.port}") as caught:
            await get(session, url, proxy=proxy)
        assert caught.value.host == "127.0.0.1"
        assert caught.value.port == gone.port
        assert isinstance(caught.value.__cause__, OSError)
        assert "secret" not in repr(caught.value) + str(caught.value)

    @pytest.mark.parametrize("proxy", ["http://nowhere.invalid:80", "socks5h://nowhere.invalid"])
    async def test_a_name_that_is_none(self, session: ClientSession, proxy: str) -> None:
        with pytest.raises(ClientConnectorDNSError, match=r"host nowhere\.invalid:"):
            await get(session, proxy=proxy)


class TestSocks:
    """What real servers do is in tests/loopback."""

    @pytest.mark.parametrize(("password", "told"), [("secret", b"\x06secret"), ("wörd", b"\x05w\xc3\xb6rd")])
    async def test_what_it_is_told(self, session: ClientSession, password: str, told: bytes) -> None:
        pytest.importorskip("python_socks")
        granted = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"
        script = [
            Expect(b"\x05\x02\x00\x02"),
            b"\x05\x02",
            Expect(told),
            b"\x01\x00",
            Expect(b"\x00\x50"),
            granted,
            ExpectRequest(),
            OK,
        ]
        async with ScriptedPeer(script) as proxy:
            url = proxy.url.replace("http", "socks5h")
            assert await get(session, proxy=url, proxy_auth=BasicAuth("user", password)) == "ok"
        _, _, asked = proxy.received.partition(b"\x01\x04user" + told)
        assert asked.startswith(b"\x05\x01\x00\x03\x0bexample.org\x00\x50GET /path?a=b HTTP/1.1\r\nHost: example.org\r\n")
        assert b"roxy" not in asked

    @pytest.mark.parametrize("scheme", ["socks4a", "socks5h"])
    @pytest.mark.parametrize(
        "script", [[Close()], [Reset()], [b"HTTP/1.1 400 Bad Request\r\n\r\n"], [b"\x05"], [b"\x05\xff"], [HalfClose()]], ids=str
    )
    async def test_a_proxy_that_misbehaves(self, session: ClientSession, scheme: str, script: Any) -> None:
        pytest.importorskip("python_socks")
        async with ScriptedPeer([*script, Close()]) as proxy:
            with pytest.raises(ClientProxyConnectionError, match=f"host 127.0.0.1:{proxy.port}"):
                await get(session, proxy=proxy.url.replace("http", scheme))

    async def test_the_phase_in_which_a_limit_struck(self, session: ClientSession) -> None:
        pytest.importorskip("python_socks")
        async with ScriptedPeer([StallForever()]) as proxy:
            url = proxy.url.replace("http", "socks5h")
            for limit in ("total", "connect", "sock_connect"):
                said = rf"^Connection timeout to host example.org:80 through {url} \({limit}, 0.1 s, in SOCKS\)$"
                with pytest.raises(ConnectionTimeoutError, match=said):
                    await get(session, proxy=url, timeout=ClientTimeout(**{limit: 0.1}))

    async def test_without_the_package(self, session: ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "python_socks", None)
        async with ScriptedPeer([StallForever()]) as proxy:
            with pytest.raises(
                ClientProxyConnectionError, match=r"socks5:// needs python-socks: pip install 'aiohttpx\[socks\]'"
            ):
                await get(session, "http://127.0.0.1/", proxy=proxy.url.replace("http", "socks5"))

    async def test_socks_4_knows_no_ipv6(self, session: ClientSession) -> None:
        with pytest.raises(ClientConnectorDNSError, match=r"host ::1:80 .*No address that a socks4 proxy can connect to"):
            await get(session, "http://[::1]/", proxy="socks4://127.0.0.1:9")
