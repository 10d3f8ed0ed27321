"""The one place that chooses between the compiled engine and its Python twin.

AIOHTTPX_IMPL in the environment asks for one by name, "c" or "python"; otherwise the compiled one is used where it was built.
`IMPLEMENTATION` says which one it is. Modules that are compiled from their own Python source are of the same side: where such an
extension stands beside its source, Python takes the extension, unless told otherwise here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any, Final

_wanted = os.environ.get("AIOHTTPX_IMPL", "")
if _wanted not in ("", "c", "python"):
    raise ImportError(f'AIOHTTPX_IMPL must be "c", "python" or empty, not {_wanted!r}')

if TYPE_CHECKING or _wanted == "python":
    from ._http_parser_py import ResponseParser, parse_fields, serialize_head

    IMPLEMENTATION = "python"
else:
    try:
        from ._http_parser import ResponseParser, parse_fields, serialize_head

        if find_spec("._frame_parser", __package__) is None:
            raise ModuleNotFoundError(f"No module named '{__package__}._frame_parser'", name=f"{__package__}._frame_parser")
        IMPLEMENTATION = "c"
    except ImportError:
        if _wanted == "c":
            raise  # asked for by name: never fall back in silence
        from ._http_parser_py import ResponseParser, parse_fields, serialize_head

        IMPLEMENTATION = "python"

#: Compiled from their source, each with the `.pxd` beside it.
COMPILED_TOO: Final = frozenset(f"{__package__}.{name}" for name in ("net.outbox", "net.waiter", "pool.pool"))


class _FromSource:
    """Finds the source of what was compiled from it."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        source = f"{path[0]}/{name.rpartition('.')[2]}.py" if name in COMPILED_TOO and path else ""
        return spec_from_file_location(name, source) if os.path.isfile(source) else None


if IMPLEMENTATION == "python":
    sys.meta_path.insert(0, _FromSource)

__all__ = (
    "COMPILED_TOO",
    "IMPLEMENTATION",
    "FrameParser",
    "ResponseParser",
    "apply_mask",
    "parse_fields",
    "serialize_frame",
    "serialize_head",
)

if TYPE_CHECKING:
    from ._frame_parser_py import FrameParser, apply_mask, serialize_frame
else:

    def __getattr__(name: str) -> Any:
        """Frames are parsed by the same side, which is loaded for the first WebSocket."""
        if name not in ("FrameParser", "apply_mask", "serialize_frame"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        side = import_module("._frame_parser" if IMPLEMENTATION == "c" else "._frame_parser_py", __package__)
        globals().update({each: getattr(side, each) for each in ("FrameParser", "apply_mask", "serialize_frame")})
        return globals()[name]
