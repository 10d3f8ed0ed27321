"""A small HTTP proxy for tests: it forwards requests, opens tunnels, and keeps what it is told."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Relay:
    """A proxy on this machine that leads everything to one origin, whatever host it is asked for.

    :param port: of the origin, on 127.0.0.1.
    :param context: speak TLS to clients.
    :ivar heads: what each connection began with.
    """

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        self.heads: list[bytes] = []
        self._scheme = "http" if context is None else "https"
        self._origin = port
        self._context = context
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Relay:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{self._scheme}://localhost:{self.port}"
        return self

    async def __aexit__(self, *args: Any) -> None:
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        writers = [writer]
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            answers, requests = await asyncio.open_connection("127.0.0.1", self._origin)
            writers.append(requests)
            if head.startswith(b"CONNECT "):
                writer.write(ESTABLISHED)
            else:
                requests.write(head)
            await asyncio.gather(_pass_on(reader, requests), _pass_on(answers, writer))
        except (asyncio.CancelledError, asyncio.IncompleteReadError, OSError):
            pass
        finally:
            for each in writers:
                each.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(2**16):
        writer.write(data)
        await writer.drain()
    writer.close()
