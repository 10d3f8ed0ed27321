"""What a `TraceConfig` is told, in which order, and what comes of receivers that raise."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict
from yarl import URL

import aiohttpx
from aiohttpx import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientPayloadError,
    ClientResponseError,
    ClientSession,
    TCPConnector,
    TooManyRedirects,
    TraceConfig,
)
from aiohttpx.net.resolver import AbstractResolver, ResolveResult
from aiohttpx.session.tracing import Signal
from aiohttpx.testing import DEFAULT_ROUTES, Close, ExpectRequest, LoopbackServer, Request, Reset, Response, ScriptedPeer
from aiohttpx.testing.resolver import OneAddressResolver

SIGNALS = {
    "on_request_start": ("TraceRequestStartParams", "method", "url", "headers"),
    "on_request_headers_sent": ("TraceRequestHeadersSentParams", "method", "url", "headers"),
    "on_request_chunk_sent": ("TraceRequestChunkSentParams", "method", "url", "chunk"),
    "on_request_redirect": ("TraceRequestRedirectParams", "method", "url", "headers", "response"),
    "on_request_end": ("TraceRequestEndParams", "method", "url", "headers", "response"),
    "on_request_exception": ("TraceRequestExceptionParams", "method", "url", "headers", "exception"),
    "on_response_chunk_received": ("TraceResponseChunkReceivedParams", "method", "url", "chunk"),
    "on_connection_queued_start": ("TraceConnectionQueuedStartParams",),
    "on_connection_queued_end": ("TraceConnectionQueuedEndParams",),
    "on_connection_create_start": ("TraceConnectionCreateStartParams",),
    "on_connection_create_end": ("TraceConnectionCreateEndParams",),
    "on_connection_reuseconn": ("TraceConnectionReuseconnParams",),
    "on_dns_resolvehost_start": ("TraceDnsResolveHostStartParams", "host"),
    "on_dns_resolvehost_end": ("TraceDnsResolveHostEndParams", "host"),
    "on_dns_cache_hit": ("TraceDnsCacheHitParams", "host"),
    "on_dns_cache_miss": ("TraceDnsCacheMissParams", "host"),
}


class Told:
    """Keeps what it is told: `names` in order, `params` by name; `failing` names the signal whose receiver raises."""

    def __init__(self, failing: str = "") -> None:
        self.names: list[str] = []
        self.params: dict[str, Any] = {}
        self.contexts: list[Any] = []
        self.failing = failing
        self.config = TraceConfig()
        for name in SIGNALS:
            getattr(self.config, name).append(self._receiver(name.removeprefix("on_")))

    def _receiver(self, name: str) -> Any:
        async def receive(session: ClientSession, context: Any, params: Any) -> None:
            await asyncio.sleep(0)
            self.names.append(name)
            self.params[name] = params
            self.contexts.append(context)
            if name == self.failing:
                raise LookupError(name)

        return receive

    def take(self) -> list[str]:
        names, self.names = self.names, []
        return names


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def server() -> AsyncIterator[LoopbackServer]:
    def redirect(request: Request) -> Response:
        return Response(302, [("Location", request.query)], b"")

    async with LoopbackServer({**DEFAULT_ROUTES, "/to": redirect}) as server:
        yield server


@pytest.fixture
async def session(told: Told, server: LoopbackServer) -> AsyncIterator[ClientSession]:
    connector = TCPConnector(resolver=OneAddressResolver(server.host, server.port))
    async with ClientSession(connector=connector, trace_configs=[told.config]) as session:
        yield session


# -- signals and configs


def test_a_config_has_a_signal_for_each_kind_of_params() -> None:
    config = TraceConfig()
    for name, (kind, *fields) in SIGNALS.items():
        assert isinstance(getattr(config, name), Signal)
        cls = getattr(aiohttpx, kind)
        assert [field.name for field in dataclasses.fields(cls)] == fields
        params = cls(*fields)
        assert params == cls(**{name: name for name in fields})
        assert repr(params).startswith(f"{kind}(")
        with pytest.raises(AttributeError):
            params.other = 1
        for field in fields:
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(params, field, 1)


def test_params_of_different_kinds_differ() -> None:
    assert aiohttpx.TraceDnsCacheHitParams("a") != aiohttpx.TraceDnsCacheMissParams("a")
    assert aiohttpx.TraceConnectionQueuedStartParams() != aiohttpx.TraceConnectionQueuedEndParams()


async def test_a_signal_is_a_list_until_it_is_frozen() -> None:
    heard: list[Any] = []

    async def first(*args: Any, **named: Any) -> None:
        heard.append((1, args, named))

    signal: Signal[Any] = Signal("me")
    assert not signal

    @signal
    async def second(*args: Any, **named: Any) -> None:
        heard.append((2, args, named))

    signal.insert(0, first)
    assert signal == [first, second]
    assert signal != [first]
    assert (len(signal), signal[1], list(signal), first in signal) == (2, second, [first, second], True)
    assert repr(signal).startswith("<Signal owner=me, frozen=False, [")
    with pytest.raises(RuntimeError, match="non-frozen"):
        await signal.send("a")
    signal.freeze()
    assert signal.frozen
    for change in (lambda: signal.append(first), lambda: signal.pop(), lambda: signal.clear(), lambda: signal.insert(0, first)):
        with pytest.raises(RuntimeError, match="Cannot modify"):
            change()
    with pytest.raises(RuntimeError, match="Cannot modify"):
        signal[0] = second
    await signal.send("a", b=1)
    assert heard == [(1, ("a",), {"b": 1}), (2, ("a",), {"b": 1})]


def test_a_session_freezes_its_configs() -> None:
    config = TraceConfig()
    session = ClientSession(trace_configs=[config])
    assert all(getattr(config, name).frozen for name in SIGNALS)
    assert session.trace_configs == [config]
    assert ClientSession().trace_configs == []


async def test_each_request_has_a_context_of_its_own(server: LoopbackServer) -> None:
    class Context(SimpleNamespace):
        pass

    told = Told()
    told.config._trace_config_ctx_factory = Context
    async with ClientSession(trace_configs=[told.config]) as session:
        await session.get(f"{server.url}/anything", trace_request_ctx={"a": 1})
        first = told.contexts[:]
        await session.get(f"{server.url}/anything")
    assert {id(context) for context in first} == {id(first[0])}
    assert first[0] == Context(trace_request_ctx={"a": 1})
    assert told.contexts[-1] == Context(trace_request_ctx=None)
    assert TraceConfig().trace_config_ctx("x") == SimpleNamespace(trace_request_ctx="x")
    assert TraceConfig(trace_config_ctx_factory=dict).trace_config_ctx(1) == {"trace_request_ctx": 1}


# -- what happens to a request


@pytest.mark.every_loop
async def test_the_way_of_a_request(session: ClientSession, told: Told) -> None:
    async with session.get("http://name.test/anything?a=1", params={"b": 2}, headers={"X-Own": "1"}) as response:
        assert told.take() == [
            "request_start",
            "connection_create_start",
            "dns_cache_miss",
            "dns_resolvehost_start",
            "dns_resolvehost_end",
            "connection_create_end",
            "request_headers_sent",
            "request_end",
        ]
        url = URL("http://name.test/anything?a=1&b=2")
        start, sent, end = (told.params[name] for name in ("request_start", "request_headers_sent", "request_end"))
        assert (start.method, start.url) == (sent.method, sent.url) == (end.method, end.url) == ("GET", url)
        assert start.headers == end.headers == CIMultiDict({"X-Own": "1"})
        assert end.response is response
        assert {"Host", "X-Own", "Accept", "User-Agent"} <= set(sent.headers)
        assert told.params["dns_cache_miss"].host == told.params["dns_resolvehost_end"].host == "name.test"
        body = await response.read()
        assert (await response.read(), await response.json()) == (body, await response.json())
    assert told.take() == ["response_chunk_received"]
    assert told.params["response_chunk_received"] == aiohttpx.TraceResponseChunkReceivedParams("GET", url, body)

    await session.get("http://name.test/anything")
    assert told.take() == ["request_start", "connection_reuseconn", "request_headers_sent", "request_end"]


async def test_addresses_that_are_known(session: ClientSession, told: Told, server: LoopbackServer) -> None:
    await session.get("http://name.test/anything", headers={"Connection": "close"})
    told.take()
    await session.get("http://name.test/anything")
    assert told.take()[1:4] == ["connection_create_start", "dns_cache_hit", "connection_create_end"]
    await session.get(f"{server.url}/anything")  # an address needs no resolver
    assert told.take()[1:3] == ["connection_create_start", "connection_create_end"]


async def test_without_a_cache_there_are_no_hits_and_misses(told: Told, server: LoopbackServer) -> None:
    connector = TCPConnector(resolver=OneAddressResolver(server.host, server.port), use_dns_cache=False, force_close=True)
    async with ClientSession(connector=connector, trace_configs=[told.config]) as session:
        for _ in range(2):
            await session.get("http://name.test/anything")
            assert told.take()[1:5] == [
                "connection_create_start",
                "dns_resolvehost_start",
                "dns_resolvehost_end",
                "connection_create_end",
            ]


async def test_two_who_ask_for_one_host_ask_once(session: ClientSession, told: Told) -> None:
    await asyncio.gather(*(session.get("http://name.test/anything") for _ in range(2)))
    names = told.take()
    assert [names.count(f"dns_{name}") for name in ("cache_miss", "cache_hit", "resolvehost_start", "resolvehost_end")] == [1] * 4


async def test_a_body_is_told_before_it_is_coded(session: ClientSession, told: Told) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    chunks = told.config.on_request_chunk_sent
    seen: list[bytes] = []

    async def keep(session: ClientSession, context: Any, params: aiohttpx.TraceRequestChunkSentParams) -> None:
        seen.append(params.chunk)

    chunks.frozen = False
    chunks.append(keep)
    chunks.freeze()
    for data, compress in ((pieces(), "gzip"), (b"onetwo", None), (bytearray(b"onetwo"), None), ({"one": "two"}, None)):
        async with session.post("http://name.test/anything", data=data, compress=compress) as response:
            assert (await response.json())["size"]
    assert seen == [b"one", b"two", b"onetwo", b"onetwo", b"one=two"]
    await session.post("http://name.test/anything")  # no body, no chunk
    assert len(seen) == 5


async def test_content_that_comes_in_parts_is_told_when_it_is_read_as_a_whole(session: ClientSession, told: Told) -> None:
    async with session.get("http://name.test/bytes/300000") as response:
        told.take()
        assert len(await response.read()) == len(told.params["response_chunk_received"].chunk) == 300000
        assert told.take() == ["response_chunk_received"]
    async with session.get("http://name.test/bytes/300000") as response:
        told.take()
        assert sum([len(part) async for part in response.content.iter_any()]) == 300000
    assert told.take() == []
    async with session.get("http://name.test/status/204") as response:
        assert await response.read() == b""
    assert told.params["response_chunk_received"].chunk == b""


async def test_what_is_put_into_the_fields_at_the_start_is_sent(session: ClientSession, told: Told) -> None:
    async def inject(session: ClientSession, context: Any, params: aiohttpx.TraceRequestStartParams) -> None:
        params.headers["traceparent"] = "00-1-2-01"

    session.headers["X-All"] = "1"
    config = TraceConfig()
    config.on_request_start.append(inject)
    config.freeze()
    session.trace_configs.append(config)  # as instrumentation does, on a session that exists
    async with session.get("http://name.test/to?/anything") as response:
        headers = (await response.json())["headers"]
        assert (headers["traceparent"], headers["x-all"]) == ("00-1-2-01", "1")
    assert "traceparent" not in session.headers


async def test_a_redirect_is_told_of(session: ClientSession, told: Told) -> None:
    async with session.post("http://name.test/to?/to?/anything", data=b"x") as response:
        assert [name for name in told.take() if name.startswith("request_")] == [
            "request_start",
            "request_headers_sent",
            "request_chunk_sent",
            "request_redirect",
            "request_headers_sent",
            "request_redirect",
            "request_headers_sent",
            "request_end",
        ]
        redirect, end = told.params["request_redirect"], told.params["request_end"]
        assert (redirect.method, redirect.url.query_string, redirect.response) == ("GET", "/anything", response.history[1])
        assert (end.method, end.url.path, end.response) == ("GET", "/anything", response)


async def test_waiting_for_a_connection_is_told_of(told: Told, server: LoopbackServer) -> None:
    async with ClientSession(connector=TCPConnector(limit=1), trace_configs=[told.config]) as session:

        async def get() -> None:
            async with session.get(f"{server.url}/delay/0.01") as response:
                await response.read()

        await asyncio.gather(get(), get())
        names = told.take()
        order = [name for name in names if name.startswith("connection")]
        assert order.count("connection_queued_start") == order.count("connection_queued_end") == 1
        assert order[-2:] == ["connection_queued_end", "connection_reuseconn"]


# -- failures


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_failure_is_told_of_instead_of_the_end(told: Told, method: str) -> None:
    async with ScriptedPeer([ExpectRequest(), Reset()]) as peer, ClientSession(trace_configs=[told.config]) as session:
        with pytest.raises(aiohttpx.ClientOSError) as caught:
            await session.request(method, peer.url)
    assert told.names[-1] == "request_exception"
    assert "request_end" not in told.names
    assert told.params["request_exception"].exception is caught.value


async def test_failures_before_there_is_a_connection(told: Told) -> None:
    class Nowhere(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
            raise OSError("no such host")

        async def close(self) -> None:
            pass

    async with ClientSession(connector=TCPConnector(resolver=Nowhere()), trace_configs=[told.config]) as session:
        with pytest.raises(ClientConnectorDNSError):
            await session.get("http://name.test/")
        names = ["request_start", "connection_create_start", "dns_cache_miss", "dns_resolvehost_start", "request_exception"]
        assert told.take() == names
        with pytest.raises(ClientConnectorError):
            await session.get("http://127.0.0.1:9/")
        assert told.take() == ["request_start", "connection_create_start", "request_exception"]
        with pytest.raises(ValueError, match="non-token"):
            await session.request("G T", "http://name.test/")
        assert told.take() == ["request_start", "request_exception"]
        with pytest.raises(aiohttpx.InvalidURL):
            await session.get("ftp://name.test/")
        assert told.take() == []  # there is no request yet
    with pytest.raises(RuntimeError, match="closed"):
        await session.get("http://name.test/")
    assert told.take() == []


async def test_a_status_that_is_raised_and_redirects_without_end_are_failures(session: ClientSession, told: Told) -> None:
    with pytest.raises(ClientResponseError):
        await session.get("http://name.test/status/404", raise_for_status=True)
    assert told.take()[-2:] == ["request_headers_sent", "request_exception"]
    with pytest.raises(TooManyRedirects):
        await session.get("http://name.test/to?/to?/to?/x", max_redirects=1)
    assert told.take()[-2:] == ["request_redirect", "request_exception"]
    await session.get("http://name.test/status/404", raise_for_status=False)
    assert told.take()[-1] == "request_end"


async def test_a_cancelled_request_is_a_failure(session: ClientSession, told: Told) -> None:
    task = asyncio.ensure_future(session.get("http://name.test/delay/60"))
    while "request_headers_sent" not in told.names:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told.names[-1] == "request_exception"
    assert isinstance(told.params["request_exception"].exception, asyncio.CancelledError)


@pytest.mark.parametrize(
    "failing",
    [
        "request_start",
        "connection_create_start",
        "connection_create_end",
        "dns_cache_miss",
        "dns_resolvehost_start",
        "dns_resolvehost_end",
        "request_headers_sent",
        "request_redirect",
        "request_end",
    ],
)
async def test_a_receiver_that_raises_ends_the_request_and_leaves_the_pool_intact(failing: str, server: LoopbackServer) -> None:
    first, told = Told(), Told(failing)
    connector = TCPConnector(limit=1, resolver=OneAddressResolver(server.host, server.port))
    async with ClientSession(connector=connector, trace_configs=[first.config, told.config]) as session:
        with pytest.raises(LookupError, match=failing):
            await session.get("http://name.test/to?/anything")
        assert first.names[-1] == "request_exception"
        assert (told.names[-1] == "request_exception") is (failing != "request_start")
        told.failing = ""
        async with session.get("http://name.test/anything") as response:
            assert response.status == 200


@pytest.mark.parametrize("failing", ["connection_reuseconn", "connection_queued_start", "connection_queued_end"])
async def test_a_slot_that_a_receiver_refused_is_free_again(failing: str, server: LoopbackServer) -> None:
    told = Told(failing)
    async with ClientSession(connector=TCPConnector(limit=1), trace_configs=[told.config]) as session:
        url = f"{server.url}/delay/0.01"
        results = await asyncio.gather(*(session.get(url) for _ in range(2)), return_exceptions=True)
        assert [type(result).__name__ for result in results] == ["ClientResponse", "LookupError"]
        told.failing = ""
        async with session.get(url) as response:
            assert response.status == 200


async def test_a_receiver_of_chunks_that_raises_fails_the_upload(server: LoopbackServer) -> None:
    told = Told("request_chunk_sent")
    async with ClientSession(trace_configs=[told.config]) as session:
        with pytest.raises(aiohttpx.ClientConnectionError) as caught:
            await session.post(f"{server.url}/anything", data=b"x")
        assert isinstance(caught.value.__cause__, LookupError)


async def test_content_that_was_cut_short_is_not_told_of() -> None:
    told = Told()
    peer = ScriptedPeer([ExpectRequest(), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Close()])
    async with peer, ClientSession(trace_configs=[told.config]) as session, session.get(peer.url) as response:
        with pytest.raises(ClientPayloadError):
            await response.read()
    assert told.names[-1] == "request_end"


async def test_a_response_made_by_hand_tells_its_traces() -> None:
    told = Told()
    told.config.freeze()
    trace = aiohttpx.session.tracing.Trace(None, told.config, None)
    response = aiohttpx.ClientResponse("get", URL("http://name.test/"), traces=[trace], loop=asyncio.get_running_loop())
    response.content = aiohttpx.StreamReader(loop=asyncio.get_running_loop())
    response.content.feed_data(b"here")
    response.content.feed_eof()
    assert await response.read() == b"here"
    assert told.params["response_chunk_received"].chunk == b"here"
