r"""The wire log: what connections send and receive, by the logger `aiohttpx.wire` at level DEBUG.

    #1 example.org:443 > GET / HTTP/1.1
    #1 example.org:443 > Host: example.org
    #1 example.org:443 > Authorization: [redacted]
    #1 example.org:443 < HTTP/1.1 200 OK
    #1 example.org:443 < Content-Length: 2
    #1 example.org:443 < (2 bytes of content)

Heads are logged line by line without the values that carry credentials; of content only its size is, since anything may be in it.
Who logs is decided when a connection is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final

from .._impl import parse_fields
from ..events import Chunks, Event, ResponseHead, Trailers
from ..secrets import shown
from ..typedefs import Byteish
from .connection import Answer
from .handler import ResponseHandler, wire_logger
from .outbox import Outbox
from .settings import DEFAULT_SETTINGS, Settings

_numbers = count(1)
#: What could change how a terminal shows a line, or begin another.
_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}


class LoggedConnection(ResponseHandler):
    """A connection that logs. Its number tells it apart from others to the same peer."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, read_buffer: bytearray | None = None, outbox: Outbox | None = None
    ) -> None:
        super().__init__(loop, read_buffer, outbox)
        self._number = next(_numbers)
        self._hearing = False

    def _log(self, direction: str, text: str) -> None:
        wire_logger.debug("#%d %s %s %s", self._number, self.peer or "-", direction, text.translate(_CONTROLS))

    def _log_fields(self, direction: str, fields: bytes) -> None:
        for name, value in parse_fields(fields):
            text = name.decode("ascii", "backslashreplace")
            self._log(direction, f"{text}: {shown(text, value.decode('utf-8', 'backslashreplace'))}")

    def _log_size(self, direction: str, size: int) -> None:
        if size:
            self._log(direction, f"({size} bytes of content)")

    def exchange(
        self,
        method: str,
        data: bytes,
        give_back: Callable[[], object],
        settings: Settings = DEFAULT_SETTINGS,
        upgrade: bool = False,
    ) -> asyncio.Future[Answer]:
        answer = super().exchange(method, data, give_back, settings, upgrade)
        head, _, content = data.partition(b"\r\n\r\n")
        line, _, fields = head.partition(b"\r\n")
        self._log(">", line.decode("utf-8", "backslashreplace"))
        self._log_fields(">", fields + b"\r\n")
        self._log_size(">", len(content))
        return answer

    def write(self, parts: Sequence[Byteish]) -> None:
        super().write(parts)
        self._log_size(">", sum(map(len, parts)))

    def content_sent(self, size: int) -> None:
        super().content_sent(size)
        self._log_size(">", size)

    def content_received(self, size: int) -> None:
        self._log_size("<", size)
        super().content_received(size)

    def _hear(self, events: list[Event]) -> None:
        self._log_events(events)
        self._hearing = True
        try:
            super()._hear(events)
        finally:
            self._hearing = False

    def _answer_whole(self, head: ResponseHead, body: bytes | Chunks) -> None:
        if not self._hearing:  # an answer that came in one read is not heard event by event
            self._log_events([head, body])
        super()._answer_whole(head, body)

    def _log_events(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, ResponseHead):
                self._log("<", f"HTTP/{event.version.major}.{event.version.minor} {event.status} {event.reason}")
                self._log_fields("<", event.fields)
            elif isinstance(event, Trailers):
                self._log_fields("<", event.fields)
            elif isinstance(event, Chunks):
                self._log_size("<", len(event.data))
            elif isinstance(event, bytes):
                self._log_size("<", len(event))

    def fail(self, error: BaseException) -> None:
        self._log("*", f"fails: {type(error).__name__}")  # its text may quote what must not be shown
        super().fail(error)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        name: Any = transport.get_extra_info("peername")
        secure = transport.get_extra_info("ssl_object")
        self._log("*", f"connected to {name}" + (f" by {secure.version()}" if secure is not None else ""))

    def connection_lost(self, exc: BaseException | None) -> None:
        self._log("*", "closed" if exc is None else f"lost: {exc}")
        super().connection_lost(exc)
