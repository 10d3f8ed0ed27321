"""Everything in `surface` is there, under aiohttp's names, and is the very thing that the package uses."""

from __future__ import annotations

import functools
import importlib
import inspect
from typing import Any

import pytest

import aiohttpx
from aiohttpx import compat
from aiohttpx.compat.names import HOMES, NAMES, SAME

from . import surface


def missing() -> set[str]:
    gone = set()
    for module, names in surface.NAMES.items():
        home = importlib.import_module(module.replace("aiohttp", "aiohttpx", 1))
        gone |= {f"{module}.{name}" for name in names.split() if not reaches(home, name)}
    for callee, names in surface.PARAMETERS.items():
        known = set(inspect.signature(functools.reduce(getattr, callee.split("."), aiohttpx)).parameters)
        gone |= {f"{callee}({name})" for name in names.split() if name not in known}
    for kind, names in surface.ATTRIBUTES.items():
        made = getattr(aiohttpx, kind)()
        gone |= {f"{kind}: {name}" for name in names.split() if not hasattr(made, name)}
    return gone


def reaches(value: Any, name: str) -> bool:
    for part in name.split("."):
        if not hasattr(value, part):
            return False
        value = getattr(value, part)
    return True


def test_nothing_is_missing() -> None:
    assert missing() == set()


def test_the_table_is_true() -> None:
    for module, names in NAMES.items():
        home = importlib.import_module(f"aiohttpx.{module}") if module else aiohttpx
        for name in names.split():
            assert hasattr(home, name), f"{module}.{name}"
        assert len(set(names.split())) == len(names.split()), module
    used = {name for names in NAMES.values() for name in names.split()}
    assert set(HOMES) <= used
    assert not [name for name in HOMES if name in aiohttpx.__all__], "what the front door has needs no other home"


@pytest.mark.parametrize("module", [*NAMES, *SAME], ids=str)
def test_each_module_says_what_it_has(module: str) -> None:
    old = importlib.import_module(f"aiohttpx.{module}" if module else "aiohttpx")
    scope: dict[str, Any] = {}
    exec(f"from {old.__name__} import *", scope)
    names = {name for name in getattr(old, "__all__", dir(old)) if not name.startswith("_")}
    assert names <= set(scope)
    assert names <= set(dir(old))


def test_the_modules_are_in_one_mapping() -> None:
    assert compat.MODULES["aiohttp"] == "aiohttpx"
    assert compat.MODULES["aiohttp.client_exceptions"] == "aiohttpx.client_exceptions"
    for home in compat.MODULES.values():
        importlib.import_module(home)


def test_the_classes_are_the_ones_in_use() -> None:
    import aiohttpx.client_exceptions
    from aiohttpx.abc import AbstractResolver
    from aiohttpx.client import ClientSession
    from aiohttpx.connector import TCPConnector
    from aiohttpx.helpers import BasicAuth

    assert ClientSession is aiohttpx.ClientSession
    assert TCPConnector is aiohttpx.TCPConnector
    assert BasicAuth is aiohttpx.BasicAuth
    assert issubclass(aiohttpx.ThreadedResolver, AbstractResolver)
    assert aiohttpx.client_exceptions.ClientError is aiohttpx.ClientError
    assert aiohttpx.http_exceptions.BadStatusLine is aiohttpx.errors.BadStatusLine  # without an import of its own


@pytest.mark.parametrize("name", ["web", "web_request", "test_utils", "worker", "pytest_plugin"])
def test_the_server_half_says_that_it_is_not_here(name: str) -> None:
    with pytest.raises(ImportError, match="server half"):
        importlib.import_module(f"aiohttpx.{name}")
    with pytest.raises(ImportError, match="server half"):
        exec(f"from aiohttpx import {name}")
    with pytest.raises(AttributeError, match="server half"):
        getattr(aiohttpx, name)


def test_other_names_are_unknown() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("aiohttpx.nothing")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        aiohttpx.nothing  # noqa: B018
    with pytest.raises(AttributeError, match=r"'aiohttpx\.client' has no attribute 'CookieJar'"):
        aiohttpx.client.CookieJar  # noqa: B018
    with pytest.raises(ImportError):
        exec("from aiohttpx.client import nothing")
    assert not hasattr(aiohttpx, "__nothing__")
