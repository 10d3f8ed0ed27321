"""session/client.py as other libraries use it, to play, count, trace or cache requests: patched, wrapped, extended, inspected."""

from __future__ import annotations

import inspect
from typing import Any
from unittest import mock

import pytest
from multidict import CIMultiDict
from yarl import URL

from aiohttpx import ClientRequest, ClientResponse, ClientSession
from aiohttpx.testing import ScriptedPeer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
VERBS = ["get", "head", "options", "post", "put", "patch", "delete", "query"]


async def get(session: ClientSession, url: str) -> str:
    async with session.get(url) as response:
        return await response.text()


@pytest.mark.parametrize("verb", VERBS)
async def test_every_verb_asks_by_request_looked_up_when_it_is_called(verb: str) -> None:
    """As libraries do that play, count or trace requests."""
    played = ClientResponse(verb.upper(), URL("http://example.org"))
    async with ClientSession() as session:
        with mock.patch("aiohttpx.session.client.ClientSession._request", return_value=played) as patched:
            async with getattr(session, verb)("http://example.org/", headers={"X-A": "1"}) as response:
                assert response is played
            assert await session.request(verb, "http://example.org/", params={"a": "b"}) is played
        first, second = patched.await_args_list
        assert first.args == (verb.upper(), "http://example.org/")
        assert first.kwargs["headers"] == {"X-A": "1"}
        assert second == mock.call(verb, "http://example.org/", params={"a": "b"})


async def test_a_patched_request_may_ask_the_original() -> None:
    original = ClientSession._request
    asked: list[Any] = []

    async def noting(self: ClientSession, method: str, url: Any, **kwargs: Any) -> ClientResponse:
        asked.append((method, url, kwargs))
        return await original(self, method, url, **kwargs)

    async with ScriptedPeer(OK) as peer, ClientSession() as session:
        with mock.patch.object(ClientSession, "_request", noting):
            async with session.post(peer.url, data=b"x") as response:
                assert await response.text() == "ok"
        assert asked == [("POST", peer.url, {"data": b"x"})]


async def test_the_constructor_may_be_patched() -> None:
    original = ClientSession.__init__

    def init(self: ClientSession, *args: Any, **kwargs: Any) -> None:
        kwargs["headers"] = {"X-Patched": "1"}
        original(self, *args, **kwargs)

    async with ScriptedPeer(OK) as peer:
        with mock.patch.object(ClientSession, "__init__", init):
            session = ClientSession()
        async with session:
            await get(session, peer.url)
        assert b"X-Patched: 1" in peer.received


def test_the_signatures_can_be_inspected() -> None:
    parameters = inspect.signature(ClientSession._request).parameters
    assert list(parameters)[:3] == ["self", "method", "str_or_url"]
    assert {
        "params", "data", "json", "headers", "skip_auto_headers", "compress", "chunked", "expect100", "raise_for_status",
        "read_until_eof", "timeout", "verify_ssl", "fingerprint", "ssl_context", "ssl", "server_hostname", "read_bufsize",
        "auto_decompress", "max_field_size",
    } <= parameters.keys()  # fmt: skip
    assert all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters.values())
    assert list(inspect.signature(ClientSession.__init__).parameters)[:2] == ["self", "base_url"]
    assert list(inspect.signature(ClientSession.get).parameters)[:2] == ["self", "url"]
    assert inspect.iscoroutinefunction(ClientSession._request)


async def test_its_connector_may_be_wrapped() -> None:
    asked: list[Any] = []

    class Wrapper:
        def __init__(self, wrapped: Any) -> None:
            self._wrapped = wrapped

        def __getattr__(self, name: str) -> Any:
            return getattr(self._wrapped, name)

        async def connect(self, req: ClientRequest, *args: Any, **kwargs: Any) -> Any:
            asked.append(req.url)
            return await self._wrapped.connect(req, *args, **kwargs)

    async with ScriptedPeer(OK) as peer, ClientSession() as session:
        session._connector = Wrapper(session._connector)  # type: ignore[assignment]
        assert await get(session, peer.url) == "ok"
        assert asked == [URL(peer.url)]


async def test_subclasses_make_no_noise() -> None:
    class Caching(ClientSession):
        def __init__(self, *args: Any, cache: dict[str, Any], **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.cache = cache

        async def _request(self, method: str, url: Any, **kwargs: Any) -> ClientResponse:  # type: ignore[override]
            if str(url) not in self.cache:
                self.cache[str(url)] = await super()._request(method, url, **kwargs)
            cached: ClientResponse = self.cache[str(url)]
            return cached

    async with ScriptedPeer(OK) as peer, Caching(cache={}) as session:
        first = await session.get(peer.url)
        assert await first.text() == "ok"
        assert await session.get(peer.url) is first
        session.extra = 1  # type: ignore[attr-defined]
        assert peer.received.count(b"GET") == 1


async def test_its_parts_answer_to_the_names_consumers_know() -> None:
    async with ClientSession("http://example.org/a/", headers={"X-A": "1"}) as session:
        assert session._connector is session.connector
        assert session._base_url == URL("http://example.org/a/")
        assert session._build_url("b") == URL("http://example.org/a/b")
        assert session._prepare_headers({"x-a": "2", "X-B": "3"}) == CIMultiDict({"x-a": "2", "X-B": "3"})
        assert session._prepare_headers(None) == CIMultiDict({"X-A": "1"})
        assert session._default_headers is session.headers
        assert session._raise_for_status is False
        assert session._response_class is ClientResponse
