"""Where the time of a request goes: python timings.py URL [TIMES]"""

from __future__ import annotations

import asyncio
import sys
from time import perf_counter
from typing import Any

import aiohttpx

PHASES = {
    "queued": ("on_connection_queued_start", "on_connection_queued_end"),
    "resolved": ("on_dns_resolvehost_start", "on_dns_resolvehost_end"),
    "connected": ("on_connection_create_start", "on_connection_create_end"),
    "answered": ("on_request_headers_sent", "on_request_end"),
}


def timings() -> aiohttpx.TraceConfig:
    """A config that prints, for each request, the milliseconds of its phases."""
    config = aiohttpx.TraceConfig()
    for phase, (first, last) in PHASES.items():

        async def start(session: Any, context: Any, params: Any, phase: str = phase) -> None:
            setattr(context, phase, -perf_counter())

        async def end(session: Any, context: Any, params: Any, phase: str = phase) -> None:
            setattr(context, phase, getattr(context, phase) + perf_counter())

        getattr(config, first).append(start)
        getattr(config, last).append(end)

    @config.on_request_end
    async def show(session: Any, context: Any, params: aiohttpx.TraceRequestEndParams) -> None:
        said = [f"{phase} in {getattr(context, phase) * 1000:.1f} ms" for phase in PHASES if hasattr(context, phase)]
        print(params.response.status, params.url, ", ".join(said))

    return config


async def main(url: str, times: int) -> None:
    async with aiohttpx.ClientSession(trace_configs=[timings()]) as session:
        for _ in range(times):
            async with session.get(url) as response:
                await response.read()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2))
