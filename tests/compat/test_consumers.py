"""Libraries that import aiohttp, run with aiohttpx under that name: each in a process of its own, against a server here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from aiohttpx.testing import DEFAULT_ROUTES, LoopbackServer, Request, Response

from .process import run

HERE = Path(__file__).parent

#: The program, and the module that it needs.
CONSUMERS = {
    "aiohttp_client_cache_replays": "aiohttp_client_cache",
    "aiohttp_retry_attempts": "aiohttp_retry",
    "aioresponses_mocks": "aioresponses",
    "opentelemetry_spans": "opentelemetry",
    "vcrpy_cassettes": "vcr",
}


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    asked: Counter[str] = Counter()

    def count_me(request: Request) -> Response:
        asked["count"] += 1
        number = str(asked["count"])
        return Response(200, [("Content-Type", "text/plain"), ("X-Asked", number)], number.encode())

    def flaky(request: Request) -> Response:
        asked["flaky"] += 1
        return Response.text("at last") if asked["flaky"] > 2 else Response.text("later", 503)

    def redirect(request: Request) -> Response:
        return Response(302, [("Location", "/bytes/3")], b"")

    routes = {**DEFAULT_ROUTES, "/count-me": count_me, "/flaky": flaky, "/to": redirect}
    with LoopbackServer(routes).in_thread() as server:
        yield server


@pytest.mark.parametrize("program", CONSUMERS)
def test_a_consumer_works(server: LoopbackServer, program: str, tmp_path: Path) -> None:
    if find_spec(CONSUMERS[program]) is None:
        pytest.skip(f"needs {CONSUMERS[program]}")
    path = HERE / "consumers" / f"{program}.py"
    done = run("-m", "aiohttpx", "run-as-aiohttp", str(path), server.url, str(tmp_path / "tape.yaml"), warnings="ignore")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_every_consumer_is_run() -> None:
    assert {path.stem for path in (HERE / "consumers").glob("*.py")} == set(CONSUMERS)
