"""Progress, shown as the stream allows: a bar (rich), one line written over and over, or a line now and then."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TextIO

#: Shows how much is done, of how much (None: not known).
Show = Callable[[int, int | None], None]

_TICK = 0.1
_LINES = 4


@contextlib.asynccontextmanager
async def watched(title: str, unit: str, seen: Callable[[], tuple[int, int | None]], stream: TextIO) -> AsyncIterator[None]:
    """Shows on `stream` how far it is while the block runs. `seen` is asked ten times a second, so the work pays nothing."""

    async def tick() -> None:
        while True:
            show(*seen())
            await asyncio.sleep(_TICK)

    shown: contextlib.AbstractContextManager[Show]
    if not stream.isatty():
        shown = _lines(title, unit, stream)
    else:
        try:
            shown = _rich(title, unit, stream)
        except ImportError:
            shown = _one_line(title, unit, stream)
    with shown as show:
        ticking = asyncio.create_task(tick())
        try:
            yield
        finally:
            ticking.cancel()
            await asyncio.wait([ticking])
            show(*seen())


def _rich(title: str, unit: str, stream: TextIO) -> contextlib.AbstractContextManager[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    @contextlib.contextmanager
    def shown() -> Iterator[Show]:
        columns = TextColumn("{task.description:<12}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}")
        # No thread of its own: it would take turns from the loop that is being shown.
        with Progress(*columns, console=Console(file=stream), auto_refresh=False) as bars:
            bar = bars.add_task(title, total=None, rate="")
            rate = _Rate(unit)
            yield lambda done, total: bars.update(bar, completed=done, total=total, rate=rate(done), refresh=True)

    return shown()


@contextlib.contextmanager
def _one_line(title: str, unit: str, stream: TextIO) -> Iterator[Show]:
    rate = _Rate(unit)
    width = 0

    def show(done: int, total: int | None) -> None:
        nonlocal width
        line = _line(title, done, total, rate)
        stream.write("\r" + line.ljust(width))
        stream.flush()
        width = len(line)

    yield show
    stream.write("\n")


@contextlib.contextmanager
def _lines(title: str, unit: str, stream: TextIO) -> Iterator[Show]:
    rate = _Rate(unit)
    quarters = 0

    def show(done: int, total: int | None) -> None:
        nonlocal quarters
        if done and total and (reached := done * _LINES // total) > quarters:
            quarters = reached
            stream.write(_line(title, done, total, rate) + "\n")
            stream.flush()

    yield show


def _line(title: str, done: int, total: int | None, rate: _Rate) -> str:
    return f"{title:<12}{done:>13,} {'' if total is None else f'of {total:,}'}   {rate(done)}"


class _Rate:
    """Says how fast it goes, since it was made."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._began = time.perf_counter()

    def __call__(self, done: int) -> str:
        return f"{done / max(time.perf_counter() - self._began, 1e-9):,.0f} {self._unit}/s"
