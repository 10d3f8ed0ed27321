"""Lending: how a request comes by a connection of a connector, and how it gives it back.

`connect(request, traces, timeout)` lends one as a `Connection`; its `release()` or `close()` gives it back, once. A connection
that is idle costs nothing to take: nothing is awaited.
"""

from __future__ import annotations

import asyncio
import logging
import select
import sys
import traceback
import warnings
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from math import inf
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import ref

from yarl import URL

from ..errors import ClientConnectionError, ClientError, ClientOSError, ConnectionTimeoutError
from ..late import late
from ..net.connection import HTTPConnection
from ..net.dial import phase_limit
from ..net.handler import ResponseHandler, wire_logger
from ..net.key import ConnectionKey
from ..net.outbox import Outbox
from ..net.phases import Phases, note, noted_in
from ..net.receiver import BUFFER_SIZE
from ..protocols import Protocol
from ..timeouts import NOT_GIVEN, ClientTimeout
from .pool import Pool

if TYPE_CHECKING:
    from ..net import wirelog
    from ..net.tls import SSLSetting
else:
    wirelog = late("aiohttpx.net.wirelog")

#: Seconds an idle connection is kept when the user says nothing.
_KEEPALIVE_TIMEOUT: Final = 15.0
#: Seconds after which an idle connection's socket is asked whether the peer has closed it. The loop asks all the time, but it may
#: have been held up by something else since.
TRUSTED_FOR: Final = 0.02
#: A connection is not used in the last moment that the server keeps it: the request would cross its farewell.
HINT_MARGIN: Final = 1.0


class Asking(Protocol):
    """What a connector needs to know of a request."""

    @property
    def connection_key(self) -> ConnectionKey: ...
    @property
    def url(self) -> URL: ...
    @property
    def ssl(self) -> SSLSetting: ...
    @property
    def proxy(self) -> URL | None: ...

    #: What getting a connection took, if there was no idle one.
    phases: Phases | None


class Connection:
    """A connection that is lent: give it back by `release()`, or end it by `close()`.

    `protocol` and `transport` are None once it was given back.
    """

    __slots__ = ("__weakref__", "_callbacks", "_connector", "_key", "_source_traceback", "protocol")

    def __init__(self, connector: BaseConnector, key: ConnectionKey, protocol: HTTPConnection) -> None:
        self._connector = connector
        self._key = key
        self.protocol: HTTPConnection | None = protocol
        self._callbacks: list[Callable[[], object]] | None = None
        # A connector in debug mode has one of its own. (To ask the loop each time would be dearer than all else here.)
        self._source_traceback = traceback.extract_stack(sys._getframe(1)) if connector._source_traceback else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._key.host}:{self._key.port} {self.protocol!r}>"

    def __bool__(self) -> bool:
        return True

    def __del__(self) -> None:
        try:
            if self.protocol is None or self._connector.loop.is_closed():
                return
        except AttributeError:  # it was not made whole
            return
        message = f"Unclosed connection {self!r}"
        if self._source_traceback:
            message += " made at\n" + "".join(traceback.format_list(self._source_traceback))
        self.close()
        warnings.warn(message, ResourceWarning, source=self, stacklevel=1)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._connector.loop

    @property
    def transport(self) -> asyncio.Transport | None:
        return None if self.protocol is None else self.protocol.transport

    @property
    def connector(self) -> BaseConnector:
        return self._connector

    @property
    def closed(self) -> bool:
        return self.protocol is None or not self.protocol.is_connected()

    def add_callback(self, callback: Callable[[], object]) -> None:
        """Call `callback()` when the connection is given back; at once if it was."""
        if self.protocol is None:
            callback()
            return
        if self._callbacks is None:
            self._callbacks = []
        self._callbacks.append(callback)

    def release(self) -> None:
        """Give the connection back; it is kept if another exchange may follow on it."""
        protocol = self.protocol
        if protocol is not None:
            self.protocol = None
            if self._callbacks is not None:
                self._notify()
            self._connector.give_back(self._key, protocol)

    def close(self) -> None:
        """End the connection."""
        protocol = self.protocol
        if protocol is not None:
            self.protocol = None
            if self._callbacks is not None:
                self._notify()
            protocol.close()
            self._connector.give_back(self._key, protocol)

    def _notify(self) -> None:
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            callback()


