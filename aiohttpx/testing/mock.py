"""Mocking: which requests are answered with what, and what was asked."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple, Self

from ..pool.lending import Asking, BaseConnector
from .interception import Interception
from .messages import Request, Response
from .patterns import MISSING, Pairs, RequestPattern, URLPattern
from .replies import Chunks, Fields, reply_of
from .routes import Handler
from .websocket import PeerWebSocket


class NotMocked(AssertionError):
    """A request that no route of a `Mock` is for. `request` is what it was."""

    def __init__(self, message: str, request: Request) -> None:
        super().__init__(message)
        self.request = request


class _Answer(NamedTuple):
    handler: Handler
    times: int | None
    latency: float


class MockedRoute:
    """Requests of one pattern, and what they are answered with: what was said first comes first.

    :ivar calls: the requests so far, as they came.
    """

    def __init__(self, pattern: RequestPattern, optional: bool) -> None:
        self.pattern = pattern
        self.optional = optional
        self.calls: list[Request] = []
        self._answers: list[_Answer] = []
        self._given: list[int] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.pattern}, calls={len(self.calls)}>"

    # -- what to answer

    def reply(
        self,
        status: int = 200,
        *,
        headers: Fields = (),
        body: bytes | str | None = None,
        json: Any = MISSING,
        chunks: Chunks | None = None,
        file: str | os.PathLike[str] | None = None,
        reason: str | None = None,
        times: int | None = None,
        latency: float = 0,
    ) -> Self:
        """Answer with a response; of the bodies, one can be given.

        :param body: the content: bytes, or text in UTF-8.
        :param json: a value that is sent as JSON.
        :param chunks: the content in pieces, as an iterable of bytes, an asynchronous one, or a function that returns one; it is
            sent piece by piece in the chunked coding. One that raises cuts the connection.
        :param file: the path of a file that is the content.
        :param times: how often; by default once when another answer is given after this one, else for ever.
        :param latency: seconds until the answer begins.
        """
        return self.call(reply_of(status, headers, body, json, chunks, file, reason), times=times, latency=latency)

    def fail(self, error: Exception | type[Exception], *, times: int | None = None, latency: float = 0) -> Self:
        """Let the request raise `error`. An `OSError` that is no `ClientError` becomes a `ClientConnectorError`, as in life."""

        def handler(request: Request) -> Response:
            raise error

        return self.call(handler, times=times, latency=latency)

    def websocket(
        self,
        talk: Callable[[PeerWebSocket], Awaitable[None]],
        *,
        protocol: str | None = None,
        times: int | None = None,
        latency: float = 0,
    ) -> Self:
        """Open a WebSocket, and call `talk` with the server's side of it; when that returns, it is closed.

        :param protocol: the subprotocol that is chosen.
        """
        return self.call(lambda request: Response.websocket(talk, protocol), times=times, latency=latency)

    def call(self, handler: Handler, *, times: int | None = None, latency: float = 0) -> Self:
        """Answer with what `handler`, a function or a coroutine function, returns for the request: a `Response`."""
        if times is not None and times < 1:
            raise ValueError(f"times must be at least 1, not {times}")
        self._answers.append(_Answer(handler, times, latency))
        self._given.append(0)
        return self

    async def answer(self, request: Request) -> Response:
        """The next response."""
        turn = self._turn()
        answer = _OK if turn is None else self._answers[turn]
        if turn is not None:
            self._given[turn] += 1
        self.calls.append(request)
        if answer.latency:
            await asyncio.sleep(answer.latency)
        response = answer.handler(request)
        return await response if inspect.isawaitable(response) else response

    # -- what was asked

    @property
    def used_up(self) -> bool:
        """All its answers were given, as often as they may be."""
        return bool(self._answers) and self._turn() is None

    def _turn(self) -> int | None:
        last = len(self._answers) - 1
        for turn, answer in enumerate(self._answers):
            times = answer.times or (1 if turn < last else None)
            if times is None or self._given[turn] < times:
                return turn
        return None

    @property
    def missing(self) -> str | None:
        """What was expected and did not happen; None if nothing."""
        if self.optional:
            return None
        if not self.calls:
            return f"{self.pattern} was not called"
        expected = sum(answer.times or 1 for answer in self._answers)
        if len(self.calls) < expected:
            return f"{self.pattern} was called {_times(len(self.calls))}, and has answers for {_times(expected)}"
        return None

    def assert_called(self, times: int | None = None) -> None:
        """Raise `AssertionError` unless it was called; so often, if that is given."""
        if not self.calls if times is None else len(self.calls) != times:
            expected = "" if times is None else f", not {_times(times)}"
            raise AssertionError(f"{self.pattern} was called {_times(len(self.calls))}{expected}")

    def assert_not_called(self) -> None:
        """Raise `AssertionError` if it was called."""
        self.assert_called(0)


class Mock(Interception):
    """Answers requests as it is told to, and keeps what was asked.

        with Mock() as mock:
            mock.get("https://api.example.org/users", params={"page": 1}).reply(json=[{"name": "Ada"}])
            ...  # every session's requests are answered here
            mock.assert_all_called()

    Instead of `with`, `ClientSession(connector=mock.connector())` mocks one session. Of the routes that fit a request, the first
    one that is not used up has it; a request that none fits raises `NotMocked`, which says why not. Requests and responses are
    written and parsed as on a network; see `FakeConnector`.

    :param pass_through: hosts whose requests go to the network: `"127.0.0.1"`, `"*.example.org"`, `"localhost:8080"`.
    :ivar routes: what was registered.
    :ivar calls: all requests so far, as they came, mocked or not.
    :ivar unmatched: those that were not mocked.
    """

    def __init__(self, pass_through: Iterable[str] = ()) -> None:
        super().__init__(pass_through)
        self.routes: list[MockedRoute] = []
        self.calls: list[Request] = []
        self.unmatched: list[Request] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} routes={len(self.routes)}, calls={len(self.calls)}, unmatched={len(self.unmatched)}>"

    # -- registering

    def route(
        self,
        method: str | Iterable[str] | None = None,
        url: URLPattern | None = None,
        *,
        params: Pairs | None = None,
        headers: Mapping[str, str | re.Pattern[str]] | None = None,
        data: bytes | str | Pairs | None = None,
        json: Any = MISSING,
        match: Callable[[Request], bool] | None = None,
        optional: bool = False,
    ) -> MockedRoute:
        """Register requests, which are answered with 200 (OK) until the route that this returns is told otherwise.

        The parameters are those of `RequestPattern`: what is not given does not matter.

        :param optional: `assert_all_called` does not mind when it is not called.
        """
        pattern = RequestPattern(method, url, params=params, headers=headers, data=data, json=json, match=match)
        route = MockedRoute(pattern, optional)
        self.routes.append(route)
        return route

    def get(self, url: URLPattern | None = None, **conditions: Any) -> MockedRoute:
        """Register GET requests; see `route`."""
        return self.route("GET", url, **conditions)

    def head(self, url: URLPattern | None = None, **conditions: Any) -> MockedRoute:
        """Register HEAD requests; see `route`."""
        return self.route("HEAD", url, **conditions)

    def options(self, url: URLPattern | None = None, **conditions: Any) -> MockedRoute:
        """Register OPTIONS requests; see `route`."""
        return self.route("OPTIONS", url, **conditions)

    def post(self, url: URLPattern | None = None, **conditions: Any) -> MockedRoute:
        """Register POST requests; see `route`."""
        return self.route("POST", url, **conditions)

    def put(self, url: URLPattern | None = None, **conditions: Any) -> MockedRoute:
        """Register PUT requests; see `route`."""
        return self.route("PUT", url, **conditions)

    def patch(self, url: URLPattern | None = None, **conditions: Any) -> MockedRoute:
        """Register PATCH requests; see `route`."""
        return self.route("PATCH", url, **conditions)

    def delete(self, url: URLPattern | None = None, **conditions: Any) -> MockedRoute:
        """Register DELETE requests; see `route`."""
        return self.route("DELETE", url, **conditions)

    def reset(self) -> None:
        """Forget all routes and calls."""
        self.routes.clear()
        self.calls.clear()
        self.unmatched.clear()

    # -- answering

    async def answer(self, request: Request, asked: Asking, network: BaseConnector) -> Response:
        self.calls.append(request)
        for route in self.routes:
            if not route.used_up and route.pattern.objection(request) is None:
                return await route.answer(request)
        self.unmatched.append(request)
        raise NotMocked(self._why_not(request), request)

    def _why_not(self, request: Request) -> str:
        said = f"{request.method} {request.url.with_query(None)} is not mocked."
        if not self.routes:
            return f"{said} No route is registered."
        objections = [(route, route.pattern.objection(request) or "used up") for route in self.routes]
        return "\n  ".join([f"{said} Registered are:", *(f"{route.pattern}: {why}" for route, why in objections)])

    # -- asserting

    def called_with(
        self,
        method: str | Iterable[str] | None = None,
        url: URLPattern | None = None,
        *,
        params: Pairs | None = None,
        headers: Mapping[str, str | re.Pattern[str]] | None = None,
        data: bytes | str | Pairs | None = None,
        json: Any = MISSING,
        match: Callable[[Request], bool] | None = None,
    ) -> list[Request]:
        """The requests so far that fit; the parameters are those of `route`."""
        pattern = RequestPattern(method, url, params=params, headers=headers, data=data, json=json, match=match)
        return [request for request in self.calls if pattern.objection(request) is None]

    def assert_called(
        self,
        method: str | Iterable[str] | None = None,
        url: URLPattern | None = None,
        *,
        times: int | None = None,
        **conditions: Any,
    ) -> None:
        """Raise `AssertionError` unless such a request was sent; so often, if that is given."""
        found = len(self.called_with(method, url, **conditions))
        if not found if times is None else found != times:
            expected = "" if times is None else f", not {_times(times)}"
            asked = [f"{request.method} {request.url.with_query(None)}" for request in self.calls] or ["nothing"]
            pattern = RequestPattern(method, url, **conditions)
            raise AssertionError("\n  ".join([f"{pattern} was asked for {_times(found)}{expected}. Asked for was:", *asked]))

    def assert_all_called(self) -> None:
        """Raise `AssertionError` unless all routes were called, as often as they have answers for, and every request was
        mocked."""
        faults = [missing for route in self.routes if (missing := route.missing) is not None]
        faults += [f"{request.method} {request.url.with_query(None)} was not mocked" for request in self.unmatched]
        if faults:
            raise AssertionError("\n".join(faults))


_OK = _Answer(lambda request: Response(), None, 0)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
