"""Recording real exchanges to a file, and replaying them without a network."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from yarl import URL

from ..pool.lending import Asking, BaseConnector
from ..session.client import ClientSession
from ..session.cookiejar import DummyCookieJar
from ..timeouts import ClientTimeout
from ..wire.codings import make_decoder
from .interception import Interception, forwarding
from .messages import Request, Response
from .recordings import Exchange, RecordedRequest, RecordedResponse, load, save
from .redaction import SECRETS, Redaction

Mode: TypeAlias = Literal["once", "new", "none", "all"]
#: The name of what has to be the same, or a function of the request and a recorded one that says whether they fit.
Rule: TypeAlias = str | Callable[[RecordedRequest, RecordedRequest], bool]

#: Fields of a message that are its connection's, or that the framing here makes anew (RFC 9110, section 7.6.1).
_HOP_BY_HOP: Final = frozenset({"connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding"})
_AUTOMATIC: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class NotRecorded(AssertionError):
    """A request that no recorded exchange is for."""


class Recorder(Interception):
    """Records exchanges with real servers in a file, and replays them from there.

        with Recorder("recordings/users.json"):
            ...  # the first time, requests go to the network; from then on, the file answers

    Instead of `with`, `ClientSession(connector=recorder.connector())` does so for one session. An exchange is written when all of
    the response has come, and replayed once: the first that fits and was not replayed yet. What is replayed goes through the real
    engine; see `FakeConnector`. A request that has no answer raises `NotRecorded`. WebSockets go to the network, if it records.

    :param path: the file, which is JSON.
    :param mode: "once": record everything if there is no such file, else replay only; "new": replay what is recorded, and record
        what is not; "none": replay only; "all": record everything anew.
    :param match: what of a request has to be as recorded: "method", "url", "host", "path", "query" (in any order), "body" (JSON
        by its value), "headers", or functions of the request and a recorded one.
    :param redact: the names whose values are not written: of fields, of pairs in queries, forms and cookies, of members in JSON;
        bodies in parts are not written at all. `()` writes everything.
    :param pass_through: hosts whose requests go to the network, and are not recorded.
    :ivar exchanges: what is recorded so far.

    Raises `ValueError` for a file that is no recording.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        mode: Mode = "once",
        *,
        match: Iterable[Rule] = ("method", "url"),
        redact: Collection[str] = SECRETS,
        pass_through: Iterable[str] = (),
    ) -> None:
        super().__init__(pass_through)
        if mode not in ("once", "new", "none", "all"):
            raise ValueError(f"mode is once, new, none or all, not {mode!r}")
        self._path = Path(path)
        there = self._path.exists()
        self._records = mode in ("new", "all") or (mode == "once" and not there)
        self._rules = {rule if isinstance(rule, str) else rule.__qualname__: _rule(rule) for rule in match}
        self._redaction = Redaction(redact)
        self.exchanges = load(self._path) if there and mode != "all" else []
        self._replayable = list(self.exchanges)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._path} exchanges={len(self.exchanges)}>"

    def assert_all_replayed(self) -> None:
        """Raise `AssertionError` unless everything that the file had was asked for."""
        if self._replayable:
            left = [f"{exchange.request.method} {exchange.request.url}" for exchange in self._replayable]
            raise AssertionError("\n  ".join([f"Not everything in {self._path} was asked for:", *left]))

    def lets_through(self, asked: Asking) -> bool:
        upgrades = self._records and "Upgrade" in getattr(asked, "headers", ())
        return upgrades or super().lets_through(asked)

    async def answer(self, request: Request, asked: Asking, network: BaseConnector) -> Response:
        written = self._written(request)
        for number, exchange in enumerate(self._replayable):
            if self._difference(written, exchange.request) is None:
                del self._replayable[number]
                return _replayed(exchange.response)
        if not self._records:
            raise NotRecorded(self._why_not(written))
        answered = await _ask(request, asked, network)
        content_type = next((value for name, value in answered.fields if name.lower() == "content-type"), "")
        response = RecordedResponse(
            answered.status,
            answered.reason,
            tuple(self._redaction.fields(answered.fields)),
            self._redaction.body(answered.body, content_type),
            answered.length,
        )
        self.exchanges.append(Exchange(written, response))
        save(self._path, self.exchanges)
        return _replayed(answered)

    def _written(self, request: Request) -> RecordedRequest:
        body = self._redaction.body(request.body, request.headers.get("Content-Type", ""))
        fields = [(name, value) for name, value in request.fields if name.lower() not in _HOP_BY_HOP]
        return RecordedRequest(request.method, self._redaction.url(request.url), tuple(self._redaction.fields(fields)), body)

    def _difference(self, request: RecordedRequest, recorded: RecordedRequest) -> str | None:
        return next((name for name, fit in self._rules.items() if not fit(request, recorded)), None)

    def _why_not(self, request: RecordedRequest) -> str:
        lines = [f"{request.method} {request.url} is not in {self._path}. Recorded are:"]
        for exchange in self.exchanges:
            recorded = exchange.request
            why = self._difference(request, recorded)
            lines.append(f"{recorded.method} {recorded.url}: " + ("replayed already" if why is None else f"another {why}"))
        return "\n  ".join(lines)


