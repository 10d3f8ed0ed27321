"""Every test of the engine asks both twins, or the one that AIOHTTPX_IMPL names; where the compiled one was not built, only the
Python one exists."""

from __future__ import annotations

import importlib
import importlib.util
import os
from types import ModuleType

import pytest


def _twins(name: str) -> list[ModuleType]:
    names = (f"aiohttpx.{name}_py", f"aiohttpx.{name}")
    return [importlib.import_module(name) for name in names if importlib.util.find_spec(name) is not None]


def _asked(twins: list[ModuleType]) -> list[ModuleType]:
    return {"python": twins[:1], "c": twins[1:]}.get(os.environ.get("AIOHTTPX_IMPL", ""), twins)


TWINS = _twins("_http_parser")
FRAME_TWINS = _twins("_frame_parser")


@pytest.fixture(params=_asked(TWINS), ids=lambda twin: twin.__name__.rpartition(".")[2])
def engine(request: pytest.FixtureRequest) -> ModuleType:
    """A module with ResponseParser, serialize_head and parse_fields."""
    return request.param


@pytest.fixture(params=_asked(FRAME_TWINS), ids=lambda twin: twin.__name__.rpartition(".")[2])
def framing(request: pytest.FixtureRequest) -> ModuleType:
    """A module with FrameParser, serialize_frame and apply_mask."""
    return request.param
