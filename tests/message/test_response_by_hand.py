"""message/response.py: responses that no connection gave, as libraries make them that play or keep responses."""

from __future__ import annotations

import asyncio
import inspect
import json
from http.cookies import SimpleCookie
from typing import Any
from unittest import mock

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from aiohttpx import (
    ClientConnectionError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    HttpVersion11,
    RequestInfo,
    StreamReader,
)
from aiohttpx.testing import ScriptedPeer

from .answering import answer, both_ways, head

URL_OF_ALL = URL("http://example.org/path?a=b#c")
INFO = RequestInfo(URL_OF_ALL, "GET", CIMultiDictProxy(CIMultiDict()), URL_OF_ALL)


def made(**kwargs: Any) -> ClientResponse:
    said: dict[str, Any] = {"writer": None, "continue100": None, "timer": None, "request_info": INFO, "traces": [], "loop": None}
    return ClientResponse("GET", URL_OF_ALL, **{**said, "session": None, **kwargs})


def test_what_was_not_assigned() -> None:
    response = made()
    assert response.status is None
    assert response.reason is None
    assert response.version is None
    assert response.method == "GET"
    assert response.url == URL("http://example.org/path?a=b")
    assert response.real_url == URL_OF_ALL
    assert response.request_info is INFO
    assert response.history == ()
    assert response.closed
    assert response.connection is None
    assert response.headers == {}
    assert response.raw_headers == ()
    assert response.cookies == {}
    response.reason = "Ünd"
    assert repr(response).startswith("<ClientResponse(http://example.org/path?a=b) [None \\xdcnd]>\n")


def test_the_signature_names_what_is_looked_for() -> None:
    parameters = inspect.signature(ClientResponse.__init__).parameters
    aiohttps = ["method", "url", "writer", "continue100", "timer", "request_info", "traces", "loop", "session", "stream_writer"]
    assert list(parameters)[1 : len(aiohttps) + 1] == aiohttps


@pytest.mark.parametrize("given", [{}, {"stream_writer": mock.Mock(output_size=0)}, {"traces": None}, {"session": mock.Mock()}])
async def test_the_arguments_may_be_whatever_consumers_pass(given: dict[str, Any]) -> None:
    response = made(loop=asyncio.get_running_loop(), **given)
    assert response.closed


async def test_filled_in_by_a_stream() -> None:
    """As aioresponses does it: a mocked loop in debug mode, cookies before headers, a stream that is at its end."""
    loop = mock.Mock()
    loop.get_debug.return_value = True
    response = made(loop=loop)
    response.cookies.load("session=abc; Path=/")
    response._headers = CIMultiDict({"Content-Type": "application/json; charset=latin-1", "Link": "</next>; rel=next"})  # type: ignore[assignment]
    response._raw_headers = ((b"Content-Type", b"application/json"),)
    response.status = 200
    response.reason = "OK"
    response.content = StreamReader(mock.Mock(_reading_paused=False), limit=2**16, loop=loop)
    response.content.feed_data('"ä"'.encode("latin-1"))
    response.content.feed_eof()
    async with response:
        assert response.ok
        assert response.content_type == "application/json"
        assert response.charset == "latin-1"
        assert response.raw_headers == ((b"Content-Type", b"application/json"),)
        assert response.links["next"]["url"] == URL("http://example.org/next")
        assert response.cookies["session"].value == "abc"
        assert await response.json() == "ä"
        assert await response.text() == '"ä"'
        assert await response.read() == b'"\xe4"'
    assert response.closed


async def test_filled_in_by_a_body() -> None:
    """As pook and vcrpy do it."""
    response = made(loop=asyncio.get_running_loop(), stream_writer=mock.Mock(output_size=0))
    response.status = 404
    response.reason = "Not Found"
    response.version = HttpVersion11
    response._headers = CIMultiDictProxy(CIMultiDict({"Content-Type": "text/plain"}))
    response._raw_headers = ((b"Content-Type", b"text/plain"),)
    response._body = b"nothing"
    response._history = (made(),)
    assert await response.read() == b"nothing"
    assert await response.text() == "nothing"
    assert len(response.history) == 1
    with pytest.raises(ClientResponseError) as caught:
        response.raise_for_status()
    assert caught.value.body == b"nothing"
    assert caught.value.request_info is INFO
    assert caught.value.history == response.history
    assert await response.text() == "nothing"
    with pytest.raises(ClientConnectionError, match="Connection closed"):
        await response.read()


async def test_closing_and_releasing_do_no_harm() -> None:
    response = made(loop=asyncio.get_running_loop())
    response._body = b"body"
    response.close()
    await response.release()
    await response.wait_for_close()
    assert await response.text() == "body"


async def test_set_cookie_among_assigned_headers_is_heard() -> None:
    response = made()
    response._headers = CIMultiDictProxy(CIMultiDict([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]))
    assert {name: morsel.value for name, morsel in response.cookies.items()} == {"a": "1", "b": "2"}
    response.cookies = SimpleCookie()
    assert response.cookies == {}


class Played(ClientResponse):
    """As vcrpy does it: methods and properties in the place of the response's own."""

    async def read(self) -> bytes:
        return b"played"

    async def json(self, *, encoding: str | None = "utf-8", loads: Any = json.loads, **kwargs: Any) -> Any:
        return "played"

    def release(self) -> Any:
        pass

    @property
    def content(self) -> StreamReader:
        stream = StreamReader()
        stream.feed_data(b"played")
        stream.feed_eof()
        return stream

    @content.setter
    def content(self, content: StreamReader) -> None:
        pass


async def test_a_subclass_can_take_the_place_of_everything() -> None:
    response = Played("GET", URL_OF_ALL, request_info=INFO)
    response.status = 200
    response.close()
    async with response:
        assert await response.read() == b"played"
        assert await response.json() == "played"
        assert await response.content.read() == b"played"


class Own(ClientResponse):
    shout = False

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        text = await super().text(encoding, errors)
        return text.upper() if self.shout else text


@both_ways
async def test_a_session_makes_responses_of_its_response_class(streamed: bool) -> None:
    async with answer(b"body", streamed=streamed, session={"response_class": Own}) as response:
        assert isinstance(response, Own)
        response.shout = True
        assert await response.text() == "BODY"


async def test_responses_take_new_attributes() -> None:
    async with ScriptedPeer(head(length=0)) as peer, ClientSession() as client, client.get(peer.url) as response:
        response.from_cache = True  # type: ignore[attr-defined]
        assert response.from_cache  # type: ignore[attr-defined]
