"""Tests against real servers. Where one cannot be had its tests are skipped; AIOHTTPX_REQUIRE_SERVERS=1, as in CI, fails them."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from typing import NoReturn

import pytest

from .servers import Httpbin, Nginx, run_httpbin, run_nginx


@pytest.fixture(scope="session")
def nginx_program() -> str:
    # On Debian it lies in a folder that only root has in its PATH.
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        do_without("nginx is not installed (Debian and Ubuntu: apt install nginx)")
    return program


@pytest.fixture(scope="session")
def nginx(nginx_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with run_nginx(nginx_program, tmp_path_factory.mktemp("nginx")) as server:
        yield server


@pytest.fixture(scope="session")
def httpbin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Httpbin]:
    for module in ("gunicorn", "httpbin"):
        if importlib.util.find_spec(module) is None:
            do_without(f"{module} is not installed (pip install 'aiohttpx[test]')")
    with run_httpbin(tmp_path_factory.mktemp("httpbin")) as server:
        yield server


def do_without(reason: str) -> NoReturn:
    if os.environ.get("AIOHTTPX_REQUIRE_SERVERS"):
        pytest.fail(reason)
    pytest.skip(reason)
