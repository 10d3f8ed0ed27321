"""A connection that speaks WebSocket (RFC 6455), after the 101: messages come up through a bounded queue, each frame goes down in
one write.

What needs no decision of the user's happens when it arrives, whether or not someone reads: pings are answered, pongs are timed,
a violation ends the connection.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from .._impl import FrameParser, apply_mask, serialize_frame
from ..errors import ClientConnectionResetError, ServerDisconnectedError, WebSocketError
from ..messages import Deflated, Message, WSMessage, WSMessageTextBytes, WSMsgType
from ..typedefs import Byteish
from ..wire.deflate import Deflater, Inflater
from ..wire.websocket import serialize_close
from .handler import ResponseHandler
from .receiver import BUFFER_SIZE, Receiver
from .timer import timer_of
from .waiter import Waiter

Data: TypeAlias = bytes | memoryview

#: What is received ahead of the reader, in bytes and in messages; the transport is paused at more, and until all of it is read.
READ_AHEAD = 2**17
MESSAGES_AHEAD = 2**10
#: Messages up to this size are compressed at once; larger ones in steps, between which others have their turn.
_AT_ONCE = 2**14
#: Seconds that a farewell may take to be sent.
LINGER = 10.0
_CEIL_THRESHOLD = 5.0
#: Bytes of a payload that are masked and written at a time; a multiple of 4.
_PART = 2**18

_CONTROL = WSMsgType.CLOSE  # the first opcode of a control frame


class WebSocketWriter:
    """Sends frames. Any number of tasks may; each message is whole on the wire.

    :param deflater: compresses data messages, when that was agreed on.

    Whatever sends raises `ClientConnectionResetError` when the connection is lost, or the close frame is sent.
    """

    def __init__(self, connection: ResponseHandler, deflater: Deflater | None = None) -> None:
        self.pinged: tuple[bytes, float] | None = None  # the last ping that is not answered, and when it was sent
        #: Takes a frame, or raises when nothing can be sent any more.
        self.send: Callable[[bytes], object] = _refuse if connection.transport is None else connection.transport.write
        #: Data up to this size may go as it is, in a frame for `send`; the rest by `send_frame`.
        self.at_once = _PART if deflater is None else -1
        #: The transport holds more than it likes to: `drain`.
        self.paused = connection.writing_paused
        #: The connection is lost, or left.
        self.ended = connection.transport is None
        self._connection = connection
        self._deflater = deflater
        self._deflating = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False  # the close frame is sent
        self._owed: bytes | None = None  # the payload of a ping that came when nothing could be written

    def write(self, opcode: int, payload: Byteish, rsv1: bool = False) -> bool:
        """Send one frame. True: wait in `drain` before the next one."""
        if len(payload) <= _PART:
            self.send(serialize_frame(opcode, payload, None, rsv1))
        else:
            self._write_in_parts(opcode, payload, rsv1)
        return self.paused

    def _write_in_parts(self, opcode: int, payload: Byteish, rsv1: bool) -> None:
        """One frame. Parts of it stay in the processor's cache, and in memory that the last one has left."""
        mask, send = os.urandom(4), self.send
        with memoryview(payload).cast("B") as view:
            send(serialize_frame(opcode, view[:_PART], mask, rsv1, True, len(view)))
            for at in range(_PART, len(view), _PART):
                send(apply_mask(mask, view[at : at + _PART]))

    def end(self) -> None:
        """The connection is lost, or left."""
        self.ended = True
        self.send = _refuse

    async def drain(self) -> None:
        """Wait until the transport takes more."""
        await self._connection.drain()

    async def send_frame(self, message: Byteish, opcode: int, compress: int | None = None) -> None:
        """Send a message, and wait while the transport takes no more. `compress=0`: as it is."""
        deflater = self._deflater
        if deflater is None or opcode >= _CONTROL or compress == 0:
            if opcode == WSMsgType.PING:
                self.pinged = bytes(message), self._connection.loop.time()
            paused = self.write(opcode, message)
        elif len(message) <= _AT_ONCE and not self._deflating.locked():
            paused = self.write(opcode, deflater.deflate(message), True)
        else:
            # Once begun it must be sent: the messages after it are compressed with it in mind.
            task = self._connection.loop.create_task(self._send_in_steps(deflater, bytes(message), opcode))
            self._tasks.add(task)
            task.add_done_callback(self._sent)
            await asyncio.shield(task)
            paused = self.paused
        if paused:
            await self._connection.drain()

    async def _send_in_steps(self, deflater: Deflater, message: bytes, opcode: int) -> None:
        async with self._deflating:
            parts = []
            for part in deflater.steps(message):
                parts.append(part)
                await asyncio.sleep(0)
            self.write(opcode, b"".join(parts), True)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever sent it may be gone

    def pong(self, payload: bytes) -> None:
        """Answer a ping. While nothing can be written, only the last one is owed an answer (section 5.5.3)."""
        with suppress(ClientConnectionResetError):
            if not self.paused:
                self.write(WSMsgType.PONG, payload)
                return
            if self._owed is None:
                task = self._connection.loop.create_task(self._pay())
                self._tasks.add(task)
                task.add_done_callback(self._sent)
            self._owed = payload

    async def _pay(self) -> None:
        await self._connection.drain()
        payload, self._owed = self._owed, None
        if payload is not None:
            self.write(WSMsgType.PONG, payload)

    def close(self, code: int, reason: str | bytes = b"") -> None:
        """Send the close frame, once; code 0 stands for one without a code. Raises `ValueError` for what cannot be said in it."""
        payload = serialize_close(code, reason) if code else b""
        if not self._closed:
            self._closed = True
            try:
                self.write(WSMsgType.CLOSE, payload)
            finally:
                self.send = _refuse


