"""The compiled parsers and their Python twins offer the same names with the same signatures."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
from types import ModuleType
from typing import Any

import pytest

from .source import PACKAGE, PROJECT

CORE = [path.stem for path in sorted((PROJECT / PACKAGE).glob("_*_parser.pyx"))]

#: A Cython constructor, which `inspect` cannot look into.
CONSTRUCTOR = re.compile(r"^cdef class (\w+).*?^ +def __c?init__\((.*?)\):?", re.M | re.S)


def surface(module: ModuleType, source: str = "") -> dict[str, list[str] | None]:
    """The parameters of each function, method and constructor that `module` defines and shows; None for what is no function.

    Types and defaults are left out. `source` is that of a compiled module.
    """
    constructors = {name: _declared(parameters) for name, parameters in CONSTRUCTOR.findall(source)}
    shown: dict[str, list[str] | None] = {}
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        shown[name] = _parameters(value) if inspect.isroutine(value) else None
        if inspect.isclass(value):
            shown[name] = constructors.get(name) or _parameters(value.__init__)
            members = {f"{name}.{member}": held for member, held in vars(value).items() if not member.startswith("_")}
            shown |= {member: _parameters(held) if inspect.isroutine(held) else None for member, held in members.items()}
    return shown


def _parameters(function: Any) -> list[str]:
    kinds = inspect.Parameter
    marks = {kinds.VAR_POSITIONAL: "*", kinds.VAR_KEYWORD: "**"}
    return [marks.get(parameter.kind, "") + parameter.name for parameter in inspect.signature(function).parameters.values()]


def _declared(parameters: str) -> list[str]:
    """From the text of a parameter list: `self, Py_ssize_t limit=1, *` gives self and limit."""
    names = (re.split(r"[=:]", parameter)[0].split() for parameter in parameters.split(","))
    return [words[-1] for words in names if words and words[-1] not in {"*", "/"}]


@pytest.mark.parametrize("name", CORE)
def test_twins_offer_the_same(name: str) -> None:
    if importlib.util.find_spec(f"{PACKAGE}.{name}") is None:
        pytest.skip("the compiled core is not built")
    source = (PROJECT / PACKAGE / f"{name}.pyx").read_text(encoding="utf-8")
    core = surface(importlib.import_module(f"{PACKAGE}.{name}"), source)
    assert core
    assert core == surface(importlib.import_module(f"{PACKAGE}.{name}_py"))


def test_a_constructor_is_read_from_cython() -> None:
    parameters = "self, Py_ssize_t a=1 << 3, *, bint b: bool = False"
    source = f"cdef class P:\n    cdef int x\n\n    def __cinit__(\n        {parameters}\n    ):\n"
    [(name, found)] = CONSTRUCTOR.findall(source)
    assert (name, _declared(found)) == ("P", ["self", "a", "b"])


class Shown:
    """Stands for a class of a module."""

    limit = 1

    def __init__(self, size: int, *rest: int) -> None: ...

    def feed(self, data: bytes, **more: int) -> None: ...

    def _hidden(self) -> None: ...


def test_a_surface_is_names_and_parameters() -> None:
    module = ModuleType(__name__)
    vars(module).update(Shown=Shown, ModuleType=ModuleType, _declared=_declared, surface=surface)
    assert surface(module) == {
        "Shown": ["self", "size", "*rest"],
        "Shown.limit": None,
        "Shown.feed": ["self", "data", "**more"],
        "surface": ["module", "source"],
    }
