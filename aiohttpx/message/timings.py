"""How long the parts of a request took. Only a request that is to be timed reads the clock for it."""

from __future__ import annotations

import asyncio
from typing import Any

from ..records import NamedTuple


class Timings(NamedTuple):
    """Seconds. None: it was not needed, has not come yet, or nobody asked for it (`timings=True`)."""

    #: Waiting for a free slot in the pool.
    pool: float | None = None
    #: Resolving the host, connecting a socket, the TLS handshake: for a new connection only.
    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    #: From the connection to the request sent whole, from there to the head of the response.
    send: float | None = None
    first_byte: float | None = None
    #: From the beginning to the end of the content.
    total: float | None = None


class Stopwatch:
    """The moments of one request, by the loop's clock."""

    connected: float | None = None
    sent: float | None = None
    answered: float | None = None
    ended: float | None = None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._now = loop.time
        self.begun = loop.time()

    def note_connected(self) -> None:
        self.connected = self._now()
        self.sent = self.answered = self.ended = None  # those of an attempt before

    def note_sent(self) -> None:
        self.sent = self._now()

    def note_answer(self, answer: object) -> None:
        self.answered = self._now()

    def note_end(self) -> None:
        self.ended = self._now()


def timings_of(request: Any) -> Timings:
    """What is known by now of a `ClientRequest`; None is one that was never made."""
    phases = getattr(request, "phases", None) or {}
    tls, opened = phases.get("tls"), phases.get("sock_connect")
    known = Timings(phases.get("pool"), phases.get("dns"), None if opened is None else opened - (tls or 0.0), tls)
    watch = getattr(request, "stopwatch", None)
    if watch is None:
        return known
    # Who hears of the answer hears of it a turn of the loop later: it may have ended by then.
    answered = min(filter(None, (watch.answered, watch.ended)), default=None)
    sent = watch.sent if watch.sent is None or answered is None else min(watch.sent, answered)
    return known._replace(
        send=_between(watch.connected, sent), first_byte=_between(sent, answered), total=_between(watch.begun, watch.ended)
    )


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else end - start
