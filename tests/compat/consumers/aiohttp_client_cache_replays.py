"""aiohttp-client-cache answers a second time without asking."""

import asyncio
import sys

import aiohttp
from aiohttp_client_cache import CacheBackend, CachedSession


async def main(url: str) -> None:
    async with CachedSession(cache=CacheBackend(allowed_methods=("GET", "HEAD"), expire_after=60)) as session:
        assert isinstance(session, aiohttp.ClientSession)
        first = await session.get(f"{url}/count-me", params={"a": "1"})
        again = await session.get(f"{url}/count-me", params={"a": "1"})
        other = await session.get(f"{url}/count-me", params={"a": "2"})
        assert [each.from_cache for each in (first, again, other)] == [False, True, False]
        assert await first.text() == await again.text() == "1"
        assert await other.text() == "2"
        assert (again.status, again.content_type, again.headers["X-Asked"]) == (200, "text/plain", "1")
        assert again.request_info.method == "GET"
        assert again.url == first.url
        async with session.disabled():
            assert await (await session.get(f"{url}/count-me", params={"a": "1"})).text() == "3"
        async with session.get(f"{url}/count-me", params={"a": "1"}) as response:
            assert b"".join([part async for part in response.content.iter_any()]) == b"1"


asyncio.run(main(sys.argv[1]))
