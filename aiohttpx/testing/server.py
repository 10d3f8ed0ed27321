"""A small HTTP/1.1 server on the loopback interface, for tests and demonstrations."""

from __future__ import annotations

import asyncio
import concurrent.futures
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from .connection import ServerConnection
from .handlers import DEFAULT_ROUTES
from .listener import Listener
from .routes import Handler, Route, Routes

_MAX_BODY = 1 << 26


class LoopbackServer:
    """An HTTP/1.1 server for tests: persistent connections, pipelining, chunked bodies, 100-continue, TLS, Unix sockets.

        async with LoopbackServer({"/hello": lambda request: Response.text("hi")}) as server:
            ...  # server.url is "http://127.0.0.1:<port>"

    It is strict: whatever is no HTTP is answered with 400 (or 413, 414, 431, 501, 505) and the connection ended. A handler that
    raises is answered for with 500 and the traceback as the body.

    :param routes: handlers, or instances of `Route`, by path; a path that ends in "/" stands for everything under it, the longest
        one wins.
    :param host: the address to listen on; `port` 0 takes a free one.
    :param unix_path: listen on a Unix socket at this path instead.
    :param ssl_context: speak TLS.
    :param max_body: bytes of content a request may have where the route keeps it; more is answered with 413.
    """

    def __init__(
        self,
        routes: Mapping[str, Handler | Route] = DEFAULT_ROUTES,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        unix_path: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        max_body: int = _MAX_BODY,
    ) -> None:
        table = Routes(routes)
        self._listener = Listener(
            lambda listener: ServerConnection(listener, table.find, max_body, listener.url),
            host=host,
            port=port,
            unix_path=unix_path,
            ssl_context=ssl_context,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    @property
    def url(self) -> str:
        """The origin, without a path: `http://127.0.0.1:<port>`; for a Unix socket `http://localhost`."""
        return self._listener.url

    @property
    def host(self) -> str:
        return self._listener.host

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def connections(self) -> int:
        """How many connections were accepted so far."""
        return self._listener.accepted

    async def __aenter__(self) -> Self:
        self._listener.open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._listener.close()

    @contextmanager
    def in_thread(self) -> Iterator[Self]:
        """Serves from a thread with a loop of its own:

            with LoopbackServer().in_thread() as server:
                urllib.request.urlopen(server.url + "/anything")

        The server ends with the block.
        """
        started: concurrent.futures.Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = concurrent.futures.Future()

        async def serve() -> None:
            stop = asyncio.Event()
            try:
                self._listener.open()
            except Exception as error:
                started.set_exception(error)
                return
            started.set_result((asyncio.get_running_loop(), stop))
            try:
                await stop.wait()
            finally:
                await self._listener.close()

        thread = threading.Thread(target=asyncio.run, args=(serve(),), name="aiohttpx loopback server", daemon=True)
        thread.start()
        loop, stop = started.result()
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
