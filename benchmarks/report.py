"""Tables of what was measured, beside what was to be reached."""

from __future__ import annotations

import os
import platform
import ssl
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from contestants import CONTESTANTS
from works import MIB, Work

SUBJECT = "aiohttpx"
REFERENCE = "aiohttp"
#: Peak memory of one and the same client differs by so much from run to run.
_SAME_MEMORY = 1.03


@dataclass
class Result:
    """One contestant at one work."""

    contestant: str
    #: Microseconds for an operation, one number a round.
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    #: Page faults for an operation, one number a round.
    faults: list[float] = field(default_factory=list)
    #: Connections opened during the measured rounds.
    connections: int = 0
    #: Peak memory of the process in bytes.
    peak: int = 0
    #: Why there are no numbers.
    error: str = ""


def table(work: Work, loop: str, heap: str, results: Sequence[Result]) -> str:
    """A heading, a Markdown table with a row for each contestant, and the verdict on the target."""
    columns = [
        "contestant",
        "CPU µs",
        "min-max",
        "wall µs",
        f"x {REFERENCE}, CPU",
        f"x {REFERENCE}, wall",
        "page faults",
        "new connections",
    ]
    if work.target.memory:
        columns.append("peak MiB")
    by_name = {result.contestant: result for result in results if not result.error}
    rows = [_row(work, result, by_name.get(REFERENCE)) for result in by_name.values()]
    lines = [f"### {work.name}: {work.title}; {loop}, {heap} heap", "", *aligned([columns, *rows]), ""]
    lines += [f"{result.contestant}: {result.error}" for result in results if result.error]
    lines += _verdict(work, loop, by_name)
    return "\n".join(lines) + "\n"


def _row(work: Work, result: Result, reference: Result | None) -> list[str]:
    cpu, wall = median(result.cpu), median(result.wall)
    row = [result.contestant, f"{cpu:,.1f}", f"{min(result.cpu):,.1f}-{max(result.cpu):,.1f}", f"{wall:,.1f}"]
    row += [f"{median(reference.cpu) / cpu:.2f}", f"{median(reference.wall) / wall:.2f}"] if reference else ["", ""]
    row += [f"{median(result.faults):,.2f}", f"{result.connections:,}"]
    if work.target.memory:
        row.append(f"{result.peak / MIB:,.0f}")
    return row


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table that is one in plain text too: names to the left, numbers to the right."""
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    form = " | ".join([f"{{:{first}}}", *(f"{{:>{width}}}" for width in others)])
    head, *body = (f"| {form.format(*row)} |" for row in rows)
    rule = " | ".join(["-" * first, *("-" * (width - 1) + ":" for width in others)])
    return [head, f"| {rule} |", *body]


def _verdict(work: Work, loop: str, by_name: dict[str, Result]) -> Iterable[str]:
    """One line for each part of the target, as far as its contestants took part."""
    subject, reference, rival = (by_name.get(name or "") for name in (SUBJECT, REFERENCE, work.target.not_behind))
    if subject is None:
        return
    cpu = median(subject.cpu)
    if reference is not None:
        wanted = (loop == "uvloop" and work.target.faster_on_uvloop) or work.target.faster
        ratio = median(reference.cpu) / cpu
        yield f"- {word(ratio >= wanted)}: at least {wanted:g} x {REFERENCE} in CPU, is {ratio:.2f} x"
        if work.target.memory:
            yield f"- {word(subject.peak <= reference.peak * _SAME_MEMORY)}: peak memory not above {REFERENCE}'s"
    if rival is not None:
        yield f"- {word(cpu <= median(rival.cpu))}: not behind {rival.contestant} in CPU, is {median(rival.cpu) / cpu:.2f} x"


def word(reached: bool) -> str:
    return "reached" if reached else "**missed**"


def machine(nginx_version: str, contestants: Iterable[str]) -> str:
    """One line on where and with what the numbers were made."""
    distributions = dict.fromkeys(name for contestant in contestants for name in CONTESTANTS[contestant].distributions)
    return setting(distributions, [" ".join(ssl.OPENSSL_VERSION.split()[:2]), f"nginx {nginx_version}"])


def setting(distributions: Iterable[str], others: Iterable[str] = ()) -> str:
    """The same for these distributions."""
    return "; ".join(
        [
            date.today().isoformat(),
            f"{_processor()}, {os.cpu_count()} cores",
            f"{platform.system()} {platform.release()}",
            f"{platform.python_implementation()} {platform.python_version()}",
            *others,
            *(f"{name} {_version(name)}" for name in [*distributions, "uvloop"]),
        ]
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "of this checkout" if distribution == SUBJECT else "not installed"


def publish(parts: Iterable[str], path: Path | None) -> None:
    """Print the parts of a report as they come, and write all of them to the file, if there is one."""
    printed = []
    for part in parts:
        print(part, flush=True)
        printed.append(part)
    if path:
        path.write_text("\n".join(printed))


def command() -> str:
    """The command line that is running, to be printed beside its numbers."""
    return " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
