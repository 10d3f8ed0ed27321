"""message/request.py: a request before it is sent, made by hand or by a session.

Everything about its bytes: session/test_request_on_the_wire.py.
"""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict
from yarl import URL

from aiohttpx import (
    ClientConnectionError,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    Fingerprint,
    HttpVersion10,
    HttpVersion11,
    InvalidUrlClientError,
    TCPConnector,
)
from aiohttpx.message.payload import BytesPayload
from aiohttpx.message.response import Lent
from aiohttpx.testing import Expect, LoopbackServer, ScriptedPeer, StallForever, StopReading

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ORIGIN = URL("http://example.org/path?a=b#c")


async def chunks() -> AsyncIterator[bytes]:
    yield b"abc"
    yield b"defg"


# -- made by hand


async def test_what_it_says_of_itself() -> None:
    request = ClientRequest("get", ORIGIN)
    assert request.method == "GET"
    assert request.url == URL("http://example.org/path?a=b")
    assert request.original_url == ORIGIN
    assert (request.host, request.port) == ("example.org", 80)
    assert request.is_ssl() is False
    assert request.version == HttpVersion11
    assert request.loop is asyncio.get_running_loop()
    assert request.session is None
    assert request.response_class is ClientResponse
    assert request.ssl is True
    assert request.server_hostname is None
    assert request.chunked is None
    assert request.compress is None
    assert request.body == b""
    assert list(request.headers) == ["Host", "Accept", "Accept-Encoding", "User-Agent"]
    assert repr(request) == "<ClientRequest GET http://example.org/path?a=b>"
    info = request.request_info
    assert (info.method, info.url, info.real_url) == ("GET", request.url, ORIGIN)
    assert info.headers == request.headers


async def test_where_it_leads() -> None:
    request = ClientRequest("GET", URL("https://BÜCHER.example:8443/"))
    assert (request.host, request.port) == ("xn--bcher-kva.example", 8443)
    assert request.is_ssl() is True
    assert request.headers["Host"] == "xn--bcher-kva.example:8443"
    assert ClientRequest("GET", URL("https://example.org")).port == 443
    assert ClientRequest("GET", URL("http://[::1]/")).headers["Host"] == "[::1]"
    assert ClientRequest("GET", URL("http://[::1]/")).host == "::1"
    with pytest.raises(InvalidUrlClientError):
        ClientRequest("GET", URL("/path"))


async def test_requests_that_can_share_a_connection_have_equal_keys() -> None:
    def key(url: str, **kwargs: Any) -> Any:
        return ClientRequest("GET", URL(url), **kwargs).connection_key

    assert key("http://example.org/a?b#c") == key("http://user:password@EXAMPLE.org:80/d")
    context = ssl.create_default_context()
    assert key("https://example.org", ssl=context) == key("https://example.org/", ssl=context)
    assert key("https://example.org", ssl=None) == key("https://example.org")
    different = [
        key("http://example.org"),
        key("http://example.org:8080"),
        key("http://example.com"),
        key("https://example.org"),
        key("https://example.org", ssl=False),
        key("https://example.org", ssl=context),
        key("https://example.org", ssl=ssl.create_default_context()),
        key("https://example.org", ssl=Fingerprint(bytes(32))),
        key("https://example.org", server_hostname="example.com"),
    ]
    assert len(set(different)) == len(different)


async def test_everything_can_be_said_by_hand() -> None:
    request = ClientRequest(
        "POST",
        ORIGIN,
        params={"x": 1},
        headers={"X-A": "1", "Content-Type": "text/csv"},
        skip_auto_headers=["Accept", "user-agent"],
        data=b"body",
        version=HttpVersion10,
        chunked=True,
        expect100=True,
        loop=asyncio.get_running_loop(),
        server_hostname="example.com",
    )
    assert request.url == URL("http://example.org/path?a=b&x=1")
    assert list(request.headers) == [
        "Host", "X-A", "Content-Type", "Accept-Encoding", "Connection", "Expect", "Transfer-Encoding"
    ]  # fmt: skip
    assert isinstance(request.body, BytesPayload)
    assert request.body.value == b"body"


