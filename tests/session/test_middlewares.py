"""session/middlewares.py: what callers put around the sending of requests."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from multidict import CIMultiDict
from yarl import URL

from aiohttpx import (
    ClientConnectionError,
    ClientHandlerType,
    ClientMiddlewareType,
    ClientPayloadError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    InvalidURL,
    ServerTimeoutError,
    TCPConnector,
)
from aiohttpx.session import exchange
from aiohttpx.testing import Expect, ExpectRequest, Request, Response, ScriptedPeer, StallForever

from .site import Site, lines

LONG = bytes(300_000)


def echo(request: Request) -> Response:
    return Response(200, [("X-Method", request.method)], request.body)


def refuse_first(request: Request) -> Response:
    return Response(503 if not request.headers.get("x-attempt") else 200, [], LONG)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site(echo=echo, refusing=refuse_first) as site:
        yield site


def middleware(log: list[str], name: str) -> ClientMiddlewareType:
    async def logging(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        log.append(f"{name} {request.method} {request.url.path}")
        response = await handler(request)
        log.append(f"{name} {response.status}")
        return response

    return logging


async def again(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    response = await handler(request)
    if response.status == 503:
        response.release()
        request.headers["X-Attempt"] = "2"
        response = await handler(request)
    return response


# -- when they are called


async def test_the_first_is_outermost_and_every_hop_passes_through(site: Site) -> None:
    log: list[str] = []
    both = middleware(log, "a"), middleware(log, "b")
    async with ClientSession(middlewares=both) as session, session.get(site.to("/end")) as response:
        assert await response.text() == "/end"
        assert [each.status for each in response.history] == [302]
    hop = ["a GET /to/302", "b GET /to/302", "b 302", "a 302"]
    assert log == [*hop, "a GET /end", "b GET /end", "b 200", "a 200"]


@pytest.mark.parametrize("total", [None, 60, 0.9])
async def test_those_of_a_request_take_the_place_of_the_sessions(site: Site, total: float | None) -> None:
    log: list[str] = []
    timeout = ClientTimeout(total=total)
    async with ClientSession(middlewares=[middleware(log, "session")], timeout=timeout) as session:
        await session.get(site.url, middlewares=[middleware(log, "request")])
        await session.get(site.url, middlewares=())
        await session.get(site.url)
    async with ClientSession(timeout=timeout) as session:
        await session.get(site.url, middlewares=[middleware(log, "only")])
    assert log == ["request GET /", "request 200", "session GET /", "session 200", "only GET /", "only 200"]


async def test_those_put_into_a_session_later_are_asked(site: Site) -> None:
    log: list[str] = []
    async with ClientSession() as session:
        await session.get(site.url)
        await session.get(site.url)
        session._middlewares = [middleware(log, "late")]  # its name is aiohttp's, and known
        await session.get(site.url)
    assert log == ["late GET /", "late 200"]


async def test_without_any_no_chain_is_built(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "chain", None)
    async with ClientSession() as session:
        await session.get(site.to("/end"), headers={"X": "1"})
    assert lines(site) == ["GET /to/302?/end", "GET /end"]


async def test_one_can_ask_through_the_same_session(site: Site) -> None:
    async def with_token(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        async with request.session.get(site.url + "/token", middlewares=()) as response:
            request.headers["X-Token"] = await response.text()
        return await handler(request)

    async with ClientSession(middlewares=(with_token,)) as session:
        await session.get(site.url + "/page")
    assert lines(site) == ["GET /token", "GET /page"]
    assert site.asked[1].headers["x-token"] == "/token"


# -- what they change


async def test_changes_of_fields_reach_the_wire_and_stay_with_the_request(site: Site) -> None:
    async def change(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        request.headers["X-Own"] = "1"
        request.headers.popall("Accept")
        return await handler(request)

    async with ClientSession(headers={"X-All": "2"}) as session:
        for middlewares in ((change,), ()):
            await session.get(site.url, middlewares=middlewares)
        await session.get(site.url, headers=CIMultiDict({"X-Mine": "3"}), middlewares=(change,))
    first, second, third = (request.headers for request in site.asked)
    assert (first["x-own"], first["x-all"], first.get("accept")) == ("1", "2", None)
    assert (second.get("x-own"), second["x-all"], second["accept"]) == (None, "2", "*/*")
    assert (third["x-own"], third["x-mine"], third.get("accept")) == ("1", "3", None)


@pytest.mark.parametrize("given", [None, b"short", LONG, io.BytesIO(b"file")])
@pytest.mark.parametrize("body", [b"", b"something else", LONG, "текст", {"a": "b"}, io.BytesIO(b"from a file")])
async def test_a_body_is_replaced(site: Site, given: Any, body: Any) -> None:
    async def change(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        await request.update_body(body)
        return await handler(request)

    async with ClientSession(middlewares=(change,)) as session:
        if isinstance(given, io.BytesIO):
            given = io.BytesIO(given.getvalue())
        if isinstance(body, io.BytesIO):
            body = io.BytesIO(body.getvalue())
            expected = body.getvalue()
        else:
            expected = {str: lambda: body.encode(), dict: lambda: b"a=b"}.get(type(body), lambda: body)()
        async with session.post(site.url + "/echo", data=given) as response:
            assert await response.read() == expected
    assert site.asked[0].headers["content-length"] == str(len(expected))


async def test_a_body_is_taken_away(site: Site) -> None:
    async def change(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        await request.update_body(None)
        return await handler(request)

    async with ClientSession(middlewares=(change,)) as session, session.post(site.url + "/echo", data=b"secret") as response:
        assert await response.read() == b""


async def test_another_path_is_asked(site: Site) -> None:
    async def change(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        request.url = request.url.with_path("/echo").with_fragment("part")
        request.method = "PUT"
        return await handler(request)

    async with ClientSession(middlewares=(change,)) as session, session.post(site.url + "/nowhere", data=b"body") as response:
        assert (await response.read(), response.headers["X-Method"]) == (b"body", "PUT")
        assert response.url == URL(site.url + "/echo")
        assert response.real_url == URL(site.url + "/echo#part")


@pytest.mark.parametrize("headers", [None, {"X": "1"}, {"Host": "by.hand"}])
async def test_another_origin_is_asked(site: Site, there: Site, headers: dict[str, str] | None) -> None:
    async def change(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        if request.url.path == "/":
            request.url = URL(there.url).with_user("a").with_password("b").join(URL("/to/302?end"))
        return await handler(request)

    async with ClientSession(middlewares=(change,)) as session, session.get(site.url, headers=headers) as response:
        assert str(response.url) == there.url + "/to/end"  # relative to where it came from
    assert lines(there) == ["GET /to/302?end", "GET /to/end"]
    assert not site.asked
    host = there.url.removeprefix("http://")
    assert there.asked[0].headers["host"] == ("by.hand" if headers == {"Host": "by.hand"} else host)
    assert there.asked[0].headers["authorization"] == "Basic YTpi"


async def test_a_url_without_a_host_is_refused(site: Site) -> None:
    async def change(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        request.url = URL("/path")
        return await handler(request)

    async with ClientSession(middlewares=(change,)) as session:
        with pytest.raises(InvalidURL):
            await session.get(site.url)


# -- what they answer


async def test_one_answers_itself(site: Site) -> None:
    async def answer(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = ClientResponse(request.method, request.url, request_info=request.request_info, session=request.session)
        response.status, response.reason = 418, "Teapot"
        response._body = b"short and stout"
        return response

    async with ClientSession(middlewares=(answer,), raise_for_status=False) as session, session.get(site.url) as response:
        assert (response.status, await response.read()) == (418, b"short and stout")
    assert not site.asked


@pytest.mark.parametrize("data", [b"bytes", LONG, io.BytesIO(b"file"), {"form": b"multipart"}])
async def test_a_request_is_sent_again_with_its_body(site: Site, data: Any) -> None:
    async with ClientSession(middlewares=(again,)) as session, session.post(site.url + "/refusing", data=data) as response:
        assert response.status == 200
    assert lines(site) == ["POST /refusing"] * 2
    assert site.asked[0].body == site.asked[1].body != b""


async def test_what_cannot_be_sent_again_is_an_error(site: Site) -> None:
    async def once() -> AsyncIterator[bytes]:
        yield b"x"

    async with ClientSession(middlewares=(again,)) as session:
        with pytest.raises(ClientPayloadError, match="consumed"):
            await session.post(site.url + "/refusing", data=once())


@pytest.mark.every_loop
async def test_an_upload_that_was_answered_early_starts_anew() -> None:
    early = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
    done = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    body = bytes(range(256)) * 40_000
    async with ScriptedPeer([Expect(), early, StallForever()], [ExpectRequest(), done]) as peer:
        async with ClientSession(middlewares=(again,)) as session, session.put(peer.url, data=io.BytesIO(body)) as response:
            assert response.status == 200
        assert peer.connections[1].received.endswith(body)


# -- what goes wrong


async def test_what_one_raises_reaches_the_caller_and_leaves_no_connection_lent(site: Site) -> None:
    async def fail(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = await handler(request)
        assert response.connection is not None
        raise LookupError(response)

    async with ClientSession(connector=TCPConnector(limit=1)) as session:
        for _ in range(2):
            with pytest.raises(LookupError) as caught:
                await session.get(site.url + "/refusing", middlewares=(fail,))
            assert caught.value.args[0].connection is None
        async with asyncio.timeout(10), session.get(site.url):
            pass


async def test_none_is_no_response(site: Site) -> None:
    async def forget(request: ClientRequest, handler: ClientHandlerType) -> None:
        await handler(request)

    async with ClientSession(middlewares=(forget,)) as session:
        with pytest.raises(TypeError, match="returned None for GET http"):
            await session.get(site.url)


@pytest.mark.every_loop
@pytest.mark.parametrize("first", ["before", "with a response at hand", "after"])
async def test_the_total_limit_ends_one_that_sleeps(site: Site, first: str) -> None:
    async def sleep(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = None
        if first != "before":
            response = await handler(request)
            if first == "after":
                response.release()
        await asyncio.sleep(1000)
        return response or await handler(request)

    async with ClientSession(middlewares=(sleep,), connector=TCPConnector(limit=1)) as session:
        async with asyncio.timeout(10):
            with pytest.raises(ServerTimeoutError, match=r"Timeout of 0.1 s \(total\) on 127.0.0.1:\d+ while in a middleware"):
                await session.get(site.url + "/refusing", timeout=0.1)
            async with session.get(site.url, middlewares=()):
                pass


async def test_the_total_limit_ends_one_that_never_gives_up(site: Site) -> None:
    async def insist(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        errors = 0
        while errors < 100:
            try:
                return await handler(request)
            except ServerTimeoutError:
                errors += 1
        raise LookupError("tried 100 times")

    async with ScriptedPeer([StallForever()]) as peer, ClientSession(middlewares=(insist,)) as session, asyncio.timeout(10):
        with pytest.raises((ServerTimeoutError, LookupError)):
            await session.get(peer.url, timeout=0.1)
        assert len(peer.connections) == 1


async def test_the_total_limit_covers_the_body_of_the_response_that_is_returned() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    async def first_of_two(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = await handler(request)
        await (await handler(request)).read()
        return response

    script = [ExpectRequest(), head, StallForever()]
    async with ScriptedPeer(script, ok) as peer, ClientSession(middlewares=(first_of_two,)) as session, asyncio.timeout(10):
        response = await session.get(peer.url, timeout=0.2)
        with pytest.raises(ServerTimeoutError):
            await response.read()


# -- when the session ends


@pytest.mark.every_loop
async def test_closing_the_session_ends_what_a_middleware_waits_for(site: Site) -> None:
    started = asyncio.Event()

    async def wait(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = await handler(request)
        started.set()
        await asyncio.sleep(3600)
        return response

    session = ClientSession(middlewares=(wait,))
    asking = asyncio.ensure_future(session.get(site.url + "/echo"))
    await started.wait()
    await session.close()
    with pytest.raises(ClientConnectionError, match="Connector is closed"):
        await asking


async def test_a_borrowed_connector_lets_it_wait(site: Site) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def wait(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = await handler(request)
        started.set()
        await go_on.wait()
        return response

    async with TCPConnector() as connector:
        session = ClientSession(connector=connector, connector_owner=False, middlewares=(wait,))
        asking = asyncio.ensure_future(session.get(site.url + "/echo"))
        await started.wait()
        await session.close()
        go_on.set()
        async with await asking as response:
            assert response.status == 200
