"""Send what is typed, line by line, and print what comes back.

For example: echo hello | python examples/echo.py ws://127.0.0.1:8765/
"""

from __future__ import annotations

import asyncio
import sys

import aiohttpx


async def main(url: str) -> None:
    async with aiohttpx.ClientSession() as session, session.ws_connect(url, heartbeat=20) as ws:
        while line := await asyncio.to_thread(sys.stdin.readline):
            await ws.send_str(line.rstrip("\n"))
            print(await ws.receive_str())


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1]))
    except aiohttpx.WSServerHandshakeError as error:
        sys.exit(f"refused with {error.status}: {error.message}")
    except (aiohttpx.ClientError, aiohttpx.WSMessageTypeError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
