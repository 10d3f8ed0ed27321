"""`aiohttpx bench URL`: how fast a server answers, as this client sees it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import math
import platform
import sys
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Final

from .. import IMPLEMENTATION, ClientError, ClientSession, __version__
from .arguments import Parser, count, seconds
from .content import add_content_options, content_of, has_content, takes_stdin
from .exits import Exit, meaning, run, told
from .options import add_request_options, add_session_options, opened, request_arguments
from .progress import watched

_REQUESTS: Final = 1000
_AT_ONCE: Final = 10
_PERCENTILES: Final = (50, 75, 90, 99, 99.9)
#: From here on, the client has hardly time to wait.
_BUSY: Final = 0.9

_DESCRIPTION: Final = """\
Ask a URL again and again, and print how that went. So many workers ask at once, in one process and one event loop; each asks
when it has its last answer: a slow server is asked less, and times it would have kept others waiting do not show (closed
loop). A latency is from asking for a request until its content was read; opening a connection belongs to the first ones.
"""


def main(argv: Sequence[str]) -> int:
    """Measures as `argv` says; gives the exit status: that of the first error."""
    parser = Parser("bench", _DESCRIPTION)
    add_request_options(parser)
    parser.add_argument("-c", "--concurrency", metavar="N", type=count, default=_AT_ONCE, help=f"requests at once ({_AT_ONCE})")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("-n", "--requests", metavar="N", type=count, help=f"requests in all ({_REQUESTS})")
    length.add_argument("-t", "--duration", metavar="SECONDS", type=seconds, help="begin none after so long")
    add_content_options(parser)
    add_session_options(parser)
    options = parser.understand(argv)
    options.method = (options.method or ("POST" if has_content(options) else "GET")).upper()
    if takes_stdin(options):
        parser.error("standard input can be sent once only; give a file")
    return run(parser, _measure(options))


class _Tally:
    """What became of the requests."""

    def __init__(self) -> None:
        self.latencies = array("d")
        self.statuses: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()
        self.first_error: Exception | None = None
        self.size = 0
        self.seconds = self.cpu = 0.0

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """Measures the block."""
        began, worked = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.seconds, self.cpu = time.perf_counter() - began, time.process_time() - worked

    @property
    def done(self) -> int:
        return len(self.latencies) + self.errors.total()

    def fail(self, error: Exception) -> None:
        self.first_error = self.first_error or error
        self.errors[type(error).__name__] += 1


async def _measure(options: argparse.Namespace) -> int:
    tally = _Tally()
    async with opened(options, limit=options.concurrency) as session, contextlib.AsyncExitStack() as stack:
        total = options.requests or _REQUESTS
        if options.duration is not None:
            turns = _until(time.perf_counter() + options.duration)
        else:
            turns = iter(range(total))
            if sys.stderr.isatty():
                await stack.enter_async_context(watched("requests", "request", lambda: (tally.done, total), sys.stderr))
        try:
            with tally.timed():
                await asyncio.gather(*(_ask(session, options, tally, turns) for _ in range(options.concurrency)))
        finally:
            if tally.done:  # also when it is interrupted
                print(_report(options, tally))
    return Exit.OK if tally.first_error is None else meaning(tally.first_error)


def _until(end: float) -> Iterator[int]:
    """Turns that workers take, until then."""
    return itertools.takewhile(lambda turn: time.perf_counter() < end, itertools.count())


async def _ask(session: ClientSession, options: argparse.Namespace, tally: _Tally, turns: Iterator[int]) -> None:
    """Asks as long as there are turns. Raises `ValueError` for what cannot be sent."""
    arguments = request_arguments(options)
    for _ in turns:
        with ExitStack() as files:
            began = time.perf_counter()
            try:
                content = content_of(options, files)
                async with session.request(options.method, options.url, **arguments, **content) as response:
                    async for piece in response.content.iter_any():
                        tally.size += len(piece)
            except (ClientError, OSError) as error:
                if isinstance(error, ValueError):
                    raise
                tally.fail(error)
            else:
                tally.latencies.append(time.perf_counter() - began)
                tally.statuses[response.status] += 1


def _report(options: argparse.Namespace, tally: _Tally) -> str:
    span, answers = max(tally.seconds, 1e-9), len(tally.latencies)
    busy = tally.cpu / span
    statuses = "   ".join(f"{status}: {number:,}" for status, number in sorted(tally.statuses.items()))
    lines = [
        f"{answers:,} responses in {span:.3f} s, {options.concurrency} at once",
        f"{'rate':<12}{answers / span:,.0f} req/s   {tally.size:,} bytes of content, {tally.size / span:,.0f} bytes/s",
        f"{'status':<12}{statuses or '-'}",
        f"{'errors':<12}{'   '.join(f'{name}: {number:,}' for name, number in tally.errors.most_common()) or 'none'}",
    ]
    if tally.first_error is not None:
        lines.append(f"{'first error':<12}{told(tally.first_error)}")
    if answers:
        lines.append(_latencies(sorted(tally.latencies)))
    limit = " The client had no time to spare: this is its own speed as much as the server's." if busy >= _BUSY else ""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    lines.append(
        f"{'client':<12}busy {busy:.0%} of the time, aiohttpx {__version__}, implementation {IMPLEMENTATION}, {python}.{limit}"
    )
    return "\n".join(lines)


def _latencies(ordered: Sequence[float]) -> str:
    """Two lines: names and milliseconds. A percentile is the smallest latency that so many of a hundred do not pass."""
    values = {"mean": sum(ordered) / len(ordered), "min": ordered[0]}
    for percent in _PERCENTILES:
        values[f"{percent}%"] = ordered[math.ceil(len(ordered) * percent / 100) - 1]
    values["max"] = ordered[-1]
    names = "".join(f"{name:>10}" for name in values)
    numbers = "".join(f"{value * 1000:>10.2f}" for value in values.values())
    return f"{'latency':<12}{names}\n{'  in ms':<12}{numbers}"
