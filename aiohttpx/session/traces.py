"""The traces of one request. There is nothing here for requests that nobody traces; `tracing` is loaded by who asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from multidict import CIMultiDict
from yarl import URL

from ..message.defaults import CutURL
from ..message.query import extend_query
from ..message.request import ClientRequest
from ..message.response import ClientResponse
from ..typedefs import Params

if TYPE_CHECKING:
    from .tracing import Trace


class Traces(list["Trace"]):
    """The traces of one request, through all its hops: those that were told of its start, and will be told how it ends.

    :param method, url, headers: of the hop it is at.
    """

    def __init__(self, method: str, url: URL, headers: CIMultiDict[str]) -> None:
        self.method = method
        self.url = url
        self.headers = headers

    async def redirect(self, response: ClientResponse) -> None:
        """`response` redirects."""
        for trace in self:
            await trace.send_request_redirect(self.method, self.url, self.headers, response)

    def go_on(self, request: ClientRequest, headers: CIMultiDict[str]) -> None:
        """The redirect led to `request`, which was made with these `headers`."""
        self.method, self.url, self.headers = request.method, request.original_url, headers

    async def end(self, response: ClientResponse) -> None:
        """It ends with `response`."""
        for trace in self:
            await trace.send_request_end(self.method, self.url, self.headers, response)

    async def fail(self, error: BaseException) -> None:
        """It ends with `error`."""
        for trace in self:
            await trace.send_request_exception(self.method, self.url, self.headers, error)


async def start_traces(
    session: Any, method: str, url: URL | CutURL, params: Params, headers: CIMultiDict[str], context: object
) -> Traces:
    """Tell the session's `trace_configs` that a request starts; `context` is its `trace_request_ctx`. What receivers put into
    `headers` is sent. They are not shown credentials in `url`."""
    url = URL(url[0]) if isinstance(url, tuple) else url
    traces = Traces(method.upper(), (extend_query(url, params) if params else url).with_user(None), headers)
    try:
        for config in session.trace_configs:
            trace = config.trace(session, config.trace_config_ctx(trace_request_ctx=context))
            await trace.send_request_start(traces.method, traces.url, headers)
            traces.append(trace)
    except BaseException as error:
        await traces.fail(error)
        raise
    return traces


#: Those of a request that nobody traces.
NO_TRACES: Final = Traces("", URL(), CIMultiDict())
