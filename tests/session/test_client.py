"""session/client.py: what a session is made with, how it is asked, what ends it, and what code around it may rely on.

What it writes: test_request_on_the_wire.py. Its limits in time: test_exchange.py.
"""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import types
import warnings
import weakref
from collections.abc import Generator
from typing import Any

import pytest
from multidict import CIMultiDict
from yarl import URL

from aiohttpx import (
    ClientConnectionError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    HttpVersion10,
    HttpVersion11,
    InvalidURL,
    ServerTimeoutError,
    SocketTimeoutError,
    TCPConnector,
)
from aiohttpx.session import statuscheck
from aiohttpx.testing import ExpectRequest, LoopbackServer, Response, Script, ScriptedPeer, StallForever

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSAL = b"HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nnothing"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
VERBS = ["get", "head", "options", "post", "put", "patch", "delete", "query"]


async def get(session: ClientSession, url: str) -> str:
    async with session.get(url) as response:
        return await response.text()


# -- what it is made with


async def test_what_it_says_when_nothing_was_said() -> None:
    async with ClientSession() as session:
        assert session.closed is False
        assert isinstance(session.connector, TCPConnector)
        assert session.connector_owner is True
        assert session.loop is asyncio.get_running_loop()
        assert session.headers == {}
        assert session.skip_auto_headers == frozenset()
        assert session.timeout == ClientTimeout(total=300, sock_connect=30)
        assert session.version == HttpVersion11
        assert session.json_serialize is json.dumps
        assert session.raise_for_status is False
        assert session.auto_decompress is True
    assert session.closed is True
    assert session.connector is None


async def test_what_it_says_when_all_was_said() -> None:
    async def check(response: ClientResponse) -> None: ...

    def serialize(value: Any) -> str:
        return "{}"

    async with (
        TCPConnector() as connector,
        ClientSession(
            "http://example.org/api/",
            connector=connector,
            loop=asyncio.get_running_loop(),
            headers={"X-A": "1"},
            skip_auto_headers=["User-Agent"],
            json_serialize=serialize,
            version=HttpVersion10,
            connector_owner=False,
            raise_for_status=check,
            timeout=ClientTimeout(total=1, sock_read=2),
            auto_decompress=False,
        ) as session,
    ):
        assert session.connector is connector
        assert session.connector_owner is False
        assert session.headers == CIMultiDict({"X-A": "1"})
        assert session.skip_auto_headers == {"User-Agent"}
        assert session.timeout == ClientTimeout(total=1, sock_read=2)
        assert session.version == HttpVersion10
        assert session.json_serialize is serialize
        assert session.raise_for_status is check
        assert session.auto_decompress is False


@pytest.mark.parametrize(
    ("given", "timeout"),
    [
        (5, ClientTimeout(total=5)),
        (0.5, ClientTimeout(total=0.5)),
        (ClientTimeout(connect=1), ClientTimeout(connect=1)),
        (None, ClientTimeout(total=300, sock_connect=30)),
    ],
)
async def test_a_timeout_may_be_a_number(given: Any, timeout: ClientTimeout) -> None:
    async with ClientSession(timeout=given) as session:
        assert session.timeout == timeout


@pytest.mark.parametrize("given", ["5", True, object(), (5,)])
async def test_other_timeouts_are_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="timeout parameter"):
        ClientSession(timeout=given)
    async with ClientSession() as session:
        with pytest.raises(ValueError, match="timeout parameter"):
            await session.get("http://example.org", timeout=given)


async def test_the_fields_of_the_session_may_be_changed_and_replaced() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession() as session:
        session.headers["X-A"] = "changed"
        await get(session, peer.url)
        session._default_headers = types.MappingProxyType({"X-A": "replaced"})
        await get(session, peer.url)
        async with session.get(peer.url, headers={"X-B": "1"}):
            pass
        assert peer.received.count(b"X-A: changed") == 1
        assert peer.received.count(b"X-A: replaced") == 2
        assert session.headers == CIMultiDict({"X-A": "replaced"})


async def test_a_field_of_the_session_that_can_not_be_sent_is_refused_each_time() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession(headers={"X-A": "1"}) as session:
        await get(session, peer.url)
        session.headers["X-A"] = "1\r\nX-B: 2"
        for _ in range(2):
            with pytest.raises(ValueError, match="X-A"):
                await get(session, peer.url)
        assert peer.received.count(b"GET") == 1


