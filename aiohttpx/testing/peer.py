"""A peer that plays exact bytes: for what no decent server does."""

from __future__ import annotations

import ssl
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from ..pool.connectors import TCPConnector
from .listener import Listener
from .peer_connection import PeerConnection
from .resolver import OneAddressResolver
from .script import Script, play


class ScriptedPeer:
    r"""A listening peer that plays a script on every connection, and keeps what it is sent.

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
            lambda listener: PeerConnection(listener, self._serve), host=host, port=port, ssl_context=ssl_context
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

    def _serve(self, connection: PeerConnection) -> Coroutine[Any, Any, None]:
        self.connections.append(connection)
        return play(self._scripts[min(len(self.connections), len(self._scripts)) - 1], connection)
