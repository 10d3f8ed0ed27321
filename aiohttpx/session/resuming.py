"""What a session does in more than one request if need be: each goes on where the one before was cut."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from ..message.response import ClientResponse
from ..net.settings import MAX_EVENT_SIZE
from ..timeouts import ClientTimeout
from ..typedefs import LooseHeaders, PathLike, StrOrURL

if TYPE_CHECKING:
    from .download import Download, Progress
    from .sse import EventSource

#: Seconds until a lost stream of events is asked for again, when the server has not said it.
RETRY: Final = 3.0


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
        from .sse import EventSource

        kwargs.setdefault("timeout", self._timeout.__replace__(total=None))
        return EventSource(
            lambda fields: self._request(method, url, headers=fields, **kwargs), headers, last_event_id, retry, max_event_size
        )

    def download(
        self,
        url: StrOrURL,
        path: PathLike,
        *,
        resume: bool = True,
        checksum: str | None = None,
        progress: Progress | None = None,
        headers: LooseHeaders | None = None,
        **kwargs: Any,
    ) -> Coroutine[Any, Any, Download]:
        """GET `url` into the file `path`, which is there when all of it is: until then it is `<path>.part`.

        What is cut is gone on with where it was cut, if the server has given a strong ETag or Last-Modified: at once as long as
        each attempt brings something new, and by another call for the same path, which finds `<path>.part` and
        `<path>.part.json`. A file that has changed meanwhile is begun anew. The disk is not waited for in the loop's thread.

        :param resume: False: begin anew, and leave nothing of a failure.
        :param checksum: `"sha256:<hexadecimal>"`: the digest that the file must have; any algorithm of `hashlib`.
        :param progress: called with the bytes that are here and, if it is known, the bytes of the whole.
        :param kwargs: as for `request`; a limit in time is one for each attempt.

        Raises `ChecksumMismatch`, `ClientResponseError` for any status but 200 and 206, `OSError` for a file that cannot be
        written, `ValueError` for a `checksum` that is none, and what reading a response raises.
        """
        from .download import download
        from .partialfile import PartialFile

        part = PartialFile(path, checksum)
        kwargs["raise_for_status"] = False
        return download(lambda fields: self._request("GET", url, headers=fields, **kwargs), part, headers, resume, progress)
