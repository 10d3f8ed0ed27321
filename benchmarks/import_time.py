"""How long importing takes, beside aiohttp.

    python benchmarks/import_time.py

The CPU time of fresh interpreters that import one package, over that of one that imports nothing; the packages take turns, and
the medians count. Bytecode is compiled before. Prints a line per package, and the ratio.
"""

from __future__ import annotations

import argparse
import compileall
import importlib.util
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

_PACKAGES = ("aiohttpx", "aiohttp")


def cpu_time(code: str) -> float:
    """Seconds of CPU, its own and the system's, that an interpreter takes for `code`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed")
    return Path(spec.origin).parent


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU time of importing aiohttpx, beside aiohttp.")
    parser.add_argument("--runs", type=int, default=31, help="fresh interpreters for each package")
    runs = parser.parse_args().runs
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for package in _PACKAGES:
        compileall.compile_dir(folder_of(package), quiet=1)
    codes = {"nothing": "pass", **{package: f"import {package}" for package in _PACKAGES}}
    times: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(runs):
        for name, code in codes.items():
            times[name].append(cpu_time(code))
    nothing = statistics.median(times["nothing"])
    cost = {package: statistics.median(times[package]) - nothing for package in _PACKAGES}
    for package in _PACKAGES:
        print(f"import {package:<10}{cost[package] * 1000:7.1f} ms")
    print(f"aiohttpx / aiohttp {cost['aiohttpx'] / cost['aiohttp']:6.2f}")


if __name__ == "__main__":
    main()
