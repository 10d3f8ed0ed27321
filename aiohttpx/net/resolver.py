"""From a host's name to its addresses: resolvers, a cache of what they said, and one query at a time for one host."""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from ipaddress import IPv4Address, ip_address
from math import inf
from time import monotonic
from typing import Any, TypeAlias, TypedDict
from weakref import WeakKeyDictionary, ref

from yarl import URL

from ..errors import ClientConnectionError, InvalidUrlClientError

__all__ = (
    "AbstractResolver",
    "AsyncResolver",
    "DefaultResolver",
    "FixedHosts",
    "HostCache",
    "HostLookup",
    "ResolveResult",
    "ThreadedResolver",
    "fixed_hosts",
    "literal_address",
)


class ResolveResult(TypedDict):
    """One address of a host."""

    #: The name that was asked for.
    hostname: str
    #: The address, an IPv6 one with its zone if it has one.
    host: str
    port: int
    #: `socket.AF_INET` or `socket.AF_INET6`.
    family: int
    proto: int
    #: `socket.AI_*`.
    flags: int


class AbstractResolver(ABC):
    """What a connector asks for addresses: subclass it for a way of your own."""

    @abstractmethod
    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        """The addresses of `host`, of `family` only unless it is `AF_UNSPEC`; OSError when there are none."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of what the resolver holds."""


class ThreadedResolver(AbstractResolver):
    """The system's own resolver, `getaddrinfo`, called in the executor of the running loop; `loop` is not needed any more."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        pass

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        try:
            infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG)
        except UnicodeError as error:
            raise socket.gaierror(socket.EAI_NONAME, f"Not a host name: {error}") from error
        except socket.gaierror:
            # AI_ADDRCONFIG does not count the loopback as a configured address, so it can hide localhost.
            if host.rstrip(".").lower() != "localhost":
                raise
            infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        return [_result(host, found, address) for found, _, _, _, address in infos if found in _FAMILIES]

    async def close(self) -> None:
        """It holds nothing."""


class AsyncResolver(AbstractResolver):
    """DNS by aiodns, without a thread for each query; `loop` is not needed any more, further arguments are aiodns's own.

    :raises RuntimeError: aiodns is not installed.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None, *args: Any, **kwargs: Any) -> None:
        try:
            import aiodns
        except ImportError:
            raise RuntimeError("AsyncResolver needs aiodns: pip install 'aiohttpx[speedups]'") from None
        self._aiodns = aiodns
        self._arguments = args, kwargs
        self._resolver: Any = None

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        if self._resolver is None:
            self._resolver = self._open()
        try:
            answer = await self._resolver.getaddrinfo(host, port=port, type=socket.SOCK_STREAM, family=family)
        except self._aiodns.error.DNSError as error:
            raise OSError(None, error.args[1] if len(error.args) > 1 else "DNS lookup failed") from error
        return [_result(host, node.family, node.addr) for node in answer.nodes if node.family in _FAMILIES]

    def _open(self) -> Any:
        """A resolver of aiodns holds a thread and watches files: those without arguments of their own share one per loop."""
        args, kwargs = self._arguments
        if args or kwargs:
            return self._aiodns.DNSResolver(*args, **kwargs)
        loop = asyncio.get_running_loop()
        known = _shared.get(loop)
        resolver = known() if known is not None else None
        if resolver is None:
            resolver = self._aiodns.DNSResolver(loop=loop)
            _shared[loop] = ref(resolver)
        return resolver

    async def close(self) -> None:
        """aiodns closes a resolver when nobody holds it any more."""
        self._resolver = None


# Weak on both sides: a resolver holds its loop.
_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, ref[Any]] = WeakKeyDictionary()

#: What a connector uses when it is not given a resolver.
DefaultResolver: type[AsyncResolver | ThreadedResolver] = AsyncResolver if find_spec("aiodns") else ThreadedResolver

_FAMILIES = (socket.AF_INET, socket.AF_INET6)


def _result(hostname: str, family: int, address: tuple[Any, ...]) -> ResolveResult:
    host, port, *rest = address
    if isinstance(host, bytes):
        host = host.decode("ascii")
    if len(rest) == 2 and rest[1] and "%" not in host:
        host = f"{host}%{rest[1]}"  # a link-local address means nothing without its zone (RFC 4007, section 6)
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return {"hostname": hostname, "host": host, "port": port, "family": family, "proto": 0, "flags": flags}


def literal_address(host: str, port: int) -> ResolveResult | None:
    """`host` as an address if it is an IP literal, an IPv6 one with its zone too; None for a name.

    :raises InvalidUrlClientError: one of the old forms of IPv4 (`127.1`, `0x7f000001`, `2130706433`). The system would take them
        for an address, past anyone who had judged the host by its text.
    """
    if ":" in host:
        return _result(host, socket.AF_INET6, (host, port))
    last = host.rstrip(".").rpartition(".")[2].lower()
    if not last.isdigit() and not last.startswith("0x"):
        return None
    try:
        IPv4Address(host)
    except ValueError:
        raise InvalidUrlClientError(host, "is not a canonical IPv4 address") from None
    return _result(host, socket.AF_INET, (host, port))


#: Families and addresses of hosts, by name.
FixedHosts: TypeAlias = dict[str, list[tuple[int, str]]]


