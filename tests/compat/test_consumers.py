"""Libraries that import aiohttp, run with aiohttpx under that name: each in a process of its own, against servers in others."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from aiohttpx.testing import LoopbackServer

from ..loopback.proxies import run_socks
from ..loopback.servers import listening_socket, running
from .process import run
from .services import routes

HERE = Path(__file__).parent

#: The program, and the modules that it needs; some need a server beside the one that all are given.
CONSUMERS = {
    "aiobotocore_objects": ("aiobotocore", "moto", "flask_cors", "gunicorn"),
    "aiohttp_client_cache_replays": ("aiohttp_client_cache",),
    "aiohttp_retry_attempts": ("aiohttp_retry",),
    "aiohttp_socks_proxies": ("aiohttp_socks", "tiny_proxy"),
    "aioresponses_mocks": ("aioresponses",),
    "elasticsearch_documents": ("elasticsearch",),
    "fsspec_files": ("fsspec",),
    "gidgethub_issues": ("gidgethub",),
    "opentelemetry_spans": ("opentelemetry",),
    "slack_bot": ("slack_sdk", "socketio", "uvicorn", "wsproto"),
    "socketio_events": ("socketio", "uvicorn", "wsproto"),
    "vcrpy_cassettes": ("vcr",),
}
SERVERS = {"aiobotocore_objects": "moto", "aiohttp_socks_proxies": "socks", "slack_bot": "asgi", "socketio_events": "asgi"}


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(routes()).in_thread() as server:
        yield server


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An S3."""
    yield from _serve("gunicorn", tmp_path_factory, "--bind", "fd://{}", "--worker-class", "gthread", "--threads", "8",
                      "--no-control-socket", "moto.moto_server.werkzeug_app:create_backend_app('s3')")  # fmt: skip


@pytest.fixture(scope="module")
def asgi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A socket.io, and a Slack."""
    yield from _serve("uvicorn", tmp_path_factory, "--fd", "{}", "--ws", "wsproto", "--app-dir", str(HERE), "asgi:app")


def _serve(module: str, folders: pytest.TempPathFactory, *options: str) -> Iterator[str]:
    with listening_socket() as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        command = [sys.executable, "-m", module, *(option.format(listening.fileno()) for option in options)]
        log = folders.mktemp(module) / "output.log"
        with running(command, [listening], log, f"{url}/", {}):
            yield url


@pytest.fixture
def socks(tmp_path: Path) -> Iterator[str]:
    """A SOCKS server that wants to know who comes."""
    with run_socks(tmp_path, "Socks5", "user", "pass") as port:
        yield f"socks5://user:pass@127.0.0.1:{port}"


@pytest.mark.parametrize("program", CONSUMERS)
def test_a_consumer_works(server: LoopbackServer, program: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for module in CONSUMERS[program]:
        if find_spec(module) is None:
            reason = f"needs {module} (pip install 'aiohttpx[test,consumers]')"
            pytest.fail(reason) if os.environ.get("AIOHTTPX_REQUIRE_CONSUMERS") else pytest.skip(reason)
    others = [request.getfixturevalue(SERVERS[program])] if program in SERVERS else []
    path = HERE / "consumers" / f"{program}.py"
    done = run(str(HERE / "without_aiohttp.py"), str(path), server.url, str(tmp_path / "tape.yaml"), *others, warnings="ignore")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_every_consumer_is_run() -> None:
    assert {path.stem for path in (HERE / "consumers").glob("*.py")} == set(CONSUMERS)
