"""httpx with its defaults, but without bounds on the connections it keeps and without timeouts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import BinaryIO

import httpx

from contestants.contestant import Answer, Contestant
from works import FORM, MIB, PAYLOAD, UPLOAD_MIB


class Httpx(Contestant):
    """`httpx.AsyncClient` over anyio and h11."""

    async def open(self) -> None:
        self.client = httpx.AsyncClient(
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None if self.work.keep_alive else 0),
            verify=self.tls_context() if self.work.tls else False,
            timeout=None,
        )

    async def close(self) -> None:
        await self.client.aclose()

    async def get(self, url: str) -> Answer:
        response = await self.client.get(url)
        return response.status_code, len(response.content)

    async def get_json(self, url: str) -> Answer:
        response = await self.client.get(url)
        return response.status_code, len(response.json())

    async def post_json(self, url: str) -> Answer:
        response = await self.client.post(url, json=PAYLOAD)
        return response.status_code, len(response.content)

    async def post_form(self, url: str) -> Answer:
        response = await self.client.post(url, data=FORM)
        return response.status_code, len(response.content)

    async def upload(self, url: str) -> Answer:
        with self.open_file() as file:
            response = await self.client.post(url, content=_pieces(file), headers={"Content-Length": str(UPLOAD_MIB * MIB)})
        return response.status_code, len(response.content)

    async def upload_form(self, url: str) -> Answer:
        with self.open_file() as file:
            response = await self.client.post(url, data={"name": "value"}, files={"file": file})
        return response.status_code, len(response.content)

    download = get

    async def download_chunks(self, url: str) -> Answer:
        length = 0
        async with self.client.stream("GET", url) as response:
            async for chunk in response.aiter_bytes():
                length += len(chunk)
            return response.status_code, length


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    while piece := file.read(2**16):
        yield piece
