"""The process of one contestant at one work. It says {} when its client is open; then it is told what to do in lines of JSON,
and answers each with one:

    {"do": "warm", "round": 0}  ->  {}
    {"do": "run", "round": 0}   ->  {"cpu": seconds, "wall": seconds, "faults": number}
    {"do": "end"}               ->  {"peak": bytes}

An answer {"error": text} ends it.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from contestants import CONTESTANTS
from contestants.contestant import Contestant
from nginx import Site
from works import WORKS, Work

_LARGE_BLOCK = 4 * 2**20


class Bench:
    """One contestant, opened on a loop of its own, doing one work in rounds."""

    def __init__(self, contestant: str, work: Work, site: Site, loop: str) -> None:
        module, _, name = CONTESTANTS[contestant].where.partition(":")
        made = getattr(importlib.import_module(f"contestants.{module}"), name)(site, work)
        self._contestant: Contestant = made
        self._work = work
        self._origin = site.https if work.tls else site.http
        self._runner = asyncio.Runner(loop_factory=_uvloop() if loop == "uvloop" else None)
        self._runner.run(self._contestant.open())

    def warm(self, number: int) -> None:
        """Do what leads to round `number`."""
        self._runner.run(self._contestant.run(self._urls(number, self._work.count, self._work.warm_up)))

    def run(self, number: int) -> dict[str, float]:
        """Do round `number`: seconds of CPU (user and system, all threads) and of wall, page faults."""
        gc.collect()
        return self._runner.run(self._measured(self._urls(number, 0, self._work.count)))

    def end(self) -> None:
        """Close the client and the loop."""
        self._runner.run(self._contestant.close())
        self._runner.close()

    def _urls(self, number: int, first: int, count: int) -> list[str]:
        each = self._work.count + self._work.warm_up
        return self._work.urls(self._origin, number * each + first, count)

    async def _measured(self, urls: list[str]) -> dict[str, float]:
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        cpu, wall = time.process_time(), time.perf_counter()
        await self._contestant.run(urls)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return {"cpu": cpu, "wall": wall, "faults": resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults}


def prepare_process(core: int) -> None:
    """Stay on one core, with as many sockets as the system allows; aiohttpx is the one beside this folder if not installed."""
    os.sched_setaffinity(0, {core})
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.path.append(str(Path(__file__).parent.parent))


def use_heap() -> None:
    """Bring the heap into the state it has in a process that has run for a while.

    glibc maps and unmaps memory for each block over 128 KiB, such as asyncio's buffer for a read, until a larger mapped block is
    freed: from then on it keeps memory for blocks of that size.
    """
    bytes(_LARGE_BLOCK)


def peak_memory() -> int:
    """The most memory this process held, in bytes. (ru_maxrss would tell the parent's when that was more.)"""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise LookupError("no VmHWM in /proc/self/status")


def _uvloop() -> Any:
    import uvloop

    return uvloop.new_event_loop


def _serve(settings: dict[str, Any]) -> None:
    prepare_process(settings["core"])
    work = WORKS[settings["work"]].scaled(settings["scale"])
    if settings["heap"] == "used":
        use_heap()
    bench = Bench(settings["contestant"], work, Site(**settings["site"]), settings["loop"])
    _say({})
    for line in sys.stdin:
        order = json.loads(line)
        answer: dict[str, float] = {}
        match order["do"]:
            case "warm":
                bench.warm(order["round"])
            case "run":
                answer = bench.run(order["round"])
            case "end":
                answer = {"peak": peak_memory()}
                bench.end()
        _say(answer)


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    try:
        _serve(json.loads(sys.argv[1]))
    except Exception as error:
        cause: BaseException = error
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        _say({"error": f"{type(cause).__name__}: {cause}"})
        sys.exit(1)
