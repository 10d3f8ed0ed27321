from __future__ import annotations

import asyncio
import gc
import http.client
import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from aiohttpx.testing import Handler, LoopbackServer, Request, Response, Route, echo, payload

from .conftest import Talk

CLOSE = "Connection: close"


def request(method: str, target: str, *lines: str, body: bytes = b"") -> bytes:
    return "".join(f"{line}\r\n" for line in (f"{method} {target} HTTP/1.1", "Host: h", *lines, "")).encode() + body


def tag(asked: Request) -> Response:
    return Response.text(f"<{asked.path}>")


# -- routes and built-in handlers


@pytest.mark.every_loop
async def test_the_longest_route_answers(talk: Talk) -> None:
    routes = {
        "/": lambda asked: Response.text("<root>"),
        "/a/": lambda asked: Response.text("<under a>"),
        "/a/b": lambda asked: Response.text("<a/b>"),
    }
    async with LoopbackServer(routes) as server:
        targets = ["/a/b", "/a/b/", "/a/c/d?/a/b", "/a", "http://example.org/a/"]
        said = await talk(server, b"".join(request("GET", target) for target in targets), request("GET", "/b", CLOSE))
    bodies = [part.partition(b">")[0] for part in said.split(b"<")[1:]]
    assert bodies == [b"a/b", b"under a", b"under a", b"root", b"under a", b"root"]


async def test_nothing_there(talk: Talk) -> None:
    async with LoopbackServer({"/a": tag}) as server:
        said = await talk(server, request("POST", "/a/b", CLOSE, "Content-Length: 2", body=b"ab"))
    assert said.startswith(b"HTTP/1.1 404 Not Found\r\n")


def fetch(url: str, data: bytes | None = None, **headers: str) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=5) as answer:
        return json.load(answer)


def test_echo() -> None:
    with LoopbackServer().in_thread() as server:
        said = fetch(server.url + "/anything/x%20y?a=1&b=&a=2", b'{"k": [1]}', X="1", **{"Content-Type": "application/json"})
        form = fetch(server.url + "/anything", b"a=1&b=+2", **{"Content-Type": "application/x-www-form-urlencoded"})
        binary = fetch(server.url + "/anything", b"\xff\x00", **{"Content-Type": "x/y"})
    assert said["method"] == "POST"
    assert said["target"] == "/anything/x%20y?a=1&b=&a=2"
    assert said["path"] == "/anything/x y"
    assert said["args"] == {"a": ["1", "2"], "b": ""}
    assert (said["headers"]["x"], said["headers"]["content-length"]) == ("1", "10")
    assert (said["data"], said["json"], said["form"], said["size"]) == ('{"k": [1]}', {"k": [1]}, {}, 10)
    assert (form["form"], form["json"]) == ({"a": "1", "b": " 2"}, None)
    assert binary["data"] == "data:application/octet-stream;base64,/wA="


@pytest.mark.parametrize("size", [0, 1, 300_000, 3_000_000])
@pytest.mark.parametrize("query", ["", "?chunked"])
def test_bytes(size: int, query: str) -> None:
    with LoopbackServer().in_thread() as server, urllib.request.urlopen(f"{server.url}/bytes/{size}{query}", timeout=5) as answer:
        assert answer.headers["Content-Length"] == (None if query else str(size))
        assert answer.read() == payload(size)


@pytest.mark.parametrize("target", ["/bytes/x", "/bytes/-1", "/bytes/nan", "/delay/", "/delay/-1", "/status/199", "/status/600"])
async def test_a_number_is_needed(talk: Talk, target: str) -> None:
    async with LoopbackServer() as server:
        assert (await talk(server, request("GET", target, CLOSE))).startswith(b"HTTP/1.1 400 ")


