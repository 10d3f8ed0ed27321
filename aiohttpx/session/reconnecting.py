"""`ws_stream`: the messages of a WebSocket that is opened again whenever it is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeAlias

from ..errors import ClientConnectionError, WSServerHandshakeError
from ..messages import WSMsgType
from ..typedefs import StrOrURL
from .websocket import ClientWebSocketResponse, Received

#: Statuses of refusals that may pass: too early, too many, and all from 500 on.
_PASSING: Final = frozenset({408, 425, 429})

OnConnect: TypeAlias = Callable[[ClientWebSocketResponse[Any]], Awaitable[object]]


class Connecting(Protocol):
    """What it asks of a session."""

    @property
    def closed(self) -> bool: ...
    @property
    def ws_connect(self) -> Callable[..., Awaitable[ClientWebSocketResponse[Any]]]: ...


class WebSocketStream:
    """Iterate over it for the text and binary messages of one WebSocket after another.

    One that is lost, closed, or refused for now is followed by another. The seconds until then double each time that brings no
    message; up to a half of them is left out at random, so that many clients do not come back at once.

    :param session: has `ws_connect`, and ends the iteration when it is closed.
    :param on_connect: awaited with each one that is open, before its messages are taken: to subscribe, again.
    :param backoff: seconds to wait: the first time, and at the most.
    :param attempts: so many in a row without a message, and the last error is raised; None: never give up.
    :param options: for `ws_connect`.
    """

    def __init__(
        self,
        session: Connecting,
        url: StrOrURL,
        on_connect: OnConnect | None,
        backoff: tuple[float, float],
        attempts: int | None,
        options: Mapping[str, Any],
    ) -> None:
        self._first, self._longest = backoff
        if not 0 <= self._first <= self._longest:
            raise ValueError(f"backoff is two numbers of seconds, the first not above the second, not {backoff}")
        if attempts is not None and attempts < 1:
            raise ValueError(f"attempts must be at least 1, not {attempts}")
        #: The WebSocket of now, to send through; None while there is none.
        self.ws: ClientWebSocketResponse[Any] | None = None
        #: How many there were.
        self.connections = 0
        self._session = session
        self._url = url
        self._on_connect = on_connect
        self._attempts = attempts
        self._options = options
        self._failures = 0  # in a row
        self._error: BaseException | None = None  # of the last one
        self._over = asyncio.Event()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.ws or 'not connected'} connections={self.connections}>"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Received:
        """The next message. Raises `WSServerHandshakeError` for a refusal that will not pass, what `on_connect` raises, and after
        `attempts` the last error."""
        while not (self._over.is_set() or self._session.closed):
            ws = self.ws
            if ws is None:
                await self._open()
                continue
            message = await ws.receive()
            if message[0] in (WSMsgType.TEXT, WSMsgType.BINARY):
                self._failures = 0
                return message
            if message[0] == WSMsgType.ERROR:
                self._error = message.data
            if ws.closed:
                self.ws = None
                self._failed(ws.exception() or self._error or ClientConnectionError(f"closed by the peer: {ws.close_code}"))
        raise StopAsyncIteration

    async def _open(self) -> None:
        error = self._error
        if error is not None:
            if self._attempts is not None and self._failures >= self._attempts:
                raise error
            delay = min(self._first * 2 ** min(self._failures - 1, 64), self._longest) * random.uniform(0.5, 1)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), delay)
            if self._over.is_set() or self._session.closed:
                return
            self._error = None
        try:
            ws = await self._session.ws_connect(self._url, **self._options)
            await self._opened(ws)
        except WSServerHandshakeError as refusal:
            if refusal.status < 500 and refusal.status not in _PASSING:
                raise
            self._failed(refusal)
        except (ClientConnectionError, OSError) as lost:
            self._failed(lost)

    async def _opened(self, ws: ClientWebSocketResponse[Any]) -> None:
        self.connections += 1
        try:
            if self._on_connect is not None:
                await self._on_connect(ws)
        except BaseException:
            await ws.close()
            raise
        self.ws = ws
        if self._over.is_set():
            await ws.close()

    def _failed(self, error: BaseException) -> None:
        self._error = error
        self._failures += 1

    async def close(self) -> None:
        """End the iteration, and the WebSocket of now."""
        self._over.set()
        if self.ws is not None:
            await self.ws.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.close()
