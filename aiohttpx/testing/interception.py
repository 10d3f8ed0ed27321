"""What takes the place of the network: for one session, by a connector; or for all of them, within a `with` block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from fnmatch import fnmatchcase
from functools import partial
from types import TracebackType
from typing import Any, Self

from ..net.connection import HTTPConnection
from ..pool.connectors import TCPConnector
from ..pool.lending import Asking, BaseConnector, Connection
from ..timeouts import ClientTimeout
from .fake import FakeConnection, MemoryConnector
from .listener import AcceptedConnection
from .messages import Request, Response

#: Set where an interception itself sends something: it goes to the network.
forwarding: ContextVar[bool] = ContextVar("forwarding", default=False)


class Interception(ABC):
    """Answers the requests of sessions in place of the network.

    Of `connector()` those that use it; within `with` all of them, whoever made them, by taking the place of
    `BaseConnector.connect`. (Connectors that end in this process anyway, as `FakeConnector` and `ASGIConnector`, keep theirs.)

    :param pass_through: hosts whose requests go to the network all the same: `"127.0.0.1"`, `"*.example.org"`,
        `"localhost:8080"`.
    """

    def __init__(self, pass_through: Iterable[str] = ()) -> None:
        self._passed = list(pass_through)
        self._stand_ins: dict[BaseConnector, InterceptingConnector] = {}
        self._connect: Any = None  # whose place was taken

    @abstractmethod
    async def answer(self, request: Request, asked: Asking, network: BaseConnector) -> Response:
        """The response to `request`. What is raised, the request raises.

        :param asked: the request as its session has it.
        :param network: the connector that it would go to the network by; set `forwarding` before that is used.
        """

    def lets_through(self, asked: Asking) -> bool:
        """Whether a request goes to the network."""
        url = asked.url
        return any(fnmatchcase(host, pattern) for pattern in self._passed for host in (url.host or "", f"{url.host}:{url.port}"))

    def pass_through(self, *hosts: str) -> None:
        """Let requests to further hosts go to the network."""
        self._passed += hosts

    def connector(self, network: BaseConnector | None = None, **options: Any) -> BaseConnector:
        """A connector that has its answers from here.

        :param network: what takes requests to the network, if they are to go there; by default a `TCPConnector`. It is closed
            with the connector.
        """
        return InterceptingConnector(self, network or TCPConnector(), True, **options)

    def __enter__(self) -> Self:
        if self._connect is not None:
            raise RuntimeError(f"{self!r} is in a with block already")
        self._connect = original = BaseConnector.connect

        async def connect(connector: BaseConnector, req: Asking, traces: Sequence[Any], timeout: ClientTimeout) -> Connection:
            if isinstance(connector, MemoryConnector) or connector.closed or forwarding.get() or self.lets_through(req):
                return await original(connector, req, traces, timeout)
            stand_in = self._stand_ins.get(connector)
            if stand_in is None:
                limits = {"limit": connector.limit, "limit_per_host": connector.limit_per_host}
                stand_in = self._stand_ins[connector] = InterceptingConnector(self, connector, False, **limits)
            return await original(stand_in, req, traces, timeout)

        BaseConnector.connect = connect  # type: ignore[method-assign, assignment]  # another name for `self`
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        BaseConnector.connect, self._connect = self._connect, None  # type: ignore[method-assign]
        for stand_in in self._stand_ins.values():
            stand_in.end()
        self._stand_ins.clear()


class InterceptingConnector(MemoryConnector):
    """A connector that has its answers from an interception."""

    def __init__(self, interception: Interception, network: BaseConnector, owner: bool, **options: Any) -> None:
        super().__init__(**options)
        self._interception = interception
        self._network = network
        self._owner = owner

    async def connect(self, req: Asking, traces: Sequence[Any], timeout: ClientTimeout) -> Connection:
        if self._interception.lets_through(req):
            return await self._network.connect(req, traces, timeout)
        return await super().connect(req, traces, timeout)

    def accept(self, req: Asking, client: HTTPConnection) -> AcceptedConnection:
        handler = partial(self._interception.answer, asked=req, network=self._network)
        return FakeConnection(self, handler, req.connection_key, client)

    async def close(self, *, abort_ssl: bool = False) -> None:
        await super().close(abort_ssl=abort_ssl)
        if self._owner:
            await self._network.close(abort_ssl=abort_ssl)
