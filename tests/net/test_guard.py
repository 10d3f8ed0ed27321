"""net/guard.py: which addresses are nobody's business outside, and that no connection leads there."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from aiohttpx import ClientConnectorError, ClientSession, RetryMiddleware, SSRFError, SSRFGuard, TCPConnector
from aiohttpx.net.resolver import AbstractResolver, ResolveResult
from aiohttpx.testing import LoopbackServer, Response

REFUSED = [
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
    *("100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1"),
    *("203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *("fec0::1", "2001:db8::1", "3fff::1", "100::1"),
    *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::ffff:10.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::7f00:1"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101:1:2:3:4:5"),
    *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "5f00::1", "4000::1"),
    *("localhost", "127.1", "2130706433", ""),
]  # fmt: skip
PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1", "223.255.255.255"),
    *("2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"),
]  # fmt: skip


@pytest.mark.parametrize("host", REFUSED)
def test_what_is_not_public_is_refused(host: str) -> None:
    said = SSRFGuard().objection(host)
    assert said is not None
    assert said.startswith(f"{host} is ")


@pytest.mark.parametrize("host", PUBLIC)
def test_what_is_public_is_not(host: str) -> None:
    assert SSRFGuard().objection(host) is None


def test_it_refuses_whatever_the_standard_library_knows_to_be_private() -> None:
    guard = SSRFGuard()
    for number in range(0, 2**32, 2**32 // 5003):
        address = ipaddress.IPv4Address(number)
        if not address.is_global or address.is_multicast:
            assert guard.objection(str(address)) is not None, address
            assert guard.objection(f"::ffff:{address}") is not None, address


def test_exceptions_both_ways() -> None:
    guard = SSRFGuard(allow=["10.1.0.0/16", "::1"], block=["8.8.8.8", "10.1.2.3/32"])
    said = {host: guard.objection(host) for host in ("10.1.0.1", "10.2.0.1", "::1", "::ffff:10.1.0.1", "8.8.8.8", "10.1.2.3")}
    assert said == {
        "10.1.0.1": None,
        "10.2.0.1": "10.2.0.1 is private",
        "::1": None,
        "::ffff:10.1.0.1": None,
        "8.8.8.8": "8.8.8.8 is blocked",
        "10.1.2.3": "10.1.2.3 is blocked",
    }
    assert guard.objection("::ffff:8.8.8.8") == "::ffff:8.8.8.8 is blocked"


@pytest.mark.parametrize("network", ["example.org", "10.0.0.1/8", "", "10.0.0.0/33"])
def test_what_is_no_network_is_a_value_error(network: str) -> None:
    with pytest.raises(ValueError, match=r"network|host bits"):
        SSRFGuard(allow=[network])
    with pytest.raises(ValueError, match=r"network|host bits"):
        SSRFGuard(block=[network])


# -- on the way


class Resolver(AbstractResolver):
    """Answers with one list of addresses after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        self.asked += 1
        addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        kinds = [(address, socket.AF_INET6 if ":" in address else socket.AF_INET) for address in addresses]
        return [
            {"hostname": host, "host": address, "port": port, "family": kind, "proto": 0, "flags": 0} for address, kind in kinds
        ]

    async def close(self) -> None: ...


def guarded(*answers: list[str], **kwargs: Any) -> TCPConnector:
    return TCPConnector(guard=SSRFGuard(), resolver=Resolver(*(answers or (["127.0.0.1"],))), **kwargs)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "localhost", "name.test", "127.0.0.1.", "169.254.169.254"],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_connection_leads_there(host: str, scheme: str) -> None:
    with LoopbackServer({"/": lambda request: Response.text("secret")}).in_thread() as server:
        async with ClientSession(connector=guarded()) as session:
            with pytest.raises((SSRFError, ValueError)) as caught:
                await session.get(f"{scheme}://{host}:{server.port}/")
        assert server.connections == 0
    if isinstance(caught.value, SSRFError):
        assert isinstance(caught.value, ClientConnectorError)
        assert isinstance(caught.value.os_error, PermissionError)
        assert "SSRFGuard: " in str(caught.value)
        assert caught.value.host == URL(f"{scheme}://{host}/").raw_host


