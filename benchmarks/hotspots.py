"""Where one contestant spends its time at one work: functions by their own time, per operation.

    python benchmarks/hotspots.py --work get64 --contestant aiohttpx

The profiler makes every Python call dearer, so read it for what is called and how often, and measure with compare.py. A coroutine
that was suspended counts as one call more. Below Python: `perf record -g -p` the worker of a long compare.py.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import sysconfig
from pathlib import Path
from typing import Any

from contestants import CONTESTANTS
from nginx import Nginx
from worker import Bench, prepare_process
from works import WORKS, Work

_PLACES = (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"), str(Path(__file__).parent.parent))


def profile(contestant: str, work: Work, loop: str, cores: list[int], host: str) -> pstats.Stats:
    """The statistics of one warm round."""
    os.environ.update(CONTESTANTS[contestant].environment)
    prepare_process(cores[0])
    with Nginx(host) as nginx:
        prepare_process(cores[1])
        bench = Bench(contestant, work, nginx.site, loop)
        bench.warm(0)
        profiler = cProfile.Profile()
        profiler.enable()
        bench.run(0)
        profiler.disable()
        bench.end()
    return pstats.Stats(profiler)


def rows(statistics: pstats.Stats, operations: int, lines: int) -> list[str]:
    """The `lines` functions with most time of their own; all numbers are per operation."""
    table: dict[tuple[str, int, str], tuple[int, int, float, float, Any]] = statistics.stats  # type: ignore[attr-defined]
    each = 1e6 / operations
    total = sum(own for _, _, own, _, _ in table.values()) * each
    text = [f"{'own µs':>8} {'share':>6} {'with callees':>12} {'calls':>7}  function; {total:,.1f} µs in all"]
    for (file, line, name), (_, calls, own, cumulative, _) in sorted(table.items(), key=lambda row: -row[1][2])[:lines]:
        numbers = f"{own * each:8.2f} {own * each / total:6.1%} {cumulative * each:12.2f} {calls / operations:7.2f}"
        text.append(f"{numbers}  {_where(file, line)}{name}")
    return text


def _where(file: str, line: int) -> str:
    for place in _PLACES:
        if place and file.startswith(place + os.sep):
            return f"{file[len(place) + 1 :]}:{line} "
    return "" if file == "~" else f"{file}:{line} "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", choices=WORKS, default="get64")
    parser.add_argument("--contestant", choices=CONTESTANTS, default="aiohttpx")
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("--lines", type=int, default=40, help="functions to show")
    parser.add_argument("--scale", type=float, default=1.0, help="times the usual number of requests")
    parser.add_argument("--cores", nargs=2, type=int, default=[0, 1], metavar=("SERVER", "CLIENT"))
    parser.add_argument("--host", default="127.0.0.1", help="the name to reach the server by")
    options = parser.parse_args()
    work = WORKS[options.work].scaled(options.scale)
    statistics = profile(options.contestant, work, options.loop, options.cores, options.host)
    print("\n".join(rows(statistics, work.count * work.weight, options.lines)))


if __name__ == "__main__":
    main()
