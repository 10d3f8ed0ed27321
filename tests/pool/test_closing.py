"""pool/lending.py: how a connector ends, what is said of those that were forgotten, and to which loop they belong."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trustme

from aiohttpx import BaseConnector, ClientConnectionError, ClientSession, ClientTimeout, TCPConnector
from aiohttpx.net.resolver import AbstractResolver, ResolveResult
from aiohttpx.testing import ExpectRequest, LoopbackServer, Response, Route, Script, ScriptedPeer, StallForever

from .asking import OK, Sockets, get, lend, until

# -- the end


class Stalling(AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def close(self) -> None:
        """It holds nothing."""


STALLS: dict[str, Script] = {
    "the head": [ExpectRequest(), StallForever()],
    "the body": [ExpectRequest(), b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", StallForever()],
    "a body to the end": [ExpectRequest(), b"HTTP/1.1 200 OK\r\n\r\nhe", StallForever()],
}


@pytest.mark.every_loop
@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
async def test_close_ends_all_who_wait_and_read(stall: Any) -> None:
    async with ScriptedPeer(stall) as peer, asyncio.timeout(10):
        sockets = Sockets()
        session = ClientSession(connector=TCPConnector(limit=3, socket_factory=sockets))
        asking = [asyncio.ensure_future(get(session, peer.url)) for _ in range(8)]  # five of them wait for a slot
        await until(lambda: sum(bool(connection.received) for connection in peer.connections) == 3)
        await asyncio.sleep(0.01)
        await session.close()
        assert (len(sockets.made), sockets.open) == (3, 0)
        errors = await asyncio.gather(*asking, return_exceptions=True)
        assert {type(error) for error in errors} == {ClientConnectionError}, errors


@pytest.mark.every_loop
async def test_close_ends_an_upload() -> None:
    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 10_000
            await asyncio.sleep(0)

    async with LoopbackServer({"/": Route(lambda request: Response(), keep_body=False)}) as server, asyncio.timeout(10):
        sockets = Sockets()
        session = ClientSession(connector=TCPConnector(socket_factory=sockets))
        asking = asyncio.ensure_future(session.post(server.url, data=body()))
        await asyncio.sleep(0.02)
        await session.close()
        assert (len(sockets.made), sockets.open) == (1, 0)
        with pytest.raises(ClientConnectionError):
            await asking


@pytest.fixture
def full() -> Iterator[int]:
    """A port that answers no attempt to connect: its backlog is full."""
    with socket.socket() as server, socket.socket() as one, socket.socket() as two:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for waiting in (one, two):
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@pytest.mark.every_loop
@pytest.mark.parametrize("phase", ["dns", "connect", "tls"])
async def test_close_ends_who_is_opening_a_connection(phase: str, full: int) -> None:
    async with ScriptedPeer([StallForever()]) as peer, asyncio.timeout(10):
        sockets = Sockets()
        connector = TCPConnector(limit=2, resolver=Stalling(), socket_factory=sockets)
        session = ClientSession(connector=connector, timeout=ClientTimeout())
        urls = {
            "dns": "http://nowhere.example/",
            "connect": f"http://127.0.0.1:{full}",
            "tls": f"https://127.0.0.1:{peer.port}",
        }
        asking = [asyncio.ensure_future(get(session, urls[phase])) for _ in range(4)]
        await until(lambda: len(sockets.made) == 2 or phase == "dns")
        await asyncio.sleep(0.02)
        await session.close()
        errors = await asyncio.gather(*asking, return_exceptions=True)
        assert {type(error) for error in errors} == {ClientConnectionError}, errors
        assert "lent=0 idle=0 waiting=0" in repr(connector)
        await until(lambda: phase != "tls" or not sockets.open)  # the loop's own handshake has to hear of it first
        assert sockets.open == 0


async def test_who_was_just_given_a_slot_as_the_connector_closed() -> None:
    """The connection is on its way from one request to the next, which does not know yet."""
    async with ScriptedPeer(OK) as peer, asyncio.timeout(10):
        for lose in (False, True):
            sockets = Sockets()
            connector = TCPConnector(limit=1, socket_factory=sockets)
            lent = await lend(connector, peer.url)
            waiting = asyncio.ensure_future(lend(connector, peer.url))
            await asyncio.sleep(0)
            if lose:
                lent.close()  # the next one has a slot, and no connection
            else:
                lent.release()
            await connector.close()
            assert sockets.open == 0
            if lose:
                with pytest.raises(ClientConnectionError, match="Connector is closed"):
                    await waiting
            else:
                given = await waiting
                assert given.closed
                given.release()


@pytest.mark.every_loop
async def test_close_waits_for_connections_that_were_given_back_already(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    """TLS takes its time to say goodbye, and the peer may never answer."""
    server, client = tls
    async with ScriptedPeer([ExpectRequest(), OK, StallForever()], ssl_context=server) as peer, asyncio.timeout(10):
        sockets = Sockets()
        connector = TCPConnector(force_close=True, ssl=client, socket_factory=sockets)
        async with ClientSession(connector=connector) as session:
            assert await get(session, f"https://localhost:{peer.port}/") == "ok"
        assert sockets.made
        assert sockets.open == 0


@pytest.fixture(scope="module")
def tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS settings of a server for localhost, and of a client that trusts it."""
    ca = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    ca.issue_cert("localhost").configure_cert(server)
    ca.configure_trust(client)
    return server, client