def _refuse(frame: bytes) -> object:
    raise ClientConnectionResetError("Cannot write to closing transport")


class WebSocketReader(asyncio.Protocol):
    """Receives messages, for one task to take.

    :param parser: makes messages of what comes.
    :param inflater: takes off the compression that was agreed on.
    :param autoping: answer pings, and keep pongs, too, from the task.
    """

    def __init__(
        self,
        connection: ResponseHandler,
        writer: WebSocketWriter,
        parser: FrameParser,
        inflater: Inflater | None = None,
        autoping: bool = True,
    ) -> None:
        #: What has come and was not taken.
        self.messages: deque[Message] = deque()
        #: All of it is data, as its user is to have it, and more may come.
        self.plain = inflater is None
        self._extend = self.messages.extend
        #: Why nothing more comes.
        self.error: BaseException | None = None
        self.ended = False
        #: Nothing is received because nothing is taken: `resume`.
        self.paused = False
        #: Seconds between the last ping and its pong.
        self.latency: float | None = None
        #: When something came last, by the loop's clock; kept up only when there is a heartbeat.
        self.heard: float | None = None
        self._connection = connection
        self._loop = connection.loop
        self._writer = writer
        self._parser = parser
        self._feed: Callable[[Data, int], list[Message]] = parser.feed
        self._inflater = inflater
        self._inflating = False
        self._in_bulk = False
        self._autoping = autoping
        self._size = 0  # bytes that came since the queue was empty
        self._fault: WebSocketError | None = None  # of which the peer is yet to be told
        self._patience: asyncio.TimerHandle | None = None  # with whoever is to take what came before it
        self._waiter: Waiter | None = None
        self._farewell: asyncio.Future[WSMessage | None] | None = None
        self.connection_lost = connection.connection_lost  # type: ignore[method-assign]

    def __repr__(self) -> str:
        state = "ended" if self.ended else "paused" if self.paused else "awaited" if self._waiter else "open"
        return f"<{type(self).__name__} {self._connection.peer} {state}, messages={len(self.messages)}>"

    @property
    def left(self) -> bool:
        """The connection is over, or will be as soon as all is sent."""
        return self._writer.ended

    @property
    def _buffer(self) -> deque[Message]:
        """Consumers of aiohttp look under this name whether something has come."""
        return self.messages

    # -- up

    def receiver(self, buffer: memoryview) -> Receiver:
        """What receives into this buffer, which others use too."""
        return _Receiver(self, buffer)

    def data_received(self, data: Data) -> None:
        self.received(data, len(data))

    def received(self, data: Data, size: int) -> None:
        """The first so many bytes of `data` have come."""
        if self.heard is not None:
            self.heard = self._loop.time()
        try:
            messages = self._feed(data, size)
        except WebSocketError as error:
            self._heed(error.messages)
            self._violated(error)
            return
        if not messages:
            self._gather(size)
            return
        if self._parser.has_control:
            self._heed(messages)
        else:
            self._extend(messages)
        waiter = self._waiter
        if waiter is None:
            self._size += size
            if self.messages and (self._size > READ_AHEAD or len(self.messages) > MESSAGES_AHEAD):
                self._pause()
        elif self.messages:
            self._size = 0
            self._waiter = None
            waiter.arrive()

    def _gather(self, size: int) -> None:
        """A part of a message has come."""
        self._size += size
        if size >= BUFFER_SIZE and not self._in_bulk:
            self.receive_in_bulk()
        if self._size > READ_AHEAD and self.messages:
            self._pause()

    def _heed(self, messages: list[Message]) -> None:
        for message in messages:
            if message[0] < _CONTROL:
                self.messages.append(message)
            else:
                self._control(message)  # type: ignore[arg-type]

    def _control(self, message: WSMessage) -> None:
        """Heed what is no data."""
        kind = message.type
        if kind == WSMsgType.PONG:
            pinged = self._writer.pinged
            if pinged is not None and pinged[0] == message.data:
                self.latency = self._loop.time() - pinged[1]
                self._writer.pinged = None
        elif kind == WSMsgType.PING:
            if self._autoping:
                self._writer.pong(message.data)
        else:
            self._append(message)
            return
        if not self._autoping:
            self._append(message)

    def _append(self, message: WSMessage) -> None:
        """Let whoever takes messages have this, which is no data."""
        self.plain = False
        self.messages.append(message)

    def content_received(self, size: int) -> None:
        """Nothing passes the parser here."""

    def receive_in_bulk(self) -> None:
        """What is received into was full. If much of a message is still to come, that is received where it will stay."""
        room = None if self.ended else self._parser.room()
        if room is not None or self._in_bulk:
            self._in_bulk = room is not None
            self._connection.receive_into(self, room)

    def eof_received(self) -> None:
        self.take_leave(LINGER)  # a peer that has ended may never take what is left to send

    def pause_writing(self) -> None:
        self._writer.paused = True
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._writer.paused = False
        self._connection.resume_writing()

    # -- its end

    def exception(self) -> BaseException | None:
        return self.error

    def take_leave(self, seconds: float | None) -> None:
        """End the connection when all that was written is sent, or in so many seconds."""
        self.plain = False
        if self._patience is not None:
            self._patience.cancel()
        fault, self._fault = self._fault, None
        if fault is not None:
            with suppress(ClientConnectionResetError):
                self._writer.close(fault.code)
        self._writer.end()
        self._connection.take_leave(seconds)

    def feed_eof(self) -> None:
        """The peer has ended the connection."""
        self._writer.end()
        self._ended(ServerDisconnectedError(f"Server disconnected ({self._connection.peer})"))

    def set_exception(self, exc: BaseException) -> None:
        """The connection has failed."""
        self._writer.end()
        self._ended(exc)

    def give_up(self, error: BaseException) -> None:
        """End the connection. The task that waits for a message is told why."""
        if self._waiter is not None:
            self._append(WSMessage(WSMsgType.ERROR, error, None))
        self._connection.fail(error)

    def _violated(self, error: WebSocketError) -> None:
        """Fail the connection (section 7.1.7): now, or when what came before was taken, and perhaps answered."""
        ahead = bool(self.messages)
        self._append(WSMessage(WSMsgType.ERROR, error, None))
        self._ended(error)
        self._fault = error
        if ahead:
            self.paused = True
            self._connection.pause_reading()
            self._patience = self._loop.call_later(LINGER, self.take_leave, LINGER)
        else:
            self.take_leave(LINGER)

    def _ended(self, error: BaseException) -> None:
        if not self.ended:
            self.ended = True
            self.plain = False
            self.error = error
            self._feed = _ignore
            self._wake()
            if self._farewell is not None and not self._farewell.done():
                self._farewell.set_result(None)

    # -- taking

    def resume(self) -> None:
        """All that had come was taken."""
        self.paused = False
        self._size = 0
        if self._fault is not None:
            self.take_leave(LINGER)
        else:
            self._connection.resume_reading()

    def news(self) -> Waiter:
        """What is done when there are messages, or can be no more."""
        waiter = self._waiter = Waiter(self._loop)
        if self.ended:
            self._wake()
        return waiter

    async def wait(self, seconds: float) -> None:
        """Wait for `news`. Raises TimeoutError when that takes longer."""
        waiter = self.news()
        alarm = timer_of(self._loop).start(seconds, _CEIL_THRESHOLD, partial(waiter.set_exception, TimeoutError()))
        try:
            await waiter
        finally:
            alarm.cancel()

    def inflate(self, message: Deflated) -> WSMessage | WSMessageTextBytes | None:
        """The message that this is without its compression.

        None: it is a large one, and back among `messages` to go on with, when others have had their turn; or it breaks the
        protocol, and the connection has failed.
        """
        inflater = self._inflater
        if inflater is None:
            raise RuntimeError("A compressed message, and no agreement on compression")
        try:
            inflated = inflater.inflate(None if self._inflating else message)
        except WebSocketError as error:
            self.messages.clear()
            self._violated(error)
            return None
        self._inflating = inflated is None
        if inflated is None:
            self.messages.appendleft(message)
        return inflated

    async def farewell(self, seconds: float | None) -> WSMessage | None:
        """Drop what comes until the peer's close frame, which is returned; None when the connection ended without one.

        Raises TimeoutError when that takes longer than so many seconds.
        """
        if self.ended:
            return None
        self.plain = False
        self._farewell = self._loop.create_future()
        self._feed = partial(self._feed_farewell, self._feed)
        if self.paused:
            self.resume()
        async with asyncio.timeout(seconds or None):
            return await self._farewell

    def _feed_farewell(self, feed: Callable[[Data, int], list[Message]], data: Data, size: int) -> list[Message]:
        """Nobody takes messages any more: as if nothing had come."""
        for message in feed(data, size):
            if message[0] == WSMsgType.CLOSE and self._farewell is not None and not self._farewell.done():
                self._farewell.set_result(message)  # type: ignore[arg-type]
        return []

    def wake(self, message: WSMessage) -> None:
        """Give the waiting task this message, if there is one."""
        if self._waiter is not None:
            self._append(message)
            self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.set_result(None)

    def _pause(self) -> None:
        if not self.paused and not self.ended:
            self.paused = True
            self._connection.pause_reading()


class _Receiver(Receiver):
    """Has nothing of its own between the transport and a reader."""

    def __init__(self, reader: WebSocketReader, buffer: memoryview) -> None:
        super().__init__(reader, buffer)
        self.buffer_updated = partial(reader.received, buffer)  # type: ignore[method-assign]


def _ignore(data: Data, size: int) -> list[Message]:
    return []
