"""The table at work: which modules there are, and what a name in one of them is."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from .names import HOMES, NAMES, SAME, SERVER

_FRONT_DOOR: Final = "aiohttpx"

#: aiohttp's modules, and where to import them instead.
MODULES: Final[dict[str, str]] = {
    "aiohttp": _FRONT_DOOR,
    **{f"aiohttp.{module}": f"{_FRONT_DOOR}.{module}" for module in (*NAMES, *SAME) if module},
}


def has(module: str) -> bool:
    """aiohttp's client has this module; "" is aiohttp itself."""
    return module in NAMES or module in SAME


def is_server(name: str) -> bool:
    """The module or name belongs to aiohttp's server half."""
    top = name.partition(".")[0]
    return top in SERVER or top.startswith("web_")


def is_package(module: str) -> bool:
    return not module or any(other.startswith(f"{module}.") for other in NAMES)


def names_of(module: str) -> list[str]:
    if module in SAME:
        same = import_module(f"{_FRONT_DOOR}.{module}")
        return [name for name in getattr(same, "__all__", vars(same)) if not name.startswith("__")]
    return NAMES[module].split()


def look_up(package: str, module: str, name: str) -> Any:
    """What `name` is in a module of `package`. Raises `AttributeError` if there is no such name."""
    front_door = import_module(_FRONT_DOOR)
    inner = f"{module}.{name}" if module else name
    if name.startswith("__") and name.endswith("__"):
        pass
    elif module in SAME:
        return getattr(import_module(f"{_FRONT_DOOR}.{module}"), name)
    elif name in HOMES and name in NAMES[module].split():
        home, _, there = HOMES[name].partition(":")
        return getattr(import_module(home), there or name)
    elif has(inner) or (has(name) and name in NAMES[module].split()):
        return import_module(f"{package}.{inner if has(inner) else name}")
    elif (name in vars(front_door) or name in front_door.__all__) and (not module or name in NAMES[module].split()):
        return getattr(front_door, name)
    elif is_server(inner):
        raise AttributeError(no_server(f"{package}.{inner}"))
    raise AttributeError(f"module {'.'.join(filter(None, (package, module)))!r} has no attribute {name!r}")


def no_server(name: str) -> str:
    """Why there is no such module or name."""
    return f"{name} belongs to aiohttp's server half; aiohttpx is a client, and has none. Use the real aiohttp for it."
