"""The heap of the process, as bodies need it that are read whole."""

from __future__ import annotations

from functools import cache
from typing import Final

#: How large a body is, in bytes, that is worth it.
_LARGE: Final = 2**18
_ROOM: Final = 2**22


def keep_room_for(body: bytes) -> None:
    """Have memory for bodies as large as this kept, if it is large."""
    if len(body) >= _LARGE:
        _keep_room()


@cache
def _keep_room() -> None:
    """Have glibc keep memory for bodies, and for what is made of them, when they are freed.

    It takes fresh pages from the system for every block over 128 KiB, and gives them back with the block, until one of these is
    freed that is larger: from then on memory for blocks up to its size is kept, up to twice that size. Fresh pages for a body of
    1 MB cost half as much as to inflate and parse it. The block here is never touched: it costs two system calls, once.
    """
    bytes(_ROOM)
