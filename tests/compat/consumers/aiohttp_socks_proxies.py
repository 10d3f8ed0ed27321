"""aiohttp-socks' connectors reach the server through SOCKS proxies, one of which asks who comes."""

import asyncio
import socket
import sys

import aiohttp
import pytest
from aiohttp_socks import ChainProxyConnector, ProxyConnector, ProxyError


async def main(url: str, proxy: str) -> None:
    async with aiohttp.ClientSession(connector=ProxyConnector.from_url(proxy)) as session:
        for _ in range(2):
            async with session.get(f"{url}/bytes/100000") as response:
                assert len(await response.read()) == 100_000
        async with session.post(f"{url}/anything", json={"a": 1}) as response:
            assert (await response.json())["json"] == {"a": 1}
        sent = await asyncio.gather(*(session.post(f"{url}/count", data=b"x" * size) for size in range(10)))
        assert [int(await response.text()) for response in sent] == list(range(10))
    connector = ProxyConnector.from_url(proxy, family=socket.AF_INET, rdns=False)
    async with aiohttp.ClientSession(connector=connector) as session, session.get(url + "/status/204") as response:
        assert response.status == 204
    async with aiohttp.ClientSession(connector=ChainProxyConnector.from_urls([proxy, proxy])) as session:
        assert (await session.get(f"{url}/anything", params={"a": "1"})).status == 200
    wrong = proxy.replace("user:", "other:")
    async with aiohttp.ClientSession(connector=ProxyConnector.from_url(wrong)) as session:
        with pytest.raises(ProxyError):
            await session.get(url)


asyncio.run(main(sys.argv[1], sys.argv[3]))
