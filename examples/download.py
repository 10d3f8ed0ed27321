"""Download a file, going on where an earlier run was cut.

For example: python examples/download.py https://example.org/large.iso large.iso sha256:0f343b0931126a20f133d67c2b018a3b...
"""

from __future__ import annotations

import asyncio
import sys

import aiohttpx


def show(here: int, total: int | None) -> None:
    print(f"\r{here * 100 // total} %" if total else f"\r{here} bytes", end="", flush=True)


async def main(url: str, path: str, checksum: str | None = None) -> int:
    async with aiohttpx.ClientSession(timeout=aiohttpx.ClientTimeout(sock_connect=30, sock_read=30)) as session:
        try:
            done = await session.download(url, path, checksum=checksum, progress=show)
        except (aiohttpx.ClientError, OSError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 1
    print(f"\n{done.size} bytes in {done.path}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
