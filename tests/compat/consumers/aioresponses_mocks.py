"""aioresponses answers in place of the network, except where it is told to let pass."""

import asyncio
import re
import sys

import aiohttp
import pytest
from aioresponses import CallbackResult, aioresponses


async def main(url: str) -> None:
    with aioresponses(passthrough=[url]) as mocked:
        mocked.get("http://name.test/a", payload={"a": 1}, headers={"X-Mocked": "1"})
        mocked.post(re.compile(r"http://name\.test/.*"), status=201, body="made", repeat=True)
        mocked.get("http://name.test/broken", exception=aiohttp.ClientConnectionError("no"))
        mocked.put("http://name.test/call", callback=lambda url, **kwargs: CallbackResult(body=repr(kwargs["json"])))
        mocked.get("http://name.test/from", status=302, headers={"Location": "http://name.test/to"})
        mocked.get("http://name.test/to", body=b"x" * 100_000)
        async with aiohttp.ClientSession() as session:
            async with session.get("http://name.test/a") as response:
                assert (response.status, response.headers["X-Mocked"], await response.json()) == (200, "1", {"a": 1})
            for _ in range(2):
                async with session.post("http://name.test/b", data=b"x") as response:
                    assert (response.status, await response.text()) == (201, "made")
            with pytest.raises(aiohttp.ClientConnectionError, match="no"):
                await session.get("http://name.test/broken")
            async with session.put("http://name.test/call", json={"b": 2}) as response:
                assert await response.text() == "{'b': 2}"
            async with session.get("http://name.test/from") as response:
                assert [len(part) async for part in response.content.iter_chunked(60_000)] == [60_000, 40_000]
                assert [each.status for each in response.history] == [302]
            async with session.get(f"{url}/anything") as response:
                assert (await response.json())["path"] == "/anything"
        mocked.assert_called_with("http://name.test/b", method="POST", data=b"x")
        assert len(mocked.requests) == 5


asyncio.run(main(sys.argv[1]))
