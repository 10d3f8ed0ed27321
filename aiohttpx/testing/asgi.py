"""A connector to an ASGI application in this process (ASGI 3: https://asgi.readthedocs.io/en/latest/specs/)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

from ..errors import ClientConnectionError
from ..messages import WSCloseCode
from ..net.connection import HTTPConnection
from ..pool.lending import Asking
from ..timeouts import ClientTimeout
from .asgi_websocket import WebSocketCall
from .fake import MemoryConnector, origin_of
from .framing import LAST_CHUNK, Framing, chunk, frame
from .lifespan import ASGIApp, Lifespan, Message, decoded
from .listener import AcceptedConnection
from .messages import Request, Response
from .request_parser import BadRequest, RequestParser
from .websocket import PeerWebSocket, asks_for_websocket

#: Bytes of a request's body that wait for the application.
_READ_AHEAD: Final = 65_536
_FRAMING: Final = frozenset({"connection", "content-length", "transfer-encoding"})


class ASGIConnector(MemoryConnector):
    """Gives every request to an ASGI 3 application in this process, whatever host it is for; no socket is opened.

        async with ClientSession("http://test/", connector=ASGIConnector(app)) as session:
            ...

    Bodies stream both ways, requests and responses are written and parsed as on a network, and an application is told when the
    client goes.

    :param app: the application.
    :param raise_app_exceptions: what the application raises, the request raises, or the reading of its body; so the end of a
        response waits until the application returns. Else the answer is 500, or cut short, as servers do it.
    :param lifespan: tell the application of its start, before the first request, and of its end, when the connector is closed.
        One that does not support that is let be.
    :param root_path: where the application is mounted.
    :param client: the address that it is told its client has.

    The other parameters are `BaseConnector`'s, but a connection is used once, unless `force_close=False`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        raise_app_exceptions: bool = True,
        lifespan: bool = True,
        root_path: str = "",
        client: tuple[str, int] = ("127.0.0.1", 123),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.app = app
        self.raise_app_exceptions = raise_app_exceptions
        self._lifespan = Lifespan(app) if lifespan else None
        self._root_path = root_path
        self._address = client

    async def _create_connection(self, req: Asking, traces: Sequence[Any], timeout: ClientTimeout) -> HTTPConnection:
        if self._lifespan is not None:
            await self._lifespan.start()
        return await super()._create_connection(req, traces, timeout)

    def accept(self, req: Asking, client: HTTPConnection) -> AcceptedConnection:
        return _ASGIConnection(self, origin_of(req.connection_key), client)

    async def close(self, *, abort_ssl: bool = False) -> None:
        await super().close(abort_ssl=abort_ssl)
        if self._lifespan is not None:
            await self._lifespan.end()

    def scope(self, request: Request) -> dict[str, Any]:
        """What the application is told of a request."""
        url = request.url
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": f"{request.version[0]}.{request.version[1]}",
            "method": request.method,
            "scheme": url.scheme,
            "path": self._root_path + request.path,
            "raw_path": (self._root_path + url.raw_path).encode(),
            "query_string": request.query.encode(),
            "root_path": self._root_path,
            "headers": [(name.lower().encode(), value.encode("utf-8", "surrogateescape")) for name, value in request.fields],
            "client": self._address,
            "server": (url.host, url.port),
            "state": {} if self._lifespan is None else dict(self._lifespan.state),
        }

    def websocket_scope(self, request: Request) -> dict[str, Any]:
        """What the application is told of a request to open a WebSocket."""
        scope = self.scope(request)
        protocols = request.headers.get("sec-websocket-protocol", "")
        scope.update(
            type="websocket",
            scheme={"http": "ws", "https": "wss"}[scope["scheme"]],
            subprotocols=[protocol for part in protocols.split(",") if (protocol := part.strip())],
        )
        del scope["method"]
        return scope


class _ASGIConnection(AcceptedConnection):
    """One connection; its requests are answered one after the other, each by a call of the application."""

    def __init__(self, connector: ASGIConnector, origin: str, client: HTTPConnection) -> None:
        super().__init__(connector)
        self._connector = connector
        self._origin = origin
        self._client = client
        self._parser = RequestParser()
        self._call: _Call | None = None  # whose request is coming in, or that is being answered
        self._websocket: PeerWebSocket | None = None
        self.writable = asyncio.Event()
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        if self._websocket is not None:
            self._websocket.feed(data)
        else:
            self._parser.feed(data)
            self.advance()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def disconnected(self, task: asyncio.Task[None]) -> None:
        """The application is told, and ends by itself."""
        self.writable.set()
        if self._websocket is not None:
            self._websocket.feed_eof()
        elif self._call is not None:
            self._call.told_end()

    async def wait_closed(self) -> None:
        if self.task is not None:
            self.task.cancel()
        await super().wait_closed()

    def advance(self) -> None:
        """Take what came, as far as the application keeps up with it."""
        try:
            while self._call is None or not self._call.request_complete:
                event = self._parser.next_event()
                if event is None:
                    break
                if isinstance(event, Request):
                    event.origin = self._origin
                    if asks_for_websocket(event):
                        self._open_websocket(event)
                        return
                    self._call = _Call(self, event, self._connector.raise_app_exceptions)
                    self.start(self._answer(self._call, event))
                elif self._call is not None:
                    self._call.received(event if isinstance(event, bytes) else None)
        except BadRequest as error:
            self._client.fail(ClientConnectionError(f"Not a request: {error}"))
            return
        behind = self._parser.buffered if self._call is None else self._call.waiting + self._parser.buffered
        self.transport.pause_reading() if behind > _READ_AHEAD else self.transport.resume_reading()

    def _open_websocket(self, request: Request) -> None:
        call = WebSocketCall(request, self.transport, self.writable)
        self._websocket = call.websocket
        self._websocket.feed(self._parser.take_rest())
        self.start(self._talk(call, request))

    async def _talk(self, call: WebSocketCall, request: Request) -> None:
        connector = self._connector
        try:
            await connector.app(connector.websocket_scope(request), call.receive, call.send)
        except Exception as error:
            if connector.raise_app_exceptions and not call.answered:
                self._client.fail(error)
            await call.finish(WSCloseCode.INTERNAL_ERROR)
        else:
            await call.finish()

    async def _answer(self, call: _Call, request: Request) -> None:
        connector = self._connector
        try:
            await connector.app(connector.scope(request), call.receive, call.send)
            call.finish()
        except Exception as error:
            if not connector.raise_app_exceptions:
                call.fail()
            elif not call.gone:
                self._client.fail(error)
        self.task = self._call = None
        if not self.transport.is_closing():
            self.advance()


