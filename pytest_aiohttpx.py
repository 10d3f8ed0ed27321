"""Fixtures for pytest: mocks, recordings, servers, and sessions that are closed.

It is a plugin of pytest wherever aiohttpx is installed, so it stands beside the package: nothing of that is imported before a
test asks for a fixture. Whatever runs asynchronous tests (pytest-asyncio, anyio, ...) will do.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aiohttpx import ClientSession
    from aiohttpx.testing import LoopbackServer, Mock, Recorder

_sessions = pytest.StashKey[list["ClientSession"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("aiohttpx").addoption(
        "--aiohttpx-record",
        choices=("once", "new", "none", "all"),
        default="once",
        help="what aiohttpx_recorder records: once (default: what has no file yet), new, none, or all",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """A session can only be closed in the loop of its test: right behind it."""
    sessions = item.stash.get(_sessions, None)
    if sessions and isinstance(item, pytest.Function) and inspect.iscoroutinefunction(test := item.obj):

        @functools.wraps(test)
        async def then_close(*args: Any, **kwargs: Any) -> None:
            try:
                await test(*args, **kwargs)
            finally:
                for session in sessions:
                    await session.close()

        item.obj = then_close


@pytest.fixture
def aiohttpx_session(request: pytest.FixtureRequest) -> ClientSession:
    """A `ClientSession` for an asynchronous test; it is closed when the test ends."""
    from aiohttpx import ClientSession

    session = ClientSession()
    request.node.stash.setdefault(_sessions, []).append(session)
    return session


@pytest.fixture
def aiohttpx_mock() -> Iterator[Mock]:
    """A `Mock` that answers the requests of every session during the test. In the end all its routes must have been called."""
    from aiohttpx.testing import Mock

    with Mock() as mock:
        yield mock
    mock.assert_all_called()


@pytest.fixture
def aiohttpx_recorder(request: pytest.FixtureRequest) -> Iterator[Recorder]:
    """A `Recorder` of everything that sessions send during the test, with a file of its own: `recordings/<module>/<test>.json`
    beside the module. `--aiohttpx-record` is its mode."""
    from aiohttpx.testing import Recorder

    name = re.sub(r"[^\w.-]+", "-", request.node.nodeid.partition("::")[2]).strip("-")
    path = request.path.parent / "recordings" / request.path.stem / f"{name}.json"
    mode: Any = request.config.getoption("--aiohttpx-record")
    with Recorder(path, mode) as recorder:
        yield recorder


@pytest.fixture
def aiohttpx_server() -> Iterator[Callable[..., LoopbackServer]]:
    """Starts servers: `aiohttpx_server(routes)` is a `LoopbackServer` with these handlers by path, and other parameters of that.
    Each serves from a thread of its own, until the test ends."""
    from aiohttpx.testing import LoopbackServer

    with ExitStack() as servers:
        yield lambda *args, **options: servers.enter_context(LoopbackServer(*args, **options).in_thread())
