"""Trying again: what is tried again, when, and how often."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Collection
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from .. import hdrs
from ..errors import (
    ClientConnectionError,
    ClientConnectorError,
    ClientSSLError,
    ConnectionTimeoutError,
    ServerFingerprintMismatch,
    SSRFError,
)
from ..message.request import ClientRequest
from ..message.response import ClientResponse
from .exchange import IDEMPOTENT_METHODS
from .middlewares import ClientHandlerType

#: The server could not answer now, and may later (RFC 9110, section 15; RFC 6585, section 4; RFC 8470, section 5.2).
RETRY_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
#: The connection failed, or none could be made.
RETRY_ERRORS: Final = (ClientConnectionError,)

#: The request was not sent, whatever its method.
_NOTHING_SENT: Final = (ClientConnectorError, ConnectionTimeoutError)
#: Another attempt would tell the same.
_FINAL: Final = (ClientSSLError, ServerFingerprintMismatch, SSRFError)

#: What a request that was answered adds to the budget.
_REFUND: Final = 0.1
_SECONDS: Final = re.compile(r"[0-9]+")


class Attempt(NamedTuple):
    """One time that a request was sent."""

    #: The status of its response; None when there was none.
    status: int | None
    #: What was raised instead.
    error: Exception | None
    #: Seconds until there was either.
    seconds: float
    #: Seconds that were waited afterwards.
    pause: float = 0.0


class RetryMiddleware:
    """Sends a request again, after a pause, when it got no response or one that says "not now".

    A request is tried again if its method is idempotent (RFC 9110, section 9.2.2), if it has an Idempotency-Key field, or if it
    was not sent at all because there was no connection; never if its body cannot be sent once more. What the last attempt gave
    is the response, or is raised: `response.attempts` has an `Attempt` for each of them, and an error has notes. Limits in time
    of the session or the request are for all of them together. What goes wrong while a body is read is not tried again.

    :param attempts: how often a request is sent at most, the first time included.
    :param statuses: of responses that are not final.
    :param errors: that are not final. What a certificate, a pin or a guard says always is.
    :param methods: that may be sent more than once; None: all.
    :param backoff: seconds; before the n-th retry there is a pause of a random length up to `backoff * 2 ** (n - 1)`.
    :param max_pause: the longest pause, in seconds. A server that wants a longer one by Retry-After is not asked again.
    :param total: seconds after the start beyond which no pause may reach; None: no limit.
    :param budget: how many retries all requests together have in store. A retry takes one, and ten requests that are answered
        give one back; when none is left, nothing is tried again: a server that is down is not asked several times as often. None:
        there is no end of them.
    """

    def __init__(
        self,
        attempts: int = 4,
        *,
        statuses: Collection[int] = RETRY_STATUSES,
        errors: tuple[type[Exception], ...] = RETRY_ERRORS,
        methods: Collection[str] | None = IDEMPOTENT_METHODS,
        backoff: float = 0.5,
        max_pause: float = 30.0,
        total: float | None = None,
        budget: float | None = 50.0,
    ) -> None:
        if attempts < 1:
            raise ValueError(f"attempts must be at least 1, not {attempts}")
        if backoff < 0 or max_pause < 0:
            raise ValueError("backoff and max_pause cannot be negative")
        self._attempts = attempts
        self._statuses = frozenset(statuses)
        self._errors = errors
        self._methods = None if methods is None else frozenset(method.upper() for method in methods)
        self._backoff = backoff
        self._max_pause = max_pause
        self._total = total
        self._budget = self._budget_left = budget

    @property
    def budget_left(self) -> float | None:
        """How many retries are in store."""
        return self._budget_left

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        log: list[Attempt] = []
        clock = asyncio.get_running_loop().time
        start = clock()
        while True:
            sent = clock()
            try:
                response = await handler(request)
            except self._errors as error:
                pause = self._pause_after(None, error, request, len(log), clock() - start)
                if pause is None:
                    _tell(error, log)
                    raise
                # Without its traceback, by which the log of a response would hold that response.
                log.append(Attempt(None, error.with_traceback(None), clock() - sent, pause))
            else:
                pause = self._pause_after(response, None, request, len(log), clock() - start)
                log.append(Attempt(response.status, None, clock() - sent, pause or 0.0))
                if pause is None:
                    response.attempts = tuple(log)
                    return response
                response.release()
            await asyncio.sleep(pause)

    def _pause_after(
        self, response: ClientResponse | None, error: Exception | None, request: ClientRequest, retries: int, elapsed: float
    ) -> float | None:
        """Seconds until the next attempt, which is taken from the budget; None when there is none."""
        if response is not None and response.status not in self._statuses:
            if self._budget_left is not None:
                self._budget_left = min(self._budget_left + _REFUND, self._budget or 0)
            return None
        if retries + 1 >= self._attempts or not self._may_repeat(request, error):
            return None
        pause = None if response is None else retry_after(response.headers.get(hdrs.RETRY_AFTER), time.time())
        if pause is None:
            pause = random.uniform(0, min(self._max_pause, self._backoff * 2**retries))
        if pause > self._max_pause or (self._total is not None and elapsed + pause > self._total):
            return None
        if self._budget_left is not None:
            if self._budget_left < 1:
                return None
            self._budget_left -= 1
        return pause

    def _may_repeat(self, request: ClientRequest, error: Exception | None) -> bool:
        if isinstance(error, _FINAL) or not request.replayable or (request.session is not None and request.session.closed):
            return False
        return (
            self._methods is None
            or request.method in self._methods
            or isinstance(error, _NOTHING_SENT)
            or "Idempotency-Key" in request.headers
        )


def retry_after(field: str | None, now: float) -> float | None:
    """The seconds that a Retry-After field asks to wait (RFC 9110, section 10.2.3), as a number or as a date; None for neither.

    :param now: seconds since the epoch.
    """
    if field is None:
        return None
    if _SECONDS.fullmatch(field):
        return float(field)
    try:
        date = parsedate_to_datetime(field)
        return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _tell(error: Exception, log: list[Attempt]) -> None:
    for number, attempt in enumerate(log, 1):
        outcome = attempt.status if attempt.error is None else f"{type(attempt.error).__name__}: {attempt.error}"
        error.add_note(f"Attempt {number}: {outcome}")
