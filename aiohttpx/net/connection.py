"""One connection, and the one exchange at a time that it carries (RFC 9112, section 9).

The way down is `exchange(...)`: one write, and a future for the answer. The way up is `data_received`: one call of the engine for
one read of the socket. What an exchange ends with is said once, through the `give_back` that it was started with.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .._impl import ResponseParser, parse_fields
from ..errors import (
    ClientConnectionError,
    ClientConnectionResetError,
    ClientPayloadError,
    HttpProcessingError,
    ServerTimeoutError,
    SocketTimeoutError,
)
from ..events import END_OF_MESSAGE, Chunks, Event, ResponseHead, Trailers
from ..late import late
from ..typedefs import Byteish
from ..wire.fields import header_map
from . import transports
from .backpressure import Backpressure
from .failures import because, disconnected, payload_error
from .info import ConnectionInfo, Ends, ends_of, info_of
from .outbox import Outbox
from .receiver import MAX_FILLED, MIN_FILLED, Filler, Receiver, can_fill, can_share_a_buffer
from .settings import DEFAULT_SETTINGS, InformationalResponse, Settings

if TYPE_CHECKING:
    from . import content
    from .reader import StreamReader
else:
    content = late("aiohttpx.net.content")

#: How much of a body nobody wants is read, in bytes, to be able to use its connection again.
DRAIN_LIMIT = 64 * 1024
#: How long that may take, in seconds.
DRAIN_TIME = 1.0

#: `writelines` of asyncio's transports takes whatever it is given, and never says "enough" (CVE-2024-12254).
_NEVER_PAUSES: Final = (3, 12) <= sys.version_info < (3, 12, 9) or (3, 13) <= sys.version_info < (3, 13, 2)

#: What the future of an exchange gives: the head, and the whole body if it came along, else the stream it comes through.
Answer: TypeAlias = "tuple[ResponseHead, bytes | Chunks | StreamReader]"


class HTTPConnection(asyncio.Protocol):
    """An asyncio protocol that speaks the client's side of HTTP/1.1.

    `loop` is the running loop; `read_buffer` is what small answers are received in, where that is possible; `outbox` is what
    requests are written through, and `heard` to be told it when an answer is taken.
    `should_close` says whether another exchange may follow, `is_connected()` whether the transport is open.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, read_buffer: bytearray | None = None, outbox: Outbox | None = None
    ) -> None:
        self.loop = loop
        self.outbox = Outbox(loop) if outbox is None else outbox
        self._receiver = None if read_buffer is None else Receiver(self, read_buffer)
        self._can_fill = False  # a body can be received right where it will stay
        self._in_bulk = False
        self.transport: asyncio.Transport | None = None
        self.peer = ""  # "host:port", for the texts of errors
        self.exchanges = 0
        self._ends: Ends | None = None
        self.single_use = False  # the connection carries one exchange only
        self.keep_alive: int | None = None  # the server's hint: seconds that it keeps the connection
        self.on_lost: Callable[[HTTPConnection], object] | None = None  # called when the transport is gone, or someone else's
        self._parser = ResponseParser()
        self._settings = DEFAULT_SETTINGS
        self._limited_by: Settings | None = None  # these, if they limit bodies
        self._waiter: asyncio.Future[Answer] | None = None
        self._reader: StreamReader | None = None
        self._give_back: Callable[[], object] | None = None
        self._persistent = True
        self._drained: int | None = None
        self._reading_paused = False
        self._backpressure = Backpressure()
        self._upload: asyncio.Task[None] | None = None
        self._continue: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._last_read = 0.0
        self._closed: asyncio.Future[None] | None = None
        self._upgraded = False

    def __repr__(self) -> str:
        state = "idle" if self._give_back is None else "reading the body" if self._waiter is None else "waiting for the head"
        return f"<{type(self).__name__} {self.peer} {state if self.is_connected() else 'closed'}, exchanges={self.exchanges}>"

    # -- the state others may ask for

    @property
    def should_close(self) -> bool:
        """No other exchange may follow on this connection."""
        transport = self.transport
        return not self._persistent or self._give_back is not None or transport is None or transport.is_closing()

    @property
    def info(self) -> ConnectionInfo | None:
        """What is known of the connection, also when it is over; None before there is one."""
        return None if self._ends is None else info_of(self._ends)

    @property
    def upgraded(self) -> bool:
        """The peer speaks another protocol now (RFC 9110, section 7.8)."""
        return self._upgraded

    @property
    def answered(self) -> bool:
        """At least one byte of the answer to the current request has come."""
        return self._parser.started

    @property
    def uploading(self) -> bool:
        """The request is not sent whole yet."""
        return self._upload is not None

    @property
    def writing_paused(self) -> bool:
        """The transport holds more than it likes to: `drain`."""
        return self._backpressure.paused

    def is_connected(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    # -- down

    def exchange(
        self,
        method: str,
        data: bytes,
        give_back: Callable[[], object],
        settings: Settings = DEFAULT_SETTINGS,
        upgrade: bool = False,
    ) -> asyncio.Future[Answer]:
        """Send `data`, the head of a request and what of its body goes along, and hear the answer to it.

        `give_back` is called once, when the answer is complete or cannot become so; `should_close` is right by then.
        The future raises `ServerDisconnectedError`, `ClientOSError`, `SocketTimeoutError` or, for a malformed answer,
        `HttpProcessingError`.
        """
        transport = self.transport
        if transport is None or transport.is_closing():
            raise ClientConnectionResetError(f"Cannot write to closing transport ({self.peer})")
        self.exchanges += 1
        if settings is not self._settings:
            self._apply(settings)
        self._parser.expect(method, upgrade)
        self._give_back = give_back
        waiter = self._waiter = self.loop.create_future()
        self.outbox.write(self, data)
        if settings.sock_read:
            self._watch(settings.sock_read)
        return waiter

    def _apply(self, settings: Settings) -> None:
        limits = settings.parser_limits
        if limits != self._settings.parser_limits:
            self._parser = ResponseParser(*limits)
        self._settings = settings
        self._limited_by = settings if settings.max_body_size else None

    def start_upload(self, upload: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Send the rest of the request by `upload`, while the answer is awaited. What it raises ends the exchange."""
        self.outbox.flush()  # the head first
        self._continue = None  # a task may begin at once
        self._upload = task = self.loop.create_task(upload)
        task.add_done_callback(self._upload_done)
        return task

    def request_sent(self) -> None:
        """The request is sent whole; what its upload still does is nobody's concern here."""
        self._upload = None
        self._last_read = self.loop.time()

    def _upload_done(self, task: asyncio.Task[None]) -> None:
        error = ClientConnectionError(f"The request to {self.peer} was not sent whole") if task.cancelled() else task.exception()
        if task is self._upload:
            self._upload = None
            self._last_read = self.loop.time()
            if error is not None:
                self.fail(error)

    def when_sent(self, callback: Callable[[], object]) -> None:
        """Call `callback` when the request is sent whole; at once if it is."""
        if self._upload is None:
            callback()
        else:
            self._upload.add_done_callback(lambda _: callback())

    def limit_head(self, seconds: float) -> None:
        """End the exchange with `ServerTimeoutError` unless the head comes within so many seconds from when the request is
        sent."""
        waiter = self._waiter
        if self._upload is not None:
            self.when_sent(lambda: self.limit_head(seconds))
        elif waiter is not None:
            what = "while waiting for the head of the response"
            error = ServerTimeoutError(f"Timeout of {seconds:g} s (headers) on {self.peer} {what}")
            alarm = self.loop.call_later(seconds, self.fail, error)
            waiter.add_done_callback(lambda _: alarm.cancel())

    def expect_continue(self) -> asyncio.Future[None]:
        """What is done when the server wants to have the body (100, RFC 9110, section 10.1.1). As long as it is not, any other
        answer ends the upload."""
        self._continue = self.loop.create_future()
        return self._continue

    def write(self, parts: Sequence[Byteish]) -> None:
        """Send a part of the request's body. Raises `ClientConnectionResetError` when the connection is lost."""
        if not self.is_connected():
            raise ClientConnectionResetError(f"Cannot write to closing transport ({self.peer})")
        transport: asyncio.Transport = self.transport  # type: ignore[assignment]
        if len(parts) == 1 or _NEVER_PAUSES:
            transport.write(parts[0] if len(parts) == 1 else b"".join(parts))
        else:
            transport.writelines(parts)

    def content_sent(self, size: int) -> None:
        """So many bytes of the body were sent past the transport."""

    async def drain(self) -> None:
        """Wait until the transport takes more. Raises `ClientConnectionResetError` when the connection is lost."""
        if not self.is_connected():
            raise ClientConnectionResetError(f"Cannot write to closing transport ({self.peer})")
        await self._backpressure.wait(self.loop)

    # -- up

    def data_received(self, data: bytes | memoryview) -> None:
        if self._alarm is not None:
            self._last_read = self.loop.time()
        try:
            events = self._parser.feed(data)
        except HttpProcessingError as error:
            self._violated(error)
        else:
            if len(events) == 3 and self._waiter is not None and events[2] is END_OF_MESSAGE and type(events[1]) is bytes:
                self._answer_whole(events[0], events[1])  # type: ignore[arg-type]  # as most answers are: all in one read
            else:
                self._hear(events)

    def receive_in_bulk(self) -> None:
        """Receive the rest of this body in the loop's own way: there is much of it."""
        if self._reader is not None and self.is_connected():
            self._in_bulk = True
            self._receive_by(self)

    async def receive_whole(self, reader: StreamReader) -> bytes | None:
        """What is left in `reader`, received into the bytes that are returned. None when that is not possible, or not worth it.

        Raises what the reader raises.
        """
        left = self._parser.content_left
        if reader is not self._reader or not self._can_fill or not MIN_FILLED <= left <= MAX_FILLED or not self.is_connected():
            return None
        start = reader.read_nowait()
        try:
            # BytesIO hands out, by getvalue(), the very bytes that it was made of, and lets them be written before that.
            whole = BytesIO(bytes(len(start) + left))
        except MemoryError:  # the announced length may be a lie
            reader.unread_data(start)
            return None
        with whole.getbuffer() as room:
            room[: len(start)] = start
            with room[len(start) :] as rest:
                filler = Filler(self, rest)
                self._in_bulk = True
                self._receive_by(filler)
                try:
                    await reader.wait_eof()
                except asyncio.CancelledError:
                    self.receive_in_bulk()
                    reader.unread_data(bytes(room[: len(start) + filler.filled]))
                    raise
        return whole.getvalue()

    def content_received(self, size: int) -> None:
        """So many bytes of the body were received past the parser."""
        if self._alarm is not None:
            self._last_read = self.loop.time()
        self._hear(self._parser.skip(size))

    def _receive_in_buffer(self) -> None:
        self._in_bulk = False
        if self.is_connected():
            self._receive_by(self._receiver or self)

    def _receive_by(self, protocol: asyncio.BaseProtocol) -> None:
        """From here on `protocol` receives. Reading starts anew, for uvloop asks only then what it is to read into."""
        self.pause_reading()
        self.transport.set_protocol(protocol)  # type: ignore[union-attr]
        self.resume_reading()

    def _hear(self, events: list[Event]) -> None:
        head: ResponseHead | None = None
        body: bytes | Chunks = b""
        for event in events:
            kind = type(event)
            if kind is bytes or kind is Chunks:
                if head is None:
                    self._feed(event)  # type: ignore[arg-type]
                else:
                    body = event  # type: ignore[assignment]
            elif event is END_OF_MESSAGE:
                if head is None:
                    self._complete()
                else:
                    self._answer_whole(head, body)
                    head = None
            elif kind is ResponseHead:
                if event.status < 200 and not event.upgraded:  # type: ignore[union-attr]
                    self._informed(event)  # type: ignore[arg-type]
                else:
                    head = event  # type: ignore[assignment]
            else:
                if head is not None:
                    self._answer(head, body)
                    head = None
                self._note_trailers(event)  # type: ignore[arg-type]
        if head is not None:
            self._answer(head, body)

    def _answer_whole(self, head: ResponseHead, body: bytes | Chunks) -> None:
        """The common case: one read of the socket had everything."""
        settings = self._limited_by
        answer: Answer = (head, body if settings is None else content.within_limit(head, body, settings, self.loop))
        if not head.persistent:
            self._persistent = False
        if head.keep_alive is not None:
            self.keep_alive = head.keep_alive
        waiter = self._waiter
        self._waiter = None
        self._end()
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)
            self.outbox.answered()

    def _answer(self, head: ResponseHead, body: bytes | Chunks) -> None:
        """The rest of the body is still to come, through a stream."""
        settings = self._settings
        if not settings.read_until_eof and head.content_length is None and not head.chunked and not head.upgraded:
            self._answer_whole(head, b"")
            return
        if not head.persistent:
            self._persistent = False
        if head.keep_alive is not None:
            self.keep_alive = head.keep_alive
        if self._upload is not None and (head.status >= 400 or (self._continue is not None and not self._continue.done())):
            self._stop_upload(self._upload)
        self._upgraded = head.upgraded
        self._reader = reader = content.reader_of(head, settings, self, self.loop)
        if body:
            self._feed(body)
        waiter = self._waiter
        self._waiter = None
        if waiter is not None and not waiter.done():
            waiter.set_result((head, reader))
            self.outbox.answered()

    def _feed(self, body: bytes | Chunks) -> None:
        if self._drained is not None:
            self._drained += len(body.data if type(body) is Chunks else body)
            if self._drained > DRAIN_LIMIT:
                self.close()
        elif self._reader is not None:
            if type(body) is Chunks:
                self._reader.feed_chunks(body.data, body.ends)
            else:
                self._reader.feed_data(body)  # type: ignore[arg-type]

    def _note_trailers(self, trailers: Trailers) -> None:
        if self._reader is not None:
            self._reader.trailers = trailers.fields

    def _informed(self, head: ResponseHead) -> None:
        if head.status == 100 and self._continue is not None and not self._continue.done():
            self._continue.set_result(None)
        if self._settings.on_informational is not None:
            response = InformationalResponse(head.status, head.reason, header_map(parse_fields(head.fields)))
            try:
                self._settings.on_informational(response)
            except Exception as error:
                self.fail(error)

    def _complete(self) -> None:
        reader = self._reader
        self._reader = None
        self._end()
        if reader is not None:
            reader.feed_eof()

    def _end(self) -> None:
        """The exchange is over. The connection goes back to whom it was lent by."""
        self._drained = None
        if self._in_bulk:
            self._receive_in_buffer()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._upload is not None:
            self._stop_upload(self._upload)
        if self._reading_paused:
            self.resume_reading()
        give_back = self._give_back
        self._give_back = None
        if give_back is not None:
            give_back()

    def _stop_upload(self, upload: asyncio.Task[None]) -> None:
        """The server has answered before it had the whole request: the rest is not sent, and nothing may follow it."""
        if upload.cancel() or upload.cancelled() or upload.exception() is not None:
            self._persistent = False
        self._upload = None

    def _violated(self, error: HttpProcessingError) -> None:
        self._persistent = False  # whatever came before the violation is heard, but nothing may follow it
        self._hear(error.events)
        if self._give_back is not None:
            error.message = f"{error.message} (from {self.peer})"
            self.fail(error)
        else:  # bytes that nobody asked for
            self.close()

    # -- endings

    def discard_body(self, give_back: Callable[[], object]) -> bool:
        """Nobody wants the rest of this body. A short one is read to its end, so that the connection lives; others end it.

        `give_back` is called when that is over. Returns False when the connection cannot be kept at all.
        """
        if self._reader is None or self._upgraded or self._upload is not None or not self._persistent:
            return False
        self._give_back = give_back
        self._reader = None
        self._drained = 0
        if self._in_bulk:  # perhaps into room that is no longer there
            self._receive_in_buffer()
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self.loop.call_later(DRAIN_TIME, self.close)
        self.resume_reading()
        return True

    def fail(self, error: BaseException) -> None:
        """End the exchange with `error` and the connection with it."""
        self._persistent = False
        reader, waiter = self._reader, self._waiter
        self._reader = self._waiter = None
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)
            waiter.exception()  # whoever asked may be gone
        if reader is not None and reader.exception() is None:
            reader.set_exception(payload_error(error))
        self._backpressure.end(ClientConnectionResetError(f"Connection lost ({self.peer})"))
        if self.transport is not None:
            transports.abort(self.transport)
        self._end()

    def close(self) -> None:
        """End the connection, and whatever waits for it with `ClientConnectionError`."""
        if self._give_back is not None or self._upload is not None:
            self.fail(ClientConnectionError(f"Connection closed ({self.peer})"))
        elif self.transport is not None and not self.transport.is_closing():
            self._persistent = False
            # What is left to send would keep the transport open until the peer takes it, and nobody needs it now.
            transports.abort(self.transport) if transports.unsent(self.transport) else self.transport.close()

    def abort(self) -> None:
        """As `close`, without a farewell."""
        transport = self.transport
        self.close()
        if transport is not None:
            transports.abort(transport)

    async def wait_closed(self) -> None:
        """Wait until the transport has let go of its socket."""
        if self.transport is not None:
            if self._closed is None:
                self._closed = self.loop.create_future()
            await asyncio.shield(self._closed)

    def detach_transport(self) -> asyncio.Transport | None:
        """The transport, which is the caller's from now on (for TLS over a tunnel, or another protocol after an upgrade)."""
        transport, self.transport = self.transport, None
        if self.on_lost is not None:
            self.on_lost(self)
        return transport

    # -- the transport's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._ends = ends_of(transport)
        secure = transport.get_extra_info("sslcontext") is not None
        self._can_fill = self._receiver is not None and can_fill(self.loop, secure)
        if not can_share_a_buffer(self.loop, secure):
            self._receiver = None
        if self._receiver is not None:
            try:
                transport.set_protocol(self._receiver)
            except (AttributeError, NotImplementedError):  # a transport of somebody's own
                self._receiver = None
                self._can_fill = False

    def eof_received(self) -> bool | None:
        transport = self.transport
        if transport is not None and not transport.is_closing() and not self._upgraded and transports.unsent(transport):
            transports.abort(transport)  # to close itself it would wait until a peer that has ended takes the rest of the request
        return None  # the transport closes itself; `connection_lost` sees how far the message came

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._give_back is not None and exc is not None and self._upload is not None:
            # The peer did not take the rest of the request, perhaps because it has answered already.
            transports.read_rest(self.transport, self.data_received)
        self.transport = None
        if self._give_back is not None:
            self._cut_short(exc)
        if self.on_lost is not None:
            self.on_lost(self)
        self._persistent = False
        self._backpressure.end(ClientConnectionResetError(f"Connection lost ({self.peer})"))
        self._receiver = None  # they refer to each other: what is closed shall be gone at once
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    def _cut_short(self, exc: BaseException | None) -> None:
        if exc is None:
            try:
                self._hear(self._parser.feed_eof())
            except HttpProcessingError as error:
                exc = error
        if self._give_back is None:  # the end of the connection was the end of the body
            return
        if self._upgraded and exc is None:
            self._complete()
        elif self._waiter is not None or self._upgraded:
            self.fail(disconnected(exc, self.peer))
        else:
            self.fail(ClientPayloadError(f"The body from {self.peer} was cut short{because(exc)}"))

    def pause_writing(self) -> None:
        self._backpressure.paused = True

    def resume_writing(self) -> None:
        self._backpressure.resume()

    # -- flow control of the body

    def pause_reading(self) -> None:
        if not self._reading_paused and self.transport is not None:
            self._reading_paused = True
            transports.pause(self.transport)

    def resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self._last_read = self.loop.time()
            if self.is_connected():
                transports.resume(self.transport)  # type: ignore[arg-type]

    # -- sock_read

    def _watch(self, seconds: float) -> None:
        self._last_read = self.loop.time()
        self._alarm = self.loop.call_later(seconds, self._watched, seconds)

    def _watched(self, seconds: float) -> None:
        """A read does not move the alarm, it only notes the time: the alarm moves itself when it rings."""
        waited = self.loop.time() - self._last_read
        if (
            self._reading_paused or self._backpressure.paused or self._upload is not None
        ):  # it is we who do not read, or have not said all
            waited = 0.0
        if waited >= seconds:
            self._alarm = None
            self.fail(SocketTimeoutError(f"Timeout on reading data from {self.peer} (sock_read, {seconds:g} s)"))
        else:
            self._alarm = self.loop.call_later(seconds - waited, self._watched, seconds)
