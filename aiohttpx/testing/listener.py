"""Accepting connections so that nothing of them outlives the listener: no socket, no task, no TLS handshake under way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

#: A client may open as many connections at once without being refused.
_BACKLOG = 1024
_HANDSHAKE_TIMEOUT = 30.0
#: Seconds to wait when the system has no more sockets to give.
_ACCEPT_AGAIN = 0.05


class AcceptedConnection(asyncio.Protocol):
    """One accepted connection, and at most one task at a time that works for it and is cancelled with it."""

    transport: asyncio.Transport

    def __init__(self, listener: Listener) -> None:
        self.task: asyncio.Task[None] | None = None
        self._listener = listener
        self._lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._listener.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set()
        self._listener.leave(self)
        if self.task is not None:
            # A turn later, so that the task has begun: else the coroutine it was to await would never be awaited.
            asyncio.get_running_loop().call_soon(self.task.cancel)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` as this connection's task."""
        self.task = asyncio.get_running_loop().create_task(work)

    async def wait_closed(self) -> None:
        """Returns when the connection is over, whoever ended it, and its task has ended too."""
        await self._lost.wait()
        if self.task is not None:
            await asyncio.wait([self.task])


class Listener:
    """A listening socket, on TCP or at a Unix path, plain or TLS.

    The sockets are accepted here and not by asyncio's servers, since those hide a connection, and let go of it at no one's wish,
    until its TLS handshake is done.

    :param protocol: makes the protocol of a new connection.
    """

    def __init__(
        self,
        protocol: Callable[[Listener], AcceptedConnection],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        unix_path: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.host = host
        self.port = port
        #: Connections so far, after their handshake.
        self.accepted = 0
        self._protocol = protocol
        self._unix_path = unix_path
        self._ssl_context = ssl_context
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: set[AcceptedConnection] = set()

    @property
    def url(self) -> str:
        """The origin, without a path; for a Unix path a `localhost` that stands for it."""
        scheme = "http" if self._ssl_context is None else "https"
        if self._unix_path is not None:
            return f"{scheme}://localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"

    def open(self) -> None:
        """Listens, in the running loop; `port` is known afterwards.

        :raises OSError: the address cannot be had.
        """
        if self._unix_path is not None:
            listening = socket.socket(socket.AF_UNIX)
            try:
                listening.bind(self._unix_path)
                listening.listen(_BACKLOG)
            except OSError:
                listening.close()
                raise
        else:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            listening = socket.create_server((self.host, self.port), family=family, backlog=_BACKLOG)
            self.port = listening.getsockname()[1]
        listening.setblocking(False)
        self._socket = listening
        self._start(self._accept_all(listening))

    async def close(self) -> None:
        """Stops listening, cuts every connection, and returns when all of them and their tasks are gone."""
        if self._socket is None:
            return
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._socket.close()
        self._socket = None
        if self._unix_path is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._unix_path)
        connections = list(self._connections)
        for connection in connections:
            connection.transport.abort()
        for connection in connections:
            await connection.wait_closed()

    def enter(self, connection: AcceptedConnection) -> None:
        """Takes charge of a connection that was made."""
        self.accepted += 1
        self._connections.add(connection)

    def leave(self, connection: AcceptedConnection) -> None:
        """Lets go of a connection that was lost."""
        self._connections.discard(connection)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept_all(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(listening)
            except OSError:
                await asyncio.sleep(_ACCEPT_AGAIN)
            else:
                self._start(self._connect(accepted))

    async def _connect(self, accepted: socket.socket) -> None:
        timeout = None if self._ssl_context is None else _HANDSHAKE_TIMEOUT
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._protocol(self), accepted, ssl=self._ssl_context, ssl_handshake_timeout=timeout
            )
        except OSError:  # the client has gone, or speaks no TLS
            accepted.close()
        except asyncio.CancelledError:
            accepted.close()
            raise
