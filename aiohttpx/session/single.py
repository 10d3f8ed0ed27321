"""`aiohttpx.request(...)`: one request, without a session of the caller's (seed 002)."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Unpack

from ..events import HttpVersion, HttpVersion11
from ..message.response import ClientResponse
from ..pool.connectors import TCPConnector
from ..pool.lending import BaseConnector
from ..timeouts import NOT_GIVEN, ClientTimeout
from ..typedefs import StrOrURL
from .client import ClientSession
from .context import RequestContextManager
from .options import OptionsWithoutTimeout


class SingleRequest(RequestContextManager[ClientResponse]):
    """As what a session's methods give; left by `async with`, it closes the connection too."""

    __slots__ = ()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self._response.close()


def request(
    method: str,
    url: StrOrURL,
    *,
    version: HttpVersion = HttpVersion11,
    connector: BaseConnector | None = None,
    loop: asyncio.AbstractEventLoop | None = None,
    timeout: ClientTimeout | float | None = NOT_GIVEN,
    **kwargs: Unpack[OptionsWithoutTimeout],
) -> SingleRequest:
    """Ask `url` once: await it, `yield from` it, or use it in `async with`. The arguments are those of `ClientSession.request`.

    Its connection is closed when the content was read, or the response released; a `connector` of the caller's stays open, and
    keeps it.
    """
    session = ClientSession(
        loop=loop,
        version=version,
        timeout=timeout,
        connector=connector or TCPConnector(loop=loop, force_close=True),
        connector_owner=connector is None,
    )
    return SingleRequest(_once(session, method, url, kwargs))


async def _once(session: ClientSession, method: str, url: StrOrURL, kwargs: OptionsWithoutTimeout) -> ClientResponse:
    try:
        response = await session.request(method, url, **kwargs)
    except BaseException:
        await session.close()
        raise
    connection = response.connection
    if connection is None:
        session.end()
    else:
        connection.add_callback(session.end)
    return response
