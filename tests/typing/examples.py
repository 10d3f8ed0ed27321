"""What type checkers make of the public API. Nothing of this is run: mypy and pyright, both strict, read it.

`assert_type` says what they have to infer. A `type: ignore` stands where they have to object: both say so when they do not.
"""
# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, TypedDict, Unpack, assert_type

from multidict import CIMultiDict, CIMultiDictProxy, MultiDictProxy
from yarl import URL

import aiohttpx
from aiohttpx import ClientResponse, ClientSession, ClientWebSocketResponse, WSMessage


class User(TypedDict):
    name: str


# -- requests: awaited, entered, made tasks of


async def requests(session: ClientSession) -> None:
    assert_type(await session.get("http://example.org/"), ClientResponse)
    async with session.get(URL("http://example.org/"), params={"q": "text", "page": 2, "all": None}) as response:
        assert_type(response, ClientResponse)
    async with session.request("PATCH", "/", json={"name": "x"}, timeout=5) as response:
        assert_type(response, ClientResponse)
    task = asyncio.create_task(session.head("/"))
    assert_type(task, asyncio.Task[ClientResponse])
    assert_type(await asyncio.wait_for(session.options("/"), 1), ClientResponse)
    one, two = await asyncio.gather(session.delete("/"), session.query("/", data="select"))
    assert_type(one, ClientResponse)
    assert_type(two, ClientResponse)
    await session.put("/", data=b"octets", headers={"X-Name": "x"}, compress="gzip", expect100=True)
    await session.patch("/", data=content(), chunked=True, trailers={"Expires": "0"})
    await session.post("/", files={"file": ("a.txt", b"octets", "text/plain")}, allow_redirects=lambda _, url: url.host == "a")


async def wrong_requests(session: ClientSession) -> None:
    await session.get("/", header={"X-Name": "x"})  # type: ignore
    await session.get("/", timeout="5")  # type: ignore
    await session.post("/", data=b"", max_redirects="2")  # type: ignore
    await session.get(5)  # type: ignore
    await aiohttpx.request("GET", "http://example.org/", proxies={})  # type: ignore


async def passed_on(session: ClientSession, **options: Unpack[aiohttpx.RequestOptions]) -> str:
    options.setdefault("timeout", aiohttpx.ClientTimeout(total=5))
    async with session.get("/", **options) as response:
        return await response.text()


async def one_request() -> None:
    assert_type(await aiohttpx.request("GET", "http://example.org/", data=b""), ClientResponse)
    async with aiohttpx.request("GET", "http://example.org/", timeout=aiohttpx.ClientTimeout(connect=1)) as response:
        assert_type(response, ClientResponse)


async def content() -> AsyncIterator[bytes]:
    yield b"octets"


# -- responses


async def responses(response: ClientResponse) -> None:
    assert_type(response.status, int)
    assert_type(response.ok, bool)
    assert_type(response.url, URL)
    assert_type(response.headers, CIMultiDictProxy[str])
    assert_type(response.cookies, SimpleCookie)
    assert_type(response.history, tuple[ClientResponse, ...])
    assert_type(response.request_info, aiohttpx.RequestInfo)
    assert_type(response.links, MultiDictProxy[MultiDictProxy[str | URL]])
    assert_type(response.timings, aiohttpx.Timings)
    assert_type(response.connection_info, aiohttpx.ConnectionInfo | None)
    assert_type(await response.read(), bytes)
    assert_type(await response.text(), str)
    assert_type(await response.json(), Any)
    assert_type(await response.json(loads_bytes=orjson_like), Any)
    if (disposition := response.content_disposition) is not None:
        assert_type(disposition.filename, str | None)
    async for chunk in response.content.iter_chunked(1024):
        assert_type(chunk, bytes)
    async for line in response.content:
        assert_type(line, bytes)
    async for text in response.iter_lines():
        assert_type(text, str)
    async for event in response.events():
        assert_type(event, aiohttpx.ServerSentEvent)


def user(text: str) -> User:
    return {"name": text}


def orjson_like(octets: bytes) -> Any:
    return octets


# -- sessions