def test_it_needs_a_loop() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        ClientRequest("GET", ORIGIN)
    loop = asyncio.new_event_loop()
    try:
        assert ClientRequest("GET", ORIGIN, loop=loop).loop is loop
    finally:
        loop.close()


async def test_it_is_sent_by_hand() -> None:
    async with ScriptedPeer(OK) as peer, TCPConnector() as connector:
        request = ClientRequest("PUT", URL(peer.url) / "x", data=b"body", headers={"X-A": "1"})
        connection = await connector.connect(request, [], ClientTimeout())
        response = await request.send(connection)
        assert response.status is None
        assert response.closed
        assert await response.start(connection) is response
        async with response:
            assert response.status == 200
            assert await response.text() == "ok"
            assert response.request_info.headers["X-A"] == "1"
        assert peer.received.startswith(b"PUT /x HTTP/1.1\r\n")
        with pytest.raises(ClientConnectionError, match="given back"):
            await request.send(connection)
        assert len(peer.connections) == 1


# -- its fields


async def bytes_of(peer: ScriptedPeer, session: ClientSession, method: str, **kwargs: Any) -> bytes:
    before = len(peer.received)
    async with session.request(method, peer.url, **kwargs) as response:
        await response.read()
    return peer.received[before:]


class Looking(ClientRequest):
    """Looks at its fields before they are sent, so that they are made as a map."""

    async def send(self, conn: Lent) -> ClientResponse:
        assert "Host" in self.headers
        return await super().send(conn)


class Changing(ClientRequest):
    async def send(self, conn: Lent) -> ClientResponse:
        self.headers.update({"X-Signature": "abc", "User-Agent": "mine"})
        return await super().send(conn)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "QUERY", "PROPFIND"])
@pytest.mark.parametrize(
    "make",
    [
        dict,
        lambda: {"data": b"body"},
        lambda: {"data": b""},
        lambda: {"json": [1]},
        lambda: {"data": {"a": "b"}},
        lambda: {"data": chunks()},
        lambda: {"headers": {"X-A": "1"}},
        lambda: {"chunked": True},
    ],
    ids=["nothing", "bytes", "no bytes", "json", "form", "chunks", "headers", "chunked"],
)
async def test_looking_at_the_fields_changes_no_byte(method: str, make: Callable[[], dict[str, Any]]) -> None:
    async with ScriptedPeer(OK) as peer, ClientSession() as plain, ClientSession(request_class=Looking) as looking:
        assert await bytes_of(peer, looking, method, **make()) == await bytes_of(peer, plain, method, **make())


@pytest.mark.parametrize("kwargs", [{}, {"headers": {"X-A": "1"}}, {"data": b"body"}])
async def test_fields_that_are_changed_before_sending_reach_the_wire(kwargs: dict[str, Any]) -> None:
    async with ScriptedPeer(OK) as peer, ClientSession(request_class=Changing) as session:
        async with session.post(peer.url, **kwargs) as response:
            assert response.request_info.headers["X-Signature"] == "abc"
        assert b"\r\nX-Signature: abc\r\n" in peer.received
        assert b"\r\nUser-Agent: mine\r\n" in peer.received
        assert peer.received.count(b"User-Agent") == 1
        assert b"aiohttpx" not in peer.received


async def test_send_may_be_replaced_on_the_instance() -> None:
    """As connectors to applications in the same process do it."""
    sent: list[str] = []

    class Instrumented(ClientRequest):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            send = self.send

            async def noting(conn: Lent) -> ClientResponse:
                sent.append(self.method)
                self.headers["X-Noted"] = "1"
                return await send(conn)

            self.send = noting  # type: ignore[method-assign]

    async with ScriptedPeer(OK) as peer, ClientSession(request_class=Instrumented) as session, session.get(peer.url) as response:
        assert response.status == 200
        assert sent == ["GET"]
        assert b"\r\nX-Noted: 1\r\n" in peer.received


