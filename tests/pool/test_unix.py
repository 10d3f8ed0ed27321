"""UnixConnector, `http+unix://` URLs and NamedPipeConnector: servers without a port."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from yarl import URL

from aiohttpx import (
    BaseConnector,
    ClientConnectorError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    InvalidUrlClientError,
    NamedPipeConnector,
    NonHttpUrlClientError,
    TCPConnector,
    UnixClientConnectorError,
    UnixConnector,
)
from aiohttpx.net.unix import join, socket_path, unix_url
from aiohttpx.testing import LoopbackServer, Request, Response

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "A name.sock")


def url_of(path: str, rest: str) -> str:
    return f"http+unix://{path.replace('/', '%2F').replace(' ', '%20')}{rest}"


async def asked(session: ClientSession, url: str, **options: Any) -> dict[str, Any]:
    async with session.get(url, **options) as response:
        return json.loads(await response.text())  # type: ignore[no-any-return]


# -- UnixConnector


@pytest.mark.every_loop
async def test_whatever_the_host_the_socket_is_asked(path: str) -> None:
    async with LoopbackServer(unix_path=path) as server:
        connector = UnixConnector(path)
        assert connector.path == path
        async with ClientSession(connector=connector) as session:
            for _ in range(2):
                said = await asked(session, "http://example.org/anything?x=1")
                assert (said["target"], said["headers"]["host"]) == ("/anything?x=1", "example.org")
            assert server.connections == 1


@pytest.mark.every_loop
async def test_https_is_tls(path: str) -> None:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("example.org").configure_cert(context)
    trusting = ssl.create_default_context()
    ca.configure_trust(trusting)
    async with LoopbackServer(unix_path=path, ssl_context=context), ClientSession(connector=UnixConnector(path)) as session:
        said = await asked(session, "https://example.org/anything", ssl=trusting)
        assert said["headers"]["host"] == "example.org"


async def test_there_is_no_socket(path: str) -> None:
    async with ClientSession(connector=UnixConnector(path)) as session:
        with pytest.raises(UnixClientConnectorError, match=r"Cannot connect to unix socket .*A name\.sock") as caught:
            await session.get("http://example.org/")
    assert caught.value.path == path
    assert isinstance(caught.value.os_error, FileNotFoundError)


@pytest.mark.every_loop
@pytest.mark.skipif(sys.platform != "linux", reason="others refuse at once")
async def test_a_socket_that_accepts_nobody_has_its_time(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(path)
            async with ClientSession(connector=UnixConnector(path)) as session:
                with pytest.raises(ConnectionTimeoutError, match=r"sock_connect, 0\.05 s"):
                    await session.get("http://example.org/", timeout=ClientTimeout(sock_connect=0.05))
                waiting = asyncio.ensure_future(session.get("http://example.org/", timeout=20))
                await asyncio.sleep(0.05)
                listening.accept()[0].close()
                accepted, _ = await asyncio.to_thread(listening.accept)
                with accepted:
                    accepted.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                    assert (await waiting).status == 204


def test_its_parameters() -> None:
    connector = UnixConnector("/a", True, None, 5, 2)
    assert (connector.force_close, connector.limit, connector.limit_per_host) == (True, 5, 2)


# -- http+unix URLs


@pytest.mark.every_loop
async def test_a_url_names_the_socket(path: str) -> None:
    async with LoopbackServer(unix_path=path) as server, ClientSession() as session:
        for _ in range(2):
            async with session.get(url_of(path, "/anything/ä?x=a b#there"), params={"y": "2"}) as response:
                said = await response.json()
                assert (said["target"], said["headers"]["host"]) == ("/anything/%C3%A4?x=a+b&y=2", "localhost")
                assert str(response.url) == url_of(path, "/anything/%C3%A4?x=a+b&y=2")
                assert (response.url.fragment, response.real_url.fragment) == ("", "there")
        assert server.connections == 1


async def test_the_case_of_the_path_counts(tmp_path: Path) -> None:
    one, other = (str(tmp_path / name) for name in ("name", "NAME"))
    async with LoopbackServer(unix_path=one) as lower, LoopbackServer(unix_path=other) as upper, ClientSession() as session:
        await asked(session, url_of(one, "/anything"))
        await asked(session, url_of(other, "/anything"))
        assert (lower.connections, upper.connections) == (1, 1)


async def test_a_base_url(path: str) -> None:
    async with LoopbackServer(unix_path=path), ClientSession(url_of(path, "/anything/")) as session:
        assert (await asked(session, "below?x"))["target"] == "/anything/below?x"
        assert (await asked(session, "/anything"))["target"] == "/anything"
        assert (await asked(session, url_of(path, "/anything/else")))["target"] == "/anything/else"


async def test_redirects_stay_on_the_socket(path: str) -> None:
    def away(request: Request) -> Response:
        return Response(302, [("Location", "../anything/there")])

    routes = {"/here/": away, "/anything/": lambda request: Response.text(request.target)}
    async with LoopbackServer(routes, unix_path=path), ClientSession() as session:
        response = await session.get(url_of(path, "/here/it"))
        assert await response.text() == "/anything/there"
        assert str(response.url) == url_of(path, "/anything/there")


async def test_a_redirect_to_a_socket_is_not_followed(path: str) -> None:
    away = Response(302, [("Location", url_of(path, "/secret"))])
    async with LoopbackServer({"/": lambda request: away}) as server, ClientSession() as session:
        with pytest.raises(NonHttpUrlClientError):
            await session.get(server.url)


async def test_a_url_without_a_socket() -> None:
    async with ClientSession() as session:
        with pytest.raises(InvalidUrlClientError):
            await session.get("http+unix:///run/name.sock/path")


@pytest.mark.parametrize("connector", [lambda: UnixConnector("/other"), BaseConnector])
async def test_another_kind_of_connector_does_not_take_them(connector: Callable[[], BaseConnector], path: str) -> None:
    async with ClientSession(connector=connector()) as session:
        with pytest.raises(NonHttpUrlClientError):
            await session.get(url_of(path, "/"))


async def test_the_path_is_what_a_url_object_says() -> None:
    url = "http+unix://%2Frun%2FName.sock/Path"
    assert socket_path(unix_url(url)) == "/run/Name.sock"
    assert socket_path(unix_url(URL(url, encoded=True))) == "/run/Name.sock"
    assert unix_url("http://Example.org/") == URL("http://example.org/")
    base = unix_url("HTTP+Unix://%2FA.sock/b/c?d#e")
    assert str(base) == "http+unix://%2FA.sock/b/c?d#e"
    assert str(join(base, URL("../f?g#h"))) == "http+unix://%2FA.sock/f?g#h"
    assert join(base, URL("http://a/b")) == URL("http://a/b")


async def test_a_unix_url_and_a_system_without_them(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")
    async with ClientSession() as session:
        with pytest.raises(UnixClientConnectorError, match="This system has no Unix sockets"):
            await session.get(url_of(path, "/"))


# -- named pipes


class PipeLoop(asyncio.SelectorEventLoop):
    """It has pipes that are Unix sockets."""

    async def create_pipe_connection(self, factory: Any, path: str) -> Any:
        return await self.create_unix_connection(factory, path)


def test_a_named_pipe(path: str) -> None:
    async def main() -> None:
        async with LoopbackServer(unix_path=path), ClientSession(connector=NamedPipeConnector(path)) as session:
            assert (await asked(session, "http://pipe/anything"))["headers"]["host"] == "pipe"
            with pytest.raises(ClientConnectorError, match="no TLS over named pipes"):
                await session.get("https://pipe/")

    with asyncio.Runner(loop_factory=PipeLoop) as runner:
        runner.run(main())


def test_no_such_pipe(path: str) -> None:
    async def main() -> None:
        async with ClientSession(connector=NamedPipeConnector(path)) as session:
            with pytest.raises(ClientConnectorError, match="No such file"):
                await session.get("http://pipe/anything")

    with asyncio.Runner(loop_factory=PipeLoop) as runner:
        runner.run(main())


async def test_another_loop_has_no_pipes() -> None:
    with pytest.raises(RuntimeError, match="Named pipes need the ProactorEventLoop of Windows, not"):
        NamedPipeConnector(r"\\.\pipe\name")


def test_another_loop_has_no_pipes_at_the_first_use_either() -> None:
    connector = NamedPipeConnector(r"\\.\pipe\name")
    assert connector.path == r"\\.\pipe\name"

    async def main() -> None:
        async with ClientSession(connector=connector) as session:
            with pytest.raises(RuntimeError, match="Named pipes need"):
                await session.get("http://pipe/")

    asyncio.run(main())


# -- the schemes of each kind


def test_schemes() -> None:
    assert "tcp" in TCPConnector.allowed_protocol_schema_set
    assert "unix" in UnixConnector.allowed_protocol_schema_set
    assert "npipe" in NamedPipeConnector.allowed_protocol_schema_set
