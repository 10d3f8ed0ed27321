"""Fetch one page, or say why it cannot be had.

For example: python examples/fetch.py http://httpbin.org/get
"""

from __future__ import annotations

import asyncio
import sys

import aiohttpx


async def main(url: str) -> int:
    async with aiohttpx.ClientSession(timeout=30, raise_for_status=True) as session:
        try:
            async with session.get(url) as response:
                print(response.status, response.content_type, response.url)
                print(await response.text())
        except aiohttpx.ClientResponseError as error:
            print(f"refused with {error.status}: {(error.body or b'').decode(errors='replace')}", file=sys.stderr)
        except aiohttpx.ClientError as error:  # no connection, no answer in time, no HTTP, ...
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        else:
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
