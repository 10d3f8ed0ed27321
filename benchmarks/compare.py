"""aiohttpx against its peers: client CPU and wall time for one operation, each contestant in a process of its own.

    python benchmarks/compare.py --work get64 --contestants aiohttpx aiohttp wreq --rounds 5 --loop asyncio uvloop

The contestants share one core in turns, nginx has another. README.md beside this file says how to read the tables.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from contestants import CONTESTANTS
from nginx import Nginx, Site
from report import Result, command, machine, publish, table
from worker import prepare_process
from works import WORKS, Work

#: In works on kept connections, one new connection in so many requests means that they are not kept.
_REQUESTS_A_CONNECTION = 10


class ContestantError(Exception):
    """A contestant that is not installed, or gave up."""


class Contender:
    """The process of one contestant at one work; a context manager."""

    def __init__(self, contestant: str, work: Work, site: Site, options: argparse.Namespace, loop: str) -> None:
        self.result = Result(contestant)
        entry = CONTESTANTS[contestant]
        scale = options.scale * entry.share
        self._work = work.scaled(scale)
        settings = {"contestant": contestant, "work": work.name, "site": asdict(site), "loop": loop}
        settings |= {"scale": scale, "core": options.cores[1], "heap": options.heap}
        process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("worker.py"), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_environment() | entry.environment,
        )
        self._process = process
        self._orders, self._answers = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.communicate()

    def open(self) -> None:
        """Wait until the client is open, so that no start disturbs another's round."""
        self._hear()

    def play(self, number: int, nginx: Nginx) -> None:
        """Round `number`: warm up, then the measured block, with the server's count around it."""
        self._tell("warm", number)
        before = nginx.count()
        measured = self._tell("run", number)
        after = nginx.count()
        opened = after.connections - before.connections
        if after.requests - before.requests != self._work.count:
            raise ContestantError(f"{after.requests - before.requests} requests reached the server, not {self._work.count}")
        if self._work.keep_alive and opened > self._work.at_once + self._work.count / _REQUESTS_A_CONNECTION:
            raise ContestantError(f"{opened} connections for {self._work.count} requests: they are not kept alive")
        if not self._work.keep_alive and opened != self._work.count:
            raise ContestantError(f"{opened} connections for {self._work.count} requests: not a new one each")
        operations = self._work.count * self._work.weight
        self.result.cpu.append(measured["cpu"] / operations * 1e6)
        self.result.wall.append(measured["wall"] / operations * 1e6)
        self.result.faults.append(measured["faults"] / operations)
        self.result.connections += opened

    def end(self) -> None:
        """Close the client and take its peak memory."""
        self.result.peak = self._tell("end")["peak"]

    def _tell(self, what: str, number: int = 0) -> dict[str, Any]:
        with suppress(BrokenPipeError):
            print(json.dumps({"do": what, "round": number}), file=self._orders, flush=True)
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        line = self._answers.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "its process ended without a word"}
        if "error" in answer:
            raise ContestantError(answer["error"])
        return answer


def _environment() -> dict[str, str]:
    """This process's environment without proxies, which some clients would use."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def compare(work: Work, loop: str, nginx: Nginx, options: argparse.Namespace) -> list[Result]:
    """Rounds of one work, interleaved: A B C, A B C, ... Whoever fails is out, and says why in the result."""
    with ExitStack() as stack:
        names = [name for name in options.contestants if work.name not in CONTESTANTS[name].leaves_out]
        contenders = [stack.enter_context(Contender(name, work, nginx.site, options, loop)) for name in names]
        _each(contenders, f"{work.name} {loop} open", Contender.open)
        for number in range(options.rounds):
            _each(contenders, f"{work.name} {loop} round {number}", partial(Contender.play, number=number, nginx=nginx))
        _each(contenders, f"{work.name} {loop} end", Contender.end)
        return [contender.result for contender in contenders]


def _each(contenders: Sequence[Contender], stage: str, act: Callable[[Contender], None]) -> None:
    """One after the other, those that have not failed."""
    for contender in contenders:
        if not contender.result.error:
            _progress(f"{stage} {contender.result.contestant}")
            try:
                act(contender)
            except ContestantError as error:
                contender.result.error = str(error)
    _progress("")


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def report(options: argparse.Namespace) -> Iterator[str]:
    """The parts of the report as they are ready."""
    yield "# Client CPU and wall time, measured\n"
    yield f"Printed by `{command()}`: the median of {options.rounds} rounds, microseconds for an operation.\n"
    with Nginx(options.host) as nginx:
        yield machine(nginx.version, options.contestants) + "\n"
        for name in options.work:
            for loop in options.loop:
                yield table(WORKS[name], loop, options.heap, compare(WORKS[name], loop, nginx, options))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = [name for name, entry in CONTESTANTS.items() if entry.always]
    parser.add_argument(
        "--work", nargs="+", choices=WORKS, default=list(WORKS), metavar="NAME", help=f"of {', '.join(WORKS)}; all"
    )
    parser.add_argument(
        "--contestants", nargs="+", choices=CONTESTANTS, default=usual, metavar="NAME", help=f"of {', '.join(CONTESTANTS)}"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--loop", nargs="+", choices=["asyncio", "uvloop"], default=["asyncio"])
    parser.add_argument(
        "--scale", type=float, default=1.0, help="times the usual number of requests in a round; 0.05 tries everything out"
    )
    parser.add_argument(
        "--heap", choices=["fresh", "used"], default="fresh", help="as the process comes, or after a large block was freed"
    )
    parser.add_argument("--cores", nargs=2, type=int, default=[0, 1], metavar=("SERVER", "CLIENT"))
    parser.add_argument(
        "--host", default="127.0.0.1", help="the name to reach the server by; cookie jars keep nothing for an address"
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the report there too, as Markdown")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse(sys.argv[1:])
    prepare_process(options.cores[0])
    # Compiling at import frees large blocks: the first run after an edit would be measured with another heap than the next.
    compileall.compile_dir(Path(__file__).parent.parent / "aiohttpx", quiet=2)
    publish(report(options), options.save)


if __name__ == "__main__":
    main()
