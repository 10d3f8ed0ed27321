"""What holds for every test: a clean environment, no leak that goes unseen, and two event loops where a test asks for them."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import itertools
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import hypothesis
import pytest

try:
    import uvloop
except ImportError:
    LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
else:
    LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}

# Whatever else holds (in CI: the same examples each time), how long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("house", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("house")

#: Variables that could send a request elsewhere, or change whom it trusts; upper and lower case.
FOREIGN = {
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NETRC",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "WSS_PROXY",
    "WS_PROXY",
}
#: What the run itself was started with; read once, so nothing a test does to it counts.
OF_THE_RUN = {"AIOHTTPX_IMPL", "AIOHTTPX_REQUIRE_SERVERS"}

FINISHED = itertools.count(1)


def pytest_report_header() -> str:
    try:
        from aiohttpx._impl import IMPLEMENTATION
    except Exception as error:
        return f"aiohttpx: cannot be imported ({type(error).__name__}: {error})"
    return f"aiohttpx: implementation {IMPLEMENTATION}"


def pytest_configure(config: pytest.Config) -> None:
    # A shell that starts the run in the background has it ignore Ctrl-C, and programs that tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    package = Path(__file__).parents[1] / "aiohttpx"
    for source in (path.with_suffix(".py") for path in package.glob("*/*.pxd")):
        for compiled in (*source.parent.glob(f"{source.stem}.*.so"), *source.parent.glob(f"{source.stem}.*.pyd")):
            if os.environ.get("AIOHTTPX_IMPL") != "python" and compiled.stat().st_mtime < source.stat().st_mtime:
                raise pytest.UsageError(f"{source} was changed after it was compiled: python setup.py build_ext --inplace")
    config.addinivalue_line("markers", "every_loop: run this async test once on each event loop there is (asyncio, uvloop).")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return LOOPS if item.get_closest_marker("every_loop") else {"asyncio": LOOPS["asyncio"]}


def pytest_itemcollected(item: pytest.Item) -> None:
    """A coroutine that waits for what never comes fails, and shows where. (One that hangs the loop: faulthandler_timeout.)"""
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(test := item.obj):

        @functools.wraps(test)
        async def within_a_minute(*args: Any, **kwargs: Any) -> None:
            async with asyncio.timeout(60):
                await test(*args, **kwargs)

        item.obj = within_a_minute


def freeze() -> None:
    """What exists now is never garbage; leaving it out makes collecting after every test cheap."""
    gc.collect()
    gc.freeze()


def pytest_collection_finish() -> None:
    freeze()


def pytest_runtest_logfinish() -> None:
    if next(FINISHED) % 50 == 0:  # pytest keeps much of every test that it ran
        freeze()


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
def nothing_left_behind(clean_environment: None, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What a test did not close, await or catch is found now, so that the test that left it is the one that fails.

    A ResourceWarning raised as an error in a finalizer is reported by pytest as an unraisable exception, which is an error too;
    asyncio only logs what nobody awaited.
    """
    yield
    gc.collect()
    records = [record for phase in ("setup", "call", "teardown") for record in caplog.get_records(phase)]
    complaints = [record.getMessage() for record in records if record.name == "asyncio" and record.levelno >= logging.ERROR]
    assert not complaints, "\n".join(complaints)