async def test_the_error_says_what_is_wrong() -> None:
    async with ClientSession(connector=guarded(["10.0.0.1", "::ffff:169.254.169.254"])) as session:
        with pytest.raises(SSRFError) as caught:
            await session.get("http://inside.test/")
    text = (
        "Cannot connect to host inside.test:80 ssl:default [SSRFGuard: 10.0.0.1 is private, ::ffff:169.254.169.254 is link-local]"
    )
    assert str(caught.value) == text


async def test_only_the_addresses_that_are_permitted_are_connected_to() -> None:
    tried: list[Any] = []

    def refuse(info: Any) -> socket.socket:
        tried.append(info[4][0])
        raise OSError("not in this test")

    connector = guarded(["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1"], socket_factory=refuse)
    async with ClientSession(connector=connector) as session:
        with pytest.raises(ClientConnectorError):
            await session.get("http://mixed.test/")
    assert sorted(tried) == ["2606:4700::1", "8.8.8.8"]


async def test_each_hop_is_looked_at() -> None:
    routes = {"/out": lambda request: Response(302, [("Location", f"http://127.0.0.2:{request.headers['x-port']}/")], b"")}
    with LoopbackServer({**routes, "/": lambda request: Response.text("secret")}).in_thread() as server:
        connector = TCPConnector(guard=SSRFGuard(allow=["127.0.0.1"]))
        async with ClientSession(connector=connector, headers={"X-Port": str(server.port)}) as session:
            async with session.get(f"{server.url}/") as response:
                assert await response.text() == "secret"  # it was allowed
            with pytest.raises(SSRFError, match=r"127\.0\.0\.2 is loopback"):
                await session.get(f"{server.url}/out")


async def test_a_name_that_changes_its_address_is_looked_at_each_time() -> None:
    with LoopbackServer({"/": lambda request: Response.text("ok")}).in_thread() as server:
        resolver = Resolver(["127.0.0.1"], ["127.0.0.2"])
        connector = TCPConnector(guard=SSRFGuard(allow=["127.0.0.1"]), resolver=resolver, use_dns_cache=False, force_close=True)
        async with ClientSession(connector=connector) as session:
            async with session.get(f"http://name.test:{server.port}/"):
                pass
            with pytest.raises(SSRFError):
                await session.get(f"http://name.test:{server.port}/")
    assert resolver.asked == 2


async def test_what_the_connector_knows_by_itself_is_looked_at_too() -> None:
    async with ClientSession(connector=guarded(hosts={"fixed.test": "127.0.0.1"})) as session:
        with pytest.raises(SSRFError):
            await session.get("http://fixed.test/")


async def test_unix_sockets_are_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "socket").replace("/", "%2F")
    async with ClientSession(connector=guarded()) as session:
        with pytest.raises(SSRFError, match="Unix socket"):
            await session.get(f"http+unix://{path}/")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("proxy", ["http", "socks5h"])
async def test_what_goes_through_a_proxy_is_refused(scheme: str, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ClientSession(connector=guarded(["8.8.8.8"])) as session:
        with pytest.raises(SSRFError, match="behind a proxy"):
            await session.get(f"{scheme}://name.test/", proxy=f"{proxy}://8.8.4.4:1")
    monkeypatch.setenv(f"{scheme}_proxy", f"{proxy}://8.8.4.4:1")
    async with ClientSession(connector=guarded(["8.8.8.8"]), trust_env=True) as session:
        with pytest.raises(SSRFError, match="behind a proxy"):
            await session.get(f"{scheme}://name.test/")


async def test_a_refusal_is_final_and_takes_no_slot() -> None:
    connector = guarded(limit=1)
    async with ClientSession(connector=connector, middlewares=(RetryMiddleware(),)) as session, asyncio.timeout(10):
        for _ in range(3):
            with pytest.raises(SSRFError) as caught:
                await session.get("http://name.test/")
            assert not hasattr(caught.value, "__notes__")
