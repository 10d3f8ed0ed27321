"""How long each phase of getting a connection takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeAlias

#: Seconds by phase. A phase that is entered more than once has their sum; an inner one is part of the outer.
Phases: TypeAlias = dict[str, float]

_NOBODY: Final[Phases] = {}
_phases: ContextVar[Phases] = ContextVar("phases", default=_NOBODY)


@contextmanager
def noted_in(phases: Phases) -> Iterator[None]:
    """What the current task spends in phases is noted there, until the block ends."""
    token = _phases.set(phases)
    try:
        yield
    finally:
        _phases.reset(token)


def note(phase: str, seconds: float) -> None:
    """So long was spent in `phase`."""
    phases = _phases.get()
    if phases is not _NOBODY:
        phases[phase] = phases.get(phase, 0.0) + seconds
