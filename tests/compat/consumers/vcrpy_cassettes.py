"""vcrpy records what a server said, and says it again without one."""

import asyncio
import sys

import aiohttp
import vcr


async def ask(url: str) -> list[object]:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/count-me", params={"a": "1"}, headers={"X-Own": "1"}) as response:
            said: list[object] = [response.status, response.reason, response.headers["X-Asked"], await response.text()]
        async with session.post(f"{url}/anything", json={"b": 2}) as response:
            said += [response.url.path, (await response.json())["json"]]
        async with session.get(f"{url}/to") as response:
            said += [[each.status for each in response.history], await response.read(), str(response.url)]
    return said


async def main(url: str, cassette: str) -> None:
    with vcr.use_cassette(cassette, record_mode="once") as tape:
        first = await ask(url)
        assert tape.play_count == 0
    assert first[:4] == [200, "OK", "1", "1"]
    with vcr.use_cassette(cassette, record_mode="none") as tape:
        assert await ask(url) == first
        assert tape.all_played


asyncio.run(main(sys.argv[1], sys.argv[2]))
