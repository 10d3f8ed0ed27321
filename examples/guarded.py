"""Fetch what a stranger names, unless it leads to a place that is nobody's business outside.

    python examples/guarded.py http://httpbin.org/anything
    python examples/guarded.py http://169.254.169.254/

Prints the status and the start of the content, or why it was refused.
"""

from __future__ import annotations

import asyncio
import sys

import aiohttpx


async def main(url: str, *allowed: str) -> str:
    connector = aiohttpx.TCPConnector(guard=aiohttpx.SSRFGuard(allow=allowed))
    async with aiohttpx.ClientSession(connector=connector, timeout=10) as session:
        try:
            async with session.get(url, max_redirects=5) as response:
                start = await response.content.read(60)
                return f"{response.status} {start.decode(errors='replace')}"
        except aiohttpx.SSRFError as error:
            return f"refused: {error}"
        except aiohttpx.ClientError as error:
            return f"failed: {error}"


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: guarded.py URL [NETWORK THAT IS ALLOWED ...]")
    print(asyncio.run(main(*sys.argv[1:])))