async def test_status_and_delay(talk: Talk) -> None:
    async with LoopbackServer() as server:
        said = await talk(server, request("GET", "/delay/0.01"), request("GET", "/status/503", CLOSE))
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert said.endswith(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


# -- requests


@pytest.mark.every_loop
async def test_pipelined_requests_are_answered_in_order(talk: Talk) -> None:
    async def slow(asked: Request) -> Response:
        await asyncio.sleep(0.01)
        return tag(asked)

    async def streamed(asked: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"<"
            await asyncio.sleep(0)
            yield asked.path.encode() + b">"

        return Response(body=pieces())

    async with LoopbackServer({"/slow": slow, "/quick": tag, "/streamed": streamed}) as server:
        targets = ["/quick", "/slow", "/quick", "/streamed", "/slow", "/streamed"]
        said = await talk(server, b"".join(request("GET", target) for target in targets) + request("GET", "/quick", CLOSE))
        assert server.connections == 1
    positions = [said.find(answer) for answer in (b"</quick>", b"</slow>", b"1\r\n<\r\na\r\n/streamed>\r\n0\r\n\r\n")]
    assert sorted(positions) == positions
    assert positions[0] > 0
    assert said.count(b"HTTP/1.1 200 OK\r\n") == 7
    assert said.endswith(b"Content-Length: 8\r\nConnection: close\r\n\r\n</quick>")


async def test_a_flood_of_pipelined_requests_is_answered_whole(talk: Talk) -> None:
    flood = request("GET", "/slow") + request("GET", "/quick", "A: " + "a" * 100) * 10_000 + request("GET", "/quick", CLOSE)

    async def slow(asked: Request) -> Response:
        await asyncio.sleep(0.05)
        return Response()

    async with LoopbackServer({"/slow": slow, "/quick": tag}) as server:
        said = await talk(server, flood)
    assert said.count(b"</quick>") == 10_001


async def test_content_arrives_whole(talk: Talk) -> None:
    body = payload(700_000)
    seen: list[tuple[bytes, int]] = []

    def keep(asked: Request) -> Response:
        seen.append((asked.body, asked.body_size))
        return Response()

    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:1], body[1:300_000], body[300_000:]))
    async with LoopbackServer({"/keep": keep, "/count": Route(keep, keep_body=False)}) as server:
        for target in ("/keep", "/count"):
            await talk(server, request("PUT", target, CLOSE, f"Content-Length: {len(body)}", body=body))
            await talk(server, request("PUT", target, CLOSE, "Transfer-Encoding: chunked", body=chunks + b"0\r\n\r\n"))
    assert seen == [(body, len(body))] * 2 + [(b"", len(body))] * 2


async def test_asks_to_continue_only_who_waits(talk: Talk) -> None:
    async with LoopbackServer({"/": echo}) as server:
        waits = request("POST", "/", CLOSE, "Expect: 100-continue", "Content-Length: 2")
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(waits)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"ab")
        assert b'"data": "ab"' in await reader.read()
        writer.close()
        assert (await talk(server, waits + b"ab")).startswith(b"HTTP/1.1 200 OK")
        assert (await talk(server, request("POST", "/", CLOSE, "Expect: 100-continue"))).startswith(b"HTTP/1.1 200 OK")


async def test_an_old_client_is_closed_on(talk: Talk) -> None:
    async with LoopbackServer() as server:
        said = await talk(server, b"GET /bytes/3?chunked HTTP/1.0\r\n\r\n")
    assert said.partition(b"\r\n\r\n")[2] == payload(3)
    assert b"Transfer-Encoding" not in said


async def test_head_has_no_body(talk: Talk) -> None:
    async with LoopbackServer() as server:
        said = await talk(server, request("HEAD", "/bytes/3"), request("HEAD", "/bytes/3?chunked", CLOSE))
    assert said == (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 3\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )


# -- what is refused


