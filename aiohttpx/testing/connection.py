"""One connection of the loopback server: requests are answered one after the other, in the order they came."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

from multidict import CIMultiDict, CIMultiDictProxy

from ..messages import WSCloseCode
from .framing import LAST_CHUNK, chunk, frame
from .listener import AcceptedConnection, Host
from .messages import Request, Response
from .request_parser import END_OF_REQUEST, BadRequest, RequestEvent, RequestParser
from .routes import Route
from .websocket import PeerWebSocket, asks_for_websocket, opening_answer

#: Bytes of pipelined requests that are read ahead while one is being answered.
_READ_AHEAD = 262_144
#: A body up to this size goes out in one piece with its head.
_JOINED = 65_536
#: Seconds in which a client can read its last answer, and close.
_LINGER = 2.0


class ServerConnection(AcceptedConnection):
    """Answers the requests of one client.

    What a handler answers at once is sent within the read that brought the request; for an answer that must be awaited, and for a
    streamed body, there is a task, and the requests behind it wait.
    """

    def __init__(self, host: Host, find: Callable[[str], Route], max_body: int, origin: str) -> None:
        super().__init__(host)
        self._find = find  # the route of a path
        self._origin = origin
        self._max_body = max_body
        self._parser = RequestParser()
        self._current: tuple[Request, Route] | None = None
        self._content: list[bytes] = []
        self._writable = asyncio.Event()
        self._writable.set()
        self._begun = False  # the head of the current answer is sent
        self._websocket: PeerWebSocket | None = None
        self._farewell: asyncio.TimerHandle | None = None  # the last answer is sent; nothing more is read

    def data_received(self, data: bytes) -> None:
        if self._websocket is not None:
            self._websocket.feed(data)
        elif self._farewell is None:
            self._parser.feed(data)
            self._advance()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._farewell is not None:
            self._farewell.cancel()
        super().connection_lost(exc)

    def _advance(self) -> None:
        """Takes and answers requests until bytes are missing, or an answer has to be waited for."""
        try:
            while self.task is None and self._farewell is None and self._writable.is_set():
                event = self._parser.next_event()
                if event is None:
                    self.transport.resume_reading()
                    return
                self._take(event)
        except BadRequest as error:
            self._refuse(error)
        if self._farewell is None and self._parser.buffered > _READ_AHEAD:
            self.transport.pause_reading()

    def _take(self, event: RequestEvent) -> None:
        if isinstance(event, Request):
            self._begin(event)
        elif self._current is not None:
            request, route = self._current
            if isinstance(event, bytes):
                request.body_size += len(event)
                if route.keep_body:
                    self._check_size(request.body_size)
                    self._content.append(event)
            elif event is END_OF_REQUEST:
                request.body = b"".join(self._content)
                self._current = None
                self._content = []
                self._answer(request, route)

    def _begin(self, request: Request) -> None:
        if request.method == "CONNECT":
            raise BadRequest("this is no proxy", 501)
        request.origin = self._origin
        route = self._find(request.path)
        self._current = request, route
        if route.keep_body:
            self._check_size(request.content_length or 0)
        if request.expects_continue and request.content_length != 0 and not self._parser.buffered:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _check_size(self, size: int) -> None:
        if size > self._max_body:
            raise BadRequest(f"more than {self._max_body} bytes of content", 413)

    def _refuse(self, error: BadRequest) -> None:
        """Answers what is no request: the connection ends with it, since nobody knows where the next one would begin."""
        nobody = Request("GET", "*", "*", "", (1, 1), (), CIMultiDictProxy(CIMultiDict()), 0, False, False)
        self._send(nobody, Response.text(f"{error}\n", error.status))

    def _answer(self, request: Request, route: Route) -> None:
        try:
            answer = route.handler(request)
            if isinstance(answer, Response) and isinstance(answer.body, bytes) and answer.talk is None:
                self._send(request, answer)
            else:
                self.start(self._answer_later(request, answer))
        except Exception as error:
            self.fail(request, error)

    async def _answer_later(self, request: Request, answer: Response | Awaitable[Response]) -> None:
        try:
            response = answer if isinstance(answer, Response) else await answer
            if response.talk is not None:
                await self._open_websocket(request, response, response.talk)
            elif isinstance(response.body, bytes):
                self._send(request, response)
            else:
                await self._stream(request, response, response.body)
        except Exception as error:
            self.fail(request, error)
        self.task = None
        if not self.transport.is_closing():
            self._advance()

    async def _open_websocket(self, request: Request, response: Response, talk: Callable[[Any], Awaitable[None]]) -> None:
        if not asks_for_websocket(request):
            self._send(request, Response(426, [("Upgrade", "websocket")], b""))
            return
        self._begun = True
        self._websocket = websocket = PeerWebSocket(request, self.transport, self._writable)
        self.transport.write(opening_answer(request, response.headers))
        self.transport.resume_reading()
        websocket.feed(self._parser.take_rest())
        code = WSCloseCode.INTERNAL_ERROR
        try:
            await talk(websocket)
            code = WSCloseCode.OK
        finally:
            await websocket.close(code)
            self.transport.close()

    def fail(self, request: Request, error: Exception) -> None:
        """Tells the client what a handler raised: by a response, or when one has begun by cutting it short."""
        if self._begun:
            self.transport.abort()
        else:
            self._send(request, Response.text("".join(traceback.format_exception(error)), 500))

    def _send(self, request: Request, response: Response) -> None:
        """Sends a response whose body is at hand."""
        body = response.body
        if not isinstance(body, bytes):
            raise TypeError(f"a body of bytes is needed, not {body!r}")
        length = len(body) if response.length is None else response.length
        framing = frame(request, response, None if response.chunked else length)
        if framing.has_body and length != len(body):
            self._send_part(framing.head, body, length)
            return
        if not framing.has_body:
            body = b""
        elif framing.chunked:
            body = chunk(body) + LAST_CHUNK if body else LAST_CHUNK
        if len(body) <= _JOINED:
            self.transport.write(framing.head + body)
        else:
            self.transport.write(framing.head)
            self.transport.write(body)
        self._end(framing.persistent)

    def _send_part(self, head: bytes, body: bytes, length: int) -> None:
        if length < len(body):
            raise ValueError(f"a body longer than its length, {length} bytes")
        self.transport.write(head + body)
        self.transport.close()

    async def _stream(self, request: Request, response: Response, body: AsyncIterator[bytes]) -> None:
        """Sends a response whose body comes piece by piece, as fast as the client reads."""
        if not isinstance(body, AsyncIterator):
            raise TypeError(f"a body is bytes or an asynchronous iterator, not {body!r}")
        framing = frame(request, response, response.length)
        try:
            self._begun = True
            self.transport.write(framing.head)
            if framing.has_body:
                await self._stream_body(body, framing.chunked, response.length)
        finally:
            if isinstance(body, AsyncGenerator):
                await body.aclose()
        self._begun = False
        self._end(framing.persistent)

    async def _stream_body(self, body: AsyncIterator[bytes], chunked: bool, length: int | None) -> None:
        sent = 0
        async for data in body:
            sent += len(data)
            if length is not None and sent > length:
                raise ValueError(f"a body longer than its length, {length} bytes")
            if data:
                self.transport.write(chunk(data) if chunked else data)
                await asyncio.sleep(0)  # however fast the client reads, the loop has its turn, and sees it go
                await self._writable.wait()
        if length is not None and sent < length:
            raise ValueError(f"a body of {sent} bytes instead of {length}")
        if chunked:
            self.transport.write(LAST_CHUNK)

    def _end(self, persistent: bool) -> None:
        """The answer is sent: waits for the next request, or takes leave."""
        if persistent:
            return
        # Closing with unread bytes would reset the connection, and the client might never see the answer: RFC 9112, section 9.6.
        self._linger()
        self.transport.resume_reading()
        if self.transport.can_write_eof():
            with suppress(OSError):  # the client has gone meanwhile
                self.transport.write_eof()
        else:
            self.transport.close()

    def _linger(self) -> None:
        self._farewell = asyncio.get_running_loop().call_later(_LINGER, self._cut)

    def _cut(self) -> None:
        """Ends the connection, unless the client is still reading the answer."""
        if self.transport.get_write_buffer_size():
            self._linger()
        else:
            self.transport.abort()
