"""`ClientWebSocketResponse`: a WebSocket as its user has it (RFC 6455)."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Generic, Literal, Self, TypeVar, overload

from .._impl import serialize_frame
from ..errors import ClientConnectionResetError, WebSocketError, WSMessageTypeError
from ..message.response import ClientResponse
from ..messages import Deflated, WSCloseCode, WSMessage, WSMessageTextBytes, WSMsgType
from ..net.heartbeat import Heartbeat
from ..net.timer import timer_of
from ..net.websocket import WebSocketReader, WebSocketWriter
from ..timeouts import ClientWSTimeout
from ..typedefs import DEFAULT_JSON_ENCODER, Byteish, JSONBytesEncoder, JSONEncoder

WS_CLOSED_MESSAGE: Final = WSMessage(WSMsgType.CLOSED, None, None)
WS_CLOSING_MESSAGE: Final = WSMessage(WSMsgType.CLOSING, None, None)

_LAST: Final = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED})
_CLOSE: Final = WSMsgType.CLOSE  # the first opcode that is not data's
_TEXT, _BINARY = WSMsgType.TEXT, WSMsgType.BINARY

#: Literal[True]: TEXT comes as str; Literal[False]: as bytes.
DecodeText = TypeVar("DecodeText", bound=bool, covariant=True)
Decoded = TypeVar("Decoded")
Received = WSMessage | WSMessageTextBytes


class ClientWebSocketResponse(Generic[DecodeText]):
    """An open WebSocket: one task receives, any number of tasks send. Instances are made by `ClientSession.ws_connect`.

    Iterate over it for its messages, up to its end; `async with` closes it. Sending raises `ClientConnectionResetError` when it
    is closed, and waits while the peer takes no more.
    """

    _waiting = False  # a task receives
    _closing = False  # a close frame was received, or sent
    _closed = False
    _close_code: int | None = None
    _exception: BaseException | None = None
    _heartbeat: Heartbeat | None = None

    def __init__(
        self,
        reader: WebSocketReader,
        writer: WebSocketWriter,
        protocol: str | None,
        response: ClientResponse,
        timeout: ClientWSTimeout,
        autoclose: bool,
        autoping: bool,
        loop: asyncio.AbstractEventLoop,
        *,
        heartbeat: float | None = None,
        compress: int = 0,
        client_notakeover: bool = False,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._messages = reader.messages
        self._protocol = protocol
        self._response = response
        self._conn = response.hand_over()
        self._timeout = timeout
        self._limit = timeout.ws_receive
        self._autoclose = autoclose
        self._autoping = autoping
        self._loop = loop
        self._compress = compress
        self._client_notakeover = client_notakeover
        if heartbeat:
            self._heartbeat = Heartbeat(reader, writer, heartbeat, timer_of(loop))

    def __repr__(self) -> str:
        state = f"closed {self.close_code}" if self.closed else "open"
        return f"<{type(self).__name__} {self._response.url} {state}>"

    def __del__(self) -> None:
        conn = getattr(self, "_conn", None)
        if conn is None or conn.protocol is None or self._closed or self._reader.left or self._loop.is_closed():
            return
        text = f"Unclosed WebSocket {self!r}"
        if self._heartbeat is not None:
            self._heartbeat.stop()
        conn.close()
        warnings.warn(text, ResourceWarning, source=self, stacklevel=1)

    # -- what it is

    @property
    def closed(self) -> bool:
        """Nothing more can be sent, nor received."""
        return self._closed or (self._reader.ended and not self._messages)

    @property
    def close_code(self) -> int | None:
        """Why it was closed: the peer's close code, 0 when that gave none, 1006 when the connection ended without a close frame,
        what was sent when the peer broke the protocol. None as long as it is open."""
        if self._close_code is None and self._reader.ended and not self._closed:
            error = self._reader.error
            return _close_code(error.code) if isinstance(error, WebSocketError) else WSCloseCode.ABNORMAL_CLOSURE
        return self._close_code

    def exception(self) -> BaseException | None:
        """What the connection failed with, if it did."""
        if self._exception is None and self._reader.ended and not self._closed:
            return None if isinstance(self._reader.error, WebSocketError) else self._reader.error
        return self._exception

    @property
    def protocol(self) -> str | None:
        """The subprotocol that the server has chosen."""
        return self._protocol

    @property
    def compress(self) -> int:
        """The bits of the window that messages are compressed with; 0 when they are not."""
        return self._compress

    @property
    def client_notakeover(self) -> bool:
        """Messages are compressed each for itself."""
        return self._client_notakeover

    @property
    def latency(self) -> float | None:
        """Seconds from the last ping that was answered, the heartbeat's or one of `ping`, to its pong; None before that."""
        return self._reader.latency

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the transport knows under this name: "peername", "socket", "ssl_object" ..."""
        transport = None if self._closed or self._conn is None or self._conn.protocol is None else self._conn.protocol.transport
        return default if transport is None else transport.get_extra_info(name, default)

    # -- sending

    async def ping(self, message: bytes = b"") -> None:
        """Send a ping with up to 125 bytes."""
        await self._writer.send_frame(_control(message), WSMsgType.PING)

    async def pong(self, message: bytes = b"") -> None:
        """Send a pong with up to 125 bytes. Pings are answered by themselves unless `autoping=False`."""
        await self._writer.send_frame(_control(message), WSMsgType.PONG)

    async def send_frame(self, message: bytes, opcode: WSMsgType, compress: int | None = None) -> None:
        """Send `message` in one frame of this opcode. `compress=0`: not compressed, even if that was agreed on."""
        await self._writer.send_frame(message if opcode < _CLOSE else _control(message), opcode, compress)

    async def send_str(self, data: str, compress: int | None = None) -> None:
        """Send text. Raises `TypeError` for what is no str."""
        writer = self._writer
        if type(data) is str and len(data) <= writer.at_once:
            writer.send(serialize_frame(_TEXT, data))
            if writer.paused:
                await writer.drain()
        elif isinstance(data, str):
            await writer.send_frame(data.encode(), _TEXT, compress)
        else:
            raise TypeError(f"data argument must be str ({type(data)!r})")

    async def send_bytes(self, data: Byteish, compress: int | None = None) -> None:
        """Send bytes. Raises `TypeError` for anything else."""
        writer = self._writer
        if type(data) is bytes and len(data) <= writer.at_once:
            writer.send(serialize_frame(_BINARY, data))
            if writer.paused:
                await writer.drain()
        elif isinstance(data, (bytes, bytearray, memoryview)):
            await writer.send_frame(data, _BINARY, compress)
        else:
            raise TypeError(f"data argument must be byte-ish ({type(data)!r})")

    async def send_json(self, data: Any, compress: int | None = None, *, dumps: JSONEncoder = DEFAULT_JSON_ENCODER) -> None:
        """Send the text that `dumps` makes of `data`."""
        await self.send_str(dumps(data), compress)

    async def send_json_bytes(self, data: Any, compress: int | None = None, *, dumps: JSONBytesEncoder) -> None:
        """Send the bytes that `dumps` makes of `data`."""
        await self.send_bytes(dumps(data), compress)

    # -- receiving

    @overload
    async def receive(self: ClientWebSocketResponse[Literal[True]], timeout: float | None = None) -> WSMessage: ...
    @overload
    async def receive(self, timeout: float | None = None) -> Received: ...
    async def receive(self, timeout: float | None = None) -> Received:
        """The next message. After the last one, and again and again, one of type CLOSED.

        :param timeout: seconds to wait for it; otherwise `ClientWSTimeout.ws_receive` counts.

        A violation of the protocol is an ERROR message whose `data` is the `WebSocketError`. Raises TimeoutError, after which it
        goes on as before; RuntimeError when another task receives.
        """
        if self._waiting:
            raise RuntimeError("Concurrent call to receive() is not allowed")
        reader, messages = self._reader, self._messages
        if not messages and reader.plain and not (timeout or self._limit):
            self._waiting = True
            try:
                await reader.news()
            finally:
                self._waiting = False
        if not messages or not reader.plain:
            return await self._receive(timeout)
        message = messages.popleft()
        if not messages and reader.paused:
            reader.resume()
        return message  # type: ignore[return-value]

    async def _receive(self, timeout: float | None) -> Received:
        """The next message, in all other cases: within a limit, inflated, with what follows from it, or after the last one."""
        self._waiting = True
        reader, messages = self._reader, self._messages
        try:
            while True:
                if not messages:
                    if self._closing or reader.ended:
                        break
                    seconds = timeout or self._limit
                    await (reader.wait(seconds) if seconds else reader.news())
                    continue
                message = messages.popleft()
                if not messages and reader.paused:
                    reader.resume()
                received = reader.inflate(message) if isinstance(message, Deflated) else message
                if received is None:
                    await asyncio.sleep(0)
                    continue
                if received[0] == _CLOSE:
                    await self._close_received(received)
                return received
        finally:
            self._waiting = False
        await self._notice_end()
        return WS_CLOSED_MESSAGE

    async def _close_received(self, message: Received) -> None:
        self._closing = True
        self._close_code = _close_code(message.data)
        if self._autoclose:
            self._waiting = False
            await self.close()

    async def _notice_end(self) -> None:
        """There is nothing more to receive."""
        if self._closed:
            return
        if self._closing:
            await self.close()
        else:
            self._end(self.close_code, self.exception())

    @overload
    async def receive_str(self: ClientWebSocketResponse[Literal[True]], *, timeout: float | None = None) -> str: ...
    @overload
    async def receive_str(self: ClientWebSocketResponse[Literal[False]], *, timeout: float | None = None) -> bytes: ...
    @overload
    async def receive_str(self, *, timeout: float | None = None) -> Any: ...
    async def receive_str(self, *, timeout: float | None = None) -> Any:
        """The next message, which is text: str, or bytes with `decode_text=False`. Raises `WSMessageTypeError` for any other."""
        message = await self.receive(timeout)
        if message.type is not _TEXT:
            raise WSMessageTypeError(f"Received message {message.type}:{message.data!r} is not WSMsgType.TEXT")
        return message.data

    async def receive_bytes(self, *, timeout: float | None = None) -> bytes:
        """The next message, which is binary. Raises `WSMessageTypeError` for any other."""
        message = await self.receive(timeout)
        if message.type is not _BINARY:
            raise WSMessageTypeError(f"Received message {message.type}:{message.data!r} is not WSMsgType.BINARY")
        data: bytes = message.data
        return data

    @overload
    async def receive_json(self, *, timeout: float | None = None) -> Any: ...
    @overload
    async def receive_json(self, *, loads: Callable[[Any], Decoded], timeout: float | None = None) -> Decoded: ...
    async def receive_json(self, *, loads: Callable[[Any], Any] = json.loads, timeout: float | None = None) -> Any:
        """What `loads` makes of the next message, which is text. Raises `WSMessageTypeError` for any other, and what `loads`
        raises."""
        return loads(await self.receive_str(timeout=timeout))

    def __aiter__(self) -> Self:
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "receive" in cls.__dict__ and "__anext__" not in cls.__dict__:
            cls.__anext__ = _anext_by_receive  # type: ignore[method-assign, assignment]

    @overload
    async def __anext__(self: ClientWebSocketResponse[Literal[True]]) -> WSMessage: ...
    @overload
    async def __anext__(self) -> Received: ...
    async def __anext__(self) -> Received:
        messages = self._messages
        if messages and self._reader.plain and not self._waiting:  # as in `receive`, without a call
            message = messages.popleft()
            if not messages and self._reader.paused:
                self._reader.resume()
            return message  # type: ignore[return-value]
        return await _anext_by_receive(self)

    # -- its end

    async def close(self, *, code: int = WSCloseCode.OK, message: str | bytes = b"") -> bool:
        """Say so to the peer, and wait until it has answered, at most `ClientWSTimeout.ws_close` seconds whatever else it sends.

        A task that receives meanwhile gets a message of type CLOSING. What was not received is dropped.

        :param code: why (section 7.4); when the peer has closed already, 1000 stands for its own code.
        :param message: the same in at most 123 bytes of UTF-8.

        Returns False when it was closed before. Raises ValueError for a code that may not be sent, or a message that is too long.
        """
        if self._closed:
            self._messages.clear()  # whoever has yet to hear of the closing hears that it is closed
            return False
        if self._reader.ended:
            self._messages.clear()
            self._end(self.close_code, self.exception())
            return True
        told = self._close_code if self._closing else self._told_in_advance()
        try:
            self._writer.close((told or 0) if told is not None and code == WSCloseCode.OK else code, message)
        except ClientConnectionResetError as error:
            self._end(WSCloseCode.ABNORMAL_CLOSURE, error)
            return True
        self._closed = self._closing = True
        self._messages.clear()
        if self._waiting:
            self._reader.wake(WS_CLOSING_MESSAGE)
        if told is None:
            await self._await_close()
        else:
            self._end(told, None)
        return True

    def _told_in_advance(self) -> int | None:
        """The code of the peer's close frame, if that waits to be received."""
        for message in self._messages:
            if message[0] == _CLOSE:
                return _close_code(message.data)  # type: ignore[union-attr]
        return None

    async def _await_close(self) -> None:
        try:
            message = await self._reader.farewell(self._timeout.ws_close)
        except asyncio.CancelledError:
            self._abort(None)
            raise
        except TimeoutError as error:
            self._abort(error)
        else:
            if message is None:
                self._abort(self._reader.error)
            else:
                self._end(_close_code(message.data), None)

    def _end(self, code: int | None, error: BaseException | None) -> None:
        """The closing handshake is over: let what was written be sent, and end the connection."""
        self._closed = self._closing = True
        self._close_code = code
        self._exception = error
        if self._heartbeat is not None:
            self._heartbeat.stop()
        self._reader.take_leave(self._timeout.ws_close)

    def _abort(self, error: BaseException | None) -> None:
        self._end(WSCloseCode.ABNORMAL_CLOSURE, error)
        if self._conn is not None:
            self._conn.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.close()


async def _anext_by_receive(ws: ClientWebSocketResponse[Any]) -> Received:
    message: Received = await ws.receive()
    if message[0] in _LAST:
        raise StopAsyncIteration
    return message


def _close_code(code: int) -> int:
    try:
        return WSCloseCode(code)
    except ValueError:
        return code


def _control(message: Byteish) -> Byteish:
    if len(message) > 125:
        raise ValueError(f"A control frame carries at most 125 bytes, not {len(message)} (RFC 6455, section 5.5)")
    return message
