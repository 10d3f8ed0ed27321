"""aiohttp's module names, answered here: `import aiohttpx.client_exceptions`, and `import aiohttp` after `install_as_aiohttp()`.

Nothing of it costs before it is asked for: the front door puts one finder at the end of `sys.meta_path`, which says what it knows
of names that nobody else found. The table is `names.py`; the modules made from it look a name up when it is used first.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

#: The aiohttp whose client this is taken for, under its name.
AIOHTTP_VERSION: Final = "3.14.5"

_OURS: Final = "aiohttpx"
_THEIRS: Final = "aiohttp"


class OldModule(ModuleType):
    """A module of aiohttp's: its names are looked up in the table, and kept."""

    def __getattr__(self, name: str) -> Any:
        package, _, module = self.__name__.partition(".")
        value = _table().look_up(package, module, name)
        self.__dict__[name] = value
        return value

    def __dir__(self) -> Iterable[str]:
        module = self.__name__.partition(".")[2]
        return sorted({*super().__dir__(), *_table().names_of(module)})


class _Finder:
    """Finds aiohttp's modules under the name of one package, and loads them."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        package, _, module = fullname.partition(".")
        if package != self._package:
            return None
        table = _table()
        if table.is_server(module):
            raise ImportError(table.no_server(fullname), name=fullname)
        if not table.has(module):
            return None
        return ModuleSpec(fullname, self, origin=__file__, is_package=table.is_package(module))  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return OldModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = __file__
        _, dot, name = module.__name__.partition(".")
        module.__dict__["__all__"] = tuple(each for each in _table().names_of(name) if not each.startswith("_"))
        if not dot:
            module.__dict__["__version__"] = AIOHTTP_VERSION

    def find_distributions(self, context: Any = None) -> Iterator[Any]:
        """For `importlib.metadata.version("aiohttp")`; whoever lists all that is installed does not see it."""
        name = getattr(context, "name", None)
        if self._package == _THEIRS and isinstance(name, str) and name.lower() == _THEIRS:
            yield import_module(f"{__name__}.distribution").AiohttpDistribution()


#: Under our name they come last, and cost nothing that is found otherwise; under aiohttp's, before the real one.
_ours: Final = _Finder(_OURS)
_theirs: Final = _Finder(_THEIRS)


def _table() -> Any:
    """The table, once somebody asks."""
    return import_module(f"{__name__}.lookup")


def offer_old_names() -> None:
    """Answer `import aiohttpx.client` and the like from here on."""
    if _ours not in sys.meta_path:
        sys.meta_path.append(_ours)


def old_name(name: str) -> Any:
    """What `aiohttpx.<name>` is when the front door has no such name: one of aiohttp's modules, or one of its older names."""
    return _table().look_up(_OURS, "", name)


def install_as_aiohttp(replace: bool = False) -> None:
    """Make `import aiohttp` give aiohttpx, in this process, for libraries that import it by that name.

    aiohttp's client-side submodules come along; those of its server half raise an `ImportError` that says so. Call it before
    anything imports aiohttp, which need not be installed. Called again it does nothing.

    :param replace: do it even if the real aiohttp was imported already. Who imported it keeps what it has.
    :raises RuntimeError: the real aiohttp was imported already.
    """
    real = sys.modules.get(_THEIRS)
    if real is not None and not isinstance(real, OldModule):
        if not replace:
            where = getattr(real, "__file__", None) or "somewhere"
            raise RuntimeError(
                f"aiohttp was already imported, from {where}: call aiohttpx.install_as_aiohttp() before anything imports it, or"
                " with replace=True"
            )
        for name in [each for each in sys.modules if each.partition(".")[0] == _THEIRS]:
            del sys.modules[name]
    if _theirs not in sys.meta_path:
        sys.meta_path.insert(0, _theirs)


def __getattr__(name: str) -> Any:
    if name == "MODULES":
        return _table().MODULES
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
