"""On loops whose transports were replaced by aiofastnet's, connections are made in the loop's own way."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import pytest
import trustme

from aiohttpx import ClientSession, TCPConnector
from aiohttpx.testing import LoopbackServer

from ..conftest import LOOPS
from .relay import Relay

aiofastnet = pytest.importorskip("aiofastnet")

#: Bytes of a body that one read of its TLS takes whole, and that are more than a stream takes before it pauses.
SIZE = 200_000


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def serving(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("through", ["TCP", "TLS", "a tunnel"])
@pytest.mark.parametrize("make_loop", LOOPS.values(), ids=LOOPS)
def test_large_bodies_come_whole_and_tls_sessions_are_resumed(
    authority: trustme.CA, serving: ssl.SSLContext, make_loop: Callable[[], asyncio.AbstractEventLoop], through: str
) -> None:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    secure = through != "TCP"
    resumed = []

    async def ask(server: LoopbackServer) -> None:
        connector = TCPConnector(ssl=trusting, force_close=True)
        async with Relay(server.port) as relay, ClientSession(connector=connector) as session:
            proxy = relay.url if through == "a tunnel" else None
            for _ in range(2):
                async with session.get(f"{server.url}/bytes/{SIZE}", proxy=proxy) as response:
                    if secure:
                        assert response.connection is not None
                        assert response.connection.transport is not None
                        resumed.append(response.connection.transport.get_extra_info("ssl_object").session_reused)
                    await asyncio.sleep(0.02)  # what has come is more than is wanted by now
                    assert len(await response.read()) == SIZE

    with (
        LoopbackServer(ssl_context=serving if secure else None).in_thread() as server,
        asyncio.Runner(loop_factory=lambda: aiofastnet.patch_loop(make_loop())) as runner,
    ):
        runner.run(ask(server))
    assert resumed == ([False, True] if secure else [])
