"""Every Python block of README and docs/ runs, against a server on this machine instead of the one it names."""

from __future__ import annotations

import logging
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiohttpx.testing import DEFAULT_ROUTES, LoopbackServer

PROJECT = Path(__file__).parents[2]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> Iterator[object]:
    for page in PAGES:
        for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), 1):
            yield pytest.param(block, id=f"{page.relative_to(PROJECT)}-{number}")


@pytest.mark.parametrize("block", list(blocks()))
def test_the_block_runs(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.csv").write_bytes(b"1;2\n" * 1000)
    with LoopbackServer(DEFAULT_ROUTES).in_thread() as server:
        assert "http://httpbin.org" in block, "a block asks a server that the test can take the place of"
        program = tmp_path / "block.py"
        program.write_text(block.replace("http://httpbin.org", server.url), encoding="utf-8")
        try:
            runpy.run_path(str(program), run_name="__main__")
        finally:
            wire = logging.getLogger("aiohttpx.wire")  # which one of them turns on
            wire.setLevel(logging.NOTSET)
            wire.handlers.clear()
    assert capsys.readouterr().out
