"""gidgethub reads pages of issues from a GitHub, writes one, and says what went wrong."""

import asyncio
import sys

import aiohttp
import gidgethub
import pytest
from gidgethub.aiohttp import GitHubAPI


async def main(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        github = GitHubAPI(session, "requester", oauth_token="token", base_url=f"{url}/github")
        assert [issue["number"] async for issue in github.getiter("/issues{?page}", {"page": "1"})] == [1, 2, 3]
        assert (github.rate_limit.limit, github.rate_limit.remaining) == (5000, 4999)
        made = await github.post("/issues", data={"title": "hé"})
        assert (made["title"], made["by"], made["agent"]) == ("hé", "token token", "requester")
        await github.delete("/issues/1")
        with pytest.raises(gidgethub.BadRequest, match="Not Found"):
            await github.getitem("/none")
        with pytest.raises(gidgethub.GitHubBroken):
            await github.getitem("/broken")


asyncio.run(main(sys.argv[1]))
