"""Every program in examples/ runs as its first lines say."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import re
import runpy
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aiohttpx import WSMsgType
from aiohttpx.testing import DEFAULT_ROUTES, LoopbackServer, Request, Response, Route, payload

from ..session.websocket_peer import Talk, close_frame, echo, websocket_in_thread

EXAMPLES = Path(__file__).parents[2] / "examples"
#: What was uploaded, as its size.
received: list[int] = []

Run = Callable[..., str]


def keep(request: Request) -> Response:
    received.append(request.body_size)
    return Response.text("thanks")


def now_and_then() -> Callable[[Request], Response]:
    """Answers two times out of three."""
    count = itertools.count()
    return lambda request: Response(200 if next(count) % 3 else 503, [], b"")


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    received.clear()
    with LoopbackServer(
        {**DEFAULT_ROUTES, "/upload": Route(keep, keep_body=False), "/now-and-then": now_and_then()}
    ).in_thread() as server:
        yield server


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs an example, and gives what it printed."""

    def run(name: str, *arguments: str, status: object = 0) -> str:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        ended: object = 0
        try:
            runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        except SystemExit as exit:
            ended = exit.code
        assert ended == status
        printed = capfd.readouterr()
        return printed.err if status else printed.out

    return run


def test_fetch(server: LoopbackServer, run: Run) -> None:
    out = run("fetch.py", f"{server.url}/anything?a=b")
    assert out.startswith(f"200 application/json {server.url}/anything?a=b\n")
    assert '"args": {"a": "b"}' in out
    assert run("fetch.py", f"{server.url}/nowhere", status=1) == "refused with 404: nothing at /nowhere\n\n"
    assert run("fetch.py", "http://127.0.0.1:9/", status=1).startswith("ClientConnectorError: Cannot connect to host 127.0.0.1:9")


def test_many(server: LoopbackServer, run: Run) -> None:
    assert run("many.py", f"{server.url}/anything/", "500", "10").split() == ["500", "200", "OK"]
    assert server.connections <= 10
    assert run("many.py", "http://127.0.0.1:9/", "20", "5").split() == ["20", "ClientConnectorError"]


