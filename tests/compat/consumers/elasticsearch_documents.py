"""elasticsearch's async client indexes, finds and scrolls, retries on another node, and compresses what it sends."""

import asyncio
import sys

import pytest
from elasticsearch import AsyncElasticsearch, ConnectionError, NotFoundError
from elasticsearch.helpers import async_bulk


async def main(url: str) -> None:
    nodes = ["http://127.0.0.1:9", f"{url}/elastic"]
    options = {"retry_on_timeout": True, "max_retries": 3, "http_compress": True, "basic_auth": ("user", "pass")}
    async with AsyncElasticsearch(nodes, **options) as elastic:
        assert (await elastic.info())["tagline"] == "You Know, for Search"
        made = await elastic.index(index="books", id="a/b", document={"title": "hé"})
        assert (made["result"], made.meta.status) == ("created", 201)
        documents = [{"_index": "books", "_id": str(number), "title": "x" * 100} for number in range(50)]
        assert await async_bulk(elastic, documents, chunk_size=20) == (50, [])
        found = await elastic.search(index="books", query={"match_all": {}}, size=2)
        assert found["hits"]["total"]["value"] == 51
        assert (await elastic.get(index="books", id="a/b"))["_source"] == {"title": "hé"}
        assert await elastic.exists(index="books", id="1")
        assert not await elastic.exists(index="books", id="none")
        with pytest.raises(NotFoundError):
            await elastic.get(index="books", id="none")
    async with AsyncElasticsearch(nodes[0], max_retries=0) as elastic:
        with pytest.raises(ConnectionError, match="Connection error"):
            await elastic.info()


asyncio.run(main(sys.argv[1]))
