"""pyreqwest with its defaults: Rust, a Tokio runtime in a thread of its own."""

from __future__ import annotations

from pyreqwest.client import ClientBuilder

from contestants.contestant import Answer, Contestant
from works import FORM, PAYLOAD


class Pyreqwest(Contestant):
    """`pyreqwest.client.Client`. A body is a buffer of its own over Rust's memory."""

    async def open(self) -> None:
        builder = ClientBuilder().no_proxy()
        if self.work.tls:
            builder = builder.add_root_certificate_pem(self.authority())
        if not self.work.keep_alive:
            builder = builder.pool_max_idle_per_host(0)
        self.client = builder.build()

    async def close(self) -> None:
        await self.client.close()

    async def get(self, url: str) -> Answer:
        response = await self.client.get(url).build().send()
        return response.status, len(await response.bytes())

    async def get_json(self, url: str) -> Answer:
        response = await self.client.get(url).build().send()
        return response.status, len(await response.json())

    async def post_json(self, url: str) -> Answer:
        response = await self.client.post(url).body_json(PAYLOAD).build().send()
        return response.status, len(await response.bytes())

    async def post_form(self, url: str) -> Answer:
        response = await self.client.post(url).form(FORM).build().send()
        return response.status, len(await response.bytes())

    download = get

    async def download_chunks(self, url: str) -> Answer:
        length = 0
        async with self.client.get(url).build_streamed() as response:
            reader = response.body_reader
            while (chunk := await reader.read_chunk()) is not None:
                length += len(chunk)
            return response.status, length
