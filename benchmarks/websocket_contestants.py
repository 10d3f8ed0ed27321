"""Who takes part in compare_websockets.py: each opens a WebSocket, sends bytes and receives them, and takes a flood."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from aiohttpx._impl import serialize_frame


class Aiohttp:
    """aiohttp with its defaults, and whatever has its API."""

    package = "aiohttp"
    deflates = True

    async def open(self, url: str, deflate: bool) -> None:
        self.session = importlib.import_module(self.package).ClientSession()
        self.ws = await self.session.ws_connect(url, compress=15 if deflate else 0)

    async def close(self) -> None:
        await self.ws.close()
        await self.session.close()

    async def echo(self, data: bytes) -> bytes:
        await self.ws.send_bytes(data)
        received: bytes = (await self.ws.receive()).data
        return received

    async def flood(self, count: int) -> int:
        await self.ws.send_bytes(b"flood %d" % count)
        size = 0
        async for message in self.ws:
            size += len(message.data)
            count -= 1
            if not count:
                break
        return size


class Aiohttpx(Aiohttp):
    package = "aiohttpx"


class Limit(asyncio.Protocol):
    """What asyncio itself takes: the same frame is written again and again, and the bytes of the answer are only counted."""

    deflates = False

    async def open(self, url: str, deflate: bool) -> None:
        self.loop = asyncio.get_running_loop()
        _, _, where = url.partition("//")
        host, _, port = where.rstrip("/").partition(":")
        self.left, self.frame = 1, b""
        self.done = self.loop.create_future()
        self.transport, _ = await self.loop.create_connection(lambda: self, host, int(port))
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bm9ib2R5J3Mga2V5IGF0YQ==\r\n"
        self.transport.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n{upgrade}{key}\r\n".encode())
        await self.done

    def data_received(self, data: bytes) -> None:
        self.left -= len(data)
        if self.left <= 0:
            self.done.set_result(None)

    async def close(self) -> None:
        self.transport.abort()

    async def _take(self, size: int, data: bytes) -> None:
        if not self.frame.endswith(data):
            self.frame = serialize_frame(2, data, bytes(4))
        self.left = size
        self.done = self.loop.create_future()
        self.transport.write(self.frame)
        await self.done

    async def echo(self, data: bytes) -> bytes:
        size = len(data)
        await self._take(size + (2 if size < 126 else 4 if size < 2**16 else 10), data)
        return data

    async def flood(self, count: int) -> int:
        await self._take(260 * count, b"flood %d" % count)
        return 256 * count


class Picows:
    """picows as it is meant to be used: a listener that is called for each frame."""

    deflates = False

    async def open(self, url: str, deflate: bool) -> None:
        picows = importlib.import_module("picows")

        class Listener(picows.WSListener):  # type: ignore[name-defined, misc]
            left, size, data = 0, 0, b""

            def on_ws_frame(self, transport: Any, frame: Any) -> None:
                if self.left:
                    self.data = frame.get_payload_as_bytes()
                    self.size += len(self.data)
                    self.left -= 1
                    if not self.left:
                        self.done.set_result(None)

        self.kinds = picows.WSMsgType
        self.transport, self.listener = await picows.ws_connect(Listener, url, max_frame_size=2**24)
        self.loop = asyncio.get_running_loop()

    async def close(self) -> None:
        self.transport.send_close(1000)
        self.transport.disconnect()

    async def _take(self, count: int, data: bytes) -> None:
        listener = self.listener
        listener.left, listener.size, listener.done = count, 0, self.loop.create_future()
        self.transport.send(self.kinds.BINARY, data)
        await listener.done

    async def echo(self, data: bytes) -> bytes:
        await self._take(1, data)
        received: bytes = self.listener.data
        return received

    async def flood(self, count: int) -> int:
        await self._take(count, b"flood %d" % count)
        size: int = self.listener.size
        return size


class PicowsAwait:
    """picows' API of the manner of `websockets`: `await recv()`."""

    deflates = True

    async def open(self, url: str, deflate: bool) -> None:
        connect = importlib.import_module("picows.websockets").connect
        self.ws = await connect(url, max_size=None, compression="deflate" if deflate else None)

    async def close(self) -> None:
        await self.ws.close()

    async def echo(self, data: bytes) -> bytes:
        await self.ws.send(data)
        received: bytes = await self.ws.recv()
        return received

    async def flood(self, count: int) -> int:
        await self.ws.send(b"flood %d" % count)
        size = 0
        async for message in self.ws:
            size += len(message)
            count -= 1
            if not count:
                break
        return size


class Wreq:
    """wreq with its defaults: Rust, a Tokio runtime in threads of its own."""

    deflates = False

    async def open(self, url: str, deflate: bool) -> None:
        self.wreq = importlib.import_module("wreq")
        self.ws = await self.wreq.websocket(url)

    async def close(self) -> None:
        await self.ws.close()

    async def echo(self, data: bytes) -> bytes:
        await self.ws.send(self.wreq.Message.from_binary(data))
        received: bytes = (await self.ws.recv()).data
        return received

    async def flood(self, count: int) -> int:
        await self.ws.send(self.wreq.Message.from_binary(b"flood %d" % count))
        size = 0
        for _ in range(count):
            size += len((await self.ws.recv()).data)
        return size


CONTESTANTS: dict[str, type[Any]] = {
    "aiohttpx": Aiohttpx,
    "aiohttp": Aiohttp,
    "limit": Limit,
    "picows": Picows,
    "picows-await": PicowsAwait,
    "wreq": Wreq,
}
#: Whose versions to tell, where they are not the contestant's name.
DISTRIBUTIONS: dict[str, list[str]] = {"picows-await": [], "limit": []}