async def test_base_url_and_the_ways_to_give_it() -> None:
    async with ScriptedPeer(OK) as peer:
        for base in (peer.url + "/api/", URL(peer.url) / "api/"):
            async with ClientSession(base_url=base) as session, session.get("items?x=1", params={"y": "2"}) as response:
                assert str(response.url) == f"{peer.url}/api/items?x=1&y=2"
            async with ClientSession(base) as session, session.get(URL("/items")) as response:
                assert str(response.url) == f"{peer.url}/items"
            async with ClientSession(base) as session, session.get("") as response:
                assert str(response.url) == f"{peer.url}/api/"


@pytest.mark.parametrize("json_by", ["json_serialize", "json_serialize_bytes"])
async def test_json_is_made_by_the_sessions_function(json_by: str) -> None:
    made: dict[str, Any] = {"json_serialize": lambda value: f"<{value}>", "json_serialize_bytes": lambda value: b"<%d>" % value}
    async with ScriptedPeer(OK) as peer, ClientSession(**{json_by: made[json_by]}) as session:
        async with session.post(peer.url, json=5):
            pass
        assert peer.received.endswith(b"Content-Type: application/json\r\n\r\n<5>")


# -- how it is asked


async def awaited(request: Any) -> ClientResponse:
    response: ClientResponse = await request
    return response


async def entered(request: Any) -> ClientResponse:
    async with request as response:
        await response.read()
        assert isinstance(response, ClientResponse)
        return response


async def in_a_task(request: Any) -> ClientResponse:
    response: ClientResponse = await asyncio.create_task(request)
    return response


async def waited_for(request: Any) -> ClientResponse:
    response: ClientResponse = await asyncio.wait_for(request, 30)
    return response


async def gathered(request: Any) -> ClientResponse:
    (response,) = await asyncio.gather(request)
    assert isinstance(response, ClientResponse)
    return response


async def yielded_from(request: Any) -> ClientResponse:
    @types.coroutine
    def old() -> Generator[Any, Any, ClientResponse]:
        response: ClientResponse = yield from request
        return response

    return await old()


FORMS = [awaited, entered, in_a_task, waited_for, gathered, yielded_from]


@pytest.mark.every_loop
@pytest.mark.parametrize("form", FORMS)
async def test_every_verb_in_every_form(form: Any) -> None:
    async with LoopbackServer() as server, ClientSession() as session:
        for verb in VERBS:
            response = await form(getattr(session, verb)(f"{server.url}/anything/{verb}"))
            assert (response.status, response.method) == (200, verb.upper())
            if verb != "head" and form is not entered:
                assert (await response.json())["method"] == verb.upper()
        response = await form(session.request("PROPFIND", f"{server.url}/anything"))
        assert response.method == "PROPFIND"


async def test_a_response_may_be_entered_too() -> None:
    async with LoopbackServer() as server, ClientSession() as session:
        async with await session.get(f"{server.url}/anything") as response:
            assert response.status == 200
        assert response.closed