@pytest.mark.every_loop
@pytest.mark.parametrize(
    ("wire", "status"),
    [
        (b"\x16\x03\x01\n", b"400 Bad Request"),
        (request("GET", "/", "A : b"), b"400 Bad Request"),
        (request("GET", "/", "Content-Length: 2", "Transfer-Encoding: chunked"), b"400 Bad Request"),
        (request("POST", "/", "Transfer-Encoding: gzip"), b"501 Not Implemented"),
        (request("CONNECT", "example.org:443"), b"501 Not Implemented"),
        (request("POST", "/", "Content-Length: 101"), b"413 Request Entity Too Large"),
        (request("POST", "/", "Transfer-Encoding: chunked", body=b"65\r\n" + b"a" * 101), b"413 Request Entity Too Large"),
    ],
)
async def test_refuses(talk: Talk, wire: bytes, status: bytes) -> None:
    async with LoopbackServer({"/": tag}, max_body=100) as server:
        said = await talk(server, request("GET", "/") + wire, b"never read" * 100_000)
    first, _, refusal = said.partition(b"</>")
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    # http.HTTPStatus names 413 anew in Python 3.13.
    assert refusal.replace(b"Content Too Large", b"Request Entity Too Large").startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert b"Connection: close\r\n" in refusal


async def test_who_does_not_close_after_the_last_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk_on(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"more")
            await writer.drain()
            await asyncio.sleep(0.001)

    monkeypatch.setattr("aiohttpx.testing.connection._LINGER", 0.01)
    async with LoopbackServer({"/": tag}) as server, asyncio.timeout(5):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(request("GET", "/", CLOSE))
        assert (await reader.read()).endswith(b"</>")
        with pytest.raises(ConnectionError):
            await talk_on(writer)
        writer.close()


@pytest.mark.every_loop
async def test_a_slow_reader_gets_all_of_the_last_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    body = payload(20_000_000)
    monkeypatch.setattr("aiohttpx.testing.connection._LINGER", 0.01)
    async with LoopbackServer({"/": lambda asked: Response(body=body)}) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(request("GET", "/", CLOSE))
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.1)
        assert await reader.read() == body
        writer.close()


# -- handlers that fail


async def test_a_handler_that_raises_is_answered_for(talk: Talk) -> None:
    async def later(asked: Request) -> Response:
        await asyncio.sleep(0)
        raise KeyError("later")

    def now(asked: Request) -> Response:
        raise KeyError("now")

    def bad(asked: Request) -> Response:
        return Response(headers={"Content-Length": "1"})

    def wrong(asked: Request) -> Any:
        return "text"

    def not_bytes(asked: Request) -> Any:
        return Response(body="text")  # type: ignore[arg-type]

    routes = {"/later": later, "/now": now, "/bad": bad, "/wrong": wrong, "/not-bytes": not_bytes, "/": tag}
    async with LoopbackServer(routes) as server:
        said = await talk(server, b"".join(request("GET", path) for path in routes if path != "/") + request("GET", "/", CLOSE))
    assert said.count(b"HTTP/1.1 500 Internal Server Error\r\n") == 5
    for expected in (b"KeyError: 'later'", b"KeyError: 'now'", b"ValueError: a handler cannot send this field", b"TypeError"):
        assert expected in said
    assert said.endswith(b"</>")


