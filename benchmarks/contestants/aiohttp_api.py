"""aiohttp, and aiohttpx through the same lines: both have one API."""

from __future__ import annotations

import importlib
from typing import Any

from contestants.contestant import Answer, Contestant
from nginx import Site
from works import FORM, PAYLOAD, Work

_CHUNK = 2**16
_DEFAULT_LIMIT = 100


class _AiohttpApi(Contestant):
    package: str

    def __init__(self, site: Site, work: Work) -> None:
        super().__init__(site, work)
        self.http: Any = importlib.import_module(self.package)

    async def open(self) -> None:
        connector = self.http.TCPConnector(
            limit=0 if self.work.at_once > _DEFAULT_LIMIT else _DEFAULT_LIMIT,
            ssl=self.tls_context() if self.work.tls else True,
            force_close=not self.work.keep_alive,
        )
        self.session = self.http.ClientSession(connector=connector)

    async def close(self) -> None:
        await self.session.close()

    async def get(self, url: str) -> Answer:
        async with self.session.get(url) as response:
            body = await response.read()
            return response.status, len(body)

    async def get_json(self, url: str) -> Answer:
        async with self.session.get(url) as response:
            document = await response.json()
            return response.status, len(document)

    async def post_json(self, url: str) -> Answer:
        async with self.session.post(url, json=PAYLOAD) as response:
            body = await response.read()
            return response.status, len(body)

    async def post_form(self, url: str) -> Answer:
        async with self.session.post(url, data=FORM) as response:
            body = await response.read()
            return response.status, len(body)

    async def upload(self, url: str) -> Answer:
        return await self._post_file(url, self.open_file())

    async def upload_form(self, url: str) -> Answer:
        return await self._post_file(url, {"name": "value", "file": self.open_file()})

    async def _post_file(self, url: str, data: Any) -> Answer:
        async with self.session.post(url, data=data) as response:
            body = await response.read()
            return response.status, len(body)

    download = get

    async def download_chunks(self, url: str) -> Answer:
        length = 0
        async with self.session.get(url) as response:
            async for chunk in response.content.iter_chunked(_CHUNK):
                length += len(chunk)
            return response.status, length


class Aiohttp(_AiohttpApi):
    """aiohttp with its defaults."""

    package = "aiohttp"


class Aiohttpx(_AiohttpApi):
    """aiohttpx with its defaults."""

    package = "aiohttpx"
