"""Every test of the engine asks both twins; where the compiled one was not built, only the Python one exists."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

import pytest

_NAMES = ("_http_parser_py", "_http_parser")
TWINS = [
    importlib.import_module(f"aiohttpx.{name}") for name in _NAMES if importlib.util.find_spec(f"aiohttpx.{name}") is not None
]


@pytest.fixture(params=TWINS, ids=lambda twin: twin.__name__.rpartition(".")[2])
def engine(request: pytest.FixtureRequest) -> ModuleType:
    """A module with ResponseParser, serialize_head and parse_fields."""
    return request.param
