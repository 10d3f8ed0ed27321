"""What a parser made of some bytes, in a form that does not show how the bytes were cut."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from types import ModuleType
from typing import Any, NamedTuple

from aiohttpx.errors import HttpProcessingError
from aiohttpx.events import Chunks, Event


class Request(NamedTuple):
    """What the bytes answer, and under which limits they are read."""

    method: str = "GET"
    upgrade: bool = False
    limits: tuple[int, int, int, int] = (65536, 262144, 512, 65536)


class Outcome(NamedTuple):
    events: list[Event]
    error: type[HttpProcessingError] | None
    message: str
    idle: bool


def joined(events: Iterable[Event]) -> list[Event]:
    """The same, with content that follows content made one."""
    said: list[Event] = []
    for event in events:
        last = said[-1] if said else None
        if isinstance(event, bytes) and isinstance(last, bytes):
            said[-1] = last + event
        elif isinstance(event, Chunks) and isinstance(last, Chunks):
            said[-1] = Chunks(last.data + event.data, last.ends + tuple(len(last.data) + end for end in event.ends))
        else:
            said.append(event)
    return said


def outcome(engine: ModuleType, request: Request, parts: Iterable[bytes], *, eof: bool = False) -> Outcome:
    """Feed the parts to a new parser until one is refused."""
    parser: Any = engine.ResponseParser(*request.limits)
    parser.expect(request.method, request.upgrade)
    said: list[Event] = []
    try:
        for part in parts:
            said += parser.feed(part)
        if eof:
            said += parser.feed_eof()
    except HttpProcessingError as error:
        return Outcome(joined([*said, *error.events]), type(error), error.message, parser.idle)
    return Outcome(joined(said), None, "", parser.idle)


def cut(wire: bytes, *places: int) -> list[bytes]:
    """The bytes in parts that end at these places."""
    marks = [0, *sorted(places), len(wire)]
    return [wire[start:end] for start, end in itertools.pairwise(marks)]


def single_bytes(wire: bytes) -> list[bytes]:
    return [wire[at : at + 1] for at in range(len(wire))]
