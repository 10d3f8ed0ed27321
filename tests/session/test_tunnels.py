"""TLS through tunnels, and to proxies: who must prove what to whom, and what it costs once the tunnel is there."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import sys
from collections.abc import AsyncIterator
from types import FrameType
from typing import Any

import pytest
import trustme
from yarl import URL

from aiohttpx import (
    BasicAuth,
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientRequest,
    ClientSession,
    ClientTimeout,
    Fingerprint,
    ProxyConnector,
    ServerFingerprintMismatch,
    TCPConnector,
    WSServerHandshakeError,
)
from aiohttpx.testing import Expect, LoopbackServer, Request, Response, ScriptedPeer

from .relay import Relay

pytestmark = pytest.mark.every_loop


class Origin:
    """An https server for any name of `example.org`, which keeps what it is asked."""

    def __init__(self, ca: trustme.CA) -> None:
        self.asked: list[Request] = []
        certificate = ca.issue_cert("example.org", "*.example.org", "127.0.0.1")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self.context)
        der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
        self.fingerprint = Fingerprint(hashlib.sha256(der).digest())
        self.server = LoopbackServer({"/": self._answer}, ssl_context=self.context)

    def _answer(self, request: Request) -> Response:
        self.asked.append(request)
        return Response.text("x" * 1_000_000 if request.path == "/large" else request.target)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


@pytest.fixture
async def origin(ca: trustme.CA) -> AsyncIterator[Origin]:
    origin = Origin(ca)
    async with origin.server:
        yield origin


def tls(ca: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture(params=["http", "https"])
async def relay(request: pytest.FixtureRequest, ca: trustme.CA, origin: Origin) -> AsyncIterator[Relay]:
    async with Relay(origin.server.port, tls(ca) if request.param == "https" else None) as relay:
        yield relay


async def get(session: ClientSession, url: str = "https://example.org/path", **options: Any) -> str:
    async with session.get(url, **options) as response:
        return await response.text()


async def test_the_origin_sees_a_request_like_any_other(relay: Relay, origin: Origin, trusting: ssl.SSLContext) -> None:
    async with ClientSession(proxy=relay.url, proxy_auth=BasicAuth("user", "secret")) as session:
        headers = {"Proxy-Authorization": "mine", "A": "b"}
        assert await get(session, "https://example.org/a?b", ssl=trusting, headers=headers) == "/a?b"
    assert relay.heads[0].startswith(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\nProxy-Authorization: Basic ")
    assert origin.asked[0].headers["host"] == "example.org"
    assert origin.asked[0].headers["a"] == "b"
    assert "proxy-authorization" not in origin.asked[0].headers


async def test_one_tunnel_carries_many_requests(relay: Relay, origin: Origin, trusting: ssl.SSLContext) -> None:
    async with ClientSession(proxy=relay.url, connector=TCPConnector(ssl=trusting)) as session:
        for _ in range(5):
            await get(session)
        await get(session, "https://www.example.org/")
        async with session.post("https://example.org/", data=b"x" * 300_000) as response:
            assert await response.text() == "/"
    assert [head.split()[1] for head in relay.heads] == [b"example.org:443", b"www.example.org:443"]
    assert origin.asked[-1].body == b"x" * 300_000


async def test_tls_sessions_are_resumed(relay: Relay) -> None:
    resumed = []
    async with ClientSession(proxy=relay.url, connector=TCPConnector(ssl=False, force_close=True)) as session:
        for _ in range(3):
            async with session.get("https://example.org/large") as response:
                assert response.connection is not None
                assert response.connection.transport is not None
                resumed.append(response.connection.transport.get_extra_info("ssl_object").session_reused)
                await response.read()
    assert resumed == [False, True, True]


async def test_https_proxies_forward_too(ca: trustme.CA, trusting: ssl.SSLContext) -> None:
    async with LoopbackServer({"/": lambda request: Response.text(request.target)}) as plain, Relay(plain.port, tls(ca)) as relay:
        async with ClientSession(proxy=relay.url, connector=TCPConnector(ssl=trusting)) as session:
            for number in range(3):
                assert (await get(session, f"http://example.org/{number}")).endswith(f"/{number}")
        assert len(relay.heads) == 1
        assert relay.heads[0].startswith(b"GET http://example.org/0 HTTP/1.1\r\nHost: example.org\r\n")


class TestWhoIsNotTrusted:
    async def test_the_origin(self, relay: Relay, ca: trustme.CA, trusting: ssl.SSLContext) -> None:
        async with ClientSession(proxy=relay.url) as session:
            with pytest.raises(ClientConnectorCertificateError, match=f"host example.com:443 through {relay.url}") as caught:
                await get(session, "https://example.com/", ssl=trusting)
        assert caught.value.host == "example.com"

    async def test_the_proxy(self, ca: trustme.CA, origin: Origin, trusting: ssl.SSLContext) -> None:
        async with Relay(origin.server.port, tls(ca, "elsewhere.example")) as relay, ClientSession(proxy=relay.url) as session:
            for url in ("https://example.org/", "http://example.org/"):
                with pytest.raises(ClientConnectorCertificateError, match=f"host localhost:{relay.port} ssl") as caught:
                    await get(session, url, ssl=trusting)
                assert caught.value.host == "localhost"
        assert relay.heads == []

    async def test_a_proxy_that_speaks_no_tls(self) -> None:
        async with ClientSession() as session, ScriptedPeer([Expect(b"\x16"), b"HTTP/1.1 400 Bad Request\r\n\r\n"]) as plain:
            with pytest.raises(ClientConnectorSSLError, match=f"host 127.0.0.1:{plain.port} ssl"):
                await get(session, proxy=plain.url.replace("http", "https"))

    async def test_an_origin_that_speaks_no_tls(self, trusting: ssl.SSLContext) -> None:
        async with LoopbackServer() as plain, Relay(plain.port) as relay, ClientSession(proxy=relay.url) as session:
            with pytest.raises(ClientConnectorSSLError, match=f"host example.org:443 through {relay.url}"):
                await get(session, ssl=trusting)


class TestPins:
    async def test_a_pin_is_for_the_origin(self, origin: Origin) -> None:
        async with Relay(origin.server.port) as relay, ClientSession(proxy=relay.url) as session:
            assert await get(session, ssl=origin.fingerprint) == "/path"
            with pytest.raises(ServerFingerprintMismatch):
                await get(session, ssl=Fingerprint(bytes(32)))

    @pytest.mark.parametrize("by", ["request", "connector"])
    async def test_and_not_for_the_proxy(self, origin: Origin, ca: trustme.CA, by: str) -> None:
        connector = TCPConnector(ssl=origin.fingerprint) if by == "connector" else TCPConnector()
        async with Relay(origin.server.port, tls(ca)) as relay, ClientSession(proxy=relay.url, connector=connector) as session:
            with pytest.raises(ClientConnectorCertificateError, match="host localhost"):  # nobody has said to trust our CA
                await get(session, **({"ssl": origin.fingerprint} if by == "request" else {}))

    async def test_no_verification_is_for_both(self, relay: Relay) -> None:
        async with ClientSession(proxy=relay.url) as session:
            assert await get(session, ssl=False) == "/path"


async def test_a_subclass_may_have_its_own_setting_for_the_proxy(
    origin: Origin, ca: trustme.CA, trusting: ssl.SSLContext
) -> None:
    class Connector(TCPConnector):
        def _update_proxy_auth_header_and_build_proxy_req(self, req: Any) -> Any:
            proxy_req = super()._update_proxy_auth_header_and_build_proxy_req(req)
            proxy_req._ssl = trusting
            return proxy_req

    async with Relay(origin.server.port, tls(ca)) as relay, ClientSession(proxy=relay.url, connector=Connector()) as session:
        assert await get(session, ssl=origin.fingerprint) == "/path"


async def test_the_name_for_the_handshake_is_the_origins_only(relay: Relay, trusting: ssl.SSLContext) -> None:
    async with ClientSession(proxy=relay.url) as session:
        assert await get(session, "https://192.0.2.1/path", ssl=trusting, server_hostname="www.example.org") == "/path"


async def test_a_loop_without_tls_in_tls(
    origin: Origin, ca: trustme.CA, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_tls(*args: Any, **kwargs: Any) -> Any:
        raise TypeError("transport is not supported by start_tls()")

    async with Relay(origin.server.port, tls(ca)) as relay, ClientSession(proxy=relay.url) as session:
        monkeypatch.setattr(asyncio.get_running_loop(), "start_tls", start_tls)
        with pytest.raises(ClientConnectorError, match=r"Loop cannot speak TLS through .*Transport"):
            await get(session, ssl=trusting)


async def test_a_websocket_url_gets_a_tunnel_without_tls() -> None:
    server = LoopbackServer({"/": lambda request: Response.text(request.target)})
    async with server, Relay(server.port) as relay, ClientSession(proxy=relay.url) as session:
        assert await get(session, "ws://example.org/chat") == "/chat"
        assert (await get(session, "http://example.org/chat")).endswith("/chat")
    assert [head.split()[:2] for head in relay.heads] == [[b"CONNECT", b"example.org:80"], [b"GET", b"http://example.org/chat"]]


async def frames(session: ClientSession, url: str) -> int:
    """How many functions of ours a request on a connection that is there enters, if its answer comes in one piece."""
    entered: list[int] = []

    def count(frame: FrameType, event: str, arg: object) -> None:
        file = frame.f_code.co_filename
        entered[-1] += event == "call" and "aiohttpx" in file and "testing" not in file and "tests" not in file

    async with session:
        await get(session, url)
        for _ in range(10):
            entered.append(0)
            sys.setprofile(count)
            try:
                await get(session, url)
            finally:
                sys.setprofile(None)
    return min(entered)


async def test_a_warm_request_costs_what_a_direct_one_does() -> None:
    async with LoopbackServer() as server, Relay(server.port) as relay:
        direct = await frames(ClientSession(), f"{server.url}/anything")
        assert direct > 20
        assert await frames(ClientSession(proxy=relay.url), "http://example.org/anything") == direct
        assert await frames(ClientSession(proxy=relay.url), "ws://example.org/anything") == direct


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize("by", ["request", "session", "connector"])
async def test_a_websocket(by: str, scheme: str) -> None:
    """Any answer but 101 will do here: the peer has seen the request that the proxy has not."""
    async with ScriptedPeer(b"HTTP/1.1 418 No\r\nContent-Length: 0\r\n\r\n") as server, Relay(server.port) as relay:
        connector = ProxyConnector(relay.url) if by == "connector" else TCPConnector()
        async with ClientSession(proxy=relay.url if by == "session" else None, connector=connector) as session:
            with pytest.raises(WSServerHandshakeError, match="418"):
                await session.ws_connect(f"{scheme}://example.org/chat", **({"proxy": relay.url} if by == "request" else {}))
    assert relay.heads == [b"CONNECT example.org:80 HTTP/1.1\r\nHost: example.org:80\r\n\r\n"]
    assert server.received.startswith(b"GET /chat HTTP/1.1\r\nHost: example.org\r\n")
    assert b"\r\nUpgrade: websocket\r\n" in server.received


async def test_a_proxy_connector(relay: Relay, trusting: ssl.SSLContext) -> None:
    async with ClientSession(connector=ProxyConnector(relay.url, ssl=trusting)) as session:
        for _ in range(3):
            assert await get(session) == "/path"
    assert len(relay.heads) == 1


async def test_a_request_by_hand(relay: Relay, trusting: ssl.SSLContext) -> None:
    request = ClientRequest("GET", URL("https://example.org/"), proxy=relay.url, ssl=trusting)
    async with TCPConnector() as connector:
        connection = await connector.connect(request, (), ClientTimeout())
        response = await request.send(connection)
        await response.start(connection)
        assert await response.text() == "/"
