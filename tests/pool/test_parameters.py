"""pool/connectors.py: the parameters of TCPConnector are aiohttp's, each does what it says, and there are some of ours."""

from __future__ import annotations

import asyncio
import inspect
import socket
import ssl
import threading
from contextlib import suppress
from typing import Any

import pytest
import trustme

from aiohttpx import ClientConnectorDNSError, ClientSession, NamedPipeConnector, TCPConnector, UnixConnector
from aiohttpx.testing import ScriptedPeer

from .asking import OK, get, idle

#: Names and defaults of aiohttp 3.14; what is not given there is None here.
AIOHTTPS: dict[str, Any] = {
    "verify_ssl": True,
    "fingerprint": None,
    "use_dns_cache": True,
    "ttl_dns_cache": 10,
    "dns_cache_max_size": 1000,
    "family": socket.AF_UNSPEC,
    "ssl_context": None,
    "ssl": True,
    "local_addr": None,
    "resolver": None,
    "keepalive_timeout": ...,
    "force_close": False,
    "limit": 100,
    "limit_per_host": 0,
    "enable_cleanup_closed": False,
    "loop": None,
    "timeout_ceil_threshold": 5,
    "happy_eyeballs_delay": 0.25,
    "interleave": None,
    "socket_factory": None,
    "ssl_shutdown_timeout": ...,
}


def test_names_and_defaults() -> None:
    parameters = inspect.signature(TCPConnector).parameters
    assert [*parameters][: len(AIOHTTPS)] == [*AIOHTTPS]
    for name, default in AIOHTTPS.items():
        assert default is ... or parameters[name].default == default, name
    for kind in (UnixConnector, NamedPipeConnector):
        names = ["path", "force_close", "keepalive_timeout", "limit", "limit_per_host", "loop"]
        assert [*inspect.signature(kind).parameters] == names


# -- keepalive_timeout


async def test_without_a_limit_connections_are_kept() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession(connector=TCPConnector(keepalive_timeout=None)) as session:
        assert session.connector is not None
        await get(session, peer.url)
        timers = [timer for timer in asyncio.get_running_loop()._scheduled if "sweep" in repr(timer)]  # type: ignore[attr-defined]
        assert (idle(session.connector), timers) == (1, [])
        await get(session, peer.url)
        assert len(peer.connections) == 1


def test_force_close_and_a_time_to_keep() -> None:
    with pytest.raises(ValueError, match="keepalive_timeout cannot be set if force_close is True"):
        TCPConnector(force_close=True, keepalive_timeout=15.0)
    TCPConnector(force_close=True, keepalive_timeout=None)


# -- `with`


async def test_with_is_deprecated_and_ends_it() -> None:
    with pytest.warns(DeprecationWarning, match='use "async with connector"') as caught, TCPConnector() as connector:
        assert not connector.closed
    assert connector.closed
    assert caught[0].filename == __file__


# -- hosts


async def test_hosts_that_nobody_is_asked_for() -> None:
    async with ScriptedPeer(OK) as peer:
        hosts = {"one.example": "127.0.0.1", "Two.example": ["::2", "127.0.0.1"], "bücher.example": ("127.0.0.1",)}
        async with ClientSession(connector=TCPConnector(hosts=hosts)) as session:
            for host in ("one.example", "two.example", "bücher.example"):
                assert await get(session, f"http://{host}:{peer.port}/") == "ok"
        assert peer.received.count(b"Host: xn--bcher-kva.example:") == 1
        async with ClientSession(connector=TCPConnector(hosts=hosts, family=socket.AF_INET6)) as session:
            with pytest.raises(ClientConnectorDNSError, match=r"one\.example is not an address of AF_INET6"):
                await get(session, f"http://one.example:{peer.port}/")


@pytest.mark.parametrize("given", ["localhost", ["127.0.0.1", "127.1"], "127.0.0.1:80", [""]])
def test_hosts_have_addresses(given: Any) -> None:
    with pytest.raises(ValueError, match=r"hosts: 'a\.example' must have IP addresses"):
        TCPConnector(hosts={"a.example": given})


# -- ssl_shutdown_timeout


def test_its_time_is_deprecated() -> None:
    with pytest.warns(DeprecationWarning, match="ssl_shutdown_timeout parameter is deprecated") as caught:
        TCPConnector(ssl_shutdown_timeout=1)
    assert caught[0].filename == __file__


@pytest.mark.every_loop
@pytest.mark.parametrize("seconds", [None, 0, 0.05, 30])
async def test_the_end_waits_so_long_for_the_peers_part_of_a_tls_shutdown(seconds: float | None) -> None:
    loop = asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    answer = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"

        def serve() -> None:
            accepted, _ = listening.accept()
            accepted.settimeout(20)
            with context.wrap_socket(accepted, server_side=True) as tls:
                tls.recv(65536)
                tls.sendall(OK)
                assert tls.recv(1) == b""
                answer.wait(20)
                with suppress(OSError):
                    tls.unwrap()

        served = loop.run_in_executor(None, serve)
        if seconds is None:
            session = ClientSession()
        else:
            with pytest.warns(DeprecationWarning, match="ssl_shutdown_timeout"):
                session = ClientSession(ssl_shutdown_timeout=seconds)
        async with session.get(url, ssl=False) as response:
            assert await response.text() == "ok"
        closing = asyncio.ensure_future(session.close())
        if seconds == 30:
            await asyncio.sleep(0.1)
            assert not closing.done()
            answer.set()
        await closing
        answer.set()
        await served