@pytest.mark.parametrize(("length", "sent"), [(5, b"abc"), (2, b"abc"), (None, b"abc")])
async def test_a_body_that_fails_cuts_the_connection(length: int | None, sent: bytes) -> None:
    ended: list[str] = []

    def broken(asked: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                yield sent
                if length is None:
                    raise OSError("no more")
            finally:
                ended.append(asked.path)

        return Response(body=pieces(), length=length)

    async with LoopbackServer({"/": broken}) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(request("GET", "/") * 2)
        said = await reader.read()
        writer.close()
    assert said.count(b"HTTP/1.1 200 OK") == 1
    assert b"0\r\n\r\n" not in said
    assert ended == ["/"]


# -- life and death


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield bytes(100_000)


@pytest.mark.every_loop
async def test_a_slow_reader_stops_the_body() -> None:
    produced = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal produced
        async for piece in endless():
            produced += len(piece)
            yield piece

    async with LoopbackServer({"/": lambda asked: Response(body=counted())}) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(request("GET", "/"))
        await reader.readexactly(1_000_000)
        before = -1
        while before != produced:
            before = produced
            assert produced < 200_000_000
            await asyncio.sleep(0.05)
        await reader.readexactly(produced)
        assert produced > before
        writer.close()


@pytest.mark.every_loop
async def test_nothing_is_left_behind(server_context: ssl.SSLContext) -> None:
    began = asyncio.Event()
    cancelled = 0

    async def forever(asked: Request) -> Response:
        nonlocal cancelled
        began.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled += 1
            raise
        return Response()

    writers = []
    routes: dict[str, Handler] = {"/forever": forever, "/endless": lambda asked: Response(body=endless())}
    async with LoopbackServer(routes) as server, LoopbackServer(ssl_context=server_context) as silent:
        for target in ("/forever", "/endless", None):
            _, writer = await asyncio.open_connection(server.host, server.port)
            writers.append(writer)
            if target:
                writer.write(request("GET", target))
        stalled, writer = await asyncio.open_connection(silent.host, silent.port)  # never begins its handshake
        writers.append(writer)
        await began.wait()
        await asyncio.sleep(0.01)
    assert cancelled == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert await stalled.read() == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(server.host, server.port)
    for writer in writers:
        writer.close()
    gc.collect()  # an unclosed transport would warn, and a warning is an error


@pytest.mark.every_loop
async def test_a_client_that_goes_ends_its_handler() -> None:
    ended = asyncio.Event()

    async def forever(asked: Request) -> Response:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()
        return Response()

    async with LoopbackServer({"/": forever}) as server:
        _, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(request("GET", "/"))
        await asyncio.sleep(0.01)
        writer.close()
        async with asyncio.timeout(5):
            await ended.wait()


@pytest.mark.every_loop
async def test_tls(server_context: ssl.SSLContext, client_context: ssl.SSLContext) -> None:
    async with LoopbackServer(ssl_context=server_context) as server:
        assert server.url == f"https://127.0.0.1:{server.port}"
        # The first request comes together with the end of the handshake, or after it.
        for _ in range(3):
            reader, writer = await asyncio.open_connection(server.host, server.port, ssl=client_context)
            writer.write(request("GET", "/bytes/1000000") + request("GET", "/status/204", CLOSE))
            said = await reader.read()
            assert said.partition(b"\r\n\r\n")[2][:1_000_000] == payload(1_000_000)
            assert said.endswith(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            writer.close()
            await writer.wait_closed()
        assert server.connections == 3


@pytest.mark.every_loop
async def test_who_does_not_speak_tls_is_dropped(talk: Talk, server_context: ssl.SSLContext) -> None:
    async with LoopbackServer(ssl_context=server_context) as server:
        assert b"HTTP" not in await talk(server, request("GET", "/"))
        assert server.connections == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.skipif(not hasattr(asyncio, "open_unix_connection"), reason="no Unix sockets here")
@pytest.mark.every_loop
async def test_unix(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    async with LoopbackServer(unix_path=str(path)) as server:
        assert server.url == "http://localhost"
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(request("GET", "/status/200", CLOSE))
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()
    assert not path.exists()


def test_in_a_thread() -> None:
    with LoopbackServer({"/thread": lambda asked: Response.text(threading.current_thread().name)}).in_thread() as server:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
        for _ in range(3):
            connection.request("GET", "/thread")
            assert connection.getresponse().read() == b"aiohttpx loopback server"
        connection.close()
        assert server.connections == 1
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(server.url, timeout=5)
    assert not any(thread.name == "aiohttpx loopback server" for thread in threading.enumerate())
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(server.url, timeout=5)


def test_a_thread_that_cannot_listen_says_so() -> None:
    with (
        LoopbackServer().in_thread() as server,
        pytest.raises(OSError, match=r"[Aa]ddress already in use|10048"),
        LoopbackServer(port=server.port).in_thread(),
    ):
        pass
