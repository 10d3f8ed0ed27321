"""Every command line of docs/cli.md runs, against servers on this machine instead of those it names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiohttpx.testing import LoopbackServer

from ..session.websocket_peer import echo, websocket_in_thread

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def stand_ins() -> Iterator[dict[str, str]]:
    with LoopbackServer().in_thread() as server, websocket_in_thread(echo) as url:
        yield {"http://httpbin.org": server.url, "ws://echo.example/": url}


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs the programs that the page uses")
@pytest.mark.parametrize("block", BLOCK.findall(PAGE.read_text(encoding="utf-8")))
def test_the_block_runs(block: str, stand_ins: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_bytes(b"1;2\n" * 1000)
    command = tmp_path / "aiohttpx"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aiohttpx "$@"\n')
    command.chmod(0o700)
    for named, url in stand_ins.items():
        block = block.replace(named, url)
    where = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(PAGE.parents[1])}
    done = subprocess.run(
        ["sh", "-e", "-c", block], cwd=tmp_path, env={**os.environ, **where}, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout or "-o" in block
    assert b"usage" not in done.stderr