async def _ask(request: Request, asked: Asking, network: BaseConnector) -> RecordedResponse:
    """Send a request to where it was to go."""
    forwarding.set(True)  # in the task of this request
    session = ClientSession(
        connector=network,
        connector_owner=False,
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(),
        skip_auto_headers=_AUTOMATIC,
    )
    async with (
        session,
        session.request(
            request.method,
            request.url,
            headers=[(name, value) for name, value in request.fields if name.lower() not in _HOP_BY_HOP],
            data=request.body or None,
            allow_redirects=False,
            ssl=asked.ssl,
            proxy=asked.proxy,
            proxy_auth=asked.connection_key.proxy_auth,
        ) as response,
    ):
        body = await response.read()
        fields = [(name.decode(), value.decode("utf-8", "surrogateescape")) for name, value in response.raw_headers]
        dropped = _HOP_BY_HOP
        if make_decoder(response.headers.get("Content-Encoding", "")) is not None:  # then read() has undone it
            dropped |= {"content-encoding"}
        return RecordedResponse(
            response.status,
            response.reason or "",
            tuple((name, value) for name, value in fields if name.lower() not in dropped),
            body,
            response.content_length if request.method == "HEAD" else None,
        )


def _replayed(response: RecordedResponse) -> Response:
    return Response(response.status, response.fields, response.body, length=response.length, reason=response.reason)


def _rule(rule: Rule) -> Callable[[RecordedRequest, RecordedRequest], bool]:
    if not isinstance(rule, str):
        return rule
    if rule not in _PARTS:
        raise ValueError(f"match is of {', '.join(_PARTS)}, or functions, not {rule!r}")
    return partial(_same, _PARTS[rule])


def _same(part: Callable[[RecordedRequest], Any], request: RecordedRequest, recorded: RecordedRequest) -> bool:
    return bool(part(request) == part(recorded))


def _query(request: RecordedRequest) -> list[tuple[str, str]]:
    return sorted(URL(request.url).query.items())


def _body(request: RecordedRequest) -> Any:
    try:
        return json.loads(request.body)
    except ValueError:
        return request.body


#: What each name in `match` compares.
_PARTS: Final[dict[str, Callable[[RecordedRequest], Any]]] = {
    "method": lambda request: request.method,
    "url": lambda request: (URL(request.url).with_query(None), _query(request)),
    "host": lambda request: URL(request.url).host_port_subcomponent,
    "path": lambda request: URL(request.url).path,
    "query": _query,
    "body": _body,
    "headers": lambda request: sorted((name.lower(), value) for name, value in request.fields),
}
