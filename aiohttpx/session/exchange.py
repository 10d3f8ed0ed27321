"""One exchange: a connection is lent, the request goes down, the head of the response comes up. Its limits in time are kept
here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ..errors import ClientConnectionResetError, ClientOSError, ServerDisconnectedError, ServerTimeoutError
from ..late import late
from ..message.request import ClientRequest
from ..message.response import ClientResponse, Lent
from ..net.timer import Alarm, Timer
from ..timeouts import ClientTimeout
from .redirects import REDIRECT_STATUSES

if TYPE_CHECKING:
    from ..net.connection import HTTPConnection
    from . import middlewares as chain
    from .hops import Hops
    from .middlewares import ClientMiddlewareType
else:
    chain = late("aiohttpx.session.middlewares")

#: Methods that may be sent again when it is not known what became of them (RFC 9110, section 9.2.2).
IDEMPOTENT_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"})


#: What sends a request once, given a connector, the request, its limits, their deadline, and whether it may be sent again when an
#: old connection dies.
Attempt: TypeAlias = Callable[[Any, ClientRequest, ClientTimeout, "Deadline | None", bool], Awaitable[ClientResponse]]


class Deadline:
    """The limit of the whole operation, from the request to the end of the response's content.

    While there is no connection yet, the connector keeps the limit; from then on it is this that ends the exchange when its time
    comes.
    """

    what = "waiting for the head of the response"
    #: There is more to interrupt than an exchange on a connection.
    in_middlewares = False
    _clock: asyncio.Timeout | None = None

    def __init__(self, total: float, threshold: float, timer: Timer) -> None:
        #: Seconds.
        self.total = total
        self.struck = False
        #: The connection that the request is on, as it was lent.
        self.connection: Lent | None = None
        self._alarm: Alarm | None = None
        if total < threshold:
            self._alarm = timer.start(total, threshold, self.strike)
        else:
            self._second = second = timer.second(total)
            second[self] = _strike

    def cancel(self) -> None:
        """The operation has ended in time."""
        if self._alarm is None:
            self._second.pop(self, None)
        else:
            self._alarm.cancel()

    def strike(self) -> None:
        self.struck = True
        # A connection that was given back may be someone else's by now.
        protocol = None if self.connection is None else self.connection.protocol
        if protocol is not None:
            protocol.fail(self.error(protocol.peer, "sending the body" if protocol.uploading else self.what))
        if self._clock is not None and (protocol is None or self.in_middlewares):
            self._clock.reschedule(0)

    def error(self, peer: str, what: str) -> ServerTimeoutError:
        return ServerTimeoutError(f"Timeout of {self.total:g} s (total) on {peer} while {what}")

    async def hold(self, attempt: Awaitable[ClientResponse], peer: str, what: str) -> ClientResponse:
        """Await a further attempt. The connector would give it the limit anew: it does not know how much of that is left."""
        if self._clock is not None:  # it is part of one that is held
            return await attempt
        try:
            async with asyncio.timeout_at(0 if self.struck else None) as self._clock:
                return await attempt
        except TimeoutError as error:
            if isinstance(error, ServerTimeoutError) or not self.struck:
                raise
            raise self.error(peer, what) from error
        finally:
            self._clock = None


_strike: Final = Deadline.strike


async def exchange(
    connector: Any,
    timer: Timer,
    request: ClientRequest,
    timeout: ClientTimeout,
    retry: bool,
    hops: Hops | None = None,
    middlewares: Sequence[ClientMiddlewareType] | None = None,
) -> ClientResponse:
    """Send `request` and wait for the head of its response; by `hops`, for that of the response it is redirected to. The limits
    are for all of that together. Each of these requests goes through `middlewares`.

    A connection that was used before may die of age while the request is under way. Then the request is sent once more, on
    another one, if `retry` allows: nothing of an answer had come, and either the method is idempotent or nothing was sent.
    Raises `ClientConnectionError` and its kin, `ClientResponseError` for a malformed head.
    """
    attempt = partial(_through, middlewares) if middlewares else _attempt
    total = timeout.total
    if not total:
        response = await attempt(connector, request, timeout, None, retry)
        if hops is not None and response.status in REDIRECT_STATUSES:
            response = await hops.follow(request, response, lambda request: attempt(connector, request, timeout, None, retry))
        return response
    deadline = Deadline(total, timeout.ceil_threshold, timer)
    try:
        response = await attempt(connector, request, timeout, deadline, retry)
        if hops is not None and response.status in REDIRECT_STATUSES:
            response = await hops.follow(request, response, partial(_go_on, attempt, connector, timeout, deadline, retry))
    except BaseException:
        deadline.cancel()
        raise
    connection = deadline.connection
    if connection is None or connection.protocol is None or connection.protocol.upgraded:  # the response is all here
        deadline.cancel()
    else:
        deadline.what = "reading the body"
        connection.add_callback(deadline.cancel)
    return response


def _go_on(
    attempt: Attempt, connector: Any, timeout: ClientTimeout, deadline: Deadline, retry: bool, request: ClientRequest
) -> Awaitable[ClientResponse]:
    """Send a further request within the limit of the first."""
    sending = attempt(connector, request, timeout, deadline, retry)
    return deadline.hold(sending, f"{request.host}:{request.port}", "connecting")


async def _through(
    middlewares: Sequence[ClientMiddlewareType],
    connector: Any,
    request: ClientRequest,
    timeout: ClientTimeout,
    deadline: Deadline | None,
    retry: bool,
) -> ClientResponse:
    """An attempt through `middlewares`, which may make none or several of it. Should they fail, they leave no connection lent."""
    peer = f"{request.host}:{request.port}"
    responses: list[ClientResponse] = []

    async def send(request: ClientRequest) -> ClientResponse:
        if deadline is not None and deadline.struck:
            raise deadline.error(peer, "in a middleware")
        request.phases = None  # those of an attempt before
        response = await _attempt(connector, request, timeout, deadline, retry)
        responses.append(response)
        return response

    answer = chain.build_client_middlewares(send, middlewares)(request)
    try:
        if deadline is not None:
            deadline.in_middlewares = True
            answer = deadline.hold(answer, peer, "in a middleware")
        async with connector.bound():  # a middleware may be waiting for what has nothing to do with connections
            response = await answer
        if response is None:
            raise TypeError(f"A middleware returned None for {request.method} {request.url}")
        if deadline is not None:
            deadline.connection = response.connection
        return response
    except BaseException:
        for response in responses:
            response.release()
        raise


async def _attempt(
    connector: Any, request: ClientRequest, timeout: ClientTimeout, deadline: Deadline | None, retry: bool
) -> ClientResponse:
    connection = await connector.connect(request, request.traces, timeout)
    protocol: HTTPConnection = connection.protocol
    before = protocol.exchanges
    sent = False
    try:
        if deadline is not None:
            if deadline.struck:
                raise deadline.error(protocol.peer, "connecting")
            deadline.connection = connection
        response = await request.send(connection)
        sent = True
        if timeout.headers:
            protocol.limit_head(timeout.headers)
        return await response.start(connection)
    except (ClientOSError, ClientConnectionResetError, ServerDisconnectedError):
        connection.close()
        if not (retry and before) or (
            sent and (protocol.answered or not request.replayable or request.method not in IDEMPOTENT_METHODS)
        ):
            raise
    except BaseException:
        connection.close()
        raise
    again = _attempt(connector, request, timeout, deadline, False)
    if deadline is None:
        return await again
    return await deadline.hold(again, protocol.peer, "connecting again")
