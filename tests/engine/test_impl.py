"""The choice between the twins, each made in a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..house.source import PACKAGE, PROJECT
from .conftest import TWINS

PRINT = "from aiohttpx import _impl; print(_impl.IMPLEMENTATION, _impl.ResponseParser.__module__, _impl.FrameParser.__module__)"
HIDE = "import sys; sys.modules['aiohttpx.{hidden}'] = None; "
PYTHON = ["python", "aiohttpx._http_parser_py", "aiohttpx._frame_parser_py"]
COMPILED = pytest.mark.skipif(len(TWINS) < 2, reason="the compiled engine is not built")


def chosen(wanted: str | None, script: str = PRINT) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "AIOHTTPX_IMPL"}
    if wanted is not None:
        environment["AIOHTTPX_IMPL"] = wanted
    return subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)


def test_python_by_name() -> None:
    assert chosen("python").stdout.split() == PYTHON


@COMPILED
@pytest.mark.parametrize("wanted", [None, "", "c"])
def test_compiled(wanted: str | None) -> None:
    assert chosen(wanted).stdout.split() == ["c", "aiohttpx._http_parser", "aiohttpx._frame_parser"]


@pytest.mark.parametrize("hidden", ["_http_parser", "_frame_parser"])
def test_python_where_not_all_is_compiled(hidden: str) -> None:
    assert chosen(None, HIDE.format(hidden=hidden) + PRINT).stdout.split() == PYTHON


@pytest.mark.parametrize("hidden", ["_http_parser", "_frame_parser"])
def test_compiled_by_name_where_not_all_is_compiled(hidden: str) -> None:
    found = chosen("c", HIDE.format(hidden=hidden) + PRINT)
    assert found.returncode != 0
    assert "ModuleNotFoundError" in found.stderr


@COMPILED
@pytest.mark.parametrize(("wanted", "suffixes"), [("c", {".so", ".pyd"}), ("python", {".py"})])
def test_what_is_compiled_from_python_is_of_the_same_side(wanted: str, suffixes: set[str]) -> None:
    script = "import importlib as i, aiohttpx; print(*(i.import_module(name).__file__ for name in aiohttpx._impl.COMPILED_TOO))"
    files = [Path(file) for file in chosen(wanted, script).stdout.split()]
    assert {file.suffix for file in files} <= suffixes
    assert {file.name.partition(".")[0] for file in files} == {path.stem for path in (PROJECT / PACKAGE).glob("*/*.pxd")}


@pytest.mark.parametrize("wanted", ["C", "cython", "py"])
def test_a_name_that_is_none(wanted: str) -> None:
    found = chosen(wanted)
    assert found.returncode != 0
    assert f'must be "c", "python" or empty, not \'{wanted}\'' in found.stderr
