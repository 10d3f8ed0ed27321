"""`python -m aiohttpx demo`: the client against a server of its own, every byte checked.

The server is a process of its own on the loopback interface: in a thread it would share the interpreter's lock with the client,
and the numbers would be those of both.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .. import IMPLEMENTATION, ClientSession, ClientTimeout, TCPConnector, __version__
from ..testing import payload_period
from .arguments import count
from .pages import PAGES, page
from .progress import watched

_MEGABYTE = 1_000_000
_CHUNK = 1 << 17
_TIMEOUT = 60
_GREETING = {"greeting": "hello, \u4e16\u754c", "numbers": [1, 2.5, -3], "nested": {"nothing": None, "truth": True}}


@dataclass
class Tally:
    """What became of one kind of request."""

    name: str
    requests: int = 0
    failures: int = 0
    size: int = 0
    seconds: float = 0.0
    first_failure: str = ""

    @contextlib.contextmanager
    def attempt(self, what: str) -> Iterator[None]:
        """Counts a request, and its failure if the block raises anything."""
        try:
            yield
        except Exception as error:
            self.failures += 1
            self.first_failure = self.first_failure or f"{what}: {type(error).__name__}: {error}"
        self.requests += 1

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """Measures the block."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds = time.perf_counter() - began


def main(argv: Sequence[str]) -> int:
    """Runs the demonstration; gives the exit status: 1 if anything failed."""
    parser = argparse.ArgumentParser(
        prog="python -m aiohttpx demo",
        description="Start a server on the loopback interface, fetch pages from it concurrently, download, post JSON; "
        "check every byte and print what happened. The exit status is 0 when nothing failed, else 1.",
    )
    parser.add_argument("--pages", metavar="N", type=count, default=5000, help="distinct pages to fetch (5000)")
    parser.add_argument("--concurrency", metavar="N", type=count, default=100, help="requests at once (100)")
    parser.add_argument("--size", metavar="MB", type=count, default=200, help="megabytes to download (200)")
    options = parser.parse_args(argv)
    with _server() as url:
        if not url:
            print("aiohttpx: the server does not start", file=sys.stderr)
            return 1
        tallies = asyncio.run(_run(url, options.pages, options.concurrency, options.size))
    print(_table(tallies))
    return 1 if any(tally.failures for tally in tallies) else 0


@contextlib.contextmanager
def _server() -> Iterator[str]:
    """The URL of a server in a process of its own, which ends with the block; "" when it does not start."""
    command = [sys.executable, "-m", f"{__package__}.pages"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process without the pipes it was to have")
        with process.stdin:  # the end of its input ends the server
            yield process.stdout.readline().decode().strip()


async def _run(url: str, pages: int, concurrency: int, megabytes: int) -> list[Tally]:
    connector = TCPConnector(limit=concurrency)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=_TIMEOUT)) as session:
        return [
            await _fetch_pages(session, url, pages, concurrency),
            await _download(session, url, megabytes),
            await _post(session, url),
        ]


async def _fetch_pages(session: ClientSession, url: str, pages: int, concurrency: int) -> Tally:
    """Fetches `pages` pages, each one once, `concurrency` at a time."""
    tally = Tally("pages")
    numbers = iter(range(pages))

    async def fetch() -> None:
        for number in numbers:
            target = f"{url}{PAGES}{number}"
            with tally.attempt(target):
                async with session.get(target) as response:
                    body = await response.read()
                tally.size += len(body)
                if response.status != 200 or body != page(number):
                    raise ValueError(f"status {response.status} and {len(body)} bytes that are not this page")

    async with watched("pages", "page", lambda: (tally.requests, pages), sys.stderr):
        with tally.timed():
            await asyncio.gather(*(fetch() for _ in range(min(concurrency, pages))))
    return tally


async def _download(session: ClientSession, url: str, megabytes: int) -> Tally:
    """Downloads so many megabytes, compares them as they come, and keeps none."""
    tally = Tally("download")
    size = megabytes * _MEGABYTE
    target = f"{url}/bytes/{size}"
    period = len(payload_period())
    expected = payload_period() * 2  # longer than a period and a chunk

    async def download() -> None:
        async with session.get(target) as response:
            async for chunk in response.content.iter_chunked(_CHUNK):
                if not expected.startswith(chunk, tally.size % period):
                    raise ValueError(f"wrong bytes after {tally.size}")
                tally.size += len(chunk)
        if response.status != 200 or tally.size != size:
            raise ValueError(f"status {response.status} and {tally.size} bytes")

    async with watched("download", "MB", lambda: (tally.size // _MEGABYTE, megabytes), sys.stderr):
        with tally.timed(), tally.attempt(target):
            await download()
    return tally


async def _post(session: ClientSession, url: str) -> Tally:
    """Posts JSON, and sees whether it arrived."""
    tally = Tally("JSON POST")
    target = f"{url}/anything"
    with tally.timed(), tally.attempt(target):
        async with session.post(target, json=_GREETING) as response:
            tally.size = len(await response.read())
            answer = await response.json()
        if (answer["method"], answer["json"]) != ("POST", _GREETING):
            raise ValueError(f"not what was sent: {answer}")
    return tally


def _table(tallies: Sequence[Tally]) -> str:
    lines = [f"\n{'':<12}{'requests':>9}{'failures':>9}{'seconds':>9}{'req/s':>9}{'MB/s':>9}"]
    for tally in tallies:
        seconds = max(tally.seconds, 1e-9)
        per_second = f"{tally.requests / seconds:,.0f}" if tally.requests > 1 else "-"
        megabytes = f"{tally.size / _MEGABYTE / seconds:,.1f}" if tally.size > _MEGABYTE else "-"
        lines.append(
            f"{tally.name:<12}{tally.requests:>9,}{tally.failures:>9,}{tally.seconds:>9.3f}{per_second:>9}{megabytes:>9}"
        )
    lines += [f"{tally.name} failed: {tally.first_failure}" for tally in tallies if tally.failures]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    lines.append(f"\naiohttpx {__version__}, implementation {IMPLEMENTATION}, {python}; the server was a process of its own")
    return "\n".join(lines)
