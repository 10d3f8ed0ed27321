"""Upload a file, and show how far that is and what became of it.

For example: python examples/upload_progress.py README.md http://httpbin.org/post
"""

from __future__ import annotations

import asyncio
import sys
from typing import BinaryIO

import aiohttpx


def show(written: int, size: int | None) -> None:
    print(f"\r{written:,} of {size:,} bytes", end="" if written != size else "\n", flush=True)


async def main(file: BinaryIO, url: str) -> None:
    tracker = aiohttpx.UploadTracker(show)
    timeout = aiohttpx.ClientTimeout(sock_connect=30, sock_read=30)  # as long as it takes, while something moves
    async with (
        aiohttpx.ClientSession(timeout=timeout) as session,
        session.post(url, data=file, upload_tracker=tracker) as response,
    ):
        print(f"{response.status} {response.reason} after {tracker.attempts} attempt(s)")


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as content:
        asyncio.run(main(content, sys.argv[2]))
