"""A session through real proxies: proxy.py as an http and an https proxy, and SOCKS servers."""

from __future__ import annotations

import importlib.util
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme
from yarl import URL

from aiohttpx import (
    BasicAuth,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientSession,
    ProxyConnector,
    TCPConnector,
)
from aiohttpx.testing import LoopbackServer, Request, Response

from .conftest import do_without
from .proxies import PASSWORD, USER, run_proxy_py, run_socks

pytestmark = pytest.mark.every_loop
AUTH = BasicAuth(USER, PASSWORD)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def proxies(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """URLs by what the proxy is; those called "auth" want USER and PASSWORD."""
    for module in ("proxy", "tiny_proxy", "python_socks"):
        if importlib.util.find_spec(module) is None:
            do_without(f"{module} is not installed (pip install 'aiohttpx[test]')")

    def folder(name: str) -> Path:
        return tmp_path_factory.mktemp(name)

    certificates = folder("certificates")
    certificate = ca.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(str(certificates / "key.pem"))
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(str(certificates / "cert.pem"), append=True)
    tls = ["--cert-file", str(certificates / "cert.pem"), "--key-file", str(certificates / "key.pem")]
    auth = ["--basic-auth", f"{USER}:{PASSWORD}"]
    with ExitStack() as stack:
        plain = stack.enter_context(run_proxy_py(folder("http")))
        plain_auth = stack.enter_context(run_proxy_py(folder("auth"), *auth))
        secure = stack.enter_context(run_proxy_py(folder("https"), *tls))
        socks4 = stack.enter_context(run_socks(folder("socks4"), "Socks4"))
        socks5 = stack.enter_context(run_socks(folder("socks5"), "Socks5"))
        socks5_auth = stack.enter_context(run_socks(folder("socks5"), "Socks5", USER, PASSWORD))
        yield {
            "http": f"http://127.0.0.1:{plain}",
            "http auth": f"http://127.0.0.1:{plain_auth}",
            "https": f"https://localhost:{secure}",
            "socks4": f"socks4://127.0.0.1:{socks4}",
            "socks4a": f"socks4a://127.0.0.1:{socks4}",
            "socks5": f"socks5://127.0.0.1:{socks5}",
            "socks5h": f"socks5h://localhost:{socks5}",
            "socks5 auth": f"socks5://127.0.0.1:{socks5_auth}",
        }


@pytest.fixture
def trusting(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


def answer(request: Request) -> Response:
    return Response(200, [("X-Asked-For", request.target)], bytes(reversed(request.body)) or b"hello")


@pytest.fixture(params=["http", "https"])
async def origin(request: pytest.FixtureRequest, ca: trustme.CA) -> AsyncIterator[LoopbackServer]:
    context = None
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    async with LoopbackServer({"/": answer}, ssl_context=context) as server:
        yield server


KINDS = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]


@pytest.mark.parametrize("kind", KINDS)
async def test_requests(proxies: dict[str, str], origin: LoopbackServer, trusting: ssl.SSLContext, kind: str) -> None:
    body = bytes(range(256)) * 2000
    async with ClientSession(connector=TCPConnector(ssl=trusting), proxy=proxies[kind]) as session:
        for _ in range(3):
            async with session.get(f"{origin.url}/path?a=b") as response:
                assert await response.read() == b"hello"
                assert response.headers["X-Asked-For"].endswith("/path?a=b")
        async with session.post(origin.url, data=body) as response:
            assert await response.read() == body[::-1]
    if origin.url.startswith("https") or "socks" in kind:
        assert origin.connections == 1  # proxy.py itself keeps none for http


@pytest.mark.parametrize("kind", ["http auth", "socks5 auth"])
async def test_credentials(proxies: dict[str, str], origin: LoopbackServer, trusting: ssl.SSLContext, kind: str) -> None:
    in_url = URL(proxies[kind]).with_user(USER).with_password(PASSWORD)
    ways: list[dict[str, Any]] = [{"proxy": in_url}, {"proxy": proxies[kind], "proxy_auth": AUTH}]
    for way in ways:
        async with ClientSession() as session, session.get(origin.url, ssl=trusting, **way) as response:
            assert await response.read() == b"hello"
    async with ClientSession(connector=ProxyConnector(in_url, ssl=trusting)) as session, session.get(origin.url) as response:
        assert response.status == 200


async def test_without_credentials(proxies: dict[str, str], origin: LoopbackServer) -> None:
    async with ClientSession(proxy=proxies["http auth"]) as session:
        if origin.url.startswith("https"):
            with pytest.raises(ClientHttpProxyError, match="407") as caught:
                await session.get(origin.url)
            assert caught.value.headers is not None
            assert "Proxy-Authenticate" in caught.value.headers
        else:
            async with session.get(origin.url) as response:
                assert response.status == 407
    assert origin.connections == 0


@pytest.mark.parametrize("auth", [None, BasicAuth(USER, "wrong")])
async def test_refused_by_socks(proxies: dict[str, str], origin: LoopbackServer, auth: BasicAuth | None) -> None:
    async with ClientSession(proxy=proxies["socks5 auth"], proxy_auth=auth) as session:
        with pytest.raises(ClientProxyConnectionError, match=r"host 127.0.0.1:.*(auth|method)") as caught:
            await session.get(origin.url)
    assert "wrong" not in str(caught.value)
    assert origin.connections == 0


@pytest.mark.parametrize("kind", ["http", "https"])
async def test_a_name_is_looked_up_by_the_proxy(proxies: dict[str, str], trusting: ssl.SSLContext, kind: str) -> None:
    async with ClientSession(proxy=proxies[kind]) as session:
        with pytest.raises((ClientHttpProxyError, ClientProxyConnectionError)):
            await session.get("https://nowhere.invalid/", ssl=trusting)


@pytest.mark.parametrize(
    ("kind", "error", "host"),
    [
        ("socks4", ClientConnectorDNSError, "nowhere.invalid:80"),
        ("socks5", ClientConnectorDNSError, "nowhere.invalid:80"),
        ("socks4a", ClientProxyConnectionError, "127.0.0.1:"),
        ("socks5h", ClientProxyConnectionError, "localhost:"),
    ],
)
async def test_by_whom_names_are_looked_up(proxies: dict[str, str], kind: str, error: type[Exception], host: str) -> None:
    async with ClientSession(proxy=proxies[kind]) as session:
        with pytest.raises(error, match=f"host {host}"):
            await session.get("http://nowhere.invalid/")


@pytest.mark.parametrize("kind", KINDS)
async def test_the_origin_must_prove_its_name(
    proxies: dict[str, str], ca: trustme.CA, trusting: ssl.SSLContext, kind: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("elsewhere.example").configure_cert(context)
    async with LoopbackServer({"/": answer}, ssl_context=context) as server, ClientSession(proxy=proxies[kind]) as session:
        with pytest.raises(ClientConnectorCertificateError, match=f"host 127.0.0.1:{server.port} through {proxies[kind]}"):
            await session.get(server.url, ssl=trusting)


@pytest.mark.parametrize(("auth", "host"), [(BasicAuth(USER, "wörd" * 60), "a.example"), (AUTH, "a" * 300)])
async def test_what_cannot_be_said_in_socks(proxies: dict[str, str], auth: BasicAuth, host: str) -> None:
    async with ClientSession(proxy=proxies["socks5 auth"].replace("socks5", "socks5h"), proxy_auth=auth) as session:
        with pytest.raises(ClientProxyConnectionError, match="cannot be said in SOCKS") as caught:
            await session.get(f"http://{host}/")
    assert "rd" not in repr(caught.value.__cause__)


async def test_a_closed_port_behind_socks(proxies: dict[str, str]) -> None:
    async with LoopbackServer() as gone:
        pass
    async with ClientSession(proxy=proxies["socks5"]) as session:
        with pytest.raises(ClientProxyConnectionError, match="refused"):
            await session.get(gone.url)
