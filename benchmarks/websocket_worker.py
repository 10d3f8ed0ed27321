"""The process of one contestant in compare_websockets.py: a line of input is a round, answered with its microseconds of CPU for a
message. It imports little, so that the heap is as fresh as the contestant leaves it.

    python benchmarks/websocket_worker.py CONTESTANT WORK URL LOOP HEAP CORE
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from typing import Any

from websocket_contestants import CONTESTANTS

_LARGE_BLOCK = 4 * 2**20


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


def _uvloop() -> Any:
    import uvloop

    return uvloop.new_event_loop


def main(name: str, work: str, url: str, loop: str, heap: str, core: str) -> None:
    os.sched_setaffinity(0, {int(core)})
    if heap == "used":
        bytes(_LARGE_BLOCK)
    with asyncio.Runner(loop_factory=_uvloop() if loop == "uvloop" else None) as runner:
        runner.run(measure(name, WORKS[work], url))


if __name__ == "__main__":
    main(*sys.argv[1:])
