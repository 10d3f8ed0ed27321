"""The least that an asyncio client can cost: build the request, parse in C, await one future for each response."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from collections.abc import AsyncIterator
from typing import BinaryIO, Final, cast

from aiohttpx._impl import ResponseParser
from aiohttpx.events import END_OF_MESSAGE, ResponseHead
from contestants.contestant import Answer, Contestant
from contestants.floor_request import build_request, connect

_PIECE: Final = 2**18


class FloorAwait(Contestant):
    """A pool that is a list, and connections that know nothing of timeouts, redirects, cookies or header objects."""

    async def open(self) -> None:
        self.context = self.tls_context() if self.work.tls else None
        self.origin = self.site.https if self.work.tls else self.site.http
        self.idle: list[_Connection] = []

    async def close(self) -> None:
        for connection in self.idle:
            connection.transport.close()

    async def get(self, url: str) -> Answer:
        status, body = await self._fetch(url)
        return status, len(body)

    post_json = post_form = download = get

    async def upload(self, url: str) -> Answer:
        connection = self.idle.pop() if self.idle else await self._connect()
        body = await connection.upload(url, self.open_file())
        self._give_back(connection)
        return connection.status, len(body)

    upload_form = upload  # but for some hundred bytes

    async def get_json(self, url: str) -> Answer:
        status, body = await self._fetch(url)
        return status, len(json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body))

    async def download_chunks(self, url: str) -> Answer:
        connection = self.idle.pop() if self.idle else await self._connect()
        length = 0
        async for chunk in connection.iterate(build_request(self.work, url)):
            length += len(chunk)
        self._give_back(connection)
        return connection.status, length

    async def _fetch(self, url: str) -> tuple[int, bytes]:
        connection = self.idle.pop() if self.idle else await self._connect()
        body = await connection.fetch(build_request(self.work, url))
        self._give_back(connection)
        return connection.status, body

    async def _connect(self) -> _Connection:
        return await connect(_Connection, self.origin, self.context)

    def _give_back(self, connection: _Connection) -> None:
        if self.work.keep_alive:
            self.idle.append(connection)
        else:
            connection.transport.close()


class _Connection(asyncio.Protocol):
    """One connection and the response that is coming over it."""

    transport: asyncio.Transport
    status = 0
    ended = False
    streaming = False

    def __init__(self) -> None:
        self.parser = ResponseParser()
        self.content: list[bytes] = []
        self.loop = asyncio.get_running_loop()
        self.news: asyncio.Future[None] | None = None
        self.full: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.news is not None and not self.news.done():
            self.news.set_exception(error or ConnectionResetError("the server ended the connection"))

    async def fetch(self, request: bytes) -> bytes:
        """Write a request; the body of the response."""
        self.content, self.ended, self.streaming = [], False, False
        self.news = self.loop.create_future()
        self.parser.expect("GET")
        self.transport.write(request)
        await self.news
        return self.content[0] if len(self.content) == 1 else b"".join(self.content)

    async def upload(self, url: str, file: BinaryIO) -> bytes:
        """Post a file, read in large pieces; the body of the response."""
        authority, _, target = url.partition("://")[2].partition("/")
        size = os.fstat(file.fileno()).st_size
        self.transport.write(f"POST /{target} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: {size}\r\n\r\n".encode())
        with file:
            while piece := file.read(_PIECE):
                if self.full is not None:
                    await self.full
                self.transport.write(piece)
        return await self.fetch(b"")

    def pause_writing(self) -> None:
        self.full = self.loop.create_future()

    def resume_writing(self) -> None:
        if self.full is not None:
            self.full.set_result(None)
            self.full = None

    async def iterate(self, request: bytes) -> AsyncIterator[bytes]:
        """Write a request; the body of the response in the pieces that come from the socket."""
        self.content, self.ended, self.streaming = [], False, True
        self.parser.expect("GET")
        self.transport.write(request)
        while self.content or not self.ended:
            if not self.content:
                self.news = self.loop.create_future()
                await self.news
            pieces, self.content = self.content, []
            for piece in pieces:
                yield piece

    def data_received(self, data: bytes) -> None:
        for event in self.parser.feed(data):
            if type(event) is bytes:
                self.content.append(event)
            elif type(event) is ResponseHead:
                self.status = event.status
            elif event is END_OF_MESSAGE:
                self.ended = True
        if (self.ended or self.streaming) and self.news is not None and not self.news.done():
            self.news.set_result(None)
