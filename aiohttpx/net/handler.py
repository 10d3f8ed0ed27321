"""A connection under aiohttp's name, with what its consumers call on one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..protocols import Protocol
from . import transports
from .connection import HTTPConnection
from .receiver import Heir, RoomReceiver

if TYPE_CHECKING:
    from .reader import StreamReader


#: Of what connections send and receive, for connections that log.
wire_logger: Final = logging.getLogger("aiohttpx.wire")


class Parser(Protocol):
    """What a consumer reads another protocol with. `feed_data` returns whether that has failed, and what it left."""

    def feed_data(self, data: bytes, /) -> tuple[bool, bytes]: ...
    def feed_eof(self) -> object: ...


class ResponseHandler(HTTPConnection):
    """The connections of all connectors are of this class; consumers make their own too, `ResponseHandler(loop)`, and call
    `connection_made`, `data_received` and `connection_lost` themselves."""

    @property
    def _payload(self) -> StreamReader | None:
        """What the peer's bytes go to; consumers of aiohttp read the `_buffer` of a WebSocket's here."""
        return self._reader

    def force_close(self) -> None:
        """Let no other exchange follow."""
        self.single_use = True
        self._persistent = False

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """End the exchange with `exc`, and the connection with it."""
        if exc_cause is not None:
            exc.__cause__ = exc_cause
        self.fail(exc)

    async def _drain_helper(self) -> None:
        await self.drain()

    def set_parser(self, parser: Parser, payload: Any, data_received_cb: Callable[[], object] | None = None) -> None:
        """After an upgrade (RFC 9110, section 7.8): give `parser` all that the peer sends, what has already come first.

        :param payload: what `parser` writes to; it is told by `set_exception` when the connection fails.
        :param data_received_cb: called before each piece.
        """
        reader, feeding = self._reader, _Feeding(parser, payload, data_received_cb)
        self._reader = feeding  # type: ignore[assignment]
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if reader is not None and (left := reader.read_nowait()):
            feeding.feed_data(left)
        if not self.is_connected():
            feeding.feed_eof()

    def hand_over(self, heir: Heir) -> None:
        """The same for `heir`, which receives from the transport itself. What has come already is in the answer's stream."""
        self._reader = heir  # type: ignore[assignment]  # as far as ends are concerned
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._receiver is not None:
            self._receiver = heir.receiver(self._receiver.get_buffer(-1))
        self._receive_by(self._receiver or heir)  # type: ignore[arg-type]

    def receive_into(self, heir: Heir, room: memoryview | None) -> None:
        """Receive into `room` until that is full, where that is possible; None: as before."""
        if self._can_fill and self.is_connected():
            if self._receiver is not None:
                self.transport.set_protocol(self._receiver if room is None else RoomReceiver(heir, room))  # type: ignore[union-attr]
                return
            paused = self._reading_paused
            self._receive_by(heir if room is None else RoomReceiver(heir, room))  # type: ignore[arg-type]
            if paused:
                self.pause_reading()

    def take_leave(self, seconds: float | None) -> None:
        """Close the connection when all that was written is sent, or in so many seconds."""
        if self.transport is not None:
            if seconds and transports.unsent(self.transport):
                self._alarm = self.loop.call_later(seconds, self.close)
            self.transport.close()


class _Feeding:
    """As much of a reader as a connection asks for."""

    def __init__(self, parser: Parser, payload: Any, callback: Callable[[], object] | None) -> None:
        self._parser = parser
        self._payload = payload
        self._callback = callback
        self._failed = False

    def feed_data(self, data: bytes) -> None:
        if self._callback is not None:
            self._callback()
        if not self._failed:
            self._failed, _ = self._parser.feed_data(data)

    def feed_eof(self) -> None:
        self._parser.feed_eof()

    def exception(self) -> None:
        return None

    def set_exception(self, error: BaseException) -> None:
        self._payload.set_exception(error)
