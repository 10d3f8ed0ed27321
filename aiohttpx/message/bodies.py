"""The body for what a session's methods take together: `data=`, `json=`, `files=` and `trailers=`."""

from __future__ import annotations

from json import encoder
from typing import Any, Final

from ..typedefs import DEFAULT_JSON_ENCODER, JSONBytesEncoder, JSONEncoder
from .form import Files, form_with_files
from .payload import JsonBytesPayload, JsonPayload, octets_as
from .trailers import TrailedPayload, Trailers

_JSON: Final = "application/json"


def _make_encoder() -> Any:
    """What `json.dumps` makes anew for each call, but for what it keeps to find a value that contains itself."""
    default, quote = encoder.JSONEncoder().default, encoder.encode_basestring_ascii
    try:
        return encoder.c_make_encoder(None, default, quote, None, ": ", ", ", False, False, True)  # type: ignore[attr-defined]
    except (AttributeError, TypeError):  # another Python's
        return None


_encode: Final = _make_encoder()


def _dumps(value: Any) -> str:
    """As `json.dumps`, in less time."""
    try:
        return "".join(_encode(value, 0))
    except Exception:  # `json.dumps` can do it, or says what is wrong
        return DEFAULT_JSON_ENCODER(value)


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
            text = _dumps(json) if dumps is DEFAULT_JSON_ENCODER else dumps(json)
            data = octets_as(JsonPayload, text.encode(), _JSON, "utf-8")
        else:
            data = octets_as(JsonBytesPayload, dumps_bytes(json), _JSON)
    if files:
        data = form_with_files(data, files)
    return TrailedPayload(data, trailers) if trailers else data
