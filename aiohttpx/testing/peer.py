"""A peer that plays exact bytes: for what no decent server does."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable
from itertools import cycle
from types import TracebackType
from typing import Any, Self

from ..pool.connectors import TCPConnector
from .listener import AcceptedConnection, Listener
from .request_parser import END_OF_REQUEST, RequestParser
from .resolver import OneAddressResolver
from .script import ExpectRequest, Script, Send, Step


class PeerConnection(AcceptedConnection):
    """One connection of a `ScriptedPeer`: what its client sent, and what the steps of a script need."""

    def __init__(self, listener: Listener, begin: Callable[[PeerConnection], Script]) -> None:
        super().__init__(listener)
        self._begin = begin
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
        self.start(self._play(self._begin(self)))

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

    async def _play(self, script: Script) -> None:
        steps: Iterable[bytes | Step] = cycle((ExpectRequest(), script)) if isinstance(script, bytes) else script
        try:
            for step in steps:
                await (Send(step) if isinstance(step, bytes) else step)(self)
        except Exception:
            self.transport.abort()
            raise


class ScriptedPeer:
    """A listening peer that plays a script on every connection, and keeps what it is sent.

        async with ScriptedPeer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as peer:
            ...  # every request sent to peer.url is answered with these bytes
        async with ScriptedPeer([ExpectRequest(), b"HTTP/1.1 200 O", Pause(0.1), Reset()], [StallForever()]) as peer:
            ...  # the first connection is reset in the middle of a head, all later ones get no answer

    A connection stays open after the last step, until the client closes it or the peer ends. What a step raises is raised again
    when the peer ends.

    :param scripts: one for each connection, in the order they are accepted; the last one is for all that follow, too.
    :param host: the address to listen on; `port` 0 takes a free one.
    :param ssl_context: speak TLS.
    :ivar connections: the connections so far, closed ones too.
    """

    def __init__(
        self, *scripts: Script, host: str = "127.0.0.1", port: int = 0, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        if not scripts:
            raise ValueError("at least one script is needed")
        self.connections: list[PeerConnection] = []
        self._scripts = scripts
        self._listener = Listener(
            lambda listener: PeerConnection(listener, self._begin), host=host, port=port, ssl_context=ssl_context
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url} connections={self.connections!r}>"

    @property
    def url(self) -> str:
        """The origin, without a path: `http://127.0.0.1:<port>`."""
        return self._listener.url

    @property
    def host(self) -> str:
        return self._listener.host

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def received(self) -> bytes:
        """Everything clients have sent, connection by connection."""
        return b"".join(connection.received for connection in self.connections)

    def connector(self, **options: Any) -> TCPConnector:
        """A connector that dials this peer for every host name and port (not for hosts that are given as IP addresses).

        :param options: further parameters of `TCPConnector`. It belongs to the caller, as any connector does.
        """
        return TCPConnector(resolver=OneAddressResolver(self.host, self.port), **options)

    async def __aenter__(self) -> Self:
        self._listener.open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._listener.close()
        for connection in self.connections:
            connection.raise_failure()

    def _begin(self, connection: PeerConnection) -> Script:
        self.connections.append(connection)
        return self._scripts[min(len(self.connections), len(self._scripts)) - 1]