class BaseConnector:
    """What all connectors share: limits, keep-alive, and an orderly end. A subclass says how to `_create_connection`.

    :param keepalive_timeout: seconds that an idle connection is kept: 15 by default, None for as long as the server keeps it. A
        server's own hint is obeyed if it is shorter.
    :param force_close: never reuse a connection.
    :param limit: connections in all, 0 or None for no limit.
    :param limit_per_host: connections to one peer, 0 or None for no limit.
    :param enable_cleanup_closed: accepted and not needed: nothing stays behind here.
    :param loop: the loop to use; by default, the one that runs at the first use.
    :param timeout_ceil_threshold: timeouts of at least so many seconds end on a whole second.
    """

    allowed_protocol_schema_set: frozenset[str] = frozenset({"", "http", "https", "ws", "wss"})

    #: Whether URLs of Unix sockets (`http+unix://`) are for this connector.
    takes_unix_urls = False

    closed = True  # until __init__ has run to its end
    _source_traceback: traceback.StackSummary | None = None
    #: Seconds that a TLS connection has to end by a shutdown when the connector ends; 0: it is cut; None: the loop's own limit.
    _ssl_shutdown_timeout: float | None = 0

    def __init__(
        self,
        *,
        keepalive_timeout: float | None = NOT_GIVEN,
        force_close: bool = False,
        limit: int | None = 100,
        limit_per_host: int | None = 0,
        enable_cleanup_closed: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        timeout_ceil_threshold: float = 5,
    ) -> None:
        if keepalive_timeout is NOT_GIVEN:
            keepalive_timeout = _KEEPALIVE_TIMEOUT
        elif force_close and keepalive_timeout is not None:
            raise ValueError("keepalive_timeout cannot be set if force_close is True")
        self._loop = loop
        self._keepalive_timeout = inf if keepalive_timeout is None else keepalive_timeout
        self._trusted_for = min(TRUSTED_FOR, self._keepalive_timeout)
        self._force_close = force_close
        self._limit = limit or 0
        self._limit_per_host = limit_per_host or 0
        self._timeout_ceil_threshold = timeout_ceil_threshold
        self._pool = Pool(self._limit, self._limit_per_host, self._is_alive, HTTPConnection.close)
        # Whatever has a socket, lent or idle or on its way from one to the other, until that is closed; and who is opening one.
        self._open_connections: set[HTTPConnection] = set()
        self._opening: dict[asyncio.Timeout, asyncio.Future[None]] = {}
        self._bound: set[asyncio.Timeout] = set()  # what else ends when the connector does
        self._shared: tuple[bytearray, Outbox] | None = None  # by its connections
        self._sweep: asyncio.TimerHandle | None = None
        self._factory: Callable[[], HTTPConnection] = self._make_protocol
        self.closed = False
        self._source_traceback = None  # an attribute of its own is found fastest, and each lending asks
        if loop is not None and loop.get_debug():
            self._source_traceback = traceback.extract_stack(sys._getframe(1))

    # -- the life of a connector

    def __del__(self) -> None:
        if self.closed or not self._conns:
            return
        message = f"Unclosed connector {self!r}"
        if self._source_traceback:
            message += " made at\n" + "".join(traceback.format_list(self._source_traceback))
        if self._loop is not None and not self._loop.is_closed():
            self.end()
        warnings.warn(message, ResourceWarning, source=self, stacklevel=1)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'closed' if self.closed else 'open'} {self._pool!r}>"

    def __enter__(self) -> Self:
        warnings.warn('"with connector" is deprecated, use "async with connector"', DeprecationWarning, stacklevel=2)
        return self

    def __exit__(self, *exc: object) -> None:
        self.end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, exc_traceback: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop this connector is bound to: the one that runs when it is first needed."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            if self._loop.get_debug():
                self._source_traceback = traceback.extract_stack(sys._getframe(1))
        return self._loop

    @property
    def _closed(self) -> bool:
        """Consumers of aiohttp read it under this name."""
        return self.closed

    @property
    def force_close(self) -> bool:
        return self._force_close

    @property
    def limit(self) -> int:
        return self._limit

    @property
    def limit_per_host(self) -> int:
        return self._limit_per_host

    @property
    def timeout_ceil_threshold(self) -> float:
        return self._timeout_ceil_threshold

    @property
    def _conns(self) -> Mapping[Any, Sequence[tuple[HTTPConnection, float]]]:
        """key -> (connection, since when it is idle); consumers of aiohttp read it under this name."""
        return self._pool.idle

    async def close(self, *, abort_ssl: bool = False) -> None:
        """End every connection, lent ones too, and wait until their sockets are closed. It may be called again.

        Whoever waits for a connection gets a `ClientConnectionError`, and so does whoever reads from one.
        """
        opening = list(self._opening.values())
        for ended in self.end(abort_ssl=abort_ssl):
            await ended.wait_closed()
        for opened in opening:
            await asyncio.shield(opened)
        await asyncio.sleep(0)  # a connection whose opening was cancelled just now is closed a turn later

    def end(self, *, abort_ssl: bool = False) -> list[HTTPConnection]:
        """The part of `close` that does not wait. Returns the connections that are ending."""
        if self.closed:
            return []
        self.closed = True
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        self._pool.clear(_closed_error)
        if self._loop is None or self._loop.is_closed():
            return []
        for clock in list(self._opening):  # this may be another thread than the loop's
            self._loop.call_soon_threadsafe(self._give_up, clock)
        for clock in list(self._bound):
            self._loop.call_soon_threadsafe(self._unbind, clock)
        ended = list(self._open_connections)
        for protocol in ended:
            secure = protocol.transport is not None and protocol.transport.get_extra_info("sslcontext") is not None
            protocol.abort() if secure and (abort_ssl or self._ssl_shutdown_timeout == 0) else protocol.close()
        return ended

    # Consumers of aiohttp call it from other threads, and at the interpreter's end.
    _close = end

    # -- lending

    async def connect(self, req: Asking, traces: Sequence[Any], timeout: ClientTimeout) -> Connection:
        """Lend a connection for `req`: an idle one, or a new one within the limits.

        Raises `ClientConnectionError` when the connector is closed, `ConnectionTimeoutError`, or what opening one raises
        (`ClientConnectorError`).
        """
        if self.closed:
            raise _closed_error()
        key = req.connection_key
        protocol = self._pool.take(key)
        if protocol is None:
            protocol = await self._obtain(key, req, traces, timeout)
        elif traces:
            await self._tell_reuse(key, protocol, traces)
        return Connection(self, key, protocol)

    async def _obtain(self, key: ConnectionKey, req: Asking, traces: Sequence[Any], timeout: ClientTimeout) -> HTTPConnection:
        """A connection with its slot, by waiting for one or by opening one."""
        threshold = timeout.ceil_threshold
        phases: Phases = {}
        req.phases = phases
        with noted_in(phases):
            in_all = phase_limit("total", timeout.total, key, threshold)
            async with in_all, phase_limit("connect", timeout.connect, key, threshold):
                protocol = None
                if not self._pool.reserve(key):
                    async with phase_limit("pool", timeout.pool, key, threshold):
                        protocol = await self._wait_for_slot(key, traces)
                if protocol is None:
                    return await self._open(key, req, traces, timeout)
        await self._tell_reuse(key, protocol, traces)
        return protocol

    async def _tell_reuse(self, key: ConnectionKey, protocol: HTTPConnection, traces: Sequence[Any]) -> None:
        try:
            for trace in traces:
                await trace.send_connection_reuseconn()
        except BaseException:
            self.give_back(key, protocol)
            raise

    async def _wait_for_slot(self, key: ConnectionKey, traces: Sequence[Any]) -> HTTPConnection | None:
        future: asyncio.Future[HTTPConnection | None] = self.loop.create_future()
        arrival = self._pool.wait(key, future)
        try:
            for trace in traces:
                await trace.send_connection_queued_start()
            protocol = await future
            for trace in traces:
                await trace.send_connection_queued_end()
        except BaseException:
            if future.done() and not future.cancelled() and future.exception() is None:
                # The slot came, and nobody is here to take it.
                self._pool.give_back(key, future.result(), monotonic())
            else:
                self._pool.leave(key, arrival)
            raise
        return protocol

    async def _open(self, key: ConnectionKey, req: Asking, traces: Sequence[Any], timeout: ClientTimeout) -> HTTPConnection:
        clock = asyncio.timeout(None)
        opened = self._opening[clock] = self.loop.create_future()
        try:
            async with clock:
                if self.closed:
                    raise _closed_error()
                create = self._create_traced if traces else self._create_connection
                protocol = await create(req, traces, timeout)
                if self.closed:
                    protocol.abort()
                    raise _closed_error()
        except BaseException as error:
            self._pool.give_back(key, None, monotonic())
            if clock.expired() and isinstance(error, TimeoutError):
                raise _closed_error() from error
            if isinstance(error, OSError) and not isinstance(error, ClientError):  # out of a subclass of somebody's own
                raise _as_ours(error, key) from error
            raise
        finally:
            del self._opening[clock]
            opened.set_result(None)
        if protocol.transport is not None:
            self._open_connections.add(protocol)
            protocol.on_lost = self._open_connections.discard
        protocol.peer = str(key)
        note("opened", 0)
        protocol.single_use = self._force_close
        return protocol

    async def _create_traced(self, req: Asking, traces: Sequence[Any], timeout: ClientTimeout) -> HTTPConnection:
        for trace in traces:
            await trace.send_connection_create_start()
        protocol = await self._create_connection(req, traces, timeout)
        try:
            for trace in traces:
                await trace.send_connection_create_end()
        except BaseException:
            protocol.abort()
            raise
        return protocol

    def _give_up(self, clock: asyncio.Timeout) -> None:
        if clock in self._opening:
            clock.reschedule(0)

    @asynccontextmanager
    async def bound(self) -> AsyncIterator[None]:
        """What the block waits for, whatever that is, ends with the connector: in `ClientConnectionError`."""
        clock = asyncio.timeout(None)
        self._bound.add(clock)
        try:
            async with clock:
                yield
        except TimeoutError as error:
            if not (self.closed and clock.expired()):
                raise
            raise _closed_error() from error
        finally:
            self._bound.discard(clock)

    def _unbind(self, clock: asyncio.Timeout) -> None:
        if clock in self._bound:
            clock.reschedule(0)

    async def _create_connection(self, req: Asking, traces: Sequence[Any], timeout: ClientTimeout) -> HTTPConnection:
        """Open a connection for `req`."""
        raise NotImplementedError

    def _make_protocol(self) -> HTTPConnection:
        if self._shared is None:
            self._shared = bytearray(BUFFER_SIZE), Outbox(self.loop)
        kind = wirelog.LoggedConnection if wire_logger.isEnabledFor(logging.DEBUG) else ResponseHandler
        return kind(self.loop, *self._shared)

    # -- taking back

    def give_back(self, key: ConnectionKey, protocol: HTTPConnection) -> None:
        """The other end of `connect`: keep the connection if another exchange may follow on it, or close it."""
        if self.closed:
            protocol.close()
            return
        if self._force_close or protocol.should_close:
            if self._force_close or not protocol.discard_body(partial(self.give_back, key, protocol)):
                protocol.close()
                self._pool.give_back(key, None, monotonic())
            return
        self._pool.give_back(key, protocol, monotonic())
        if self._sweep is None and self._keepalive_timeout < inf:
            self._sweep = protocol.loop.call_later(self._keepalive_timeout, _sweep_unless_forgotten, ref[BaseConnector](self))

    def _is_alive(self, protocol: HTTPConnection, since: float) -> bool:
        """Whether an idle connection can be lent again."""
        transport = protocol.transport
        if transport is None or transport.is_closing():
            return False
        idle = monotonic() - since
        if idle < self._trusted_for:
            return True
        kept = self._keepalive_timeout
        if protocol.keep_alive is not None:
            kept = min(kept, protocol.keep_alive - HINT_MARGIN)
        return idle < kept and not _has_something_to_say(protocol)

    def _sweep_idle(self) -> None:
        now = monotonic()
        oldest = self._pool.expire(now - self._keepalive_timeout)
        self._sweep = None
        if oldest is not None:
            delay = max(oldest + self._keepalive_timeout - now, self._trusted_for)
            self._sweep = self.loop.call_later(delay, _sweep_unless_forgotten, ref[BaseConnector](self))


def _sweep_unless_forgotten(connector: ref[BaseConnector]) -> None:
    """The loop keeps what it is to call, but one that nobody else keeps is to be found, and said to be unclosed."""
    kept = connector()
    if kept is not None:
        kept._sweep_idle()


def _as_ours(error: OSError, key: ConnectionKey) -> ClientConnectionError:
    if isinstance(error, TimeoutError) and error.errno is None:
        return ConnectionTimeoutError(f"Connection timeout to host {key.host}:{key.port}")
    return ClientOSError(*error.args)


def _closed_error() -> ClientConnectionError:
    return ClientConnectionError("Connector is closed.")


def _has_something_to_say(protocol: HTTPConnection) -> bool:
    """The peer has sent bytes or its farewell, which the loop has not read yet: nothing was asked, so the connection is not to be
    used."""
    sock = protocol.transport.get_extra_info("socket") if protocol.transport is not None else None
    if sock is None or sock.fileno() < 0:
        return False
    if not hasattr(select, "poll"):  # Windows, where `select` has no limit on the numbers of sockets
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