def test_upload_download(server: LoopbackServer, run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy.bin"
    out = run("upload_download.py", f"{server.url}/bytes/5000000", f"{server.url}/upload", str(copy))
    assert out.splitlines() == [
        f"5000000 bytes of application/octet-stream from {server.url}/bytes/5000000",
        f"200 OK from {server.url}/upload",
    ]
    assert copy.read_bytes() == payload(5_000_000)
    assert received == [5_000_000]


def test_upload_progress(server: LoopbackServer, run: Run, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(payload(5_000_000))
    out = run("upload_progress.py", str(tmp_path / "large"), f"{server.url}/upload")
    assert out.endswith("\r5,000,000 of 5,000,000 bytes\n200 OK after 1 attempt(s)\n")
    assert received == [5_000_000]


def test_download(server: LoopbackServer, run: Run, tmp_path: Path) -> None:
    content, copy = payload(3_000_000), tmp_path / "copy.bin"
    digest = hashlib.sha256(content).hexdigest()
    out = run("download.py", f"{server.url}/range/3000000", str(copy), f"sha256:{digest}")
    assert out.endswith(f"\r100 %\n3000000 bytes in {copy}\n")
    assert copy.read_bytes() == content
    assert run("download.py", f"{server.url}/nowhere", str(copy), status=1).startswith("ClientResponseError: 404")


def test_events(server: LoopbackServer, run: Run) -> None:
    lines = [f"tick {number}: event number {number}" for number in range(1, 6)]
    assert run("events.py", f"{server.url}/events/5").splitlines() == lines
    assert run("events.py", f"{server.url}/events/5", "3").splitlines() == lines[3:]


def test_timings(server: LoopbackServer, run: Run) -> None:
    first, again = run("timings.py", f"{server.url}/anything", "2").splitlines()
    assert re.fullmatch(rf"200 {server.url}/anything connected in [\d.]+ ms, answered in [\d.]+ ms", first)
    assert re.fullmatch(rf"200 {server.url}/anything answered in [\d.]+ ms", again)


def test_polite(server: LoopbackServer, run: Run) -> None:
    out = run("polite.py", f"{server.url}/now-and-then", "6", "--rate", "500")
    assert out == "6 responses with 200\n9 attempts\n"


def test_guarded(server: LoopbackServer, run: Run) -> None:
    assert "refused: Cannot connect to host 127.0.0.1" in run("guarded.py", f"{server.url}/anything")
    assert run("guarded.py", f"{server.url}/anything", "127.0.0.0/8").startswith("200 {")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
def test_unix_socket(run: Run, tmp_path: Path) -> None:
    path = str(tmp_path / "Name.sock")
    with LoopbackServer(unix_path=path).in_thread():
        out = run("unix_socket.py", path, "/anything?a=b")
    assert out.startswith("200 application/json\n")
    assert '"target": "/anything?a=b"' in out
    gone = run("unix_socket.py", path, "/", status=1)
    assert gone.startswith(f"UnixClientConnectorError: Cannot connect to unix socket {path}")


def test_echo(run: Run, monkeypatch: pytest.MonkeyPatch, server: LoopbackServer) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\ntwo\n"))
    with websocket_in_thread(echo) as url:
        assert run("echo.py", url) == "one\ntwo\n"
    assert run("echo.py", f"{server.url}/anything", status="refused with 200: Invalid response status") == ""


def test_chat(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("hello\nbye\n"))
    with websocket_in_thread(echo) as url:
        said = run("chat.py", url, "Ada")
    assert said.endswith("the chat has ended (1000)\n")
    assert set(said.splitlines()) <= {"Ada: hello", "Ada: bye", "the chat has ended (1000)"}


def test_market_feed(run: Run) -> None:
    async def two_prices_a_connection(talk: Talk) -> None:
        await talk.open()
        symbol = (await talk.hear()).json()["symbols"][0]
        for price in ("1.50", "1.25"):
            await talk.say(WSMsgType.TEXT, json.dumps({"symbol": symbol, "price": price}))
        await talk.write(close_frame(1012))
        await talk.hear_end()

    with websocket_in_thread(two_prices_a_connection) as url:
        out = run("market_feed.py", url, "5", "BTC-EUR")
    assert [line.split() for line in out.splitlines()] == [
        ["BTC-EUR", price, "connection", str(number)]
        for price, number in zip(["1.50", "1.25"] * 3, [1, 1, 2, 2, 3], strict=False)
    ]


def test_proxied(server: LoopbackServer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("proxied.py", "http://nowhere.invalid/anything", server.url).startswith("200 OK\n{")
    monkeypatch.setenv("http_proxy", server.url)
    assert run("proxied.py", "http://nowhere.invalid/anything").startswith("200 OK\n{")
    said = run("proxied.py", "http://nowhere.invalid/", "http://127.0.0.1:9", status=1)
    assert said.startswith("ClientProxyConnectionError: Cannot connect to host 127.0.0.1:9")
    assert run("proxied.py", "https://nowhere.invalid/", server.url, status=1).startswith("the proxy says: 501")


def test_mocked(run: Run) -> None:
    assert run("mocked.py").splitlines() == [
        "test_a_busy_server_is_asked_again: passed",
        "GET https://stock.example/articles is not mocked. Registered are:",
        "  GET https://stock.example/articles, with name=tea in the query: another 'name' in the query",
        "test_what_was_forgotten_is_named: passed",
        "test_against_an_application: passed",
    ]


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {
        "chat.py",
        "download.py",
        "echo.py",
        "events.py",
        "fetch.py",
        "guarded.py",
        "many.py",
        "mocked.py",
        "market_feed.py",
        "polite.py",
        "proxied.py",
        "timings.py",
        "unix_socket.py",
        "upload_download.py",
        "upload_progress.py",
    }
