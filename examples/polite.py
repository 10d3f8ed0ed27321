"""Ask one server many times, no faster than it can bear, and again where it could not answer.

    python examples/polite.py http://httpbin.org/anything 100 --rate 20

Prints how many responses there were of each status, and how many attempts it took.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter

import aiohttpx


async def main(url: str, times: int, rate: float) -> None:
    statuses: Counter[int] = Counter()
    attempts = 0

    async def ask(session: aiohttpx.ClientSession) -> None:
        nonlocal attempts
        async with session.get(url) as response:
            await response.read()
            statuses[response.status] += 1
            attempts += len(response.attempts)

    # The retries are outside: while one of them pauses, another request has its place.
    middlewares = (aiohttpx.RetryMiddleware(5, backoff=0.1), aiohttpx.RateLimitMiddleware(8, rate=rate, burst=8))
    async with aiohttpx.ClientSession(middlewares=middlewares) as session, asyncio.TaskGroup() as tasks:
        for _ in range(times):
            tasks.create_task(ask(session))
    for status, count in sorted(statuses.items()):
        print(f"{count} responses with {status}")
    print(f"{attempts} attempts")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Ask one server many times, politely.")
    parser.add_argument("url")
    parser.add_argument("times", type=int)
    parser.add_argument("--rate", type=float, default=20, help="requests in a second")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.url, arguments.times, arguments.rate))
