"""The command line: `python -m aiohttpx URL` fetches a URL, `python -m aiohttpx demo` shows the client at work, and
`python -m aiohttpx run-as-aiohttp script.py` runs a program that imports aiohttp."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .cli import demo, fetch
from .compat import runner


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    :param argv: the arguments without the program's name; by default those of the process.
    :returns: the exit status: 0 success, 1 a request failed, 130 interrupted.
    :raises SystemExit: with status 2, the arguments cannot be used; with 0, help was asked for.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        match arguments[:1]:
            case ["demo"]:
                return demo.main(arguments[1:])
            case ["run-as-aiohttp"]:
                return runner.main(arguments[1:])
        return fetch.main(arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
