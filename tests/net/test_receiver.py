"""net/receiver.py: into which memory the bytes of an answer go. What they say must not depend on it."""

from __future__ import annotations

import asyncio
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import trustme

from aiohttpx import ClientPayloadError, ClientSession, SocketTimeoutError
from aiohttpx.net.connection import HTTPConnection
from aiohttpx.net.handler import ResponseHandler
from aiohttpx.net.receiver import BUFFER_SIZE, Filler, Receiver, can_share_a_buffer
from aiohttpx.testing import (
    DEFAULT_ROUTES,
    Close,
    ExpectRequest,
    LoopbackServer,
    Pause,
    Reset,
    ScriptedPeer,
    Send,
    StallForever,
    payload,
)
from aiohttpx.timeouts import ClientTimeout

MIB = 2**20


def head(size: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size


@pytest.fixture
async def server() -> AsyncIterator[LoopbackServer]:
    async with LoopbackServer(DEFAULT_ROUTES) as server:
        yield server


class Switches:
    """Notes which protocols the transports of a session are given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kinds: list[type] = []
        made = HTTPConnection.connection_made

        def connection_made(connection: HTTPConnection, transport: asyncio.BaseTransport) -> None:
            set_protocol = transport.set_protocol

            def noted(protocol: asyncio.BaseProtocol) -> None:
                self.kinds.append(type(protocol))
                set_protocol(protocol)

            monkeypatch.setattr(transport, "set_protocol", noted)
            made(connection, transport)

        monkeypatch.setattr(HTTPConnection, "connection_made", connection_made)


@pytest.mark.every_loop
@pytest.mark.parametrize(
    "size",
    [0, 1, BUFFER_SIZE - 200, BUFFER_SIZE, BUFFER_SIZE + 1, 2**18 + BUFFER_SIZE, 5 * MIB + 3],
    ids=lambda size: f"{size} B",
)
async def test_a_body_of_any_size_is_what_was_sent_and_its_connection_is_used_again(server: LoopbackServer, size: int) -> None:
    async with ClientSession() as session:
        for _ in range(2):
            async with session.get(f"{server.url}/bytes/{size}") as response:
                assert await response.read() == payload(size)
                assert await response.content.read() == b""
            async with session.get(f"{server.url}/bytes/{size}?chunked") as response:
                assert await response.read() == payload(size)
    assert server.connections == 1


async def test_a_small_answer_stays_in_the_shared_buffer(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    switches = Switches(monkeypatch)
    async with ClientSession() as session, session.get(f"{server.url}/bytes/1000") as response:
        await response.read()
    assert switches.kinds == [Receiver]


async def test_a_stream_is_received_in_bulk_until_it_ends(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    switches = Switches(monkeypatch)
    async with ClientSession() as session, session.get(f"{server.url}/bytes/{4 * MIB}") as response:
        assert b"".join([chunk async for chunk in response.content.iter_any()]) == payload(4 * MIB)
    assert switches.kinds == [Receiver, ResponseHandler, Receiver]


async def test_a_large_body_is_received_where_it_stays(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    switches = Switches(monkeypatch)
    async with ClientSession() as session, session.get(f"{server.url}/bytes/{4 * MIB}") as response:
        assert await response.read() == payload(4 * MIB)
    assert switches.kinds[-2:] == [Filler, Receiver]


@pytest.mark.every_loop
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_every_loop_receives_large_bodies_where_they_stay(secure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    fillers: list[Filler] = []

    def fill(*arguments: Any) -> Filler:
        fillers.append(Filler(*arguments))
        return fillers[-1]

    monkeypatch.setattr("aiohttpx.net.connection.Filler", fill)
    context = None
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("localhost").configure_cert(context)
    async with LoopbackServer(DEFAULT_ROUTES, ssl_context=context) as server, ClientSession() as session:
        for size in (2 * MIB, 10, 3 * MIB, 0, 70_000, 2 * MIB):
            async with session.get(f"{server.url}/bytes/{size}", ssl=False) as response:
                assert await response.read() == payload(size)
            async with session.get(f"{server.url}/bytes/{size}", ssl=False) as response:
                assert b"".join([chunk async for chunk in response.content.iter_any()]) == payload(size)
        assert server.connections == 1
    assert [filler.filled > MIB for filler in fillers] == [True] * 3


async def test_what_was_read_before_is_not_read_again(server: LoopbackServer) -> None:
    async with ClientSession() as session, session.get(f"{server.url}/bytes/{2 * MIB}") as response:
        first = await response.content.readexactly(100_000)
        assert first + await response.read() == payload(2 * MIB)


async def test_a_read_that_is_cancelled_takes_nothing() -> None:
    content = payload(MIB)
    script = [ExpectRequest(), Send(head(MIB) + content[: MIB // 2]), Pause(0.1), Send(content[MIB // 2 :]), StallForever()]
    async with ScriptedPeer(script) as peer, ClientSession() as session, session.get(peer.url) as response:
        reading = asyncio.ensure_future(response.content.read())
        await asyncio.sleep(0)
        reading.cancel()
        protocol = response.connection.protocol  # type: ignore[union-attr]
        assert protocol is not None
        whole = asyncio.ensure_future(protocol.receive_whole(response.content))
        await asyncio.sleep(0.03)
        whole.cancel()
        with pytest.raises(asyncio.CancelledError):
            await whole
        assert await response.content.read() == content


@pytest.mark.parametrize("end", [Close(), Reset()])
async def test_a_cut_body_is_an_error(end: Any) -> None:
    script = [ExpectRequest(), Send(head(MIB) + payload(MIB)[:700_000]), Pause(0.05), end]
    async with ScriptedPeer(script) as peer, ClientSession() as session, session.get(peer.url) as response:
        with pytest.raises(ClientPayloadError, match=f"127.0.0.1:{peer.port}"):
            await response.read()


async def test_sock_read_holds_here_too() -> None:
    script = [ExpectRequest(), Send(head(MIB) + payload(MIB)[:700_000]), StallForever()]
    timeout = ClientTimeout(sock_read=0.05)
    async with ScriptedPeer(script) as peer, ClientSession(timeout=timeout) as session, session.get(peer.url) as response:
        with pytest.raises(SocketTimeoutError):
            await response.read()


async def test_an_announcement_that_is_not_kept_is_an_error() -> None:
    script = [ExpectRequest(), Send(head(200 * MIB) + b"x" * 300_000), Pause(0.05), Close()]
    async with ScriptedPeer(script) as peer, ClientSession() as session, session.get(peer.url) as response:
        with pytest.raises(ClientPayloadError):
            await response.read()


@pytest.mark.parametrize("size", [2**28 + MIB, 2**62])
async def test_a_length_beyond_belief_is_not_prepared_for(size: int) -> None:
    script = [ExpectRequest(), Send(head(size) + b"x" * 300_000), Pause(0.05), Close()]
    async with ScriptedPeer(script) as peer, ClientSession() as session, session.get(peer.url) as response:
        tracemalloc.start()
        try:
            with pytest.raises(ClientPayloadError):
                await response.read()
            assert tracemalloc.get_traced_memory()[1] < 16 * MIB
        finally:
            tracemalloc.stop()


async def test_bytes_after_the_body_are_not_a_part_of_it(server: LoopbackServer) -> None:
    content = payload(MIB)
    script = [
        ExpectRequest(),
        Send(head(MIB) + content[:300_000]),
        Pause(0.05),
        Send(content[300_000:] + b"HTTP/1.1 200"),
        StallForever(),
    ]
    async with ScriptedPeer(script, b"") as peer, ClientSession() as session:
        async with session.get(peer.url) as response:
            assert await response.read() == content
        await asyncio.sleep(0.05)
        assert session.connector is not None
        assert not any(connection.is_connected() for entries in session.connector._conns.values() for connection, _ in entries)


class OwnTransport(asyncio.Transport):
    """A transport that knows only what it must."""

    def __init__(self, answer: Callable[[bytes], None]) -> None:
        super().__init__()
        self._answer = answer

    def write(self, data: bytes) -> None:
        self._answer(data)

    def is_closing(self) -> bool:
        return False


async def test_a_transport_of_ones_own_need_not_change_protocols() -> None:
    loop = asyncio.get_running_loop()
    connection = HTTPConnection(loop, bytearray(BUFFER_SIZE))
    connection.connection_made(OwnTransport(lambda data: connection.data_received(head(2) + b"ok")))
    _, body = await connection.exchange("GET", b"GET / HTTP/1.1\r\n\r\n", lambda: None)
    assert body == b"ok"


@pytest.mark.every_loop
async def test_without_tls_only_asyncios_selector_loops_share_a_buffer() -> None:
    loop = asyncio.get_running_loop()
    assert can_share_a_buffer(loop, secure=False) == isinstance(loop, asyncio.SelectorEventLoop)
    assert can_share_a_buffer(loop, secure=True)
