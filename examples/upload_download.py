"""Download something of any size to a file, and upload it from there; neither is ever in memory as a whole.

For example: python examples/upload_download.py http://httpbin.org/bytes/100000 http://httpbin.org/anything copy.bin
"""

from __future__ import annotations

import asyncio
import sys
from typing import BinaryIO

import aiohttpx


async def download(session: aiohttpx.ClientSession, url: str, file: BinaryIO) -> None:
    async with session.get(url) as response:
        async for piece in response.content.iter_chunked(64 * 1024):
            file.write(piece)
        print(f"{file.tell()} bytes of {response.content_type} from {response.url}")


async def upload(session: aiohttpx.ClientSession, url: str, file: BinaryIO) -> None:
    async with session.post(url, data=file) as response:
        print(f"{response.status} {response.reason} from {response.url}")


async def main(source: str, target: str, file: BinaryIO) -> None:
    timeout = aiohttpx.ClientTimeout(sock_connect=30, sock_read=30)  # as long as it takes, while something moves
    async with aiohttpx.ClientSession(timeout=timeout, raise_for_status=True) as session:
        await download(session, source, file)
        file.seek(0)
        await upload(session, target, file)


if __name__ == "__main__":
    with open(sys.argv[3], "w+b") as copy:
        asyncio.run(main(sys.argv[1], sys.argv[2], copy))
