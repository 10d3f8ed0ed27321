"""The body for what a session's methods take together: `data=`, `json=`, `files=` and `trailers=`."""

from __future__ import annotations

from typing import Any, Final

from ..typedefs import JSONBytesEncoder, JSONEncoder
from .form import Files, form_with_files
from .payload import JsonBytesPayload, JsonPayload, octets_as
from .trailers import TrailedPayload, Trailers

_JSON: Final = "application/json"


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
        if dumps_bytes is None:
            data = octets_as(JsonPayload, dumps(json).encode(), _JSON, "utf-8")
        else:
            data = octets_as(JsonBytesPayload, dumps_bytes(json), _JSON)
    if files:
        data = form_with_files(data, files)
    return TrailedPayload(data, trailers) if trailers else data
