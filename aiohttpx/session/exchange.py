"""One exchange: a connection is lent, the request goes down, the head of the response comes up. Its limits in time are kept here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import ClientConnectorError, ClientOSError, ConnectionTimeoutError, ServerDisconnectedError, ServerTimeoutError
from ..message.request import ClientRequest
from ..message.response import ClientResponse
from ..net.timer import Timer
from ..timeouts import ClientTimeout

if TYPE_CHECKING:
    from ..net.connection import HTTPConnection

#: Methods that may be sent again when it is not known what became of them (RFC 9110, section 9.2.2).
IDEMPOTENT_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"})


class Deadline:
    """The limit of the whole operation, from the request to the end of the response's content.

    While there is no connection yet, the connector keeps the limit; from then on it is this that ends the exchange when its second comes.
    """

    __slots__ = ("_alarm", "_second", "_timeout", "protocol", "struck", "what")

    def __init__(self, timer: Timer, timeout: ClientTimeout) -> None:
        self.protocol: HTTPConnection | None = None
        self.what = "waiting for the head of the response"
        self.struck = False
        self._timeout = timeout
        self._alarm = timer.start(timeout.total or 0, timeout.ceil_threshold, self.strike)

    def strike(self) -> None:
        self.struck = True
        if self.protocol is not None:
            self.protocol.fail(self.error(self.protocol.peer))

    def error(self, peer: str) -> ServerTimeoutError:
        return ServerTimeoutError(f"Timeout of {self._timeout.total:g} s (total) on {peer} while {self.what}")

    def cancel(self) -> None:
        self.protocol = None
        self._alarm.cancel()


async def exchange(connector: Any, timer: Timer, request: ClientRequest, timeout: ClientTimeout, retry: bool) -> ClientResponse:
    """Send `request` and wait for the head of its response.

    A connection that was used before may die of age while the request is under way. Then the request is sent once more, on a fresh one,
    if `retry` allows: nothing of an answer had come, and either the method is idempotent or nothing was sent.
    Raises `ClientConnectionError` and its kin, `ClientResponseError` for a malformed head.
    """
    deadline = Deadline(timer, timeout) if timeout.total else None
    try:
        while True:
            connection = await connector.connect(request, (), timeout)
            protocol = connection.protocol
            reused = protocol.exchanges > 0
            if deadline is not None:
                if deadline.struck:
                    raise deadline.error(protocol.peer)
                deadline.protocol = protocol
            try:
                response = await request.send(connection)
                await response.start(connection)
                break
            except (ClientOSError, ServerDisconnectedError) as error:
                connection.close()
                if deadline is not None:
                    deadline.protocol = None
                if not (retry and reused and _may_be_sent_again(request, protocol, error)):
                    raise
                retry = False
            except BaseException:
                connection.close()
                raise
    except BaseException:
        if deadline is not None:
            deadline.cancel()
        raise
    if deadline is not None:
        if response.connection is None:
            deadline.cancel()
        else:
            deadline.what = "reading the body"
            connection.add_callback(deadline.cancel)
    return response


def _may_be_sent_again(request: ClientRequest, protocol: HTTPConnection, error: Exception) -> bool:
    if isinstance(error, (ClientConnectorError, ConnectionTimeoutError)) or protocol.answered:
        return False
    return request.replayable and request.method in IDEMPOTENT_METHODS
