from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import struct
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aiohttpx.errors import ClientConnectionError, InvalidUrlClientError
from aiohttpx.net.resolver import (
    AbstractResolver,
    AsyncResolver,
    DefaultResolver,
    HostCache,
    HostLookup,
    ResolveResult,
    ThreadedResolver,
    literal_address,
)

pytestmark = pytest.mark.every_loop


def address(host: str) -> ResolveResult:
    return {"hostname": "example.org", "host": host, "port": 80, "family": socket.AF_INET, "proto": 0, "flags": 0}


def hosts(results: list[ResolveResult] | None) -> list[str]:
    return [] if results is None else [result["host"] for result in results]


class ScriptedResolver(AbstractResolver):
    """It answers when it is let, and counts how often it was asked."""

    def __init__(self, *answers: list[ResolveResult] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int, int]] = []
        self.free = asyncio.Event()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        self.asked.append((host, port, family))
        await self.free.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None: ...


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.255", "::1", "fe80::1%eth0", "fe80::1%25"])
def test_a_literal_is_its_own_address(host: str) -> None:
    result = literal_address(host, 8080)
    assert result is not None
    assert (result["host"], result["port"]) == (host, 8080)
    assert result["family"] == (socket.AF_INET6 if ":" in host else socket.AF_INET)


@pytest.mark.parametrize("host", ["example.org", "localhost", "1.example", "deadbeef", "example.org.", "0.example.x1"])
def test_a_name_is_not_a_literal(host: str) -> None:
    assert literal_address(host, 80) is None


@pytest.mark.parametrize(
    "host", ["2130706433", "127.1", "0x7f.1", "0x7F000001", "127.0.0.01", "127.0.0.256", "1.2.3.4.5", "10.1."]
)
def test_the_old_forms_of_ipv4_are_refused(host: str) -> None:
    with pytest.raises(InvalidUrlClientError, match="is not a canonical IPv4 address"):
        literal_address(host, 80)


class TestCache:
    def test_another_address_comes_first_each_time(self) -> None:
        cache = HostCache()
        cache.put("example.org", 80, [address("1"), address("2"), address("3")])
        assert [hosts(cache.get("example.org", 80)) for _ in range(4)] == [
            ["1", "2", "3"],
            ["2", "3", "1"],
            ["3", "1", "2"],
            ["1", "2", "3"],
        ]

    def test_an_answer_holds_for_its_time(self) -> None:
        now = 100.0
        cache = HostCache(ttl=10, clock=lambda: now)
        cache.put("example.org", 80, [address("1")])
        now = 109.9
        assert hosts(cache.get("example.org", 80)) == ["1"]
        now = 110.0
        assert cache.get("example.org", 80) is None
        now = 109.0
        assert cache.get("example.org", 80) is None

    def test_without_a_time_it_holds_for_ever(self) -> None:
        now = 0.0
        cache = HostCache(ttl=None, clock=lambda: now)
        cache.put("example.org", 80, [address("1")])
        now = 1e12
        assert hosts(cache.get("example.org", 80)) == ["1"]

    def test_beyond_its_size_the_least_recently_used_goes(self) -> None:
        cache = HostCache(max_size=2)
        cache.put("a", 80, [address("1")])
        cache.put("b", 80, [address("2")])
        cache.get("a", 80)
        cache.put("c", 80, [address("3")])
        assert [hosts(cache.get(host, 80)) for host in "abc"] == [["1"], [], ["3"]]

    def test_the_port_is_part_of_the_name(self) -> None:
        cache = HostCache()
        cache.put("a", 80, [address("1")])
        assert cache.get("a", 81) is None

    def test_hosts_are_forgotten_one_by_one_and_all(self) -> None:
        cache = HostCache()
        for host in "abc":
            cache.put(host, 80, [address(host)])
        cache.remove("a", 80)
        cache.remove("unknown", 80)
        assert [hosts(cache.get(host, 80)) for host in "abc"] == [[], ["b"], ["c"]]
        cache.clear()
        assert [cache.get(host, 80) for host in "abc"] == [None, None, None]


