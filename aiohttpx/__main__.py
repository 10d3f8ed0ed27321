"""The command line: `aiohttpx COMMAND ...` or `python -m aiohttpx COMMAND ...`. Only the module of that command is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from .cli.exits import EXIT_STATUSES, Exit
from .version import __version__

_COMMANDS: Final = {
    "fetch": ".cli.fetch",
    "ws": ".cli.websocket",
    "bench": ".cli.bench",
    "demo": ".cli.demo",
    "run-as-aiohttp": ".compat.runner",
}
_HELP: Final = f"""\
usage: aiohttpx URL [option ...]
       aiohttpx COMMAND [argument ...]

The first form prints the status line, the headers and the content of a response: it is `aiohttpx fetch -i URL`.

commands (each tells more with --help):
  fetch URL                  one request: forms, files, credentials, downloads, timings, a command for curl
  ws URL                     a WebSocket: send lines, print messages
  bench URL                  how fast a server answers
  demo                       the client at work on a server of its own
  run-as-aiohttp SCRIPT ...  a program that imports aiohttp, with aiohttpx in its place

{EXIT_STATUSES}"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    :param argv: the arguments without the program's name; by default those of the process.
    :returns: the exit status: one of `Exit`.
    :raises SystemExit: with status 2, the arguments cannot be used; with 0, help was asked for.
    """
    match list(sys.argv[1:] if argv is None else argv):
        case ["-h" | "--help"]:
            print(_HELP, end="")
            return Exit.OK
        case ["--version"]:
            print(f"aiohttpx {__version__}")
            return Exit.OK
        case [name, *arguments] if name in _COMMANDS:
            pass
        case arguments:
            name, arguments = "fetch", ["--include", *arguments]
    try:
        status: int = import_module(_COMMANDS[name], __package__).main(arguments)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return status


if __name__ == "__main__":
    sys.exit(main())
