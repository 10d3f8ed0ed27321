"""One connection of a scripted peer: what its client has sent, and what the steps of a script do to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from .listener import AcceptedConnection, Listener
from .request_parser import END_OF_REQUEST, RequestParser


class PeerConnection(AcceptedConnection):
    """One connection of a `ScriptedPeer`: what steps of your own are given."""

    def __init__(self, listener: Listener, serve: Callable[[PeerConnection], Coroutine[Any, Any, None]]) -> None:
        super().__init__(listener)
        self._serve = serve
        self._received = bytearray()
        self._read = 0  # bytes that the script has expected
        self._news = asyncio.Event()
        self._flushed = asyncio.Event()
        self._flushed.set()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} received={self.received!r}>"

    @property
    def received(self) -> bytes:
        """Everything the client has sent on this connection."""
        return bytes(self._received)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=1, low=0)  # asyncio's TLS takes a high mark of 0 for "always full"
        self.start(self._serve(self))

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._news.set()

    def pause_writing(self) -> None:
        self._flushed.clear()

    def resume_writing(self) -> None:
        self._flushed.set()

    async def send(self, data: bytes) -> None:
        """Sends `data`, and returns when the operating system has all of it."""
        self.transport.write(data)
        await self._flushed.wait()

    async def read_until(self, mark: bytes) -> None:
        """Returns when `mark` has come after what was read before."""
        while (found := self._received.find(mark, self._read)) < 0:
            await self._wait_for_news()
        self._read = found + len(mark)

    async def read_request(self) -> None:
        """Returns when a whole request has come after what was read before.

        :raises BadRequest: it is no request.
        """
        parser = RequestParser()
        fed = self._read
        while True:
            parser.feed(bytes(self._received[fed:]))
            fed = len(self._received)
            while (event := parser.next_event()) is not None:
                if event is END_OF_REQUEST:
                    self._read = fed - parser.buffered
                    return
            await self._wait_for_news()

    def raise_failure(self) -> None:
        """Raises what a step of the script raised, if one did."""
        if self.task is not None and self.task.done() and not self.task.cancelled():
            self.task.result()

    async def _wait_for_news(self) -> None:
        self._news.clear()
        await self._news.wait()