class TestLookup:
    async def test_concurrent_lookups_share_one_query(self) -> None:
        resolver = ScriptedResolver([address("1"), address("2")])
        lookup = HostLookup(resolver, HostCache())
        tasks = [asyncio.create_task(lookup.resolve("example.org", 80)) for _ in range(3)]
        await turns()
        resolver.free.set()
        assert [hosts(found) for found in await asyncio.gather(*tasks)] == [["1", "2"], ["2", "1"], ["1", "2"]]
        assert hosts(await lookup.resolve("example.org", 80)) == ["2", "1"]
        assert resolver.asked == [("example.org", 80, socket.AF_UNSPEC)]

    async def test_without_a_cache_each_lookup_asks(self) -> None:
        resolver = ScriptedResolver([address("1")], [address("2")])
        resolver.free.set()
        lookup = HostLookup(resolver, None, socket.AF_INET)
        assert hosts(await lookup.resolve("example.org", 80)) == ["1"]
        assert hosts(await lookup.resolve("example.org", 80)) == ["2"]
        assert resolver.asked == [("example.org", 80, socket.AF_INET)] * 2

    async def test_a_literal_asks_nobody(self) -> None:
        resolver = ScriptedResolver()
        assert hosts(await HostLookup(resolver, HostCache()).resolve("fe80::1%eth0", 80)) == ["fe80::1%eth0"]
        assert resolver.asked == []

    async def test_a_literal_of_another_family_is_refused(self) -> None:
        with pytest.raises(socket.gaierror, match="::1 is not an address of AF_INET"):
            await HostLookup(ScriptedResolver(), None, socket.AF_INET).resolve("::1", 80)

    async def test_a_cancelled_caller_does_not_cancel_the_others(self) -> None:
        resolver = ScriptedResolver([address("1")])
        lookup = HostLookup(resolver, HostCache())
        first, second = (asyncio.create_task(lookup.resolve("example.org", 80)) for _ in range(2))
        await turns()
        first.cancel()
        await turns()
        assert first.cancelled()
        resolver.free.set()
        assert hosts(await second) == ["1"]
        assert len(resolver.asked) == 1

    async def test_the_answer_nobody_waits_for_is_remembered(self) -> None:
        resolver = ScriptedResolver([address("1")])
        lookup = HostLookup(resolver, HostCache())
        task = asyncio.create_task(lookup.resolve("example.org", 80))
        await turns()
        task.cancel()
        resolver.free.set()
        await turns()
        assert hosts(lookup.known("example.org", 80)) == ["1"]

    async def test_a_failure_reaches_all_and_is_not_remembered(self) -> None:
        wrong = socket.gaierror(socket.EAI_NONAME, "no such name")
        resolver = ScriptedResolver(wrong, [address("1")])
        lookup = HostLookup(resolver, HostCache())
        tasks = [asyncio.create_task(lookup.resolve("example.org", 80)) for _ in range(2)]
        await turns()
        resolver.free.set()
        assert await asyncio.gather(*tasks, return_exceptions=True) == [wrong, wrong]
        assert hosts(await lookup.resolve("example.org", 80)) == ["1"]

    async def test_a_failure_that_nobody_waits_for_is_not_reported(self) -> None:
        reported: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
        resolver = ScriptedResolver(OSError("no network"))
        task = asyncio.create_task(HostLookup(resolver, None).resolve("example.org", 80))
        await turns()
        task.cancel()
        resolver.free.set()
        await turns()
        gc.collect()
        assert reported == []

    async def test_no_address_is_a_failure(self) -> None:
        resolver = ScriptedResolver([])
        resolver.free.set()
        with pytest.raises(socket.gaierror, match=r"example\.org has no address"):
            await HostLookup(resolver, HostCache()).resolve("example.org", 80)

    async def test_closing_ends_the_queries_with_an_error(self) -> None:
        lookup = HostLookup(ScriptedResolver(), HostCache())
        tasks = [asyncio.create_task(lookup.resolve("example.org", 80)) for _ in range(2)]
        await turns()
        lookup.close()
        for task in tasks:
            with pytest.raises(ClientConnectionError, match=r"Closed while resolving example\.org"):
                await task

    async def test_a_caller_cancelled_while_closing_is_cancelled(self) -> None:
        lookup = HostLookup(ScriptedResolver(), HostCache())
        task = asyncio.create_task(lookup.resolve("example.org", 80))
        await turns()
        lookup.close()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


