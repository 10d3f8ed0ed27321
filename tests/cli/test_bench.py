"""`aiohttpx bench`: what it counts, and what it says."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aiohttpx import IMPLEMENTATION, __version__
from aiohttpx.cli.exits import Exit
from aiohttpx.testing import DEFAULT_ROUTES, LoopbackServer, Request, Response

from .command import Captured, Said, command, start

Run = Callable[..., Said]


class Server:
    """Answers every third request with 503, and keeps the bodies."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []

    def __call__(self, request: Request) -> Response:
        self.asked.append((request.method, request.headers.get("x-a", ""), request.body))
        return Response(503 if len(self.asked) % 3 == 0 else 200, [], b"12345")


@pytest.fixture
def asked() -> Server:
    return Server()


@pytest.fixture
def url(asked: Server) -> Iterator[str]:
    with LoopbackServer({**DEFAULT_ROUTES, "/": asked}).in_thread() as server:
        yield server.url


@pytest.fixture
def run(capsysbinary: Captured) -> Run:
    return command(capsysbinary)


def rows(out: bytes) -> dict[str, str]:
    return {line[:12].strip(): line[12:].strip() for line in out.decode().splitlines()}


def test_counts(run: Run, url: str, asked: Server) -> None:
    status, out, err = run("bench", url, "-n", "30", "-c", "4", "-X", "PUT", "-H", "X-A: 1", "-d", "hello")
    assert (status, err) == (0, b"")
    assert asked.asked == [("PUT", "1", b"hello")] * 30
    assert out.startswith(b"30 responses in ")
    said = rows(out)
    assert said["status"] == "200: 20   503: 10"
    assert "   150 bytes of content, " in said["rate"]
    assert said["errors"] == "none"
    assert said["latency"].split() == ["mean", "min", "50%", "75%", "90%", "99%", "99.9%", "max"]
    _, *ordered = map(float, said["in ms"].split())
    assert ordered == sorted(ordered)
    assert f"aiohttpx {__version__}, implementation {IMPLEMENTATION}" in said["client"]


def test_goes_on_for_a_while(run: Run, url: str, asked: Server) -> None:
    status, out, _ = run("bench", url, "-t", "0.1")
    assert status == 0
    number = re.match(rb"([\d,]+) responses", out)
    assert number is not None
    assert int(number[1].replace(b",", b"")) == len(asked.asked) > 0


def test_counts_errors(run: Run, url: str) -> None:
    status, out, _ = run("bench", f"{url}/delay/9", "-n", "3", "-c", "3", "--timeout", "0.05")
    assert status == Exit.TIME_LIMIT
    assert rows(out)["status"] == "-"
    assert rows(out)["errors"] == "ServerTimeoutError: 3"
    assert "total" in rows(out)["first error"]


def test_sends_files_each_time(run: Run, url: str, asked: Server, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"from a file")
    assert run("bench", url, "-n", "3", "-d", f"@{tmp_path / 'x'}")[0] == 0
    assert asked.asked == [("POST", "", b"from a file")] * 3


@pytest.mark.parametrize("arguments", [["-d", "@-"], ["-n", "0"], ["-n", "1", "-t", "1"], ["-X", "G T"], ["-c", "x"]])
def test_refuses_what_cannot_be_used(arguments: list[str], run: Run, url: str) -> None:
    assert run("bench", url, *arguments)[:2] == (Exit.USAGE, b"")
    assert run("bench", "gopher://h/")[0] == Exit.USAGE


def test_shows_a_bar_in_a_terminal(run: Run, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    status, _, err = run("bench", url, "-n", "20")
    assert (status, b"20 of 20" in err) == (0, True)


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_reports_what_was_done_when_interrupted(url: str, asked: Server) -> None:
    with start("bench", url, "-t", "60", "-v") as process:
        assert process.stderr is not None
        assert process.stdout is not None
        for _ in range(100):
            process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == Exit.INTERRUPTED
    assert b" responses in " in out
