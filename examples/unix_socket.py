"""Ask a server on a Unix socket, as `curl --unix-socket` does.

For example, which containers there are: python examples/unix_socket.py /var/run/docker.sock /containers/json
"""

from __future__ import annotations

import asyncio
import sys
from urllib.parse import quote

import aiohttpx


async def main(socket: str, path: str) -> None:
    async with aiohttpx.ClientSession(f"http+unix://{quote(socket, safe='')}/") as session:
        try:
            async with session.get(path) as response:
                print(response.status, response.content_type)
                print(await response.text())
        except aiohttpx.ClientConnectionError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            sys.exit(1)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