async def test_closing_twice() -> None:
    async with ScriptedPeer(OK) as peer:
        session = ClientSession()
        assert await get(session, peer.url) == "ok"
        connector = session.connector
        assert connector is not None
        await asyncio.gather(session.close(), session.close())
        await session.close()
        await connector.close()
        assert session.closed
        assert connector.end() == []


async def test_nothing_can_be_asked_after_the_end() -> None:
    async with TCPConnector() as connector:
        session = ClientSession(connector=connector)
    with pytest.raises(RuntimeError, match="Session is closed"):
        await session.get("http://localhost/")
    with pytest.raises(ClientConnectionError, match="Connector is closed"):
        await lend(connector, "http://localhost/")


async def test_a_connector_can_be_closed_from_another_thread_while_it_opens_a_connection() -> None:
    async with asyncio.timeout(10):
        connector = TCPConnector(resolver=Stalling())
        asking = asyncio.ensure_future(lend(connector, "http://nowhere.example/"))
        await asyncio.sleep(0)
        await asyncio.to_thread(BaseConnector.end, connector)
        with pytest.raises(ClientConnectionError):
            await asking


# -- what was forgotten


def said_of(forgotten: list[object]) -> list[str]:
    """What is said when these are forgotten. A warning keeps what it speaks of, and what that keeps is spoken of after it."""
    said: list[str] = []
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            forgotten.clear()
            gc.collect()
        said += [str(warning.message) for warning in caught if warning.category is ResourceWarning]
        del caught
    return said


@pytest.mark.parametrize("debug", [False, True])
async def test_an_unclosed_session_and_connector_are_found(debug: bool) -> None:
    asyncio.get_running_loop().set_debug(debug)
    async with ScriptedPeer(OK) as peer:
        session = ClientSession()
        assert await get(session, peer.url) == "ok"
        forgotten: list[object] = [session]
        del session
        of_session, of_connector = said_of(forgotten)
        assert of_session.startswith("Unclosed client session <")
        assert of_connector.startswith("Unclosed connector <TCPConnector open <Pool lent=0 idle=1")
        assert (__file__ in of_session, __file__ in of_connector) == (debug, debug)
        async with asyncio.timeout(10):
            await peer.connections[0].wait_closed()


async def test_a_session_that_was_never_used_needs_no_closing() -> None:
    assert said_of([ClientSession(), TCPConnector()]) == []


@pytest.mark.parametrize("debug", [False, True])
async def test_an_unclosed_connection_is_found(debug: bool) -> None:
    asyncio.get_running_loop().set_debug(debug)
    async with ScriptedPeer(OK) as peer, TCPConnector() as connector:
        (said,) = said_of([await lend(connector, peer.url)])
        assert said.startswith(f"Unclosed connection <Connection 127.0.0.1:{peer.port}")
        assert (__file__ in said) == debug
        assert repr(connector) == "<TCPConnector open <Pool lent=0 idle=0 waiting=0 limit=100>>"


# -- loops


def test_it_can_be_made_without_a_loop() -> None:
    connector = TCPConnector()
    session = ClientSession(connector=connector)
    with pytest.raises(RuntimeError, match="no running event loop"):
        connector.loop  # noqa: B018

    async def use() -> str:
        async with ScriptedPeer(OK) as peer, session:
            text = await get(session, peer.url)
            assert connector.loop is asyncio.get_running_loop()
            return text

    assert asyncio.run(use()) == "ok"


def test_it_belongs_to_one_loop() -> None:
    connector = TCPConnector()

    async def use() -> None:
        async with ScriptedPeer(OK) as peer, ClientSession(connector=connector, connector_owner=False) as session:
            await get(session, peer.url)

    async def close() -> None:
        await connector.close()

    with asyncio.Runner() as one, asyncio.Runner() as other:
        one.run(use())
        with pytest.raises(RuntimeError, match="has to use same event loop"):
            other.run(use())
        one.run(close())


def test_a_session_belongs_to_one_loop() -> None:
    session = ClientSession()

    async def use() -> None:
        async with ScriptedPeer(OK) as peer, asyncio.timeout(10):
            await get(session, peer.url)

    with asyncio.Runner() as one, asyncio.Runner() as other:
        one.run(use())
        with pytest.raises(RuntimeError, match="loop"):
            other.run(use())
        one.run(session.close())


def test_a_connector_whose_loop_is_closed_can_still_be_closed() -> None:
    connector = TCPConnector()

    async def use() -> None:
        async with ScriptedPeer(OK) as peer, ClientSession(connector=connector, connector_owner=False) as session:
            await get(session, peer.url)

    asyncio.run(use())
    asyncio.run(connector.close())
    assert connector.closed
