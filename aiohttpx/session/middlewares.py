"""Middlewares: what a caller puts around every attempt to send a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

from ..message.request import ClientRequest
from ..message.response import ClientResponse

#: What sends a request, through the middlewares that are left.
ClientHandlerType: TypeAlias = Callable[[ClientRequest], Awaitable[ClientResponse]]
#: `async def middleware(request, handler) -> response`. It may change the request, send it by `await handler(request)`, more than
#: once too, or answer itself.
ClientMiddlewareType: TypeAlias = Callable[[ClientRequest, ClientHandlerType], Awaitable[ClientResponse]]


def build_client_middlewares(handler: ClientHandlerType, middlewares: Sequence[ClientMiddlewareType]) -> ClientHandlerType:
    """`handler` with `middlewares` around it, the first one outermost."""
    for middleware in reversed(middlewares):
        handler = partial(_pass, middleware, handler)
    return handler


def _pass(middleware: ClientMiddlewareType, handler: ClientHandlerType, request: ClientRequest) -> Awaitable[ClientResponse]:
    return middleware(request, handler)
