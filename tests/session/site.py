"""An origin that keeps what it is asked, for tests of what travels between origins."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from aiohttpx.testing import LoopbackServer, Request, Response


class Site:
    """An origin that keeps what it is asked. `/to/<status>?<location>` redirects; whatever else is answered with its path."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None, **responses: Callable[[Request], Response]) -> None:
        self.asked: list[Request] = []
        self._responses = responses
        self._server = LoopbackServer({"/": self._answer}, ssl_context=ssl_context)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def connections(self) -> int:
        return self._server.connections

    def to(self, target: str, status: int = 302) -> str:
        return f"{self.url}/to/{status}?{target}"

    async def __aenter__(self) -> Site:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *args: Any) -> None:
        await self._server.__aexit__(*args)

    def _answer(self, request: Request) -> Response:
        self.asked.append(request)
        _, first, *rest = request.path.split("/")
        if first in self._responses:
            return self._responses[first](request)
        if first == "to":
            return Response(int(rest[0]), [("Location", request.query)], b"Moved.")
        return Response.text(request.path)


def lines(site: Site) -> list[str]:
    return [f"{request.method} {request.target}" for request in site.asked]


def setting(*cookies: str, location: str | None = None) -> Callable[[Request], Response]:
    fields = [("Set-Cookie", cookie) for cookie in cookies]
    return lambda request: Response(302 if location else 200, [*fields, ("Location", location)] if location else fields, b"")


def cookies_of(request: Request) -> str | None:
    return request.headers.get("cookie")
