"""What the two floors share: the request they write, and the connection they write it to."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

from works import FORM, PAYLOAD, Work

P = TypeVar("P", bound=asyncio.Protocol)


def build_request(work: Work, url: str) -> bytes:
    """The bytes of one request for `url`, body included, with the fields that clients send by default."""
    authority, _, target = url.partition("://")[2].partition("/")
    fields = "Accept: */*\r\nAccept-Encoding: gzip, deflate, br\r\nUser-Agent: Python/3 floor\r\n"
    if not work.keep_alive:
        fields += "Connection: close\r\n"
    if work.operation == "post_json":
        body, kind = json.dumps(PAYLOAD), "application/json"
    elif work.operation == "post_form":
        body, kind = urlencode(FORM), "application/x-www-form-urlencoded"
    else:
        return f"GET /{target} HTTP/1.1\r\nHost: {authority}\r\n{fields}\r\n".encode()
    fields += f"Content-Length: {len(body)}\r\nContent-Type: {kind}\r\n"
    return f"POST /{target} HTTP/1.1\r\nHost: {authority}\r\n{fields}\r\n{body}".encode()


async def connect(make: Callable[[], P], origin: str, context: ssl.SSLContext | None) -> P:
    """A protocol made by `make`, connected to `origin`."""
    parts = urlsplit(origin)
    _transport, protocol = await asyncio.get_running_loop().create_connection(
        make, parts.hostname or "", parts.port or 0, ssl=context
    )
    return protocol
