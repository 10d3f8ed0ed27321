"""One response, from a peer that plays it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aiohttpx import ClientResponse, ClientSession
from aiohttpx.testing import ExpectRequest, PeerConnection, Script, ScriptedPeer

#: For tests that hold whether the body comes along with the head, or only when the caller has the response already.
both_ways = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


class Gate:
    """A step of a script that waits until the test opens it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def open(self) -> None:
        self._event.set()

    async def __call__(self, connection: PeerConnection) -> None:
        await self._event.wait()


def head(status: str = "200 OK", fields: Iterable[str] = (), length: int | None = None) -> bytes:
    """A head in bytes, with a Content-Length if there is a `length`."""
    framing = [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, *framing, "", ""]).encode("utf-8", "surrogateescape")


@asynccontextmanager
async def answer(
    body: bytes = b"",
    *fields: str,
    status: str = "200 OK",
    streamed: bool = False,
    method: str = "GET",
    path: str = "/",
    session: dict[str, Any] | None = None,
    **kwargs: Any,
) -> AsyncIterator[ClientResponse]:
    """Enter the response to a request whose answer has these `fields` and this `body`."""
    start = head(status, fields, len(body))
    gate = Gate()
    script: Script = start + body if not streamed else [ExpectRequest(), start, gate, body]
    async with (
        ScriptedPeer(script) as peer,
        ClientSession(**session or {}) as client,
        client.request(method, f"{peer.url}{path}", **kwargs) as response,
    ):
        gate.open()
        yield response
