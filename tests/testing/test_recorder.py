from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from aiohttpx import ClientConnectorError, ClientSession, CookieJar
from aiohttpx.testing import DEFAULT_ROUTES, LoopbackServer, NotRecorded, Recorder, Request, Response


def log_in(request: Request) -> Response:
    fields = [("Set-Cookie", "sid=s3cret; Path=/"), ("Content-Type", "application/json"), ("X-Api-Key", "s3cret")]
    return Response(200, fields, json.dumps({"user": "Ada", "access_token": "s3cret", "more": [{"password": "s3cret"}]}).encode())


def whether_logged_in(request: Request) -> Response:
    return Response.text("yes" if request.headers.get("cookie") == "sid=s3cret" else "no")


def zipped(request: Request) -> Response:
    return Response(200, {"Content-Encoding": "gzip", "Content-Type": "application/json"}, gzip.compress(b'{"a": 1}'))


@pytest.fixture
async def server() -> AsyncIterator[LoopbackServer]:
    routes = {
        **DEFAULT_ROUTES,
        "/login": log_in,
        "/me": whether_logged_in,
        "/zipped": zipped,
        "/odd": lambda _: Response(200, {"Content-Encoding": "odd"}, b"\xff\x00"),
        "/head": lambda _: Response(200, [("Location", "/a?token=s3cret")], b"", length=77),
        "/away": lambda _: Response(302, [("Location", "/anything")]),
    }
    async with LoopbackServer(routes) as server:
        yield server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "file.json"


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


async def body_of(url: str, method: str = "GET", session: ClientSession | None = None, **options: Any) -> bytes:
    async with session or ClientSession() as session, session.request(method, url, **options) as response:
        return await response.read()


@pytest.mark.every_loop
async def test_what_was_recorded_is_replayed_without_the_server(path: Path) -> None:
    content = {}
    async with LoopbackServer() as server:
        with Recorder(path) as recorder:
            for way in ("bytes/100", "bytes/100000?chunked", "status/404", "anything"):
                content[way] = await body_of(f"{server.url}/{way}")
        assert server.connections == 4
    assert [exchange.response.status for exchange in recorder.exchanges] == [200, 200, 404, 200]
    with Recorder(path) as recorder:
        for way, expected in content.items():
            assert await body_of(f"{server.url}/{way}") == expected
        recorder.assert_all_replayed()
        with pytest.raises(NotRecorded, match="replayed already"):
            await body_of(f"{server.url}/anything")
    with pytest.raises(ClientConnectorError):
        await body_of(f"{server.url}/anything")


async def test_by_a_connector_for_one_session(path: Path) -> None:
    async with LoopbackServer() as server:
        assert await body_of(f"{server.url}/bytes/3", session=ClientSession(connector=Recorder(path).connector()))
    assert await body_of(f"{server.url}/bytes/3", session=ClientSession(connector=Recorder(path).connector()))


async def test_secrets_are_not_written_and_replays_work_without_them(server: LoopbackServer, path: Path) -> None:
    async def visit(secret: str) -> None:
        jar = CookieJar(unsafe=True)  # for an address
        async with ClientSession(headers={"Authorization": "s3cret"}, cookie_jar=jar) as session:
            login = {"name": "Ada", "password": "s3cret"}
            async with session.post(f"{server.url}/login?api_key=s3cret&a=b", data=login) as response:
                assert await response.json() == {"user": "Ada", "access_token": secret, "more": [{"password": secret}]}
                assert response.cookies["sid"].value == secret
            async with session.post(f"{server.url}/me", json={"client-secret": "s3cret", "token": None}) as response:
                assert await response.text() == "yes"
            async with session.post(f"{server.url}/me", files={"file": b"s3cret"}) as response:
                assert await response.text() == "yes"
            async with session.head(f"{server.url}/head") as response:
                assert response.content_length == 77

    with Recorder(path, match=("method", "url", "body")):
        await visit("s3cret")
    assert "s3cret" not in text_of(path)
    assert "/login?api_key=%5Bredacted%5D&a=b" in text_of(path)
    with Recorder(path, "none", match=("method", "url", "body")) as recorder:
        await visit("[redacted]")
        recorder.assert_all_replayed()
    with Recorder(path, "all", redact=()):
        await visit("s3cret")
    assert "s3cret" in text_of(path)


