"""Tracing: what a request goes through, told to whoever asked for it.

A `TraceConfig` has one `Signal` for each thing that happens to a request. Receivers are coroutine functions; each is called as
`receiver(session, context, params)` and awaited where it happens. What a receiver raises ends the request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableSequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from multidict import CIMultiDict
from yarl import URL

from ..message.response import ClientResponse

P = TypeVar("P")
R = TypeVar("R", bound=Callable[..., Awaitable[object]])


class Signal(MutableSequence[Callable[..., Awaitable[object]]], Generic[P]):
    """A list of receivers. It can be changed until it is frozen, and sent from then on.

    :param owner: what its `repr` names.
    """

    __slots__ = ("_owner", "_receivers", "frozen")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, owner: object = None) -> None:
        self._owner = owner
        self._receivers: list[Callable[..., Awaitable[object]]] = []
        self.frozen = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} owner={self._owner}, frozen={self.frozen}, {self._receivers!r}>"

    def __eq__(self, other: object) -> bool:
        return list(self) == other

    def __len__(self) -> int:
        return len(self._receivers)

    def __getitem__(self, index: Any) -> Any:
        return self._receivers[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._changeable()[index] = value

    def __delitem__(self, index: Any) -> None:
        del self._changeable()[index]

    def insert(self, index: int, value: Callable[..., Awaitable[object]]) -> None:
        self._changeable().insert(index, value)

    def _changeable(self) -> list[Callable[..., Awaitable[object]]]:
        if self.frozen:
            raise RuntimeError("Cannot modify frozen list.")
        return self._receivers

    def freeze(self) -> None:
        """Change it no more."""
        self.frozen = True

    async def send(self, *args: Any, **kwargs: Any) -> None:
        """Call the receivers, one after the other. Raises what they raise, and `RuntimeError` unless it is frozen."""
        if not self.frozen:
            raise RuntimeError("Cannot send non-frozen signal.")
        for receiver in self._receivers:
            await receiver(*args, **kwargs)

    def __call__(self, receiver: R) -> R:
        """As a decorator: add a receiver."""
        self.append(receiver)
        return receiver


# -- what receivers are given


# Slots are written out: those that a dataclass makes itself do not go together with `frozen` in its subclasses.


@dataclass(frozen=True)
class _Nothing:
    __slots__ = ()


@dataclass(frozen=True)
class _Host:
    __slots__ = ("host",)

    #: The name that is looked up.
    host: str


@dataclass(frozen=True)
class _Request:
    __slots__ = ("headers", "method", "url")

    method: str
    url: URL
    #: The fields given by the session and by the request, without those that are generated.
    headers: CIMultiDict[str]


@dataclass(frozen=True)
class _Response(_Request):
    __slots__ = ("response",)

    response: ClientResponse


@dataclass(frozen=True)
class _Chunk:
    __slots__ = ("chunk", "method", "url")

    method: str
    url: URL
    chunk: bytes


class TraceRequestStartParams(_Request):
    """A request begins. What is put into `headers` now is sent."""

    __slots__ = ()


class TraceRequestHeadersSentParams(_Request):
    """The head of a request is sent, once for each hop; `headers` has all its fields."""

    __slots__ = ()


class TraceRequestChunkSentParams(_Chunk):
    """A part of a request's body is sent, before it is coded."""

    __slots__ = ()


class TraceRequestRedirectParams(_Response):
    """A response redirects the request; it is not followed yet."""

    __slots__ = ()


class TraceRequestEndParams(_Response):
    """The response has come; its content may be on its way."""

    __slots__ = ()


@dataclass(frozen=True)
class TraceRequestExceptionParams(_Request):
    """The request has failed: instead of its end."""

    __slots__ = ("exception",)

    exception: BaseException


class TraceResponseChunkReceivedParams(_Chunk):
    """The content of a response was read as a whole."""

    __slots__ = ()


class TraceConnectionQueuedStartParams(_Nothing):
    """The connector's limits are reached: the request waits for a connection."""

    __slots__ = ()


class TraceConnectionQueuedEndParams(_Nothing):
    """The wait is over."""

    __slots__ = ()


class TraceConnectionCreateStartParams(_Nothing):
    """A connection is being opened."""

    __slots__ = ()


class TraceConnectionCreateEndParams(_Nothing):
    """The connection is open."""

    __slots__ = ()


class TraceConnectionReuseconnParams(_Nothing):
    """A connection that was idle is used."""

    __slots__ = ()


class TraceDnsResolveHostStartParams(_Host):
    """The resolver is asked."""

    __slots__ = ()


class TraceDnsResolveHostEndParams(_Host):
    """The resolver has answered."""

    __slots__ = ()


class TraceDnsCacheHitParams(_Host):
    """The addresses are known, or being asked for already."""

    __slots__ = ()


class TraceDnsCacheMissParams(_Host):
    """The addresses are not known."""

    __slots__ = ()


