"""A server that opens WebSockets as it is told, and then says and hears what a test wants, byte for byte."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from aiohttpx._impl import FrameParser, serialize_frame
from aiohttpx.messages import WSMessage, WSMsgType
from aiohttpx.wire.handshake import accept_key

HEAD = b"""\
HTTP/1.1 101 Switching Protocols\r
Upgrade: websocket\r
Connection: Upgrade\r
Sec-WebSocket-Accept: %(accept)s\r
%(more)s\r
"""


class Talk:
    """One connection, as the server has it. `heard` is all that came after the request, byte for byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request = b""
        self.heard = b""
        self._reader = reader
        self._writer = writer
        self._messages: list[Any] = []

    def field(self, name: str) -> str | None:
        for line in self.request.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.decode().lower() == name.lower():
                return value.strip().decode()
        return None

    async def open(self, head: bytes = HEAD, more: bytes = b"", early: bytes = b"") -> None:
        """Read the request and answer it; `more` are further fields, `early` goes out with the head."""
        self._parser = FrameParser(deflate=b"permessage-deflate" in more, masked=True)
        self.request = await self._reader.readuntil(b"\r\n\r\n")
        accept = accept_key(self.field("Sec-WebSocket-Key") or "").encode()
        await self.write(head.replace(b"%(accept)s", accept).replace(b"%(more)s", more) + early)

    async def write(self, data: bytes, cut: int | None = None) -> None:
        for at in range(0, len(data), cut or len(data) or 1):
            self._writer.write(data[at : at + (cut or len(data))])
            await self._writer.drain()
            if cut:
                await asyncio.sleep(0)

    async def say(self, opcode: int, payload: bytes | str = b"", **options: Any) -> None:
        await self.write(frame(opcode, payload, **options))

    async def hear(self) -> WSMessage:
        """The next message of the client."""
        while not self._messages:
            data = await self._reader.read(65536)
            if not data:
                raise EOFError("the client has ended the connection")
            self.heard += data
            self._messages += self._parser.feed(data)
        message: WSMessage = self._messages.pop(0)
        return message

    async def hear_end(self) -> None:
        """Wait for the client to end the connection."""
        while data := await self._reader.read(65536):
            self.heard += data

    def reset(self) -> None:
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def close(self) -> None:
        self._writer.close()

    def __repr__(self) -> str:
        return f"<Talk heard={self.heard!r}>"


Serve = Callable[[Talk], Awaitable[None]]


def frame(opcode: int, payload: bytes | str = b"", **options: Any) -> bytes:
    """A server's frame."""
    return serialize_frame(opcode, payload.encode() if isinstance(payload, str) else payload, b"", **options)


def close_frame(code: int = 1000, reason: str = "") -> bytes:
    return frame(WSMsgType.CLOSE, code.to_bytes(2) + reason.encode())


async def say_nothing(talk: Talk) -> None:
    await talk.open()
    await talk.hear_end()


async def echo(talk: Talk) -> None:
    """Open, and send back what comes, up to and with the close frame."""
    await talk.open()
    while (message := await talk.hear()).type != WSMsgType.CLOSE:
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            await talk.say(message.type, message.data)
    await talk.write(close_frame(message.data) if message.data else frame(WSMsgType.CLOSE))
    await talk.hear_end()


class WebSocketPeer:
    """Serves every connection by `serve`; what that raises is raised again when the peer ends."""

    def __init__(self, serve: Serve = echo, ssl_context: ssl.SSLContext | None = None) -> None:
        self.talks: list[Talk] = []
        self._serve = serve
        self._context = ssl_context
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> WebSocketPeer:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._context)
        self.url = f"{'wss' if self._context else 'ws'}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(self, kind: object, *error: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            done, _ = await asyncio.wait([task], timeout=0 if kind else 5)
            if not done:
                task.cancel()
                await asyncio.wait([task])
                if not kind:
                    raise AssertionError(f"the peer still talks: {self.talks}")
            elif not kind:
                task.result()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = Talk(reader, writer)
        self.talks.append(talk)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError):  # the client may go when it has heard enough
                await self._serve(talk)
        finally:
            writer.close()
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1)
            writer.transport.abort()


async def until(condition: Callable[[], object]) -> None:
    """Let others have their turns until it is so."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0)


@contextmanager
def websocket_in_thread(serve: Serve) -> Iterator[str]:
    """The URL of a peer that has a thread, and a loop, of its own."""
    peer, started, loop = WebSocketPeer(serve), threading.Event(), asyncio.new_event_loop()
    ended: asyncio.Event = asyncio.Event()

    async def run() -> None:
        async with peer:
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        started.wait()
        yield peer.url
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
