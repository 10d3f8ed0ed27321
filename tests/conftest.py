"""What holds for every test: a clean environment, no leak that goes unseen, and two event loops where a test asks for them."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

try:
    import uvloop
except ImportError:
    LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
else:
    LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}

#: Variables that could send a request elsewhere, or change whom it trusts; upper and lower case.
FOREIGN = {
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "WS_PROXY",
    "WSS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "NETRC",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
}
#: What the run itself was started with; read once, so nothing a test does to it counts.
OF_THE_RUN = {"AIOHTTPX_IMPL", "AIOHTTPX_REQUIRE_SERVERS"}


def pytest_report_header() -> str:
    try:
        from aiohttpx._impl import IMPLEMENTATION
    except Exception as error:
        return f"aiohttpx: cannot be imported ({type(error).__name__}: {error})"
    return f"aiohttpx: implementation {IMPLEMENTATION}"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "every_loop: run this async test once on each event loop there is (asyncio, uvloop).")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return LOOPS if item.get_closest_marker("every_loop") else {"asyncio": LOOPS["asyncio"]}


def pytest_collection_finish() -> None:
    # What exists now is never garbage; leaving it out makes collecting after every test cheap.
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, empty_home: Path) -> None:
    """No proxy, netrc or setting of whoever runs the tests reaches them."""
    for name in os.environ:
        if name.upper() in FOREIGN or (name.startswith("AIOHTTPX_") and name not in OF_THE_RUN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(empty_home))
    monkeypatch.setenv("USERPROFILE", str(empty_home))


@pytest.fixture(autouse=True)
def nothing_left_behind(clean_environment: None) -> Iterator[None]:
    """A socket, transport or session that was not closed is found now, so that the test that left it is the one that fails.

    Its ResourceWarning is raised as an error in a finalizer; pytest reports that as an unraisable exception, also an error.
    """
    yield
    gc.collect()
