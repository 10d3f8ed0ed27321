"""The command line: `python -m aiohttpx URL` fetches a URL, `python -m aiohttpx demo` shows the client at work."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .cli import demo, fetch


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    :param argv: the arguments without the program's name; by default those of the process.
    :returns: the exit status: 0 success, 1 a request failed, 130 interrupted.
    :raises SystemExit: with status 2, the arguments cannot be used; with 0, help was asked for.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        return demo.main(arguments[1:]) if arguments[:1] == ["demo"] else fetch.main(arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
