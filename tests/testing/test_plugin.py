"""The plugin of pytest, in runs of pytest of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

Run = Callable[..., str]

ASYNC_TESTS = """
import aiohttpx
import pytest
from aiohttpx.testing import Response

sessions = []

async def test_mock(aiohttpx_mock, aiohttpx_session):
    aiohttpx_mock.get("http://example.org/a").reply(json=[1])
    sessions.append(aiohttpx_session)
    async with aiohttpx_session.get("http://example.org/a") as response:
        assert await response.json() == [1]

async def test_session_is_closed():
    assert sessions[0].closed

class TestInAClass:
    @pytest.mark.parametrize("path", ["/a", "/b"])
    async def test_server(self, aiohttpx_server, aiohttpx_session, path):
        servers = [aiohttpx_server({"/": lambda request: Response.text(request.path)}) for _ in range(2)]
        for server in servers:
            async with aiohttpx_session.get(server.url + path) as response:
                assert await response.text() == path

    async def test_recorder(self, aiohttpx_recorder, aiohttpx_server, aiohttpx_session):
        server = aiohttpx_server({"/": lambda request: Response.text("recorded")}, port=PORT)
        async with aiohttpx_session.get(server.url + "/a") as response:
            assert await response.text() == "recorded"
"""

SYNC_TESTS = """
import asyncio
import aiohttpx

def test_mock(aiohttpx_mock):
    async def ask():
        async with aiohttpx.ClientSession() as session, session.get("http://example.org/a") as response:
            return await response.text()

    aiohttpx_mock.get("/a").reply(body="mocked")
    assert asyncio.run(ask()) == "mocked"

def test_never_called(aiohttpx_mock):
    aiohttpx_mock.get("/never")
"""


#: What makes pytest run asynchronous tests.
RUNNERS = {
    "pytest-asyncio": ["-p", "asyncio", "-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"],
    "anyio": ["-p", "anyio", "-o", "anyio_mode=auto"],
}


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a module of tests, and gives what pytest said."""

    def run(tests: str, *options: str) -> str:
        (tmp_path / "test_it.py").write_text(tests, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "pytest_aiohttpx", "-W", "error", *options]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", timeout=60)
        return done.stdout + done.stderr

    return run


@pytest.mark.parametrize("runner", RUNNERS.values(), ids=RUNNERS)
def test_fixtures_work_whoever_runs_asynchronous_tests(run: Run, runner: list[str], tmp_path: Path, unused_port: int) -> None:
    tests = ASYNC_TESTS.replace("PORT", str(unused_port))
    said = run(tests, *runner)
    assert "5 passed" in said, said
    (recording,) = (tmp_path / "recordings" / "test_it").glob("TestInAClass-test_recorder*.json")
    assert "/a" in recording.read_text(encoding="utf-8")
    said = run(tests.replace('Response.text("recorded")', 'Response.text("anew")'), "--aiohttpx-record=none", *runner)
    assert "5 passed" in said, said


def test_plain_functions_can_be_mocked_and_routes_must_be_called(run: Run) -> None:
    said = run(SYNC_TESTS)
    assert "2 passed, 1 error" in said, said
    assert "AssertionError: GET /never was not called" in said


def test_it_costs_nothing_where_no_test_asks_for_it(run: Run) -> None:
    said = run("import sys\ndef test_it(): assert not {'aiohttpx', 'asyncio'} & sys.modules.keys()\n")
    assert "1 passed" in said, said
