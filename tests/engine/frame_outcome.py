"""What a frame parser made of some bytes."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any, NamedTuple

from aiohttpx.errors import WebSocketError
from aiohttpx.messages import Message


class Outcome(NamedTuple):
    messages: list[Message]
    code: int
    error: str


def outcome(framing: ModuleType, parts: Iterable[bytes], **settings: Any) -> Outcome:
    """Feed the parts to a new parser until one is refused."""
    parser: Any = framing.FrameParser(**settings)
    said: list[Message] = []
    try:
        for part in parts:
            said += parser.feed(part)
    except WebSocketError as error:
        return Outcome([*said, *error.messages], error.code, str(error))
    return Outcome(said, 0, "")
