"""aiohttpx against its peers over WebSockets: client CPU for a message, or for a MiB.

    python benchmarks/compare_websockets.py --rounds 5

The server has one core, the contestants another, each in a process of its own, in turns: round 0 of all, round 1 of all, ...
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO, cast

from websocket_contestants import CONTESTANTS


@dataclass(frozen=True)
class Work:
    """`count` echoes of `size` bytes in a round, or a flood of so many messages when `size` is 0."""

    title: str
    count: int
    size: int
    #: Times as fast as aiohttp, and the contestant not to be behind.
    target: float
    rival: str | None
    deflate: bool = False


WORKS = {
    "echo32": Work("echo 32 B, one after the other", 5_000, 32, 1.7, "picows-await"),
    "flood": Work("receive a flood of 256 B messages", 200_000, 0, 2.8, "picows-await"),
    "echo1m": Work("echo 1 MiB", 100, 2**20, 1.7, "picows-await"),
    "deflate4k": Work("echo 4 KiB with permessage-deflate", 2_000, 4096, 1.25, None, deflate=True),
}


async def measure(name: str, work: Work, url: str) -> None:
    """Be one contestant: a round for each line of input, its microseconds of CPU for a message to the output."""
    contestant = CONTESTANTS[name]()
    await contestant.open(url, work.deflate)
    # As compressible as text is, and not the same from message to message.
    data = (b"%032x" % (0xFEED << 40)) * (work.size // 32)
    await play(contestant, work, data)
    print(flush=True)
    for _ in sys.stdin:
        start = time.process_time()
        await play(contestant, work, data)
        print((time.process_time() - start) / work.count * 1e6, flush=True)
    await contestant.close()


async def play(contestant: object, work: Work, data: bytes) -> None:
    if not work.size:
        if await contestant.flood(work.count) != 256 * work.count:  # type: ignore[attr-defined]
            raise RuntimeError("the flood was not received whole")
        return
    for _ in range(work.count):
        if len(await contestant.echo(data)) != work.size:  # type: ignore[attr-defined]
            raise RuntimeError("the echo is not what was sent")


def spawn(script: str, *arguments: str) -> subprocess.Popen[str]:
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": str(here.parent)}
    command = [sys.executable, str(here / script), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def hear(process: subprocess.Popen[str]) -> str:
    return cast("IO[str]", process.stdout).readline()


def compare(name: str, options: argparse.Namespace, ports: list[str]) -> dict[str, list[float]]:
    """CPU a message, one number a round, of each contestant that does the work."""
    work = WORKS[name]
    url = f"ws://127.0.0.1:{ports[work.deflate]}/"
    takers = [taker for taker in options.contestants if CONTESTANTS[taker].deflates or not work.deflate]
    processes = {
        taker: spawn("compare_websockets.py", "--measure", taker, name, url, "--core", str(options.cores[1])) for taker in takers
    }
    numbers: dict[str, list[float]] = {taker: [] for taker in takers if hear(processes[taker])}
    for _ in range(options.rounds):
        for taker, measured in numbers.items():
            print(file=processes[taker].stdin, flush=True)
            measured.append(float(hear(processes[taker])))
    for process in processes.values():
        process.communicate()
    return numbers


def table(work: Work, numbers: dict[str, list[float]]) -> str:
    unit = "MiB" if work.size == 2**20 else "message"
    lines = [f"### {work.title}", "", f"| contestant | CPU µs a {unit} | min-max | x aiohttp |", "| --- | ---: | ---: | ---: |"]
    medians = {name: median(measured) for name, measured in numbers.items()}
    for name, measured in numbers.items():
        times = f"{medians['aiohttp'] / medians[name]:.2f}" if "aiohttp" in medians else ""
        lines.append(f"| {name} | {medians[name]:,.2f} | {min(measured):,.2f}-{max(measured):,.2f} | {times} |")
    lines.append("")
    if {"aiohttpx", "aiohttp"} <= medians.keys():
        ratio = medians["aiohttp"] / medians["aiohttpx"]
        lines.append(f"- {word(ratio >= work.target)}: at least {work.target:g} x aiohttp, is {ratio:.2f} x")
    if work.rival in medians and "aiohttpx" in medians:
        ratio = medians[work.rival] / medians["aiohttpx"]
        lines.append(f"- {word(ratio >= 1)}: not behind {work.rival}, is {ratio:.2f} x")
    return "\n".join([*lines, ""])


def word(reached: bool) -> str:
    return "reached" if reached else "**missed**"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", nargs=2, type=int, default=[0, 1], metavar=("SERVER", "CLIENT"))
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        os.sched_setaffinity(0, {options.core})
        name, work, url = options.measure
        asyncio.run(measure(name, WORKS[work], url))
        return
    server = spawn("websocket_server.py", str(options.cores[0]))
    ports = hear(server).split()
    for name in options.work:
        print(table(WORKS[name], compare(name, options, ports)), flush=True)
    server.communicate()


if __name__ == "__main__":
    main()
