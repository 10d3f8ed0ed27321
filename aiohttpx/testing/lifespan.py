"""The life of an ASGI application: its start and its end (ASGI, Lifespan Protocol)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


def decoded(fields: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Field lines as applications have them, as text."""
    return [(name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in fields]


class Lifespan:
    """Tells an application, once each, that it starts and that it ends.

    :ivar state: what the application put there when it started, for its requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._task: asyncio.Task[None] | None = None
        self._told: asyncio.Queue[Message] = asyncio.Queue()
        self._said = asyncio.Event()  # the application has answered what it was told last, or has returned
        self._failure: str | None = None
        self._answered = False

    async def start(self) -> None:
        """Tell the application of its start, and wait until it is ready. One that raises at once does not want to know.

        Raises `RuntimeError` if it says that it has failed.
        """
        if self._task is None:
            self._told.put_nowait({"type": "lifespan.startup"})
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody may ask for it
        await self._said.wait()
        if self._failure is not None:
            raise RuntimeError(f"the application did not start: {self._failure}")

    async def end(self) -> None:
        """Tell the application of its end, and wait until it has done what it has to. Raises what that raises."""
        task, self._task = self._task, None
        if task is None:
            return
        if self._answered and self._failure is None and not task.done():
            self._said.clear()
            self._told.put_nowait({"type": "lifespan.shutdown"})
            await self._said.wait()
        task.cancel()
        await asyncio.wait([task])
        if self._failure is not None:
            raise RuntimeError(f"the application did not end well: {self._failure}")
        if self._answered and not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._told.get, self._send)
        finally:
            self._said.set()

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind in ("lifespan.startup.failed", "lifespan.shutdown.failed"):
            self._failure = message.get("message", "") or kind
        elif kind not in ("lifespan.startup.complete", "lifespan.shutdown.complete"):
            raise RuntimeError(f"ASGI message {kind!r} is not expected here")
        self._answered = True
        self._said.set()
