"""Follow a stream of Server-Sent Events for as long as it goes on, over lost connections.

For example: python examples/events.py https://stream.wikimedia.org/v2/stream/recentchange
"""

from __future__ import annotations

import asyncio
import sys

import aiohttpx


async def main(url: str, last_event_id: str = "") -> None:
    async with aiohttpx.ClientSession() as session, session.sse(url, last_event_id=last_event_id) as events:
        async for event in events:
            print(f"{event.event} {event.id}: {event.data}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