class TraceConfig:
    """Who is told what of the requests of a session: `ClientSession(trace_configs=[...])`.

    :param trace_config_ctx_factory: makes the context of each request, which all its receivers are given. It is called with
        `trace_request_ctx=`, what the request was made with under that name.
    """

    on_request_start: Signal[TraceRequestStartParams]
    on_request_headers_sent: Signal[TraceRequestHeadersSentParams]
    on_request_chunk_sent: Signal[TraceRequestChunkSentParams]
    on_request_redirect: Signal[TraceRequestRedirectParams]
    on_request_end: Signal[TraceRequestEndParams]
    on_request_exception: Signal[TraceRequestExceptionParams]
    on_response_chunk_received: Signal[TraceResponseChunkReceivedParams]
    on_connection_queued_start: Signal[TraceConnectionQueuedStartParams]
    on_connection_queued_end: Signal[TraceConnectionQueuedEndParams]
    on_connection_create_start: Signal[TraceConnectionCreateStartParams]
    on_connection_create_end: Signal[TraceConnectionCreateEndParams]
    on_connection_reuseconn: Signal[TraceConnectionReuseconnParams]
    on_dns_resolvehost_start: Signal[TraceDnsResolveHostStartParams]
    on_dns_resolvehost_end: Signal[TraceDnsResolveHostEndParams]
    on_dns_cache_hit: Signal[TraceDnsCacheHitParams]
    on_dns_cache_miss: Signal[TraceDnsCacheMissParams]

    def __init__(self, trace_config_ctx_factory: Callable[..., Any] = SimpleNamespace) -> None:
        self._trace_config_ctx_factory = trace_config_ctx_factory
        for name in _SIGNALS:
            setattr(self, name, Signal(self))

    def trace_config_ctx(self, trace_request_ctx: Any = None) -> Any:
        """A new context, for a request made with `trace_request_ctx`."""
        return self._trace_config_ctx_factory(trace_request_ctx=trace_request_ctx)

    def trace(self, session: Any, trace_config_ctx: Any) -> Trace:
        """What tells the receivers of one request of `session`."""
        return Trace(session, self, trace_config_ctx)

    def freeze(self) -> None:
        """Change no signal any more. A session does it."""
        for name in _SIGNALS:
            getattr(self, name).freeze()


_SIGNALS = tuple(TraceConfig.__annotations__)


class Trace:
    """One `TraceConfig` at work for one request: says what happens, by methods with that name."""

    def __init__(self, session: Any, trace_config: TraceConfig, trace_config_ctx: Any) -> None:
        self._session = session
        self._trace_config = trace_config
        self._trace_config_ctx = trace_config_ctx

    async def _send(self, signal: Signal[P], params: P) -> None:
        await signal.send(self._session, self._trace_config_ctx, params)

    async def send_request_start(self, method: str, url: URL, headers: CIMultiDict[str]) -> None:
        await self._send(self._trace_config.on_request_start, TraceRequestStartParams(method, url, headers))

    async def send_request_headers(self, method: str, url: URL, headers: CIMultiDict[str]) -> None:
        await self._send(self._trace_config.on_request_headers_sent, TraceRequestHeadersSentParams(method, url, headers))

    async def send_request_chunk_sent(self, method: str, url: URL, chunk: bytes) -> None:
        await self._send(self._trace_config.on_request_chunk_sent, TraceRequestChunkSentParams(method, url, chunk))

    async def send_request_redirect(self, method: str, url: URL, headers: CIMultiDict[str], response: ClientResponse) -> None:
        await self._send(self._trace_config.on_request_redirect, TraceRequestRedirectParams(method, url, headers, response))

    async def send_request_end(self, method: str, url: URL, headers: CIMultiDict[str], response: ClientResponse) -> None:
        await self._send(self._trace_config.on_request_end, TraceRequestEndParams(method, url, headers, response))

    async def send_request_exception(self, method: str, url: URL, headers: CIMultiDict[str], exception: BaseException) -> None:
        await self._send(self._trace_config.on_request_exception, TraceRequestExceptionParams(method, url, headers, exception))

    async def send_response_chunk_received(self, method: str, url: URL, chunk: bytes) -> None:
        await self._send(self._trace_config.on_response_chunk_received, TraceResponseChunkReceivedParams(method, url, chunk))

    async def send_connection_queued_start(self) -> None:
        await self._send(self._trace_config.on_connection_queued_start, TraceConnectionQueuedStartParams())

    async def send_connection_queued_end(self) -> None:
        await self._send(self._trace_config.on_connection_queued_end, TraceConnectionQueuedEndParams())

    async def send_connection_create_start(self) -> None:
        await self._send(self._trace_config.on_connection_create_start, TraceConnectionCreateStartParams())

    async def send_connection_create_end(self) -> None:
        await self._send(self._trace_config.on_connection_create_end, TraceConnectionCreateEndParams())

    async def send_connection_reuseconn(self) -> None:
        await self._send(self._trace_config.on_connection_reuseconn, TraceConnectionReuseconnParams())

    async def send_dns_resolvehost_start(self, host: str) -> None:
        await self._send(self._trace_config.on_dns_resolvehost_start, TraceDnsResolveHostStartParams(host))

    async def send_dns_resolvehost_end(self, host: str) -> None:
        await self._send(self._trace_config.on_dns_resolvehost_end, TraceDnsResolveHostEndParams(host))

    async def send_dns_cache_hit(self, host: str) -> None:
        await self._send(self._trace_config.on_dns_cache_hit, TraceDnsCacheHitParams(host))

    async def send_dns_cache_miss(self, host: str) -> None:
        await self._send(self._trace_config.on_dns_cache_miss, TraceDnsCacheMissParams(host))
