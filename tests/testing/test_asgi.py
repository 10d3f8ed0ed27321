from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from aiohttpx import ClientPayloadError, ClientSession, WSServerHandshakeError
from aiohttpx.testing import ASGIConnector, payload

Scope = Any


def session_of(app: Any, **options: Any) -> ClientSession:
    return ClientSession("http://test/", connector=ASGIConnector(app, **options))


def answering(*messages: dict[str, Any]) -> Any:
    async def app(scope: Scope, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


START: dict[str, Any] = {"type": "http.response.start", "status": 200}
BODY = "http.response.body"


# -- an application that people write

events: list[str] = []


async def show(request: Request) -> Response:
    return JSONResponse(
        {
            "url": str(request.url),
            "method": request.method,
            "header": request.headers.get("x-a"),
            "body": (await request.body()).decode(),
            "state": request.state.name,
            "client": request.client and request.client.host,
        }
    )


async def log_in(request: Request) -> Response:
    response = RedirectResponse("/show", 303)
    response.set_cookie("sid", "1")
    return response


async def count(request: Request) -> Response:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return PlainTextResponse(str(size))


async def stream(request: Request) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        content = payload(1_000_000)
        for start in range(0, len(content), 10_000):
            yield content[start : start + 10_000]

    return StreamingResponse(chunks())


async def work(request: Request) -> Response:
    async def later() -> None:
        await asyncio.sleep(0)
        events.append("worked")

    return PlainTextResponse("soon", background=BackgroundTask(later))


async def broken(request: Request) -> Response:
    raise KeyError("broken")


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
    events.append("started")
    yield {"name": "Ada"}
    events.append("ended")


@pytest.fixture
def app() -> Starlette:
    events.clear()
    routes = [
        Route("/show", show, methods=["GET", "POST"]),
        Route("/login", log_in),
        Route("/count", count, methods=["PUT"]),
        Route("/stream", stream),
        Route("/work", work),
        Route("/broken", broken),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


@pytest.mark.every_loop
async def test_an_application_answers_without_sockets(app: Starlette) -> None:
    async with session_of(app) as session:
        async with session.post("show?a=%20b", data="é", headers={"X-A": "1"}) as response:
            assert await response.json() == {
                "url": "http://test/show?a=%20b",
                "method": "POST",
                "header": "1",
                "body": "é",
                "state": "Ada",
                "client": "127.0.0.1",
            }
        async with session.get("https://elsewhere:8443/show") as response:
            assert (await response.json())["url"] == "https://elsewhere:8443/show"
        async with session.get("login") as response:
            assert (response.url.path, response.history[0].cookies["sid"].value) == ("/show", "1")
        async with session.head("show") as response:
            assert (response.status, await response.read()) == (200, b"")
        assert events == ["started"]
    assert events == ["started", "ended"]


@pytest.mark.every_loop
@pytest.mark.parametrize("force_close", [True, False])
async def test_bodies_stream_both_ways(app: Starlette, force_close: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield bytes(50_000)

    async with session_of(app, force_close=force_close) as session:
        for _ in range(2):
            async with session.put("count", data=pieces()) as response:
                assert await response.text() == "2500000"
            async with session.put("count", data=b"12", expect100=True) as response:
                assert await response.text() == "2"
            async with session.get("stream") as response:
                assert await response.read() == payload(1_000_000)


async def test_the_end_of_a_response_waits_for_the_application(app: Starlette) -> None:
    async with session_of(app) as session, session.get("work") as response:
        assert (await response.text(), events) == ("soon", ["started", "worked"])


async def test_what_an_application_raises_is_raised_or_answered_for(app: Starlette) -> None:
    async with session_of(app) as session:
        with pytest.raises(KeyError, match="broken"):
            await session.get("broken")
    async with session_of(app, raise_app_exceptions=False) as session, session.get("broken") as response:
        assert (response.status, await response.text()) == (500, "Internal Server Error")


# -- the protocol


async def test_a_response_comes_as_it_is_sent() -> None:
    more = asyncio.Event()

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send(START)
        await send({"type": BODY, "body": b"first", "more_body": True})
        await more.wait()
        await send({"type": BODY, "body": b"last"})

    async with session_of(app) as session, session.get("") as response:
        assert await response.content.readany() == b"first"
        more.set()
        assert await response.read() == b"last"


async def test_an_application_hears_that_its_client_has_gone() -> None:
    heard: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send(START)
        await send({"type": BODY, "body": b"first", "more_body": True})
        messages = [await receive(), await receive()]
        with pytest.raises(OSError, match="gone"):
            await send({"type": BODY, "body": b"last"})
        heard.set_result(messages)

    async with session_of(app) as session:
        async with session.get("") as response:
            assert await response.content.readany() == b"first"
            response.close()
        assert await heard == [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]


async def test_an_endless_application_ends_with_the_session() -> None:
    async def app(scope: Scope, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send(START)
        while True:
            await send({"type": BODY, "body": bytes(100_000), "more_body": True})

    async with session_of(app) as session, session.get("") as response:
        assert len(await response.content.readexactly(1_000_000)) == 1_000_000


WRONG: dict[str, Any] = {
    "nothing": answering(),
    "no body": answering(START),
    "a body first": answering({"type": BODY}),
    "an end that does not come": answering(START, {"type": BODY, "more_body": True, "body": b""}),
    "too much": answering({**START, "headers": [(b"content-length", b"1")]}, {"type": BODY, "body": b"12"}),
    "too little": answering({**START, "headers": [(b"content-length", b"3")]}, {"type": BODY, "body": b"12"}),
    "twice": answering(START, START),
    "something else": answering({"type": "http.response.push"}),
}


@pytest.mark.parametrize("app", WRONG.values(), ids=WRONG)
async def test_what_is_no_response_is_an_error(app: Any) -> None:
    async with session_of(app) as session:
        with pytest.raises(RuntimeError, match=r"without a whole response|not expected|Content-Length"):
            async with session.get("") as response:
                await response.read()
    async with session_of(app, raise_app_exceptions=False) as session, session.get("") as response:
        if app is not WRONG["an end that does not come"]:
            assert response.status == 500
        else:
            with pytest.raises(ClientPayloadError):
                await response.read()


@pytest.mark.parametrize("failing", ["startup", "shutdown"])
async def test_an_application_that_fails_to_start_or_end_says_so(failing: str) -> None:
    async def app(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                assert await receive() == {"type": f"lifespan.{phase}"}
                failed = phase == failing
                await send({"type": f"lifespan.{phase}.{'failed' if failed else 'complete'}", "message": "no database"})
        else:
            await answering({**START, "status": 204}, {"type": BODY})(scope, receive, send)

    session = session_of(app)
    if failing == "startup":
        with pytest.raises(RuntimeError, match="did not start: no database"):
            await session.get("")
    else:
        async with session.get("") as response:
            assert response.status == 204
    with pytest.raises(RuntimeError, match="no database"):
        await session.close()
    async with session_of(app, lifespan=False) as session, session.get("") as response:
        assert response.status == 204


async def test_the_scope_says_where_the_application_is_mounted() -> None:
    scopes = []

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        scopes.append(scope)
        await answering({**START, "status": 204}, {"type": BODY})(scope, receive, send)

    async with session_of(app, root_path="/api", client=("192.0.2.1", 5)) as session:
        await session.get("a%2Fb?c")
    expected = {
        "path": "/api/a/b",
        "raw_path": b"/api/a%2Fb",
        "root_path": "/api",
        "query_string": b"c",
        "client": ("192.0.2.1", 5),
        "server": ("test", 80),
        "http_version": "1.1",
    }
    assert {name: scopes[0][name] for name in expected} == expected


# -- WebSockets


async def talk(websocket: WebSocket) -> None:
    await websocket.accept(subprotocol="chat" if "chat" in websocket.scope["subprotocols"] else None)
    try:
        async for text in websocket.iter_text():
            if text == "bye":
                break
            await websocket.send_json({"heard": text, "url": str(websocket.url)})
    finally:
        events.append("left")
    if text == "bye":
        await websocket.close(3001, "so long")


async def refuse(websocket: WebSocket) -> None:
    await websocket.close()


async def break_down(websocket: WebSocket) -> None:
    if "late" in websocket.query_params:
        await websocket.accept()
    raise KeyError("broken")


@pytest.mark.every_loop
async def test_websockets_of_an_application() -> None:
    app = Starlette(routes=[WebSocketRoute("/chat", talk), WebSocketRoute("/no", refuse), WebSocketRoute("/broken", break_down)])
    events.clear()
    async with session_of(app) as session:
        async with session.ws_connect("chat?a", protocols=["chat"]) as ws:
            await ws.send_str("hello")
            assert await ws.receive_json() == {"heard": "hello", "url": "ws://test/chat?a"}
            await ws.send_str("bye")
            assert (await ws.receive()).extra == "so long"
            assert (ws.protocol, ws.close_code) == ("chat", 3001)
        async with session.ws_connect("chat"):
            pass
        with pytest.raises(WSServerHandshakeError) as raised:
            await session.ws_connect("no")
        assert raised.value.status == 403
        with pytest.raises(KeyError):
            await session.ws_connect("broken")
        async with session.ws_connect("broken?late") as ws:
            assert (await ws.receive()).data == 1011
    assert events == ["left", "left"]
