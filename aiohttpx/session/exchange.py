"""One exchange: a connection is lent, the request goes down, the head of the response comes up. Its limits in time are kept
here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

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


#: What an old connection dies of.
_OF_AGE: Final = (ClientOSError, ClientConnectionResetError, ServerDisconnectedError)


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

    def go_on(self) -> None:
        """The head has come; the limit is for the content too."""
        connection = self.connection
        if connection is None or connection.protocol is None or connection.protocol.upgraded:  # the response is all here
            self.cancel()
        else:
            self.what = "reading the body"
            connection.add_callback(self.cancel)

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
    deadline: Deadline | None = None,
) -> ClientResponse:
    """Send `request` and wait for the head of its response; by `hops`, for that of the response it is redirected to. The limits
    are for all of that together. Each of these requests goes through `middlewares`.

    A connection that was used before may die of age while the request is under way. Then the request is sent once more, on
    another one, if `retry` allows: nothing of an answer had come, and either the method is idempotent or nothing was sent.

    :param deadline: that of the exchange which this one is a part of.

    Raises `ClientConnectionError` and its kin, `ClientResponseError` for a malformed head.
    """
    response: ClientResponse | None = None
    own = None
    if deadline is None and timeout.total:
        deadline = own = Deadline(timeout.total, timeout.ceil_threshold, timer)
    try:
        if middlewares:
            response = await _through(middlewares, connector, timer, request, timeout, retry, deadline)
        else:
            connection = await connector.connect(request, request.traces, timeout)
            protocol: HTTPConnection = connection.protocol
            before = protocol.exchanges
            try:
                if deadline is not None:
                    if deadline.struck:
                        raise deadline.error(protocol.peer, "connecting")
                    deadline.connection = connection
                response = await request.send(connection)
                if timeout.headers:
                    protocol.limit_head(timeout.headers)
                await response.start(connection)
            except BaseException as error:
                connection.close()
                safe = request.replayable and request.method in IDEMPOTENT_METHODS and not protocol.answered
                if not (retry and before and (response is None or safe) and isinstance(error, _OF_AGE)):
                    raise
                response = None
            if response is None:
                response = await _further(connector, timer, timeout, False, None, deadline, request, "connecting again")
        if hops is not None and response.status in REDIRECT_STATUSES:
            send = partial(_further, connector, timer, timeout, retry, middlewares, deadline)
            response = await hops.follow(request, response, send)
    except BaseException:
        if own is not None:
            own.cancel()
        raise
    if own is not None:
        own.go_on()
    return response


def _further(
    connector: Any,
    timer: Timer,
    timeout: ClientTimeout,
    retry: bool,
    middlewares: Sequence[ClientMiddlewareType] | None,
    deadline: Deadline | None,
    request: ClientRequest,
    what: str = "connecting",
) -> Awaitable[ClientResponse]:
    """Send a further request within the limit of the first."""
    sending = exchange(connector, timer, request, timeout, retry, None, middlewares, deadline)
    return sending if deadline is None else deadline.hold(sending, f"{request.host}:{request.port}", what)


async def _through(
    middlewares: Sequence[ClientMiddlewareType],
    connector: Any,
    timer: Timer,
    request: ClientRequest,
    timeout: ClientTimeout,
    retry: bool,
    deadline: Deadline | None,
) -> ClientResponse:
    """An exchange through `middlewares`, which may make none of it, or several. If they fail, they leave no connection lent."""
    peer = f"{request.host}:{request.port}"
    responses: list[ClientResponse] = []

    async def send(request: ClientRequest) -> ClientResponse:
        if deadline is not None and deadline.struck:
            raise deadline.error(peer, "in a middleware")
        request.phases = None  # those of an attempt before
        response = await exchange(connector, timer, request, timeout, retry, deadline=deadline)
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
