"""Seed 002, "Proxy support": the examples as they stand, in coroutines of old, with URLs that exist."""

from __future__ import annotations

import types
from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest

import aiohttpx as aiohttp
from aiohttpx.testing import LoopbackServer, Request, Response

CREDENTIALS = "Basic dXNlcjpwYXNz"


class Proxy:
    """A proxy that answers itself, and keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.server = LoopbackServer({"/": self._answer})

    def _answer(self, request: Request) -> Response:
        self.asked.append((request.target, request.headers.get("proxy-authorization")))
        return Response.text("from the proxy")


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    async with proxy.server:
        yield proxy


async def asked_through(conn: aiohttp.ProxyConnector) -> None:
    @types.coroutine
    def go() -> Generator[Any, None, None]:
        r = yield from aiohttp.request("get", "http://python.org", connector=conn)
        assert r.status == 200
        r.release()

    await go()
    await conn.close()


async def test_a_proxy_connector(proxy: Proxy) -> None:
    conn = aiohttp.ProxyConnector(proxy=proxy.server.url)
    await asked_through(conn)
    assert proxy.asked == [("http://python.org/", None)]


async def test_proxy_authorization(proxy: Proxy) -> None:
    conn = aiohttp.ProxyConnector(proxy=proxy.server.url, proxy_auth=aiohttp.BasicAuth("user", "pass"))
    await asked_through(conn)
    assert proxy.asked == [("http://python.org/", CREDENTIALS)]


async def test_credentials_in_the_proxy_url(proxy: Proxy) -> None:
    conn = aiohttp.ProxyConnector(proxy=proxy.server.url.replace("//", "//user:pass@"))
    await asked_through(conn)
    assert proxy.asked == [("http://python.org/", CREDENTIALS)]
