"""Fetch many pages, a few at a time.

For example: python examples/many.py http://httpbin.org/anything/ 1000 20
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator

import aiohttpx


async def work(session: aiohttpx.ClientSession, urls: Iterator[str], outcomes: Counter[str]) -> None:
    for url in urls:  # all workers take from the same iterator: no list of a million tasks is ever made
        try:
            async with session.get(url) as response:
                await response.read()
                outcomes[f"{response.status} {response.reason}"] += 1
        except aiohttpx.ClientError as error:
            outcomes[type(error).__name__] += 1


async def main(url: str, pages: int, workers: int) -> None:
    urls = (f"{url}{number}" for number in range(pages))
    outcomes: Counter[str] = Counter()
    connector = aiohttpx.TCPConnector(limit=workers)
    async with aiohttpx.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work(session, urls, outcomes))
    for outcome, count in outcomes.most_common():
        print(f"{count:8} {outcome}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
