"""Pings for a WebSocket whose peer says nothing, whether or not someone reads from it."""

from __future__ import annotations

import asyncio

from ..errors import ServerTimeoutError
from ..messages import WSMsgType
from .timer import Alarm, Timer
from .websocket import WebSocketReader, WebSocketWriter

_CEIL_THRESHOLD = 5.0


class Heartbeat:
    """After `interval` seconds of silence sends a ping; after half as many more, still without a byte, gives the peer up.

    While reading is paused, because nobody takes what has come, silence says nothing about the peer.
    """

    def __init__(self, reader: WebSocketReader, writer: WebSocketWriter, interval: float, timer: Timer) -> None:
        self._reader = reader
        self._writer = writer
        self._interval = interval
        self._timer = timer
        self._time = asyncio.get_running_loop().time
        self._pinged: float | None = None  # when
        self._ping: asyncio.Task[None] | None = None
        reader.heard = self._time()
        self._alarm: Alarm = self._start(interval)

    def _start(self, seconds: float) -> Alarm:
        return self._timer.start(seconds, _CEIL_THRESHOLD, self._ring)

    def stop(self) -> None:
        self._alarm.cancel()
        if self._ping is not None:
            self._ping.cancel()

    def _ring(self) -> None:
        """Bytes that come do not move the alarm, they only note the time: the alarm moves itself when it rings."""
        reader = self._reader
        if reader.ended:
            return
        now = self._time()
        if reader.paused:
            reader.heard = now
        heard = reader.heard or now
        if self._pinged is not None and heard <= self._pinged:
            self._give_up(ServerTimeoutError(f"No PONG received after {self._interval / 2} seconds"))
            return
        self._pinged = None
        wait = heard + self._interval - now
        if wait <= 0:
            self._pinged = now
            self._ping = asyncio.get_running_loop().create_task(self._writer.send_frame(b"", WSMsgType.PING))
            self._ping.add_done_callback(self._ping_sent)
            wait = self._interval / 2
        self._alarm = self._start(wait)

    def _ping_sent(self, task: asyncio.Task[None]) -> None:
        self._ping = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._give_up(error)

    def _give_up(self, error: BaseException) -> None:
        self.stop()
        self._reader.give_up(error)
