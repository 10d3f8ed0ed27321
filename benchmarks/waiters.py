"""What a request costs that waits for a connection, by how many wait with it: counted, so it says the same on any machine.

    python benchmarks/waiters.py

All requests are made at once through a connector with ten connections to one host; calls and lines are those of Python code in
the package, on the client's side, the median of three runs. Served in order: whether the server was asked in the order of the
requests.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.append(str(Path(__file__).parent.parent))

import aiohttpx
from aiohttpx.testing import LoopbackServer, Request, Response

_CONNECTIONS = 10
_WAITERS = (10, 100, 1000, 4000)
_FOLDER = str(Path(aiohttpx.__file__).parent)


class Counts:
    """Calls of the package's own functions, and lines run in them."""

    def __init__(self) -> None:
        self.calls = self.lines = 0

    def __call__(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        file = frame.f_code.co_filename
        if not file.startswith(_FOLDER) or "testing" in file:
            return None
        self.calls += 1
        return self._line

    def _line(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
        self.lines += event == "line"
        return self._line


async def count(waiters: int) -> tuple[Counts, bool]:
    """What so many requests at once cost, and whether they were served in order."""
    order: list[int] = []

    def answer(request: Request) -> Response:
        order.append(int(request.query))
        return Response.text("ok")

    async def ask(session: aiohttpx.ClientSession, number: int) -> None:
        async with session.get(f"{server.url}/?{number}") as response:
            await response.read()

    counts = Counts()
    async with LoopbackServer({"/": answer}) as server:
        connector = aiohttpx.TCPConnector(limit=_CONNECTIONS)
        async with aiohttpx.ClientSession(connector=connector) as session:
            await asyncio.gather(*(ask(session, number) for number in range(_CONNECTIONS)))
            order.clear()
            sys.settrace(counts)
            try:
                await asyncio.gather(*(ask(session, number) for number in range(waiters)))
            finally:
                sys.settrace(None)
    # Those on different connections may overtake each other on their way.
    return counts, all(abs(place - number) < _CONNECTIONS for place, number in enumerate(order))


def main() -> None:
    print("| requests at once | calls each | lines each | served in order |")
    print("|---:|---:|---:|---|")
    for waiters in _WAITERS:
        runs = [asyncio.run(count(waiters)) for _ in range(3)]
        calls, lines = (statistics.median(getattr(run[0], name) for run in runs) / waiters for name in ("calls", "lines"))
        print(f"| {waiters} | {calls:.1f} | {lines:.1f} | {'yes' if all(run[1] for run in runs) else 'NO'} |")


if __name__ == "__main__":
    main()