def fixed_hosts(hosts: Mapping[str, str | Iterable[str]]) -> FixedHosts:
    """A table of `hosts`: names, and the address or addresses of each.

    :raises ValueError: something else than addresses is given for a name.
    """
    table: FixedHosts = {}
    for name, given in hosts.items():
        try:
            addresses = [ip_address(address) for address in ([given] if isinstance(given, str) else given)]
        except ValueError as error:
            raise ValueError(f"hosts: {name!r} must have IP addresses: {error}") from error
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        table[URL.build(scheme="http", host=name).raw_host or ""] = [(families[one.version], str(one)) for one in addresses]
    return table


class HostCache:
    """What was resolved, by (host, port). Of several addresses another one comes first each time.

    :param ttl: seconds an answer holds; None for ever.
    :param max_size: how many hosts are kept; beyond that the least recently used one goes.
    """

    def __init__(self, ttl: float | None = 10, max_size: int = 1000, clock: Callable[[], float] = monotonic) -> None:
        self._ttl = ttl
        self._max_size = max_size
        self._clock = clock
        self._known: OrderedDict[tuple[str, int], tuple[float, deque[ResolveResult]]] = OrderedDict()

    def get(self, host: str, port: int) -> list[ResolveResult] | None:
        known = self._known.get((host, port))
        if known is None:
            return None
        until, results = known
        if until <= self._clock():
            self.remove(host, port)
            return None
        self._known.move_to_end((host, port))
        found = list(results)
        results.rotate(-1)
        return found

    def put(self, host: str, port: int, results: list[ResolveResult]) -> None:
        until = inf if self._ttl is None else self._clock() + self._ttl
        self._known[host, port] = until, deque(results)
        self._known.move_to_end((host, port))
        if len(self._known) > self._max_size:
            self._known.popitem(last=False)

    def remove(self, host: str, port: int) -> None:
        self._known.pop((host, port), None)

    def clear(self) -> None:
        self._known.clear()


class HostLookup:
    """A connector's way to addresses: literals by themselves, then what is fixed, then the cache, then the resolver, asked once
    for all who wait.

    :param cache: None to remember nothing.
    :param family: `socket.AF_INET` or `AF_INET6` for addresses of that family only.
    :param fixed: the addresses of hosts that nobody is asked for.
    """

    def __init__(
        self,
        resolver: AbstractResolver,
        cache: HostCache | None,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        fixed: FixedHosts | None = None,
    ) -> None:
        self._resolver = resolver
        self._cache = cache
        self._family = family
        self._fixed = fixed or {}
        self._queries: dict[tuple[str, int], asyncio.Task[list[ResolveResult]]] = {}

    async def resolve(self, host: str, port: int, traces: Sequence[Any] = ()) -> list[ResolveResult]:
        """The addresses of `host`, at least one. `traces` are told where they come from.

        :raises OSError: there are none. InvalidUrlClientError as `literal_address` says; ClientConnectionError after `close()`.
        """
        found = self.known(host, port)
        if found is None:
            return await self.query(host, port, traces)
        if traces and literal_address(host, port) is None:
            for trace in traces:
                await trace.send_dns_cache_hit(host)
        return found

    def known(self, host: str, port: int) -> list[ResolveResult] | None:
        """The addresses that nobody needs to be asked for."""
        literal = literal_address(host, port)
        if literal is not None:
            found = [literal]
        elif (addresses := self._fixed.get(host)) is not None:
            found = [_result(host, family, (address, port)) for family, address in addresses]
        else:
            return self._cache.get(host, port) if self._cache is not None else None
        if self._family != socket.AF_UNSPEC:
            found = [result for result in found if result["family"] == self._family]
            if not found:
                raise socket.gaierror(socket.EAI_FAMILY, f"{host} is not an address of {self._family.name}")
        return found

    async def query(self, host: str, port: int, traces: Sequence[Any] = ()) -> list[ResolveResult]:
        """Ask the resolver, or wait with those who already do. Who is cancelled leaves the query to the others."""
        key = host, port
        task = self._queries.get(key)
        if task is None:
            task = self._queries[key] = asyncio.get_running_loop().create_task(self._ask(host, port, traces))
            task.add_done_callback(partial(self._asked, key))
        elif self._cache is not None:
            for trace in traces:
                await trace.send_dns_cache_hit(host)
        await asyncio.wait([task])
        if task.cancelled():
            raise ClientConnectionError(f"Closed while resolving {host}")
        results = task.result()
        found = self._cache.get(host, port) if self._cache is not None else None
        return found if found is not None else list(results)

    async def _ask(self, host: str, port: int, traces: Sequence[Any]) -> list[ResolveResult]:
        for trace in traces:
            if self._cache is not None:
                await trace.send_dns_cache_miss(host)
            await trace.send_dns_resolvehost_start(host)
        results = await self._resolver.resolve(host, port, family=self._family)
        for trace in traces:
            await trace.send_dns_resolvehost_end(host)
        if not results:
            raise socket.gaierror(socket.EAI_NONAME, f"{host} has no address")
        if self._cache is not None:
            self._cache.put(host, port, results)
        return results

    def _asked(self, key: tuple[str, int], task: asyncio.Task[list[ResolveResult]]) -> None:
        del self._queries[key]
        if not task.cancelled():
            task.exception()  # all who would have been told may be gone

    def close(self) -> None:
        """End all queries; who waits for one gets ClientConnectionError. The resolver stays open: it may be someone else's."""
        for task in self._queries.values():
            task.cancel()
