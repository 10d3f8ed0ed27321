from __future__ import annotations

import asyncio
import socket
import ssl

import pytest

from aiohttpx import ClientSession
from aiohttpx.testing import (
    BadRequest,
    Close,
    Expect,
    ExpectRequest,
    HalfClose,
    Pause,
    PeerConnection,
    Reset,
    ScriptedPeer,
    Send,
    StallForever,
    StopReading,
)

from .conftest import Talk

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def test_bytes_answer_every_request() -> None:
    chunked = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    sized = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
    async with ScriptedPeer(ANSWER) as peer:
        assert peer.url == f"http://{peer.host}:{peer.port}"
        reader, writer = await asyncio.open_connection(peer.host, peer.port)
        for request in (GET, chunked, sized):
            for byte in range(len(request)):
                assert reader.at_eof() is False
                writer.write(request[byte : byte + 1])
                await writer.drain()
            assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.write(GET + sized)  # two at once are two
        assert await reader.readexactly(2 * len(ANSWER)) == ANSWER * 2
        writer.close()
        await peer.connections[0].wait_closed()
    assert peer.received == GET + chunked + sized + GET + sized


@pytest.mark.every_loop
async def test_each_connection_has_its_script_and_the_last_one_stays(talk: Talk) -> None:
    async with ScriptedPeer([Expect(b"a"), b"1", Close()], [Expect(b"a"), b"2", Close()]) as peer:
        assert [await talk(peer, b"a") for _ in range(3)] == [b"1", b"2", b"2"]
        for connection in peer.connections:
            await connection.wait_closed()
    assert len(peer.connections) == 3


async def test_expects_bytes_in_order() -> None:
    async with ScriptedPeer([Expect(b"abc"), b"1", Expect(), b"2", Expect(b"c"), b"3"]) as peer:
        reader, writer = await asyncio.open_connection(peer.host, peer.port)
        for sent, answer in ((b"xab", b""), (b"c", b"1"), (b"\r\n\r", b""), (b"\nc", b"23")):
            writer.write(sent)
            assert await reader.readexactly(len(answer)) == answer
        assert peer.received == b"xabc\r\n\r\nc"
        writer.close()


@pytest.mark.every_loop
async def test_sends_in_pieces(talk: Talk) -> None:
    async with ScriptedPeer([Send(b"abcdefg", cut=3), Send(b""), Pause(0.001), b"h", Close()]) as peer:
        assert await talk(peer) == b"abcdefgh"


@pytest.mark.every_loop
async def test_resets_after_all_is_sent() -> None:
    loop = asyncio.get_running_loop()
    async with ScriptedPeer([b"abc", Pause(0.01), Reset()]) as peer:
        with socket.create_connection((peer.host, peer.port)) as sock:
            sock.setblocking(False)
            assert await loop.sock_recv(sock, 4) == b"abc"
            with pytest.raises(ConnectionResetError):
                await loop.sock_recv(sock, 4)


@pytest.mark.every_loop
async def test_a_half_closed_peer_still_reads() -> None:
    async with ScriptedPeer([b"bye", HalfClose(), Expect(b"!"), StallForever()]) as peer:
        reader, writer = await asyncio.open_connection(peer.host, peer.port)
        assert await reader.read() == b"bye"
        writer.write(b"still there!")
        writer.close()
        await peer.connections[0].wait_closed()
    assert peer.received == b"still there!"


@pytest.mark.every_loop
async def test_a_peer_that_does_not_read_stops_its_client() -> None:
    async def fill(sock: socket.socket) -> None:
        while True:
            sock.send(bytes(100_000))
            await asyncio.sleep(0)

    async with ScriptedPeer([StopReading(), b"ready", StallForever()]) as peer:
        with socket.create_connection((peer.host, peer.port)) as sock:
            sock.setblocking(False)
            assert await asyncio.get_running_loop().sock_recv(sock, 5) == b"ready"
            with pytest.raises(BlockingIOError):
                await fill(sock)
        assert peer.received == b""


async def test_own_steps() -> None:
    async def shout(connection: PeerConnection) -> None:
        await connection.read_until(b".")
        await connection.send(connection.received.upper())

    async with ScriptedPeer([shout, shout]) as peer:
        reader, writer = await asyncio.open_connection(peer.host, peer.port)
        writer.write(b"a.")
        assert await reader.readexactly(2) == b"A."
        writer.write(b"b.")
        assert await reader.readexactly(4) == b"A.B."
        writer.close()


@pytest.mark.every_loop
async def test_a_failed_script_cuts_the_connection_and_raises_in_the_end(talk: Talk) -> None:
    peer = ScriptedPeer([ExpectRequest()])
    with pytest.raises(BadRequest, match="bad field line"):
        async with peer:
            assert await talk(peer, b"GET / HTTP/1.1\r\nA : b\r\n\r\n") == b""
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.every_loop
async def test_nothing_is_left_behind(server_context: ssl.SSLContext) -> None:
    ends = (
        ScriptedPeer([StallForever()]),
        ScriptedPeer([]),
        ScriptedPeer(ANSWER),
        ScriptedPeer(ANSWER, ssl_context=server_context),
    )
    writers = []
    for peer in ends:
        async with peer:
            reader, writer = await asyncio.open_connection(peer.host, peer.port)
            writers.append(writer)
            writer.write(b"GET")
            await asyncio.sleep(0.01)
        assert await reader.read() == b""
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert [peer.received for peer in ends] == [b"GET"] * 3 + [b""]
    for writer in writers:
        writer.close()


@pytest.mark.every_loop
async def test_tls(server_context: ssl.SSLContext, client_context: ssl.SSLContext) -> None:
    async with ScriptedPeer([ExpectRequest(), ANSWER, Close()], ssl_context=server_context) as peer:
        assert peer.url.startswith("https://127.0.0.1:")
        reader, writer = await asyncio.open_connection(peer.host, peer.port, ssl=client_context)
        writer.write(GET)
        assert await reader.read() == ANSWER
        writer.close()


def test_needs_a_script() -> None:
    with pytest.raises(ValueError, match="at least one script"):
        ScriptedPeer()


async def test_its_connector_finds_it_under_every_name() -> None:
    async with ScriptedPeer(ANSWER) as peer, ClientSession(connector=peer.connector(limit=1)) as session:
        for url in ("http://example.org/", "http://www.example.net:8080/a"):
            async with session.get(url) as response:
                assert await response.text() == "ok"
    assert [connection.received.partition(b"Accept")[0] for connection in peer.connections] == [
        b"GET / HTTP/1.1\r\nHost: example.org\r\n",
        b"GET /a HTTP/1.1\r\nHost: www.example.net:8080\r\n",
    ]


async def test_its_connector_speaks_tls(server_context: ssl.SSLContext, client_context: ssl.SSLContext) -> None:
    async with (
        ScriptedPeer(ANSWER, ssl_context=server_context) as peer,
        ClientSession(connector=peer.connector(ssl=client_context)) as session,
        session.get("https://example.org/") as response,
    ):
        assert await response.read() == b"ok"
