"""What becomes of a response whose status says no."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeAlias

from ..errors import ClientError
from ..message.response import ClientResponse
from .traces import Traces

#: Raise `ClientResponseError` for statuses from 400 on, or do what this callable does with each response.
RaiseForStatus: TypeAlias = bool | Callable[[ClientResponse], Awaitable[None]]

#: Seconds that an error waits for the start of its content.
_MOMENT: Final = 1.0


async def check_status(response: ClientResponse, check: RaiseForStatus, traces: Traces) -> None:
    """Check `response` by `check`, and tell `traces` that it is here. It is released if that raises."""
    try:
        if traces:
            response.trace_content()
        if callable(check):
            await check(response)
        elif check and not response.ok:
            if response.connection is not None:
                await _wait_for_content(response)
            response.raise_for_status()
        if traces:
            await traces.end(response)
    except BaseException:
        response.release()
        raise


async def _wait_for_content(response: ClientResponse) -> None:
    """The error of a bad status carries the start of the content, which is given a moment to come."""
    content = response.content
    with suppress(ClientError, TimeoutError):
        async with asyncio.timeout(_MOMENT):
            content.unread_data(await content.readany())
