"""What `importlib.metadata` says of aiohttp when aiohttpx is installed under its name."""

from __future__ import annotations

from importlib.metadata import Distribution
from os import PathLike
from pathlib import Path

from . import AIOHTTP_VERSION

_METADATA = f"Metadata-Version: 2.1\nName: aiohttp\nVersion: {AIOHTTP_VERSION}\nSummary: aiohttpx under aiohttp's name\n"


class AiohttpDistribution(Distribution):
    """A distribution that is in no folder: only this process knows of it."""

    def read_text(self, filename: str) -> str | None:
        return _METADATA if filename == "METADATA" else None

    def locate_file(self, path: str | PathLike[str]) -> Path:
        return Path(__file__).parents[1] / path