async def sessions() -> None:
    context = ssl.create_default_context()
    connector = aiohttpx.TCPConnector(limit=10, ssl=context, hosts={"example.org": "127.0.0.1"})
    async with ClientSession(
        "http://example.org/",
        connector=connector,
        timeout=aiohttpx.ClientTimeout(total=5),
        middlewares=[aiohttpx.RetryMiddleware(), aiohttpx.DigestAuthMiddleware("me", "secret"), middleware],
        trace_configs=[tracing()],
        cookie_jar=aiohttpx.CookieJar(unsafe=True),
        auth=aiohttpx.BasicAuth("me", "secret"),
        raise_for_status=check,
    ) as session:
        assert_type(session, ClientSession)
        assert_type(session.headers, CIMultiDict[str])
        assert_type(session.cookie_jar, aiohttpx.AbstractCookieJar)
        assert_type(session.connector, aiohttpx.BaseConnector | None)
        assert_type(session.timeout, aiohttpx.ClientTimeout)
        assert_type(await session.download("/", Path("a")), aiohttpx.Download)
        async for event in session.sse("/"):
            assert_type(event, aiohttpx.ServerSentEvent)
    ClientSession(timeouts=5)  # type: ignore


async def middleware(request: aiohttpx.ClientRequest, handler: aiohttpx.ClientHandlerType) -> ClientResponse:
    assert_type(request.headers, CIMultiDict[str])
    assert_type(request.url, URL)
    return await handler(request)


async def check(response: ClientResponse) -> None:
    response.raise_for_status()


def checked(response: ClientResponse) -> Awaitable[None]:
    return check(response)


def tracing() -> aiohttpx.TraceConfig:
    config = aiohttpx.TraceConfig()

    @config.on_request_end
    async def ended(session: ClientSession, context: Any, params: aiohttpx.TraceRequestEndParams) -> None:
        assert_type(params.response, ClientResponse)
        assert_type(params.url, URL)

    config.on_request_end.append(ended)
    return config


class Session(ClientSession):
    """A class of the user's."""

    async def user(self, name: str) -> User:
        async with self.get(f"/users/{name}") as response:
            found: User = await response.json()
            return found


# -- WebSockets


async def websockets(session: ClientSession) -> None:
    async with session.ws_connect("ws://example.org/", protocols=["chat"], heartbeat=5) as socket:
        assert_type(await socket.receive_str(), str)
        assert_type(await socket.receive_bytes(), bytes)
        assert_type(await socket.receive_json(), Any)
        assert_type(await socket.receive_json(loads=user), User)
        assert_type(await socket.receive(), WSMessage)
        async for message in socket:
            assert_type(message, WSMessage)
        await socket.send_str("text")
        await socket.send_str(b"octets")  # type: ignore
        assert_type(await socket.close(), bool)
    other = await session.ws_connect("ws://example.org/", timeout=aiohttpx.ClientWSTimeout(ws_close=1))
    assert_type(other.exception(), BaseException | None)
    raw = await session.ws_connect("ws://example.org/", decode_text=False)
    assert_type(await raw.receive_str(), bytes)
    await session.ws_connect("ws://example.org/", heart_beat=5)  # type: ignore


def message_text(message: WSMessage) -> str:
    return str(message.json()) if message.type is aiohttpx.WSMsgType.TEXT else ""


class Socket(ClientWebSocketResponse[bool]):
    """A class of the user's, as `ws_response_class=`."""


# -- forms and multipart


def forms() -> None:
    form = aiohttpx.FormData({"name": "value"})
    form.add_field("file", b"octets", filename="a.txt")
    with aiohttpx.MultipartWriter("mixed") as writer:
        assert_type(writer.append("text"), aiohttpx.Payload)
        assert_type(writer.append_json({"a": 1}), aiohttpx.Payload)


async def multipart(response: ClientResponse) -> None:
    reader = aiohttpx.MultipartReader.from_response(response)
    while (part := await reader.next()) is not None:
        if isinstance(part, aiohttpx.BodyPartReader):
            assert_type(await part.text(), str)


# -- errors


async def errors(session: ClientSession) -> None:
    try:
        await session.get("/")
    except aiohttpx.ClientResponseError as error:
        assert_type(error.status, int)
        assert_type(error.body, bytes | None)
    except aiohttpx.ClientConnectorError as error:
        assert_type(error.host, str)
        assert_type(error.port, int | None)
