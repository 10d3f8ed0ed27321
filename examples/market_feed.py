"""Follow prices over connections that come and go: each new one is subscribed again.

For example: python examples/market_feed.py wss://feed.example/ 100 BTC-EUR ETH-EUR
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttpx


async def main(url: str, count: int, symbols: list[str]) -> None:
    async def subscribe(ws: aiohttpx.ClientWebSocketResponse[Any]) -> None:
        await ws.send_json({"op": "subscribe", "symbols": symbols})

    async with (
        aiohttpx.ClientSession() as session,
        session.ws_stream(url, on_connect=subscribe, backoff=(0.1, 30), heartbeat=10) as feed,
    ):
        async for message in feed:
            tick = message.json()
            print(f"{tick['symbol']:10} {tick['price']:>12} connection {feed.connections}")
            count -= 1
            if count == 0:
                break


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
    except aiohttpx.WSServerHandshakeError as error:
        sys.exit(f"refused with {error.status}: {error.message}")
