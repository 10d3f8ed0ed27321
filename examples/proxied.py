"""Ask a URL through a proxy, or through the one that the environment names: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY.

For example: python examples/proxied.py https://example.org/ socks5h://127.0.0.1:1080
"""

from __future__ import annotations

import asyncio
import sys

import aiohttpx


async def main(url: str, proxy: str | None = None) -> None:
    async with aiohttpx.ClientSession(proxy=proxy, trust_env=True) as session:
        try:
            async with session.get(url) as response:
                print(response.status, response.reason)
                print(await response.text())
        except aiohttpx.ClientHttpProxyError as error:
            print(f"the proxy says: {error.status} {error.message}", file=sys.stderr)
            sys.exit(1)
        except aiohttpx.ClientConnectionError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            sys.exit(1)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
