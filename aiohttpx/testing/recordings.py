"""A file of exchanges: what was asked and answered, as JSON."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request as it is written down."""

    method: str
    url: str
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of a field, those of repeated ones joined by ", "; "" without it."""
        return ", ".join(value for field, value in self.fields if field.lower() == name.lower())


@dataclass(frozen=True, slots=True)
class RecordedResponse:
    """The response to it; `body` without content codings. `length` is the announced one, where no body was to be sent."""

    status: int
    reason: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response."""

    request: RecordedRequest
    response: RecordedResponse


def load(path: Path) -> list[Exchange]:
    """The exchanges in a file; raises `ValueError` if it is none of these."""
    try:
        content = json.loads(path.read_bytes())
        if content["version"] != _VERSION:
            raise ValueError(f"version {content['version']}, not {_VERSION}")
        return [_exchange(exchange["request"], exchange["response"]) for exchange in content["exchanges"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no recording: {type(error).__name__}: {error}") from error


def save(path: Path, exchanges: Iterable[Exchange]) -> None:
    """Write a file of exchanges, whole or not at all."""
    content = {
        "version": _VERSION,
        "exchanges": [{"request": _members(exchange.request), "response": _members(exchange.response)} for exchange in exchanges],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, path)


def _exchange(asked: dict[str, Any], answered: dict[str, Any]) -> Exchange:
    request = RecordedRequest(asked["method"], asked["url"], _fields(asked), _body(asked))
    status, reason, length = answered["status"], answered["reason"], answered.get("length")
    return Exchange(request, RecordedResponse(status, reason, _fields(answered), _body(answered), length))


def _fields(members: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(value)) for name, value in members["headers"])


def _body(members: dict[str, Any]) -> bytes:
    written = members["body"]
    return written.encode() if isinstance(written, str) else base64.b64decode(written["base64"])


def _members(message: RecordedRequest | RecordedResponse) -> dict[str, Any]:
    members: dict[str, Any]
    if isinstance(message, RecordedRequest):
        members = {"method": message.method, "url": message.url}
    else:
        members = {"status": message.status, "reason": message.reason}
        if message.length is not None:
            members["length"] = message.length
    try:
        body: Any = message.body.decode()
    except UnicodeDecodeError:
        body = {"base64": base64.b64encode(message.body).decode()}
    return {**members, "headers": [list(field) for field in message.fields], "body": body}
