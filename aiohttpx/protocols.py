"""Protocols are for who checks types; when a program starts, making each as `typing` does takes as long as three classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol as Protocol
else:
    Protocol = object