class _Call:
    """One call of the application: its `receive`, and its `send`."""

    def __init__(self, connection: _ASGIConnection, request: Request, waits: bool) -> None:
        self._connection = connection
        self._request = request
        self._waits = waits  # the end of the response waits until the application returns
        self._content: deque[bytes] = deque()
        self._told_all = False
        self._news = asyncio.Event()
        self.gone = False  # the client
        self._head: Response | None = None
        self._framing: Framing | None = None
        self._begun = False  # something of the response is on its way
        self._left: int | None = None  # bytes that the announced length still has
        self._end: bytes | None = None  # the last piece that is sent
        self._ended = False
        self.waiting = 0
        self.request_complete = False

    # -- the request

    def received(self, content: bytes | None) -> None:
        """A part of the request's content has come; None: its end."""
        if content is None:
            self.request_complete = True
        else:
            self._content.append(content)
            self.waiting += len(content)
        self._news.set()

    def told_end(self) -> None:
        """The client has gone."""
        self.gone = True
        self._news.set()

    async def receive(self) -> Message:
        """What the application asks for: the request's content, and then whether the client has gone."""
        request = self._request
        if request.expects_continue and not self.request_complete and self._head is None:
            request.expects_continue = False
            self._connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not (self._content or self.gone or self._ended or (self.request_complete and not self._told_all)):
            self._news.clear()
            await self._news.wait()
        if self._content:
            content = b"".join(self._content)
            self._content.clear()
            self.waiting = 0
            self._told_all = self.request_complete
            self._connection.advance()
            return {"type": "http.request", "body": content, "more_body": not self._told_all}
        if self.gone or self._ended:
            return {"type": "http.disconnect"}
        self._told_all = True
        return {"type": "http.request", "body": b"", "more_body": False}

    # -- the response

    async def send(self, message: Message) -> None:
        """What the application answers. Raises `OSError` when the client has gone, `RuntimeError` for what it may not say now."""
        kind = message["type"]
        if self.gone:
            raise ConnectionResetError("the client has gone")
        if kind == "http.response.start" and self._head is None:
            self._start(message["status"], message.get("headers", ()))
        elif kind == "http.response.body" and self._head is not None and not self._ended:
            await self._body(bytes(message.get("body", b"")), message.get("more_body", False))
        else:
            raise RuntimeError(f"ASGI message {kind!r} is not expected here")

    def _start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        fields = decoded(headers)
        lengths = [value for name, value in fields if name.lower() == "content-length"]
        self._left = int(lengths[0]) if lengths else None
        self._head = Response(status, [(name, value) for name, value in fields if name.lower() not in _FRAMING])

    async def _body(self, body: bytes, more: bool) -> None:
        connection = self._connection
        out = b""
        if self._framing is None:
            if self._left is None and not more:
                self._left = len(body)
            self._framing = frame(self._request, self._head, self._left)  # type: ignore[arg-type]
            out = self._framing.head
        if self._framing.has_body:
            if self._left is not None:
                self._left -= len(body)
                if self._left < 0 or (self._left and not more):
                    raise RuntimeError("the body does not have the length that Content-Length says")
            out += chunk(body) if body and self._framing.chunked else body
            if self._framing.chunked and not more:
                out += LAST_CHUNK
        if more:
            self._begun = True
            connection.transport.write(out)
            await asyncio.sleep(0)  # the client has its turn, whatever the application does
            await connection.writable.wait()
        else:
            self._end, self._ended = out, True
            self._news.set()
            if not self._waits:
                self.finish()

    def finish(self) -> None:
        """The application has returned, or the end of its response need not wait for that."""
        if not self._ended:
            if not self.gone:
                raise RuntimeError("the application has returned without a whole response")
        elif self._end is not None:
            self._begun = True
            self._connection.transport.write(self._end)
            self._end = None
            if self._framing is not None and not self._framing.persistent:
                self._connection.transport.write_eof()

    def fail(self) -> None:
        """The application has raised: say so, or cut what was begun."""
        if not self._begun and not self.gone:
            body = b"Internal Server Error"
            head = frame(self._request, Response(500, [("Content-Type", "text/plain")], close=True), len(body)).head
            self._connection.transport.write(head + (b"" if self._request.method == "HEAD" else body))
            self._connection.transport.write_eof()
        elif not self._ended:
            self._connection.transport.abort()
