"""The command line, run in this process or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from aiohttpx.__main__ import main

Captured = pytest.CaptureFixture[bytes]
Said = tuple[int, bytes, bytes]


@contextmanager
def piped(data: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Standard input is a pipe that `data` comes through."""
    end, start = os.pipe()
    os.write(start, data)
    os.close(start)
    with open(end) as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", file)
        yield


def command(captured: Captured) -> Callable[..., Said]:
    """Runs the command line with arguments, and gives its exit status, output and complaints."""

    def run(*arguments: str) -> Said:
        try:
            status = main(arguments)
        except SystemExit as error:
            status = int(str(error.code))
        return status, *captured.readouterr()

    return run


def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "aiohttpx", *arguments]
    return subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