async def test_content_codings_are_undone_as_far_as_they_are_known(server: LoopbackServer, path: Path) -> None:
    for _ in ("recorded", "replayed"):
        with Recorder(path):
            assert await body_of(f"{server.url}/zipped") == b'{"a": 1}'
            async with ClientSession() as session, session.get(f"{server.url}/odd") as response:
                assert (await response.read(), response.headers["Content-Encoding"]) == (b"\xff\x00", "odd")
    assert [exchange["response"]["body"] for exchange in json.loads(text_of(path))["exchanges"]] == [
        '{"a": 1}',
        {"base64": "/wA="},
    ]


async def test_redirects_are_exchanges_of_their_own(server: LoopbackServer, path: Path) -> None:
    for _ in ("recorded", "replayed"):
        with Recorder(path) as recorder:
            async with ClientSession() as session, session.get(f"{server.url}/away") as response:
                assert (response.status, len(response.history)) == (200, 1)
        assert [exchange.response.status for exchange in recorder.exchanges] == [302, 200]


async def test_modes(server: LoopbackServer, path: Path) -> None:
    with Recorder(path, "none"), pytest.raises(NotRecorded, match=r"/count is not in .*\. Recorded are:$"):
        await body_of(f"{server.url}/count")
    with Recorder(path):
        await body_of(f"{server.url}/count")
    with Recorder(path) as recorder:
        with pytest.raises(NotRecorded, match="/count: another url"):
            await body_of(f"{server.url}/anything")
        with pytest.raises(AssertionError, match=r"asked for:\n  GET .*/count"):
            recorder.assert_all_replayed()
    asked = server.connections
    with Recorder(path, "new") as recorder:
        await body_of(f"{server.url}/count")
        await body_of(f"{server.url}/count", "PUT")
    assert (len(recorder.exchanges), server.connections) == (2, asked + 1)
    with Recorder(path, "all") as recorder:
        await body_of(f"{server.url}/count")
    assert (len(recorder.exchanges), server.connections) == (1, asked + 2)


async def test_what_has_to_be_the_same_can_be_chosen(server: LoopbackServer, path: Path) -> None:
    with Recorder(path):
        await body_of(f"{server.url}/count?a=1&b=2", "POST", json={"c": 1, "d": 2}, headers={"X-A": "1"})

    async def replays(*match: Any, way: str = "/count?b=2&a=1", host: str = server.url, **options: Any) -> bool:
        with Recorder(path, "none", match=match):
            try:
                await body_of(host + way, "POST", **{"data": '{"d": 2, "c": 1}', **options})
            except NotRecorded:
                return False
            return True

    assert await replays("method", "url", "body")
    assert not await replays("body", data="{}")
    assert not await replays("headers")
    assert await replays("path", host="http://elsewhere")
    assert not await replays("path", "query", way="/count?a=1")
    assert not await replays("host", host="http://elsewhere")
    assert await replays(lambda request, recorded: request.header("content-type") != recorded.header("content-type"))
    with pytest.raises(ValueError, match="match is of method, url"):
        Recorder(path, match=["path", "anything"])


@pytest.mark.parametrize("content", ["", "[]", '{"version": 2}', '{"version": 1, "exchanges": [{}]}'])
def test_a_file_that_is_no_recording_is_named(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(ValueError, match=r"file\.json is no recording"):
        Recorder(path)
    with pytest.raises(ValueError, match="mode is once"):
        Recorder(path, "some")  # type: ignore[arg-type]
