"""`python -m aiohttpx run-as-aiohttp script.py ...`: a program that imports aiohttp, run with aiohttpx."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence

from . import install_as_aiohttp

USAGE = "usage: python -m aiohttpx run-as-aiohttp (script.py | -m module) [argument ...]"


def main(arguments: Sequence[str]) -> int:
    """Run a script, or with `-m` a module, as Python would, with `import aiohttp` giving aiohttpx.

    :returns: 0; 2 when nothing is named. What the program raises, `SystemExit` too, goes through.
    """
    by_name = list(arguments[:1]) == ["-m"]
    program = list(arguments[1:] if by_name else arguments)
    if not program or program[0].startswith("-"):
        print(USAGE, file=sys.stderr)
        return 2
    install_as_aiohttp()
    sys.argv[:] = program
    if by_name:
        sys.path[0] = os.getcwd()
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(os.path.abspath(program[0]))
        runpy.run_path(program[0], run_name="__main__")
    return 0
