"""Accepting connections so that nothing of them outlives the listener: no socket, no task, no TLS handshake under way."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

#: A client may open as many connections at once without being refused.
_BACKLOG = 1024
_HANDSHAKE_TIMEOUT = 30.0
#: Seconds to wait when the system has no more sockets to give.
_ACCEPT_AGAIN = 0.05


#: What `connect_ex` says when there will be something to accept, or is already.
_KNOCKED = (0, errno.EINPROGRESS, errno.EAGAIN, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0))


class Host(Protocol):
    """Who takes charge of connections from when they are made until they are lost and their tasks have ended."""

    def enter(self, connection: AcceptedConnection) -> None: ...
    def leave(self, connection: AcceptedConnection) -> None: ...


class AcceptedConnection(asyncio.Protocol):
    """One accepted connection, and at most one task at a time that works for it and is cancelled with it."""

    transport: asyncio.Transport

    def __init__(self, host: Host) -> None:
        self.task: asyncio.Task[None] | None = None
        self._host = host
        self._lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._host.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set()
        if self.task is None or self.task.done():
            self._host.leave(self)
        else:
            self.task.add_done_callback(lambda _: self._host.leave(self))
            self.disconnected(self.task)

    def disconnected(self, task: asyncio.Task[None]) -> None:
        """The connection is over before its task."""
        # A turn later, so that the task has begun: else the coroutine it was to await would never be awaited.
        asyncio.get_running_loop().call_soon(task.cancel)

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
        self._accepting: asyncio.Task[None] | None = None
        # Sockets that are being made transports of, and the tasks that do it.
        self._arriving: set[socket.socket] = set()
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
        self._accepting = asyncio.get_running_loop().create_task(self._accept_all(listening))

    async def close(self) -> None:
        """Stops listening, cuts every connection, and returns when all of them and their tasks are gone."""
        listening, self._socket = self._socket, None
        if listening is None or self._accepting is None:
            return
        await self._stop(self._accepting, listening)
        listening.close()
        if self._unix_path is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._unix_path)
        for arriving in self._arriving:
            # What a loop has begun to make a transport of is not to be closed by others; this ends a handshake, too.
            with contextlib.suppress(OSError):
                arriving.shutdown(socket.SHUT_RDWR)
        await asyncio.gather(*self._tasks)
        connections = list(self._connections)
        for connection in connections:
            connection.transport.abort()
        for connection in connections:
            await connection.wait_closed()

    @staticmethod
    async def _stop(accepting: asyncio.Task[None], listening: socket.socket) -> None:
        """End `accepting` by knocking at its door: if it were cancelled, a connection that it has just accepted could be lost."""
        with socket.socket(listening.family) as knocking:
            knocking.setblocking(False)
            if knocking.connect_ex(listening.getsockname()) not in _KNOCKED:
                accepting.cancel()
            await asyncio.wait([accepting])

    def enter(self, connection: AcceptedConnection) -> None:
        """Takes charge of a connection that was made."""
        self.accepted += 1
        self._connections.add(connection)

    def leave(self, connection: AcceptedConnection) -> None:
        """Lets go of a connection that was lost, and whose task has ended."""
        self._connections.discard(connection)

    async def _accept_all(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while self._socket is not None:
            try:
                accepted, _ = await loop.sock_accept(listening)
            except OSError:
                await asyncio.sleep(_ACCEPT_AGAIN)
                continue
            if self._socket is None:
                accepted.close()
                return
            self._arriving.add(accepted)
            task = loop.create_task(self._connect(accepted))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, accepted: socket.socket) -> None:
        timeout = None if self._ssl_context is None else _HANDSHAKE_TIMEOUT
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._protocol(self), accepted, ssl=self._ssl_context, ssl_handshake_timeout=timeout
            )
        except OSError:
            pass  # the client has gone, or speaks no TLS; the loop closes the socket
        finally:
            self._arriving.discard(accepted)
