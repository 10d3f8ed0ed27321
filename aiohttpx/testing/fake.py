"""A connector whose connections end in memory, at a handler."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final

from yarl import URL

from ..errors import ClientConnectorError, ClientError
from ..net.connection import HTTPConnection
from ..net.key import ConnectionKey
from ..pool.lending import Asking, BaseConnector
from ..timeouts import ClientTimeout
from . import memory
from .connection import ServerConnection
from .listener import AcceptedConnection
from .messages import Request
from .routes import Handler, Route

_MAX_BODY: Final = 1 << 30


class MemoryConnector(BaseConnector):
    """What connectors share whose peers are in this process. A subclass says how to `accept` a connection.

    The parameters are `BaseConnector`'s; a connection is used once, unless `force_close=False`.
    """

    def __init__(self, *, force_close: bool = True, **options: Any) -> None:
        super().__init__(force_close=force_close, **options)
        self._accepted: set[AcceptedConnection] = set()

    @abstractmethod
    def accept(self, req: Asking, client: HTTPConnection) -> AcceptedConnection:
        """The peer's side of a new connection, `client` being ours; `enter` and `leave` are this connector's."""

    async def _create_connection(self, req: Asking, traces: Sequence[Any], timeout: ClientTimeout) -> HTTPConnection:
        key = req.connection_key
        client = self._factory()
        peer = self.accept(req, client)
        memory.connect(self.loop, client, peer, {"peername": (key.host, key.port), "sockname": ("localhost", 0)})
        return client

    def enter(self, connection: AcceptedConnection) -> None:
        """Take charge of a connection's other side."""
        self._accepted.add(connection)

    def leave(self, connection: AcceptedConnection) -> None:
        """Let go of it: it is over."""
        self._accepted.discard(connection)

    async def close(self, *, abort_ssl: bool = False) -> None:
        """End every connection, and wait until the tasks behind them have ended."""
        await super().close(abort_ssl=abort_ssl)
        for connection in list(self._accepted):
            connection.transport.abort()
            await connection.wait_closed()


class FakeConnector(MemoryConnector):
    """Gives every request to a handler, whatever host it is for, and brings back what that answers; no socket is opened.

        connector = FakeConnector(lambda request: Response.json({"asked for": str(request.url)}))
        async with ClientSession(connector=connector) as session:
            ...

    Requests and responses are written and parsed as on a network: cookies, redirects, content codings, limits and streams behave
    as they do there. There is no TLS; `https` URLs are answered all the same.

    :param handler: called with each request when all of it has come; returns a `Response`, or an awaitable of one. What it
        raises, the request raises; an `OSError` as the `ClientConnectorError` that it causes in life.

    The other parameters are `BaseConnector`'s, but a connection is used once, unless `force_close=False`.
    """

    def __init__(self, handler: Handler, **options: Any) -> None:
        super().__init__(**options)
        self._handler = handler

    def accept(self, req: Asking, client: HTTPConnection) -> AcceptedConnection:
        return FakeConnection(self, self._handler, req.connection_key, client)


class FakeConnection(ServerConnection):
    """The other side of a connection in memory: one handler answers whatever it brings."""

    def __init__(self, connector: MemoryConnector, handler: Handler, key: ConnectionKey, client: HTTPConnection) -> None:
        route = Route(handler)
        super().__init__(connector, lambda path: route, _MAX_BODY, origin_of(key))
        self._key = key
        self._client = client

    def fail(self, request: Request, error: Exception) -> None:
        if isinstance(error, OSError) and not isinstance(error, ClientError | TimeoutError):
            cause = error
            error = ClientConnectorError(self._key, cause)
            error.__cause__ = cause
        if self._begun:
            self.transport.abort()
        else:
            self._client.fail(error)


def origin_of(key: ConnectionKey) -> str:
    """The origin that a connection leads to, as URLs name it."""
    return str(URL.build(scheme="https" if key.is_ssl else "http", host=key.host, port=key.port).origin())