async def test_the_fields_may_be_replaced() -> None:
    class Replacing(ClientRequest):
        async def send(self, conn: Lent) -> ClientResponse:
            self.headers = CIMultiDict({"Host": "example.org", "X-A": "1"})
            return await super().send(conn)

    async with ScriptedPeer(OK) as peer, ClientSession(request_class=Replacing) as session, session.get(peer.url):
        assert peer.received == b"GET / HTTP/1.1\r\nHost: example.org\r\nX-A: 1\r\n\r\n"


async def test_a_declaration_in_a_subclass_hides_nothing() -> None:
    class Declaring(ClientRequest):
        headers = None  # type: ignore[assignment]
        url: URL = None  # type: ignore[assignment]

    request = Declaring("GET", ORIGIN, headers={"X-A": "1"})
    assert request.headers["X-A"] == "1"
    assert request.url == ORIGIN.with_fragment(None)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("data", [None, b"abc"])
async def test_chunks_are_announced_once_and_without_a_length(method: str, data: bytes | None) -> None:
    length, chunked = {"Content-Length": "3"}, {"Transfer-Encoding": "chunked"}
    for headers, asked in (length, True), (chunked, True), (length | chunked, False):
        with pytest.raises(ValueError, match="Content-Length"):
            ClientRequest(method, ORIGIN, headers=headers, data=data, chunked=asked)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_chunks_that_only_the_fields_speak_of_end(method: str) -> None:
    async with ScriptedPeer([Expect(b"\r\n0\r\n\r\n"), OK]) as peer, ClientSession() as session, asyncio.timeout(10):
        async with session.request(method, peer.url, headers={"Transfer-Encoding": "chunked"}) as response:
            assert response.status == 200
        assert peer.received.count(b"Transfer-Encoding") == 1
        assert b"Content-Length" not in peer.received


async def test_requests_take_new_attributes() -> None:
    request = ClientRequest("GET", ORIGIN)
    request.seen = True  # type: ignore[attr-defined]
    assert request.seen  # type: ignore[attr-defined]


async def test_a_session_tells_its_requests_who_made_them() -> None:
    made: list[ClientRequest] = []

    class Kept(ClientRequest):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            made.append(self)

    class Own(ClientResponse):
        pass

    async with ScriptedPeer(OK) as peer, ClientSession(request_class=Kept, response_class=Own, version=HttpVersion10) as session:
        async with session.get(peer.url) as response:
            assert isinstance(response, Own)
        (request,) = made
        assert request.session is session
        assert request.response_class is Own
        assert request.version == HttpVersion10
        assert request.loop is asyncio.get_running_loop()


# -- its body


def fields_of_body(request: ClientRequest) -> list[tuple[str, str]]:
    names = ("content-length", "content-type", "content-encoding", "transfer-encoding")
    return [(name, value) for name, value in request.headers.items() if name.lower() in names]


OCTETS = ("Content-Type", "application/octet-stream")
TEXT = ("Content-Type", "text/plain; charset=utf-8")
CHUNKED = ("Transfer-Encoding", "chunked")
FIRST: dict[str, Callable[[], dict[str, Any]]] = {
    "nothing": dict,
    "bytes": lambda: {"data": b"first"},
    "json": lambda: {"data": {"a": "b"}},
    "chunks": lambda: {"data": chunks()},
    "compressed": lambda: {"data": b"first", "compress": "gzip"},
    "a length": lambda: {"data": b"first", "headers": {"Content-Length": "5"}},
    "own chunks": lambda: {"data": chunks(), "headers": {"Transfer-Encoding": "chunked"}},
}


@pytest.mark.parametrize("looked", [False, True], ids=["unseen", "seen"])
@pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
async def test_another_body_brings_its_own_fields(first: Callable[[], dict[str, Any]], looked: bool) -> None:
    request = ClientRequest("POST", ORIGIN, **first())
    if looked:
        assert "Host" in request.headers
    compressed = request.compress == "gzip"
    await request.update_body("second")
    framing = [("Content-Encoding", "gzip"), CHUNKED] if compressed else [("Content-Length", "6")]
    assert fields_of_body(request) == [*framing, TEXT]
    await request.update_body(chunks())
    assert fields_of_body(request)[-2:] == [CHUNKED, OCTETS]
    await request.update_body(None)
    assert request.body == b""
    assert fields_of_body(request) == [("Content-Length", "0"), OCTETS]


