"""wreq with its defaults: Rust, a Tokio runtime in threads of its own."""

from __future__ import annotations

import wreq

from contestants.contestant import Answer, Contestant
from works import FORM, PAYLOAD


class Wreq(Contestant):
    """`wreq.Client`. A body is a memoryview into Rust's memory."""

    async def open(self) -> None:
        settings: wreq.wreq.ClientConfig = {"http1_only": True, "no_proxy": True}
        if self.work.tls:
            settings["tls_verify"] = wreq.CertStore.from_pem_stack(self.authority())
        if not self.work.keep_alive:
            settings["pool_max_idle_per_host"] = 0
        self.client = wreq.Client(**settings)

    async def close(self) -> None:
        self.client.close()

    async def get(self, url: str) -> Answer:
        async with self.client.get(url) as response:
            body = await response.bytes()
            return response.status.as_int(), len(body)

    async def get_json(self, url: str) -> Answer:
        async with self.client.get(url) as response:
            document = await response.json()
            return response.status.as_int(), len(document)

    async def post_json(self, url: str) -> Answer:
        async with self.client.post(url, json=PAYLOAD) as response:
            body = await response.bytes()
            return response.status.as_int(), len(body)

    async def post_form(self, url: str) -> Answer:
        async with self.client.post(url, form=FORM) as response:
            body = await response.bytes()
            return response.status.as_int(), len(body)

    download = get

    async def download_chunks(self, url: str) -> Answer:
        length = 0
        async with self.client.get(url) as response, response.stream() as stream:
            async for chunk in stream:
                length += len(chunk)
            return response.status.as_int(), length