async def test_a_request_can_be_closed_before_it_starts() -> None:
    async with ClientSession() as session:
        session.get("http://example.org").close()
        task = asyncio.create_task(session.get("http://example.org"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_what_is_no_argument_is_said() -> None:
    async with ClientSession() as session:
        for verb in VERBS:
            with pytest.raises(TypeError, match=r"ClientSession\._request\(\) got an unexpected keyword argument 'nonsense'"):
                await getattr(session, verb)("http://example.org", nonsense=1)
        with pytest.raises(TypeError):
            session.get()  # type: ignore[call-arg]


async def test_what_a_response_brings_can_be_what_a_request_sends() -> None:
    async with LoopbackServer() as server, ClientSession() as session:
        source = await session.get(f"{server.url}/bytes/1000000")
        async with session.post(f"{server.url}/count", data=source.content) as response:
            assert await response.text() == "1000000"


# -- limits in time, as they are given


@pytest.mark.parametrize("limit", [0.1, ClientTimeout(total=0.1)])
async def test_a_timeout_of_the_session(limit: Any) -> None:
    async with ScriptedPeer([StallForever()]) as peer, ClientSession(timeout=limit) as session:
        with pytest.raises(ServerTimeoutError, match="total"):
            await session.get(peer.url)


@pytest.mark.parametrize(("limit", "error"), [(0.1, ServerTimeoutError), (ClientTimeout(sock_read=0.1), SocketTimeoutError)])
async def test_a_timeout_of_one_request(limit: Any, error: type[Exception]) -> None:
    async with ScriptedPeer([StallForever()], OK) as peer, ClientSession() as session:
        with pytest.raises(error):
            await session.get(peer.url, timeout=limit)
        assert await get(session, peer.url) == "ok"


async def test_no_timeout_for_one_request() -> None:
    async with LoopbackServer() as server, ClientSession(timeout=0.1) as session:
        for limit in (None, 0, ClientTimeout()):
            async with session.get(f"{server.url}/delay/0.3", timeout=limit) as response:
                assert response.status == 200


# -- raise_for_status


async def test_a_bad_status_is_an_error_if_it_is_to_be() -> None:
    async with ScriptedPeer(REFUSAL) as peer, ClientSession(raise_for_status=True) as session:
        for form in FORMS:
            with pytest.raises(ClientResponseError) as caught:
                await form(session.get(peer.url))
            assert (caught.value.status, caught.value.body) == (404, b"nothing")
        assert len(peer.connections) == 1
        async with session.get(peer.url, raise_for_status=False) as response:
            assert response.status == 404
    async with ScriptedPeer(REFUSAL) as peer, ClientSession() as session:
        async with session.get(peer.url) as response:
            assert response.status == 404
        with pytest.raises(ClientResponseError):
            await session.get(peer.url, raise_for_status=True)


async def test_the_error_waits_a_moment_for_its_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statuscheck, "_MOMENT", 30)
    start, body = REFUSAL[:-7], REFUSAL[-7:]

    async def after_a_turn(connection: Any) -> None:
        await asyncio.sleep(0.05)

    script: Script = [ExpectRequest(), start, after_a_turn, body]
    async with ScriptedPeer(script) as peer, ClientSession(raise_for_status=True) as session:
        with pytest.raises(ClientResponseError) as caught:
            await session.get(peer.url)
        assert caught.value.body == b"nothing"


@pytest.mark.parametrize("then", [StallForever(), b"no body of that length"], ids=["stalls", "is cut"])
async def test_the_error_does_not_depend_on_its_body(then: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statuscheck, "_MOMENT", 0.01)
    start = b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with ScriptedPeer([ExpectRequest(), start, then]) as peer, ClientSession(raise_for_status=True) as session:
        with pytest.raises(ClientResponseError) as caught:
            await session.get(peer.url)
        assert (caught.value.status, caught.value.body) == (500, None)


async def test_the_caller_may_judge_himself() -> None:
    judged: list[ClientResponse] = []

    class Refused(Exception):
        pass

    async def judge(response: ClientResponse) -> None:
        judged.append(response)
        if response.status == 404:
            raise Refused(await response.text())

    async with ScriptedPeer([ExpectRequest(), OK, ExpectRequest(), REFUSAL, ExpectRequest(), REFUSAL]) as peer:
        async with ClientSession(raise_for_status=judge) as session:
            assert await get(session, peer.url) == "ok"
            with pytest.raises(Refused, match="nothing"):
                await session.get(peer.url)
            async with session.get(peer.url, raise_for_status=False) as response:
                assert response.status == 404
        assert len(judged) == 2
        assert len(peer.connections) == 1


async def test_who_is_refused_gives_his_connection_back() -> None:
    async def judge(response: ClientResponse) -> None:
        raise RuntimeError("no")

    script: Script = [ExpectRequest(), HEAD, StallForever()]
    connector = TCPConnector(limit=1)
    async with ScriptedPeer(script) as peer, ClientSession(connector=connector, raise_for_status=judge) as session:
        for _ in range(3):
            with pytest.raises(RuntimeError, match=r"^no$"):
                await session.get(peer.url)
            for connection in peer.connections:
                connection.transport.close()


# -- its loop


def test_it_can_be_made_without_a_loop() -> None:
    session = ClientSession()

    async def use() -> None:
        async with ScriptedPeer(OK) as peer, session:
            assert await get(session, peer.url) == "ok"
            assert session.loop is asyncio.get_running_loop()

    asyncio.run(use())
    assert session.closed


def test_it_can_be_closed_without_having_been_used() -> None:
    session = ClientSession()
    asyncio.run(session.close())
    assert session.closed


def test_one_that_was_never_used_needs_no_closing() -> None:
    gone = weakref.ref(ClientSession())
    gc.collect()  # and says nothing: warnings are errors
    assert gone() is None


async def test_it_belongs_to_the_loop_that_it_was_given() -> None:
    other = asyncio.new_event_loop()
    try:
        for kwargs in ({"loop": other}, {"connector": TCPConnector(loop=other)}):
            session = ClientSession(**kwargs)
            with pytest.raises(RuntimeError, match="same event loop"):
                await session.get("http://example.org")
            await session.close()
    finally:
        other.close()


def test_it_belongs_to_the_loop_that_used_it_first() -> None:
    session = ClientSession()
    failed: list[bool] = []

    def elsewhere() -> None:
        with pytest.raises(RuntimeError, match="loop"):
            asyncio.run(get(session, f"{server.url}/anything"))
        failed.append(True)

    with LoopbackServer().in_thread() as server, asyncio.Runner() as first:
        assert first.run(get(session, f"{server.url}/anything"))
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert failed
        first.run(session.close())


# -- its end


async def test_after_its_end_it_refuses() -> None:
    async with ScriptedPeer(OK) as peer:
        async with ClientSession() as session:
            assert await get(session, peer.url) == "ok"
        await session.close()
        for verb in VERBS:
            with pytest.raises(RuntimeError, match=r"^Session is closed$"):
                await getattr(session, verb)(peer.url)


async def test_it_ends_with_its_connector() -> None:
    connector = TCPConnector()
    session = ClientSession(connector=connector)
    await connector.close()
    assert session.closed
    with pytest.raises(RuntimeError, match=r"^Session is closed$"):
        await session.get("http://example.org")
    await session.close()


async def test_its_own_connector_ends_with_it_and_a_borrowed_one_does_not() -> None:
    async with ScriptedPeer(OK) as peer:
        connector = TCPConnector()
        async with ClientSession(connector=connector) as session:
            await get(session, peer.url)
        assert connector.closed
        async with TCPConnector() as connector:
            for _ in range(2):
                async with ClientSession(connector=connector, connector_owner=False) as session:
                    await get(session, peer.url)
            assert not connector.closed
        assert len(peer.connections) == 2


async def test_detach_leaves_the_connector_open() -> None:
    async with ScriptedPeer(OK) as peer, TCPConnector() as connector:
        session = ClientSession(connector=connector)
        await get(session, peer.url)
        session.detach()
        assert session.closed
        assert session.connector is None
        assert not connector.closed
        with pytest.raises(RuntimeError, match=r"^Session is closed$"):
            await session.get(peer.url)


@pytest.mark.every_loop
async def test_its_end_is_the_end_of_all_that_goes_through_it() -> None:
    script: Script = [ExpectRequest(), HEAD + b"he", StallForever()]
    async with ScriptedPeer(script, [StallForever()]) as peer, ClientSession(connector=TCPConnector(limit=2)) as session:
        response = await session.get(peer.url)
        asks = [asyncio.create_task(get(session, peer.url)) for _ in range(3)]  # one is asking, two wait for a slot
        reads = asyncio.create_task(response.read())
        while len(peer.received.split(b"GET ")) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await session.close()
        results = await asyncio.gather(reads, *asks, return_exceptions=True)
        assert [type(result) for result in results] == [ClientConnectionError] * 4
        for connection in peer.connections:
            await connection.wait_closed()


@pytest.mark.parametrize("debug", [False, True])
async def test_one_that_is_not_closed_says_so_at_its_end(debug: bool) -> None:
    asyncio.get_running_loop().set_debug(debug)
    async with ScriptedPeer(OK) as peer:
        session = ClientSession()  # here
        await get(session, peer.url)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            del session
            ((category, text),) = [(each.category, str(each.message)) for each in said]
            said.clear()  # a warning has its session, and that its connector
            gc.collect()
        assert category is ResourceWarning
        assert text.startswith("Unclosed client session <aiohttpx.")
        assert ("session = ClientSession()  # here" in text) is debug
        assert all(each.category is ResourceWarning for each in said)
        await peer.connections[0].wait_closed()


async def test_with_needs_async() -> None:
    async with ClientSession() as session:
        with pytest.raises(TypeError, match="async with"), session:
            pass


async def test_what_it_can_not_be_made_with_leaves_nothing_to_close() -> None:
    for kwargs in ({"base_url": "relative"}, {"timeout": "5"}, {"nonsense": 1}):
        with pytest.raises((ValueError, TypeError)):
            ClientSession(**kwargs)
        gc.collect()


async def test_an_error_in_the_url_names_it() -> None:
    async with ClientSession("http://example.org") as session:
        with pytest.raises(InvalidURL, match=r"http://\[bad"):
            await session.get("http://[bad")
        with pytest.raises(TypeError):
            await session.get(None)  # type: ignore[arg-type]


async def test_many_sessions_may_share_a_server() -> None:
    async with LoopbackServer({"/": lambda request: Response.text(request.headers["x-number"])}) as server:

        async def one(number: int) -> str:
            async with ClientSession(headers={"X-Number": str(number)}) as session:
                return await get(session, server.url)

        assert await asyncio.gather(*map(one, range(20))) == [str(number) for number in range(20)]
