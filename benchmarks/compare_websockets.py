"""aiohttpx against its peers over WebSockets: client CPU for a message, or for a MiB.

    python benchmarks/compare_websockets.py --rounds 5 --loop asyncio uvloop --save benchmarks/RESULTS-WEBSOCKETS.md

The server has one core, the contestants another, each in a process of its own, in turns: round 0 of all, round 1 of all, ...
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import IO, cast

from report import aligned, command, publish, setting, word
from websocket_contestants import CONTESTANTS, DISTRIBUTIONS
from websocket_worker import WORKS, Work


def spawn(script: str, *arguments: str) -> subprocess.Popen[str]:
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": str(here.parent)}
    command = [sys.executable, str(here / script), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def hear(process: subprocess.Popen[str]) -> str:
    return cast("IO[str]", process.stdout).readline()


def compare(name: str, loop: str, options: argparse.Namespace, ports: list[str]) -> dict[str, list[float]]:
    """CPU a message, one number a round, of each contestant that does the work."""
    work = WORKS[name]
    url = f"ws://127.0.0.1:{ports[work.deflate]}/"
    takers = [taker for taker in options.contestants if CONTESTANTS[taker].deflates or not work.deflate]
    where = [url, loop, options.heap, str(options.cores[1])]
    processes = {taker: spawn("websocket_worker.py", taker, name, *where) for taker in takers}
    numbers: dict[str, list[float]] = {taker: [] for taker in takers if hear(processes[taker])}
    for _ in range(options.rounds):
        for taker, measured in numbers.items():
            print(file=processes[taker].stdin, flush=True)
            measured.append(float(hear(processes[taker])))
    for process in processes.values():
        process.communicate()
    return numbers


def table(work: Work, loop: str, heap: str, numbers: dict[str, list[float]]) -> str:
    unit = "MiB" if work.size == 2**20 else "message"
    rows = [["contestant", f"CPU µs a {unit}", "min-max", "x aiohttp"]]
    medians = {name: median(measured) for name, measured in numbers.items()}
    for name, measured in numbers.items():
        times = f"{medians['aiohttp'] / medians[name]:.2f}" if "aiohttp" in medians else ""
        rows.append([name, f"{medians[name]:,.2f}", f"{min(measured):,.2f}-{max(measured):,.2f}", times])
    lines = [f"### {work.title}; {loop}, {heap} heap", "", *aligned(rows), ""]
    if {"aiohttpx", "aiohttp"} <= medians.keys():
        ratio = medians["aiohttp"] / medians["aiohttpx"]
        lines.append(f"- {word(ratio >= work.target)}: at least {work.target:g} x aiohttp, is {ratio:.2f} x")
    if work.rival in medians and "aiohttpx" in medians:
        ratio = medians[work.rival] / medians["aiohttpx"]
        lines.append(f"- {word(ratio >= 1)}: not behind {work.rival}, is {ratio:.2f} x")
    return "\n".join([*lines, ""])


def report(options: argparse.Namespace) -> Iterator[str]:
    """The parts of the report as they are ready."""
    yield "# WebSockets: client CPU, measured\n"
    yield f"Printed by `{command()}`: the median of {options.rounds} rounds.\n"
    yield setting([name for taker in options.contestants for name in DISTRIBUTIONS.get(taker, [taker])]) + "\n"
    server = spawn("websocket_server.py", str(options.cores[0]))
    ports = hear(server).split()
    for name in options.work:
        for loop in options.loop:
            yield table(WORKS[name], loop, options.heap, compare(name, loop, options, ports))
    server.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", nargs=2, type=int, default=[0, 1], metavar=("SERVER", "CLIENT"))
    parser.add_argument("--loop", nargs="+", choices=["asyncio", "uvloop"], default=["asyncio"])
    parser.add_argument("--heap", choices=["fresh", "used"], default="fresh", help="as in compare.py")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the report there too, as Markdown")
    options = parser.parse_args()
    publish(report(options), options.save)


if __name__ == "__main__":
    main()
