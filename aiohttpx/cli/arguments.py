"""What arguments look like, and a parser that does not repeat those that it cannot use: there may be a password in them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .exits import EXIT_STATUSES


class Parser(argparse.ArgumentParser):
    """The parser of a command, `aiohttpx <command>`."""

    def __init__(self, command: str, description: str) -> None:
        super().__init__(
            prog=f"aiohttpx {command}",
            usage=f"aiohttpx {command} URL [option ...]",
            description=description,
            epilog=EXIT_STATUSES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def understand(self, argv: Sequence[str]) -> argparse.Namespace:
        """The options in `argv`. Exits with status 2 for what is none of them."""
        options, others = self.parse_known_args(argv)
        if others:
            names = [text.partition("=")[0] for text in others if text.startswith("--")]
            self.error(" ".join(["unrecognized arguments:", *(names or [f"{len(others)} of them"])]))
        return options


def pair(text: str) -> tuple[str, str]:
    """NAME=VALUE"""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError("NAME=VALUE is needed")
    return name, value


def header(text: str) -> tuple[str, str]:
    """'NAME: VALUE'"""
    name, colon, value = text.partition(":")
    if not name or not colon:
        raise argparse.ArgumentTypeError("'Name: value' is needed")
    return name.strip(), value.strip()


def seconds(text: str) -> float:
    """A time above 0."""
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError("a time above 0 is needed")
    return number


def count(text: str) -> int:
    """A number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a number above 0 is needed")
    return number
