from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

import aiohttpx
from aiohttpx import ClientConnectorError, ClientPayloadError, ClientSession, ServerDisconnectedError
from aiohttpx.testing import FakeConnector, LoopbackServer, Mock, NotMocked, Request, Response, echo, payload


async def text_of(session: ClientSession, url: str, **options: object) -> str:
    async with session.get(url, **options) as response:
        return await response.text()


@pytest.mark.every_loop
async def test_every_session_is_mocked_within_with() -> None:
    with Mock() as mock:
        route = mock.get("https://example.org/a").reply(json={"b": [1]}, headers={"X-A": "1"})
        async with ClientSession() as session, session.get("https://example.org/a", params={"c": "d"}) as response:
            assert (response.status, response.reason, await response.json()) == (200, "OK", {"b": [1]})
            assert response.headers["X-A"] == "1"
        async with aiohttpx.request("GET", "https://example.org/a", headers={"X-B": "2"}) as response:
            assert response.ok
        mock.assert_all_called()
    assert [(call.method, str(call.url)) for call in route.calls] == [
        ("GET", "https://example.org/a?c=d"),
        ("GET", "https://example.org/a"),
    ]
    assert mock.calls[1].headers["x-b"] == "2"
    async with LoopbackServer() as server, ClientSession() as session:
        assert "method" in await text_of(session, f"{server.url}/anything")


async def test_one_session_is_mocked_by_a_connector() -> None:
    mock = Mock()
    mock.get("/a").reply(body="mocked")
    async with LoopbackServer({"/a": lambda request: Response.text("real")}) as server, ClientSession() as other:
        async with ClientSession(connector=mock.connector()) as session:
            assert await text_of(session, f"{server.url}/a") == "mocked"
        assert await text_of(other, f"{server.url}/a") == "real"


async def test_chosen_hosts_are_passed_through() -> None:
    async with LoopbackServer({"/a": lambda request: Response.text("real")}) as server:
        with Mock(pass_through=["127.0.0.*"]) as mock:
            mock.get("http://example.org/a").reply(body="mocked")
            async with ClientSession() as session:
                assert await text_of(session, f"{server.url}/a") == "real"
                assert await text_of(session, "http://example.org/a") == "mocked"
            async with ClientSession(connector=mock.connector()) as session:
                assert await text_of(session, f"{server.url}/a") == "real"
        assert len(mock.calls) == 1