async def test_another_body_keeps_what_the_caller_said() -> None:
    request = ClientRequest("POST", ORIGIN, data=b"x", headers={"Content-Type": "text/csv"}, chunked=True)
    await request.update_body("longer")
    assert fields_of_body(request) == [("Content-Type", "text/csv"), CHUNKED]


async def test_another_body_reaches_the_wire() -> None:
    class Signing(ClientRequest):
        async def send(self, conn: Lent) -> ClientResponse:
            await self.update_body(b"signed " + bytes(self.body.value if self.body else b""))  # type: ignore[union-attr]
            return await super().send(conn)

    async with LoopbackServer() as server, ClientSession(request_class=Signing) as session:
        said_by: list[dict[str, Any]] = [{}, {"data": b"body"}, {"data": b"body", "headers": {"X-A": "1"}}]
        for kwargs in said_by:
            async with session.post(f"{server.url}/anything", **kwargs) as response:
                said = await response.json()
            assert said["data"] == ("signed body" if kwargs else "signed ")
            assert said["headers"]["content-length"] == str(len(said["data"]))


async def test_the_body_that_is_replaced_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    file = path.open("rb")
    request = ClientRequest("POST", ORIGIN, data=file)
    await request.update_body(b"y")
    assert file.closed


async def test_what_can_be_sent_again(tmp_path: Path) -> None:
    def replayable(data: Any) -> bool:
        return ClientRequest("POST", ORIGIN, data=data).replayable

    path = tmp_path / "file"
    path.write_bytes(b"x")
    with path.open("rb") as file:
        assert all(map(replayable, [None, b"x", "x", {"a": "b"}, io.BytesIO(b"x"), io.StringIO("x"), file]))
    assert not replayable(chunks())
    assert not replayable(iter([b"x"]))


async def test_a_body_of_no_known_type_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        ClientRequest("POST", ORIGIN, data=object())
    with pytest.raises(TypeError):
        ClientRequest("POST", ORIGIN, data=1.5)


# -- a body that fails


async def failing(error: Exception) -> AsyncIterator[bytes]:
    yield b"abc"
    raise error


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ValueError("what went wrong"), ClientConnectionError),
        (OSError(5, "what went wrong"), ClientOSError),
        (ClientOSError(5, "what went wrong"), ClientOSError),
    ],
)
async def test_a_body_that_can_not_be_made_ends_the_request(error: Exception, raised: type[Exception]) -> None:
    async with ScriptedPeer([StallForever()], OK) as peer, ClientSession() as session:
        with pytest.raises(raised, match="what went wrong") as caught:
            await session.post(peer.url, data=failing(error))
        assert caught.value is error or caught.value.__cause__ is error
        async with session.get(peer.url) as response:
            assert response.status == 200
        assert len(peer.connections) == 2


async def test_a_body_is_made_no_faster_than_the_peer_takes_it() -> None:
    made = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal made
        while True:
            made += 1
            yield bytes(64 * 1024)

    async with ScriptedPeer([Expect(), StopReading(), StallForever()]) as peer, ClientSession() as session:
        task = asyncio.create_task(session.post(peer.url, data=endless()))
        before = -1
        while made > before or not made:
            before = made
            await asyncio.sleep(0.1)
        assert 0 < made * 64 * 1024 < 32 * 1024 * 1024  # what the sockets of both sides hold
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_file_is_closed_when_its_request_fails(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1_000_000)
    async with ScriptedPeer([StallForever()]) as peer, ClientSession() as session:
        file = path.open("rb")
        task = asyncio.create_task(session.post(peer.url, data=file))
        while not peer.received:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while not file.closed:  # noqa: ASYNC110  # a thread closes it
            await asyncio.sleep(0.001)
