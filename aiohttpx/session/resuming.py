"""What a session does in more than one request if need be: each goes on where the one before was cut."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from ..message.response import ClientResponse
from ..timeouts import ClientTimeout
from ..typedefs import LooseHeaders, StrOrURL
from ..wire.sse import MAX_EVENT_SIZE
from .sse import RETRY, EventSource


class Resuming:
    """A part of `ClientSession`."""

    _request: Callable[..., Awaitable[ClientResponse]]
    _timeout: ClientTimeout

    def sse(
        self,
        url: StrOrURL,
        *,
        method: str = "GET",
        headers: LooseHeaders | None = None,
        last_event_id: str = "",
        retry: float = RETRY,
        max_event_size: int = MAX_EVENT_SIZE,
        **kwargs: Any,
    ) -> EventSource:
        """Iterate over the Server-Sent Events of `url`, through as many connections as that takes: see `EventSource`.

        :param last_event_id: go on behind this event.
        :param retry: seconds until a lost stream is asked for again, unless the server says it.
        :param max_event_size: bytes of one event.
        :param kwargs: as for `request`, with a body that can be sent more than once; unless there is a `timeout`, it is the
            session's without `total`.
        """
        kwargs.setdefault("timeout", replace(self._timeout, total=None))
        return EventSource(
            lambda fields: self._request(method, url, headers=fields, **kwargs), headers, last_event_id, retry, max_event_size
        )
