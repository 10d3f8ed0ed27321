"""Server-Sent Events: a stream of text as its events (WHATWG HTML, section 9.2, "Server-sent events").

    parser = EventParser()
    events = parser.feed(b"id: 7\ndata: hello\n\n")     # [ServerSentEvent("message", "hello", "7")]

An event that is not ended by an empty line is not an event: at the end of a stream there is nothing to ask the parser.
"""

from __future__ import annotations

import codecs
import sys
from typing import Final

from ..errors import BodyTooLarge
from ..patterns import pattern
from ..records import NamedTuple

_BOM = codecs.BOM_UTF8
_LINE_END: Final = pattern(rb"\r\n|\n|\r")


class ServerSentEvent(NamedTuple):
    """One event: its type, its data (lines joined by LF), and the id of the last event that had one."""

    event: str
    data: str
    id: str = ""


class EventParser:
    """What a server sends, turned into events.

    :param max_event_size: bytes of the data of one event, or of any other line; more raise `BodyTooLarge`.
    :ivar last_event_id: what a request that goes on with the stream says it has seen; "" for nothing.
    :ivar retry: seconds to wait before that, as the server said; None if it did not.
    """

    def __init__(self, last_event_id: str = "", max_event_size: int = sys.maxsize) -> None:
        self.last_event_id = last_event_id
        self.retry: float | None = None
        self._max_event_size = max_event_size
        self._event = ""
        self._data: list[str] = []
        self._id = last_event_id
        self._size = 0  # of the lines of data, in bytes
        self._line: list[bytes] = []  # the pieces of a line that has not ended
        self._line_size = 0
        self._after_cr = False  # an LF that comes next ends no other line
        self._start: bytes | None = b""  # of the stream, as long as it may be a byte order mark

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """The events that end in `data`."""
        if self._start is not None:
            data = self._without_mark(data)
        events: list[ServerSentEvent] = []
        at = 0
        if not data:
            return events
        if self._after_cr:
            at = data.startswith(b"\n")
        for end in _LINE_END.finditer(data, at):
            line = data[at : end.start()]
            at = end.end()
            if self._line:
                line = b"".join([*self._line, line])
                self._line.clear()
                self._line_size = 0
            self._check(self._size + len(line))
            if line:
                self._take(line)
            else:
                self._dispatch(events)
        self._after_cr = data.endswith(b"\r")
        if at < len(data):
            self._line.append(data[at:])
            self._line_size += len(data) - at
            self._check(self._size + self._line_size)
        return events

    def _without_mark(self, data: bytes) -> bytes:
        start = (self._start or b"") + data
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._start = start
            return b""
        self._start = None
        return start.removeprefix(_BOM)

    def _check(self, size: int) -> None:
        if size > self._max_event_size:
            raise BodyTooLarge(self._max_event_size, "max_event_size")

    def _take(self, line: bytes) -> None:
        """A line that is not empty: a field, or a comment."""
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(line)
        elif name == "event":
            self._event = value
        elif name == "id":
            if "\0" not in value:
                self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value[:12]) / 1000

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        """An empty line: what was gathered is an event if it has data."""
        self.last_event_id = self._id
        if self._data:
            events.append(ServerSentEvent(self._event or "message", "\n".join(self._data), self._id))
            self._data.clear()
        self._event = ""
        self._size = 0
