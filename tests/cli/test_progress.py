from __future__ import annotations

import io
import sys

import pytest

from aiohttpx.cli.progress import watched


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def work(stream: io.StringIO) -> str:
    """Does 1,000 pieces, half of them before the first look, and gives what was shown."""
    done = 500
    async with watched("pages", "page", lambda: (done, 1000), stream):
        done = 1000
    return stream.getvalue()


async def test_a_file_gets_lines_now_and_then() -> None:
    shown = (await work(io.StringIO())).splitlines()
    assert len(shown) == 1
    assert shown[0].startswith("pages               1,000 of 1,000   ")
    assert shown[0].endswith(" page/s")


async def test_a_file_gets_no_line_twice() -> None:
    stream = io.StringIO()
    async with watched("pages", "page", lambda: (0, 4), stream):
        pass
    assert stream.getvalue() == ""


async def test_a_terminal_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    shown = await work(Terminal())
    assert shown.startswith("\r")
    assert shown.count("\n") == 1
    assert shown.endswith(" page/s\n")
    assert "1,000 of 1,000" in shown


async def test_a_terminal_gets_a_bar_of_rich() -> None:
    pytest.importorskip("rich")
    shown = await work(Terminal())
    assert "100%" in shown
    assert " page/s" in shown
