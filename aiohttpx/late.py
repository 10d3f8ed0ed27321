"""Modules that are loaded when one of their names is first asked for: with the first connection, or never.

if TYPE_CHECKING:
    from ..net import tunnel
else:
    tunnel = late("aiohttpx.net.tunnel")
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class late:
    """The module of that name. What was asked for once is an attribute from then on."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self._name), name)
        setattr(self, name, value)
        return value
