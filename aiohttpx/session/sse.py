"""The events of a URL, over as many connections as that takes (WHATWG HTML, section 9.2, "Server-sent events")."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self

from multidict import CIMultiDict

from .. import hdrs
from ..errors import BodyTooLarge, ClientConnectionError, ClientError, ClientPayloadError, ClientResponseError
from ..message.response import ClientResponse
from ..net.iterators import AsyncEventIterator
from ..typedefs import LooseHeaders
from ..wire.fields import EVENT_STREAM
from ..wire.sse import ServerSentEvent

# Each attempt in vain doubles them, up to so many.
_LONGEST_WAIT: Final = 60.0


class EventSource:
    """Iterates over the events of a stream, and asks for it again when it ends or is lost, from the last id on.

        async with session.sse(url) as events:
            async for event in events:
                print(event.event, event.data)

    It ends when the server answers 204 (No Content). What the first connection fails with is raised, later connections are tried
    for ever. Raises `ClientResponseError` for any other status than 200, `ContentTypeError` for what is no event stream, and
    `BodyTooLarge` for an event over its limit.

    :ivar response: the current response, the last one when there is none; None before the first.
    :ivar last_event_id: the id of the last event given that has one; a later source can go on from it.
    """

    def __init__(
        self,
        ask: Callable[[CIMultiDict[str]], Awaitable[ClientResponse]],
        headers: LooseHeaders | None,
        last_event_id: str,
        retry: float,
        max_event_size: int,
    ) -> None:
        self.response: ClientResponse | None = None
        self.last_event_id = last_event_id
        self._ask = ask
        self._headers: CIMultiDict[str] = CIMultiDict(headers or ())
        self._headers.setdefault(hdrs.ACCEPT, EVENT_STREAM)
        self._headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
        self._retry = retry
        self._max_event_size = max_event_size
        self._events: AsyncEventIterator | None = None
        self._attempts_in_vain = 0
        self._over = False

    async def __aenter__(self) -> Self:
        await self._connect()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ServerSentEvent:
        while not self._over:
            try:
                if self._events is not None:
                    return await self._next(self._events)
                await self._connect()
            except ClientConnectionError:
                if self.response is None:
                    raise
                await self._wait()
            except ClientError:
                self.close()
                raise
        raise StopAsyncIteration

    async def _next(self, events: AsyncEventIterator) -> ServerSentEvent:
        try:
            event = await anext(events)
        except BodyTooLarge:
            raise
        except (StopAsyncIteration, ClientPayloadError) as error:
            raise ClientConnectionError("The event stream has ended") from error
        self.last_event_id = event.id
        return event

    def close(self) -> None:
        """End the stream."""
        self._over = True
        if self.response is not None:
            self.response.close()

    async def _connect(self) -> None:
        headers = self._headers.copy()
        if self.last_event_id:
            headers[hdrs.LAST_EVENT_ID] = self.last_event_id
        self._attempts_in_vain += 1
        response = self.response = await self._ask(headers)
        self._attempts_in_vain = 0
        try:
            if response.status == 204:
                self.close()
                return
            response.raise_for_status()
            if response.status != 200:
                raise ClientResponseError(
                    response.request_info,
                    response.history,
                    status=response.status,
                    message="An event stream has the status 200",
                    headers=response.headers,
                )
            self._events = response.events(last_event_id=self.last_event_id, max_event_size=self._max_event_size)
        except BaseException:
            self.close()
            raise

    async def _wait(self) -> None:
        """The stream was lost, or not to be had again."""
        if self._events is not None:
            self.last_event_id = self._events.parser.last_event_id
            if self._events.parser.retry is not None:
                self._retry = self._events.parser.retry
            self._events = None
        if self.response is not None:
            self.response.close()
        await asyncio.sleep(min(self._retry * 2**self._attempts_in_vain, max(self._retry, _LONGEST_WAIT)))
