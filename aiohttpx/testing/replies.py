"""What a mocked request is answered with."""

from __future__ import annotations

import json
import mimetypes
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from .messages import Request, Response
from .patterns import MISSING

#: Pieces of a body, each sent on its own; a callable makes them anew for each response.
Chunks: TypeAlias = Iterable[bytes] | AsyncIterable[bytes] | Callable[[], Iterable[bytes] | AsyncIterable[bytes]]
Fields: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]

_PIECE: Final = 65_536


def reply_of(
    status: int,
    headers: Fields,
    body: bytes | str | None,
    value: Any,
    chunks: Chunks | None,
    file: str | os.PathLike[str] | None,
    reason: str | None,
) -> Callable[[Request], Response]:
    """What makes the response, as often as it is asked for. Raises `ValueError` for more than one body."""
    if sum((body is not None, value is not MISSING, chunks is not None, file is not None)) > 1:
        raise ValueError("a reply has one body: one of body, json, chunks and file")
    fields: list[Any] = list(headers.items() if isinstance(headers, Mapping) else headers)
    content_type = None
    if value is not MISSING:
        content_type, body = "application/json", json.dumps(value)
    elif isinstance(body, str):
        content_type = "text/plain; charset=utf-8"
    elif file is not None:
        content_type = mimetypes.guess_type(os.fspath(file))[0] or "application/octet-stream"
    if content_type is not None and all(name.lower() != "content-type" for name, _ in fields):
        fields.append(("Content-Type", content_type))
    if file is not None:
        path = Path(file)
        return lambda _: Response(status, fields, _each(_pieces_of(path)), path.stat().st_size, reason=reason)
    if chunks is not None:
        return lambda _: Response(status, fields, _each(chunks), reason=reason)
    content = body.encode() if isinstance(body, str) else body or b""
    return lambda _: Response(status, fields, content, reason=reason)


def _pieces_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


async def _each(chunks: Chunks) -> AsyncIterator[bytes]:
    made = chunks() if callable(chunks) else chunks
    if isinstance(made, AsyncIterable):
        async for chunk in made:
            yield chunk
    else:
        for chunk in made:
            yield chunk
