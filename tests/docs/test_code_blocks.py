"""Every Python block of README and docs/ runs, against a server on this machine instead of the one it names."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import runpy
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import trustme

from aiohttpx.testing import DEFAULT_ROUTES, LoopbackServer

from ..session.websocket_peer import echo, websocket_in_thread

PROJECT = Path(__file__).parents[2]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> Iterator[object]:
    for page in PAGES:
        for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), 1):
            yield pytest.param(block, id=f"{page.relative_to(PROJECT)}-{number}")


def certified(folder: Path) -> ssl.SSLContext:
    """A server that has, and asks for, a certificate of the authority in `ca.pem`; a client's is in `client.pem`."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    ca.issue_cert("client.example").private_key_and_cert_chain_pem.write_to_path(str(folder / "client.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@contextlib.contextmanager
def httpbin(context: ssl.SSLContext | None = None) -> Iterator[str]:
    with LoopbackServer(DEFAULT_ROUTES, ssl_context=context).in_thread() as server:
        yield server.url


#: The servers that blocks ask, and who takes their place.
STAND_INS: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "https://httpbin.org": lambda folder: httpbin(certified(folder)),
    "http://httpbin.org": lambda folder: httpbin(),
    "ws://echo.example": lambda folder: websocket_in_thread(echo),
}


@contextlib.contextmanager
def as_it_was() -> Iterator[None]:
    """Take back what blocks do to the process: they turn on the wire log, and install aiohttpx as aiohttp."""
    finders, theirs = sys.meta_path[:], {name: sys.modules.pop(name) for name in [*sys.modules] if is_theirs(name)}
    try:
        yield
    finally:
        sys.meta_path[:] = finders
        for name in filter(is_theirs, [*sys.modules]):
            del sys.modules[name]
        sys.modules.update(theirs)
        wire = logging.getLogger("aiohttpx.wire")
        wire.setLevel(logging.NOTSET)
        wire.handlers.clear()


def is_theirs(module: str) -> bool:
    return module.partition(".")[0] == "aiohttp"


def run_tests(program: Path) -> None:
    """Run a block that consists of tests."""
    options = "-p", "pytest_aiohttpx", "-p", "anyio", "-o", "anyio_mode=auto", "-W", "error"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", *options, program.name]
    done = subprocess.run(command, cwd=program.parent, env=environment, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", list(blocks()))
def test_the_block_runs(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.csv").write_bytes(b"1;2\n" * 1000)
    with contextlib.ExitStack() as stack:
        asked = next((url for url in STAND_INS if url in block), None)
        assert asked or "aiohttpx.testing" in block, "a block has a server, or asks one that the test takes the place of"
        if asked:
            url = stack.enter_context(STAND_INS[asked](tmp_path))
            # A server is its own proxy, too.
            block = block.replace(asked, url).replace("proxy.example:3128", url.partition("//")[2])
        program = tmp_path / "block.py"
        program.write_text(block, encoding="utf-8")
        if "def test_" in block:
            run_tests(program)
            return
        with as_it_was():
            runpy.run_path(str(program), run_name="__main__")
    assert capsys.readouterr().out
