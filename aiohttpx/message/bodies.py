"""The body for what a session's methods take together: `data=`, `json=`, `files=` and `trailers=`."""

from __future__ import annotations

from typing import Any

from ..typedefs import JSONBytesEncoder, JSONEncoder
from .form import Files, form_with_files
from .payload import JsonBytesPayload, JsonPayload
from .trailers import TrailedPayload, Trailers


def body_of(
    data: Any,
    json: Any,
    files: Files | None,
    trailers: Trailers | None,
    dumps: JSONEncoder,
    dumps_bytes: JSONBytesEncoder | None,
) -> Any:
    """What a `ClientRequest` is given as `data`. Raises `ValueError` for what cannot be combined."""
    if json is not None:
        if data is not None:
            raise ValueError("data and json parameters can not be used at the same time")
        data = JsonPayload(json, dumps=dumps) if dumps_bytes is None else JsonBytesPayload(json, dumps=dumps_bytes)
    if files:
        data = form_with_files(data, files)
    return TrailedPayload(data, trailers) if trailers else data
