from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aiohttpx import IMPLEMENTATION, __version__
from aiohttpx.__main__ import main
from aiohttpx.cli import demo
from aiohttpx.cli.pages import page
from aiohttpx.testing import LoopbackServer

SMALL = ["demo", "--pages", "50", "--concurrency", "7", "--size", "3"]


def rows(table: str) -> dict[str, tuple[int, int]]:
    """Requests and failures by kind."""
    found = re.findall(r"^(pages|download|JSON POST) +([\d,]+) +([\d,]+) ", table, re.MULTILINE)
    return {name: (int(requests), int(failures)) for name, requests, failures in found}


def test_shows_what_happened(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(SMALL) == 0
    out, err = capsys.readouterr()
    assert rows(out) == {"pages": (50, 0), "download": (1, 0), "JSON POST": (1, 0)}
    assert f"aiohttpx {__version__}, implementation {IMPLEMENTATION}, " in out
    assert "50 of 50" in err
    assert "3 of 3" in err


def test_counts_wrong_content_as_failure(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "page", lambda number: page(number + (number % 10 == 0)))
    monkeypatch.setattr(demo, "payload_period", lambda: bytes(200_000))
    monkeypatch.setattr(demo, "_GREETING", {"not JSON's": float("nan")})
    assert main(SMALL) == 1
    out = capsys.readouterr().out
    assert rows(out) == {"pages": (50, 5), "download": (1, 1), "JSON POST": (1, 1)}
    assert "that are not this page" in out
    assert "ValueError: wrong bytes after 0" in out


def test_counts_every_failed_request(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def gone() -> Iterator[str]:
        with LoopbackServer().in_thread() as server:
            url = server.url
        yield url

    monkeypatch.setattr(demo, "_server", gone)
    assert main(SMALL) == 1
    out = capsys.readouterr().out
    assert rows(out) == {"pages": (50, 50), "download": (1, 1), "JSON POST": (1, 1)}
    assert out.count("ClientConnectorError") == 3


@pytest.mark.skipif(shutil.which("false") is None, reason="needs a program that fails")
def test_a_server_that_does_not_start(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    assert main(SMALL) == 1
    assert capsys.readouterr().err == "aiohttpx: the server does not start\n"


def test_its_server_ends_with_its_input() -> None:
    with subprocess.Popen([sys.executable, "-m", "aiohttpx.cli.pages"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"http://127.0.0.1:")
        process.stdin.close()
        assert process.wait(10) == 0


def test_no_two_pages_are_the_same() -> None:
    assert len({page(number) for number in range(1000)}) == 1000
