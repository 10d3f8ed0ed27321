"""Requests that are timed."""

from __future__ import annotations

from typing import Any

from .request import ClientRequest
from .response import ClientResponse, Lent
from .timings import Stopwatch

_made: dict[type[ClientRequest], type[ClientRequest]] = {}


def timed(request_class: type[ClientRequest]) -> type[ClientRequest]:
    """`request_class` with a stopwatch."""
    known = _made.get(request_class)
    if known is not None:
        return known

    class Timed(request_class):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.stopwatch = Stopwatch(self.loop)

        async def send(self, conn: Lent) -> ClientResponse:
            watch, protocol = self.stopwatch, conn.protocol
            watch.note_connected()
            conn.add_callback(watch.note_end)
            response: ClientResponse = await super().send(conn)
            if protocol is not None:
                protocol.when_sent(watch.note_sent)
            if response.answer is not None:
                response.answer.add_done_callback(watch.note_answer)
            return response

    Timed.__name__, Timed.__qualname__ = request_class.__name__, request_class.__qualname__
    _made[request_class] = Timed
    return Timed
