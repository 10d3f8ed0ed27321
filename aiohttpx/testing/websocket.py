"""The server's side of a WebSocket (RFC 6455), as handlers have it."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

from .._impl import FrameParser, serialize_frame
from ..errors import WebSocketError
from ..messages import WSCloseCode, WSMessage, WSMsgType
from ..wire.handshake import accept_key
from ..wire.websocket import serialize_close
from .messages import Request

#: What stands for a close frame without a code (section 7.1.5).
_NO_STATUS: Final = 1005


class PeerWebSocket:
    """What the handler of a `Response.websocket` is given.

    Pings are answered, and a close frame too, by itself. Iteration gives TEXT and BINARY messages until the client closes.

    :ivar request: the request that opened it.
    :ivar close_code: the client's, when it has closed; 1006 when it has just gone.
    """

    def __init__(self, request: Request, transport: asyncio.Transport, writable: asyncio.Event) -> None:
        self.request = request
        self.close_code: int | None = None
        self._transport = transport
        self._writable = writable
        self._parser = FrameParser(masked=True)
        self._messages: deque[Any] = deque()
        self._news = asyncio.Event()
        self._close_sent = False

    @property
    def closed(self) -> bool:
        """It is, or is being, closed by either side."""
        return self._close_sent or self.close_code is not None

    async def receive(self) -> WSMessage:
        """The next message: TEXT, BINARY, PONG, or at last CLOSE, whose `data` is the code and whose `extra` the reason."""
        while not self._messages:
            self._news.clear()
            await self._news.wait()
        message: WSMessage = self._messages[0] if self._messages[0].type is WSMsgType.CLOSE else self._messages.popleft()
        return message

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> WSMessage:
        while (message := await self.receive()).type is WSMsgType.PONG:
            pass
        if message.type is WSMsgType.CLOSE:
            raise StopAsyncIteration
        return message

    async def send_str(self, text: str) -> None:
        """Send text. Raises `ConnectionResetError` when it is closed, as the other `send` methods do."""
        await self._send(WSMsgType.TEXT, text.encode())

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes."""
        await self._send(WSMsgType.BINARY, data)

    async def send_json(self, value: Any) -> None:
        """Send a value as JSON."""
        await self.send_str(json.dumps(value))

    async def ping(self, data: bytes = b"") -> None:
        """Send a ping; the answer is a PONG message."""
        await self._send(WSMsgType.PING, data)

    async def close(self, code: int = WSCloseCode.OK, reason: str = "") -> None:
        """Close it, and wait until the client has closed it too."""
        self.start_closing(code, reason)
        while (await self.receive()).type is not WSMsgType.CLOSE:
            pass

    async def _send(self, opcode: int, payload: bytes) -> None:
        if self.closed:
            raise ConnectionResetError("Cannot write to a closed WebSocket")
        self._transport.write(serialize_frame(opcode, payload, b""))
        await self._writable.wait()

    def start_closing(self, code: int = WSCloseCode.OK, reason: str = "") -> None:
        """The part of `close` that does not wait."""
        if not self._close_sent:
            self._close_sent = True
            payload = b"" if code == _NO_STATUS else serialize_close(code, reason)
            self._transport.write(serialize_frame(WSMsgType.CLOSE, payload, b""))

    # -- what comes

    def feed(self, data: bytes) -> None:
        """Take what the client has sent."""
        try:
            messages: list[Any] = [*self._parser.feed(data)]
        except WebSocketError as error:
            messages = [*error.messages, WSMessage(WSMsgType.CLOSE, error.code, str(error))]
        for message in messages:
            if message.type is WSMsgType.PING:
                if not self.closed:
                    self._transport.write(serialize_frame(WSMsgType.PONG, message.data, b""))
                continue
            if message.type is WSMsgType.CLOSE:
                code = self.close_code = message.data or _NO_STATUS
                self.start_closing(code)
            self._messages.append(message)
        self._news.set()

    def feed_eof(self) -> None:
        """The client has gone."""
        if self.close_code is None:
            self.close_code = WSCloseCode.ABNORMAL_CLOSURE
            self._messages.append(WSMessage(WSMsgType.CLOSE, self.close_code, ""))
            self._news.set()


def asks_for_websocket(request: Request) -> bool:
    """The request wants to open a WebSocket (section 4.2.1)."""
    return request.headers.get("upgrade", "").lower() == "websocket" and "sec-websocket-key" in request.headers


def opening_answer(request: Request, fields: Mapping[str, str] | Iterable[tuple[str, str]]) -> bytes:
    """The head that opens a WebSocket (section 4.2.2)."""
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(request.headers['sec-websocket-key'])}",
        *(f"{name}: {value}" for name, value in pairs),
    ]
    return "\r\n".join((*lines, "\r\n")).encode("utf-8", "surrogateescape")