async def test_redirects_and_cookies_go_their_way() -> None:
    with Mock() as mock:
        mock.get("http://example.org/in").reply(
            302, headers=[("Location", "/home"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
        )
        mock.get("http://example.org/home", headers={"Cookie": "a=1; b=2"}).reply(body="at home")
        async with ClientSession() as session:
            assert await text_of(session, "http://example.org/in") == "at home"


async def test_answers_come_one_after_the_other() -> None:
    with Mock() as mock:
        route = mock.get("/a").reply(503).reply(body="b", times=2).reply(body="c")
        async with ClientSession() as session:
            assert [await text_of(session, "http://h/a") for _ in range(5)] == ["", "b", "b", "c", "c"]
        route.assert_called(5)


async def test_a_route_that_is_used_up_leaves_requests_to_the_next() -> None:
    with Mock() as mock:
        mock.get("/a").reply(body="first", times=1)
        mock.get("/a").reply(body="second", times=1)
        async with ClientSession() as session:
            assert [await text_of(session, "http://h/a") for _ in range(2)] == ["first", "second"]
            with pytest.raises(NotMocked, match="used up"):
                await session.get("http://h/a")


async def test_bodies_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(payload(200_000))
    with Mock() as mock:
        mock.get("/bytes").reply(body=b"\xff")
        mock.get("/text").reply(body="é")
        mock.get("/typed").reply(body="<a/>", headers={"content-type": "text/xml"})
        mock.get("/file").reply(file=tmp_path / "a.json")
        mock.get("/chunks").reply(chunks=[b"a", b"", b"b"])
        mock.get("/made").reply(chunks=lambda: iter([b"c", b"d"]))
        mock.get("/none").reply(204)
        answers = {}
        async with ClientSession() as session:
            for path in ("bytes", "text", "typed", "file", "chunks", "chunks", "made", "made", "none"):
                async with session.get(f"http://h/{path}") as response:
                    answers[path] = await response.read(), response.headers.get("Content-Type"), response.content_length
    assert answers == {
        "bytes": (b"\xff", None, 1),
        "text": ("é".encode(), "text/plain; charset=utf-8", 2),
        "typed": (b"<a/>", "text/xml", 4),
        "file": (payload(200_000), "application/json", 200_000),
        "chunks": (b"ab", None, None),
        "made": (b"cd", None, None),
        "none": (b"", None, None),
    }
    with pytest.raises(ValueError, match="one body"):
        mock.get("/a").reply(body=b"", json=1)


async def test_chunks_come_when_they_are_there() -> None:
    more = asyncio.Event()

    async def chunks():  # type: ignore[no-untyped-def]
        yield b"first"
        await more.wait()
        yield b"second"
        raise ValueError("cut")

    with Mock() as mock:
        mock.get("/a").reply(chunks=chunks)
        async with ClientSession() as session, session.get("http://h/a") as response:
            assert await response.content.readany() == b"first"
            more.set()
            assert await response.content.readany() == b"second"
            with pytest.raises(ClientPayloadError):
                await response.content.readany()


async def test_failures_are_raised_as_they_are() -> None:
    with Mock() as mock:
        mock.get("/a").fail(ServerDisconnectedError).reply(body="back").fail(ConnectionRefusedError(111, "refused"))
        async with ClientSession() as session:
            with pytest.raises(ServerDisconnectedError):
                await session.get("http://h/a")
            assert await text_of(session, "http://h/a") == "back"
            with pytest.raises(ClientConnectorError, match="h:80"):
                await session.get("http://h/a")


async def test_callbacks_are_given_the_request() -> None:
    async def later(request: Request) -> Response:
        await asyncio.sleep(0)
        return Response.json(request.json())

    with Mock() as mock:
        mock.route(["POST", "PUT"], "/a").call(echo).call(later)
        async with ClientSession() as session:
            async with session.post("http://h/a", json=[1]) as response:
                assert (await response.json())["json"] == [1]
            async with session.put("http://h/a", json=[2]) as response:
                assert await response.json() == [2]


async def test_latency_is_time_that_limits_see() -> None:
    with Mock() as mock:
        mock.get("/a").reply(latency=60)
        async with ClientSession() as session:
            with pytest.raises(TimeoutError):
                await session.get("http://h/a", timeout=0.01)
        assert len(mock.calls) == 1


async def test_a_request_that_nobody_expects_says_what_was() -> None:
    with Mock() as mock:
        async with ClientSession() as session:
            with pytest.raises(NotMocked, match=r"GET http://h/ is not mocked\. No route is registered\."):
                await session.get("http://h/")
            mock.post("http://h/a", json={"password": "secret"}).reply(201)
            mock.get(re.compile("/b$"))
            with pytest.raises(NotMocked) as raised:
                await session.post("http://h/a?token=secret", json={}, headers={"Authorization": "secret"})
    assert str(raised.value) == (
        "POST http://h/a is not mocked. Registered are:\n  POST http://h/a, with JSON: other JSON\n  GET '/b$': another method"
    )
    assert raised.value.request is mock.unmatched[1]
    assert "secret" not in repr(mock.calls)
    with pytest.raises(AssertionError, match="POST http://h/a was not mocked"):
        mock.assert_all_called()
    mock.reset()
    mock.assert_all_called()


async def test_assertions_say_what_was_called() -> None:
    mock = Mock()
    mock.get("/optional", optional=True)
    never = mock.get("/never")
    twice = mock.get("/twice").reply(times=2)
    async with ClientSession(connector=mock.connector()) as session:
        await session.get("http://h/twice", params={"page": "1"})
    never.assert_not_called()
    twice.assert_called()
    mock.assert_called("GET", "/twice", params={"page": 1}, times=1)
    with pytest.raises(AssertionError, match="GET /never was called 0 times"):
        never.assert_called()
    with pytest.raises(AssertionError, match="GET /twice was called once, not 0 times"):
        twice.assert_not_called()
    with pytest.raises(AssertionError, match=r"PUT /twice was asked for 0 times\. Asked for was:\n  GET http://h/twice$"):
        mock.assert_called("PUT", "/twice")
    with pytest.raises(AssertionError, match="GET /never was not called\nGET /twice was called once, and has"):
        mock.assert_all_called()


async def test_a_mock_within_a_mock_has_the_first_word() -> None:
    with Mock() as outer, Mock(pass_through=["outer"]) as inner:
        outer.get("/").reply(body="outer")
        inner.get("/").reply(body="inner")
        async with ClientSession() as session, ClientSession(connector=FakeConnector(lambda _: Response.text("fake"))) as other:
            assert await text_of(session, "http://outer/") == "outer"
            assert await text_of(session, "http://inner/") == "inner"
            assert await text_of(other, "http://inner/") == "fake"
        with pytest.raises(RuntimeError, match="already"):
            outer.__enter__()


async def test_limits_of_connectors_hold() -> None:
    with Mock() as mock:
        mock.get("/slow").reply(latency=60)
        mock.get("/").reply(body="a")
        async with ClientSession(connector=aiohttpx.TCPConnector(limit=1)) as session:
            slow = asyncio.ensure_future(text_of(session, "http://h/slow"))
            await asyncio.sleep(0)
            with pytest.raises(TimeoutError):
                await session.get("http://h/", timeout=aiohttpx.ClientTimeout(pool=0.01))
            slow.cancel()
            assert await text_of(session, "http://h/") == "a"


async def test_a_closed_session_stays_closed() -> None:
    with Mock() as mock:
        mock.get("/")
        connector = aiohttpx.TCPConnector()
        await connector.close()
        async with ClientSession(connector=connector) as session:
            with pytest.raises((RuntimeError, aiohttpx.ClientConnectionError), match="closed"):
                await session.get("http://h/")
        assert not mock.calls


def test_it_serves_one_loop_after_the_other() -> None:
    async def ask() -> str:
        async with ClientSession() as session:
            return await text_of(session, "http://h/")

    with Mock() as mock:
        mock.get("/").reply(body="here")
        assert [asyncio.run(ask()) for _ in range(2)] == ["here", "here"]
