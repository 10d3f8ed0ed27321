"""Handlers of what can be gone on with where it was cut: byte ranges, and events."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from .messages import Request, Response

_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")


def with_ranges(request: Request, content: bytes, etag: str = "", fields: tuple[tuple[str, str], ...] = ()) -> Response:
    """`content`, or the range of it that is asked for (RFC 9110, section 14), if If-Range says that it is still `etag`."""
    headers = [("Accept-Ranges", "bytes"), *fields]
    if etag:
        headers.append(("ETag", etag))
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None or asked[0] == "bytes=-" or request.headers.get("if-range", etag) != etag:
        return Response(200, headers, content)
    size = len(content)
    if asked[1]:
        start, end = int(asked[1]), min(int(asked[2] or size), size - 1)
    else:
        start, end = max(0, size - int(asked[2])), size - 1
    if start > end:
        return Response(416, [*headers, ("Content-Range", f"bytes */{size}")])
    return Response(206, [*headers, ("Content-Range", f"bytes {start}-{end}/{size}")], content[start : end + 1])


def send_events(request: Request) -> Response:
    """`/events/<count>`: so many Server-Sent Events, "tick" 1 to `count`, three on a connection; at last 204 (No Content)."""
    count = int(request.path.rpartition("/")[2] or 0)
    last = int(request.headers.get("last-event-id", 0))
    if last >= count:
        return Response(204)

    async def events() -> AsyncIterator[bytes]:
        yield b"retry: 10\n\n"
        for number in range(last + 1, min(last + 3, count) + 1):
            yield b"event: tick\nid: %d\ndata: event number %d\n\n" % (number, number)

    return Response(200, [("Content-Type", "text/event-stream")], events(), length=None)
