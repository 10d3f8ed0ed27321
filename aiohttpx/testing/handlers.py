"""Handlers that come with the loopback server, and the paths they usually have."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from .messages import Request, Response
from .resumable import send_events, with_ranges
from .routes import Handler, Route

_PAYLOAD_PERIOD = 262_139  # a prime: a block lost or sent twice shows, whatever the size of the blocks
_MAX_PAYLOAD = 1 << 40
_MAX_WHOLE = 1 << 28
_MAX_DELAY = 3600.0


def echo(request: Request) -> Response:
    """What was asked, as a JSON object: method, target, path, args, headers, data, json, form, size.

    `data` is the content as text, or as a `data:` URL in base64 when it is not UTF-8; `json` is its value when it is JSON, else
    null; `form` are its pairs when its type says urlencoded. A name that comes more than once in `args` or `form` has a list.
    """
    try:
        data = request.body.decode()
    except UnicodeDecodeError:
        data = "data:application/octet-stream;base64," + base64.b64encode(request.body).decode("ascii")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Response.json(
        {
            "method": request.method,
            "target": request.target,
            "path": request.path,
            "args": _by_name(request.query),
            "headers": dict(request.headers),
            "data": data,
            "json": _json_or_none(data),
            "form": _by_name(data) if content_type == "application/x-www-form-urlencoded" else {},
            "size": request.body_size,
        }
    )


def send_payload(request: Request) -> Response:
    """`/bytes/<size>`: the first `size` bytes of `payload()`, streamed with a Content-Length; with `?chunked`, without one."""
    size = _number(request, _MAX_PAYLOAD)
    if size is None:
        return Response.text("a size in bytes is needed\n", 400)
    headers = [("Content-Type", "application/octet-stream")]
    return Response(200, headers, _stream_payload(int(size)), length=None if request.query == "chunked" else int(size))


async def delay(request: Request) -> Response:
    """`/delay/<seconds>`: what `echo` answers, after so long."""
    seconds = _number(request, _MAX_DELAY)
    if seconds is None:
        return Response.text("a time in seconds is needed\n", 400)
    await asyncio.sleep(seconds)
    return echo(request)


def status(request: Request) -> Response:
    """`/status/<code>`: an empty response with that status, from 200 to 599."""
    code = _number(request, 599)
    if code is None or code < 200:
        return Response.text("a status from 200 to 599 is needed\n", 400)
    return Response(int(code))


def send_range(request: Request) -> Response:
    """`/range/<size>`: as `/bytes/<size>`, whole or in the byte ranges that are asked for, with a strong ETag."""
    size = _number(request, _MAX_WHOLE)
    if size is None:
        return Response.text("a size in bytes is needed\n", 400)
    return with_ranges(request, payload(int(size)), f'"{int(size)}"')


def count(request: Request) -> Response:
    """The size of the content in bytes, as decimal digits."""
    return Response.text(str(request.body_size))


#: httpbin's paths, as far as they are here; `/count` takes uploads of any size, `/events/` and `/range/` can be gone on with.
DEFAULT_ROUTES: Mapping[str, Handler | Route] = {
    "/anything": echo,
    "/anything/": echo,
    "/bytes/": send_payload,
    "/count": Route(count, keep_body=False),
    "/delay/": delay,
    "/events/": send_events,
    "/range/": send_range,
    "/status/": status,
}


@cache
def payload_period() -> bytes:
    """The bytes that `payload` repeats: always the same ones, looking random."""
    return random.Random(0).randbytes(_PAYLOAD_PERIOD)


def payload(size: int) -> bytes:
    """The content of `/bytes/<size>`."""
    period = payload_period()
    return (period * (size // len(period) + 1))[:size]


async def _stream_payload(size: int) -> AsyncIterator[bytes]:
    period = payload_period()
    for _ in range(size // len(period)):
        yield period
    if rest := size % len(period):
        yield period[:rest]


def _number(request: Request, limit: float) -> float | None:
    """The last segment of the path as a number from 0 to `limit`."""
    try:
        number = float(request.path.rpartition("/")[2])
    except ValueError:
        return None
    return number if 0 <= number <= limit else None


def _json_or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _by_name(pairs: str) -> dict[str, str | list[str]]:
    """Urlencoded pairs, as httpbin shows them."""
    named: dict[str, str | list[str]] = {}
    for name, value in parse_qsl(pairs, keep_blank_values=True):
        earlier = named.get(name)
        if earlier is None:
            named[name] = value
        elif isinstance(earlier, list):
            earlier.append(value)
        else:
            named[name] = [earlier, value]
    return named
