"""WebSockets of ASGI applications (ASGI, WebSocket Connection Scope)."""

from __future__ import annotations

import asyncio

from ..messages import WSCloseCode, WSMsgType
from .framing import frame
from .lifespan import Message
from .messages import Request, Response
from .websocket import PeerWebSocket, opening_answer


class WebSocketCall:
    """One call of the application for a WebSocket: its `receive`, and its `send`."""

    def __init__(self, request: Request, transport: asyncio.Transport, writable: asyncio.Event) -> None:
        self.websocket = PeerWebSocket(request, transport, writable)
        self._request = request
        self._transport = transport
        self._connecting = True  # the application has not asked for anything yet
        self.answered = False  # opened, or refused

    async def receive(self) -> Message:
        """What the application asks for."""
        if self._connecting:
            self._connecting = False
            return {"type": "websocket.connect"}
        while (message := await self.websocket.receive()).type is WSMsgType.PONG:
            pass
        if message.type is WSMsgType.CLOSE:
            return {"type": "websocket.disconnect", "code": self.websocket.close_code, "reason": message.extra or ""}
        return {"type": "websocket.receive", "text" if message.type is WSMsgType.TEXT else "bytes": message.data}

    async def send(self, message: Message) -> None:
        """What the application answers. Raises `OSError` when it is closed, `RuntimeError` for what it may not say now."""
        kind = message["type"]
        if kind == "websocket.accept" and not self.answered:
            protocol = message.get("subprotocol")
            fields = [
                (name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in message.get("headers", ())
            ]
            self._answer(opening_answer(self._request, fields + ([("Sec-WebSocket-Protocol", protocol)] if protocol else [])))
        elif kind == "websocket.close" and not self.answered:
            self.refuse(403)
        elif kind == "websocket.close":
            self.websocket.start_closing(message.get("code", WSCloseCode.OK), message.get("reason") or "")
        elif kind == "websocket.send" and self.answered:
            text = message.get("text")
            await (self.websocket.send_bytes(message["bytes"]) if text is None else self.websocket.send_str(text))
        else:
            raise RuntimeError(f"ASGI message {kind!r} is not expected here")

    def refuse(self, status: int) -> None:
        """Open no WebSocket."""
        self._answer(frame(self._request, Response(status, close=True), 0).head)
        self.websocket.feed_eof()

    def _answer(self, head: bytes) -> None:
        self.answered = True
        self._transport.write(head)

    async def finish(self, code: int = WSCloseCode.OK) -> None:
        """The application has returned."""
        if not self.answered:
            self.refuse(500)
        elif self.websocket.close_code is None:
            await self.websocket.close(code)
        self._transport.close()