class TestThreaded:
    async def test_localhost(self) -> None:
        resolver = ThreadedResolver()
        (found,) = await resolver.resolve("localhost", 8080)
        await resolver.close()
        assert found["hostname"] == "localhost"
        assert (found["host"], found["port"], found["family"]) == ("127.0.0.1", 8080, socket.AF_INET)

    async def test_a_name_that_does_not_exist(self) -> None:
        with pytest.raises(socket.gaierror):
            await ThreadedResolver().resolve("name.invalid")

    @pytest.mark.parametrize("host", ["x" * 64 + ".example", "a..example"])
    async def test_what_cannot_be_a_name(self, host: str) -> None:
        with pytest.raises(socket.gaierror, match="Not a host name"):
            await ThreadedResolver().resolve(host)

    async def test_a_link_local_address_keeps_its_zone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        if not isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
            pytest.skip("this loop does not ask the socket module")

        def getaddrinfo(*args: Any, **kwargs: Any) -> list[Any]:
            return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 80, 0, 3))]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        assert hosts(await ThreadedResolver().resolve("printer.example", 80)) == ["fe80::1%3"]


class ScriptedDNS(asyncio.DatagramProtocol):
    """A DNS server (RFC 1035) for one name with one IPv4 address."""

    asked = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.asked += 1
        end = data.index(b"\0", 12) + 5
        question = data[12:end]
        known = question.startswith(b"\x07example\x03org\0\0\1")
        head = data[:2] + struct.pack("!HHHHH", 0x8180 if known else 0x8183, 1, known, 0, 0)
        answer = b"\xc0\x0c" + struct.pack("!HHIH4B", 1, 1, 60, 4, 192, 0, 2, 7) if known else b""
        self.transport.sendto(head + question + answer, addr)


class TestAsync:
    @pytest.fixture
    async def resolver(self) -> AsyncIterator[AsyncResolver]:
        pytest.importorskip("aiodns")
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(ScriptedDNS, local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        resolver = AsyncResolver(nameservers=[f"127.0.0.1:{port}"])
        with contextlib.closing(transport):
            yield resolver
            await resolver.close()

    async def test_it_asks_the_nameserver(self, resolver: AsyncResolver) -> None:
        (found,) = await resolver.resolve("example.org", 80)
        assert found["hostname"] == "example.org"
        assert (found["host"], found["port"], found["family"]) == ("192.0.2.7", 80, socket.AF_INET)

    async def test_a_name_that_does_not_exist(self, resolver: AsyncResolver) -> None:
        with pytest.raises(OSError, match="not found"):
            await resolver.resolve("other.example", 80)

    async def test_those_without_arguments_share_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        aiodns = pytest.importorskip("aiodns")
        made: list[Any] = []

        def make(**kwargs: Any) -> Any:
            made.append(kwargs)
            return original(**kwargs)

        original = aiodns.DNSResolver
        monkeypatch.setattr(aiodns, "DNSResolver", make)
        first, second = AsyncResolver(), AsyncResolver()
        assert hosts(await first.resolve("localhost", 80)) == ["127.0.0.1"]
        assert hosts(await second.resolve("localhost", 80)) == ["127.0.0.1"]
        await first.close()
        assert hosts(await second.resolve("localhost", 80)) == ["127.0.0.1"]
        assert made == [{"loop": asyncio.get_running_loop()}]
        await second.close()
        assert hosts(await first.resolve("localhost", 80)) == ["127.0.0.1"]
        assert len(made) == 2
        await first.close()


def test_without_aiodns_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiodns", None)
    with pytest.raises(RuntimeError, match=r"AsyncResolver needs aiodns: pip install 'aiohttpx\[speedups\]'"):
        AsyncResolver()


async def test_the_default_works() -> None:
    resolver = DefaultResolver()
    assert "127.0.0.1" in hosts(await resolver.resolve("localhost", 80))
    await resolver.close()
