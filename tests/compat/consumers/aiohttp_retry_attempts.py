"""aiohttp-retry asks again until it is answered."""

import asyncio
import sys

import aiohttp
from aiohttp_retry import ExponentialRetry, RetryClient

seen = []


async def keep(session: aiohttp.ClientSession, context: object, params: aiohttp.TraceRequestStartParams) -> None:
    seen.append(context.trace_request_ctx["current_attempt"])


async def main(url: str) -> None:
    config = aiohttp.TraceConfig()
    config.on_request_start.append(keep)
    options = ExponentialRetry(attempts=5, start_timeout=0.001, statuses={503}, exceptions={aiohttp.ServerDisconnectedError})
    async with RetryClient(retry_options=options, trace_configs=[config], raise_for_status=False) as client:
        async with client.get(f"{url}/flaky") as response:
            assert (response.status, await response.text()) == (200, "at last")
        assert seen == [1, 2, 3]
        async with client.post(f"{url}/flaky", data=b"x") as response:
            assert response.status == 200
    async with aiohttp.ClientSession() as session:
        client = RetryClient(client_session=session, retry_options=options)
        async with client.get(f"{url}/anything", params={"a": "1"}) as response:
            assert (await response.json())["args"] == {"a": "1"}


asyncio.run(main(sys.argv[1]))
