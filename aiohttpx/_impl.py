"""The one place that chooses between the compiled engine and its Python twin.

AIOHTTPX_IMPL in the environment asks for one by name, "c" or "python"; otherwise the compiled one is used where it was built.
`IMPLEMENTATION` says which one it is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

_wanted = os.environ.get("AIOHTTPX_IMPL", "")
if _wanted not in ("", "c", "python"):
    raise ImportError(f'AIOHTTPX_IMPL must be "c", "python" or empty, not {_wanted!r}')

if TYPE_CHECKING or _wanted == "python":
    from ._frame_parser_py import FrameParser, apply_mask, serialize_frame
    from ._http_parser_py import ResponseParser, parse_fields, serialize_head

    IMPLEMENTATION = "python"
else:
    try:
        from ._frame_parser import FrameParser, apply_mask, serialize_frame
        from ._http_parser import ResponseParser, parse_fields, serialize_head

        IMPLEMENTATION = "c"
    except ImportError:
        if _wanted == "c":
            raise  # asked for by name: never fall back in silence
        from ._frame_parser_py import FrameParser, apply_mask, serialize_frame
        from ._http_parser_py import ResponseParser, parse_fields, serialize_head

        IMPLEMENTATION = "python"

__all__ = (
    "IMPLEMENTATION",
    "FrameParser",
    "ResponseParser",
    "apply_mask",
    "parse_fields",
    "serialize_frame",
    "serialize_head",
)
