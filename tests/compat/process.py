"""A Python of its own, for what changes a whole process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_PROJECT = Path(__file__).parents[2]


def run(*arguments: str, warnings: str = "error") -> subprocess.CompletedProcess[str]:
    """What a Python with these arguments says. `warnings` as for its -W."""
    environment = os.environ | {"PYTHONPATH": str(_PROJECT), "PYTHONWARNINGS": warnings}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, env=environment)


def run_code(code: str) -> str:
    """What a program prints, which is to end well and to complain about nothing."""
    done = run("-c", code)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout
