# cython: language_level=3, freethreading_compatible=True, annotation_typing=False
"""When requests are written: at once, or together with others of the same turn of the loop."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:

    class Sender(Protocol):
        """What a request is written for."""

        transport: asyncio.Transport | None

        def fail(self, error: BaseException) -> None: ...


#: For how long a request waits for others, in seconds; the step that a task is in just then comes on top.
HOLD = 0.001
#: As many requests in a row, to which no answer has come, are not yet many.
FEW = 2


class Outbox:
    """What the connections of one pool write through.

    Answers that arrive in one turn of the loop let their tasks go on in the next, one after another, and most of these send
    another request. Written one by one, each would find its peer idle again, or the system's network, and wake it; written
    together they do so once. So a request waits while there are answers whose tasks have yet to go on: until the turn ends, at
    most. So does one that follows on others to which no answer has come yet, as when many tasks begin. One that is alone is
    written at once.
    """

    __slots__ = ("_answers", "_began", "_heard", "_held", "_loop", "_unanswered")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._answers = 0  # that have come, and whose tasks have yet to go on
        self._heard = False  # one of them has gone on since the turn's end was asked for
        self._held: list[tuple[Sender, bytes]] = []
        self._began = 0.0  # when the first of these came
        self._unanswered = 0  # requests written at once, since the last answer came

    def answered(self) -> None:
        """An answer has come, and somebody will say `heard`."""
        self._answers += 1
        self._unanswered = 0

    def heard(self) -> None:
        """A task goes on with its answer."""
        self._heard = True
        if self._answers:
            self._answers -= 1
        if self._held and (not self._answers or monotonic() - self._began > HOLD):
            self.flush()

    def write(self, sender: Sender, data: bytes) -> None:
        """Write `data`, the whole of what is to be written now, to the sender's transport, or do so when this turn ends."""
        if not self._answers and self._unanswered < FEW:
            self._unanswered += 1
            sender.transport.write(data)  # type: ignore[union-attr]
            return
        self._held.append((sender, data))
        if len(self._held) == 1:
            self._heard = False
            self._began = monotonic()
            self._loop.call_soon(self._end_of_turn)
        elif monotonic() - self._began > HOLD:
            self.flush()

    def flush(self) -> None:
        """Write what is held now."""
        held = self._held
        self._held = []
        for sender, data in held:
            transport = sender.transport
            if transport is not None:  # else its exchange has ended
                try:
                    transport.write(data)
                except Exception as error:
                    if not transport.is_closing():  # and ends what it is used for, as it should
                        sender.fail(error)

    def _end_of_turn(self) -> None:
        if not self._heard:  # answers that nobody speaks up for
            self._answers = 0
        self.flush()
