"""Every test of the engine asks both twins; where the compiled one was not built, only the Python one exists."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

import pytest


def _twins(name: str) -> list[ModuleType]:
    names = (f"aiohttpx.{name}_py", f"aiohttpx.{name}")
    return [importlib.import_module(name) for name in names if importlib.util.find_spec(name) is not None]


TWINS = _twins("_http_parser")
FRAME_TWINS = _twins("_frame_parser")


@pytest.fixture(params=TWINS, ids=lambda twin: twin.__name__.rpartition(".")[2])
def engine(request: pytest.FixtureRequest) -> ModuleType:
    """A module with ResponseParser, serialize_head and parse_fields."""
    return request.param


@pytest.fixture(params=FRAME_TWINS, ids=lambda twin: twin.__name__.rpartition(".")[2])
def framing(request: pytest.FixtureRequest) -> ModuleType:
    """A module with FrameParser, serialize_frame and apply_mask."""
    return request.param
