"""What is known of a response's connection, and of how long its parts took."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from yarl import URL

from aiohttpx import ClientRequest, ClientResponse, ClientSession, TCPConnector, Timings
from aiohttpx.testing import ExpectRequest, LoopbackServer, Pause, Request, Response, ScriptedPeer


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def contexts(ca: trustme.CA) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(serving)
    asking = ssl.create_default_context()
    ca.configure_trust(asking)
    return serving, asking


# -- the connection


@pytest.mark.every_loop
@pytest.mark.parametrize("close", [False, True])
async def test_addresses_are_known_also_when_all_is_over(close: bool) -> None:
    async with LoopbackServer({"/": lambda request: Response(200, close=close)}) as server, ClientSession() as session:
        async with session.get(server.url) as response:
            await response.read()
        info = response.connection_info
        assert info is not None
        assert info.peer[:2] == ("127.0.0.1", server.port)
        assert info.local[0] == "127.0.0.1"
        assert (info.tls_version, info.cipher, info.certificate, info.certificate_der) == (None, None, None, None)
        assert not info.reused
        async with session.get(server.url) as second:
            pass
        assert second.connection_info is not None
        assert second.connection_info.reused is not close
        assert (second.connection_info.local == info.local) is not close
        assert response.connection_info == info


async def test_of_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    async with LoopbackServer(unix_path=path), ClientSession() as session:
        response = await session.get(f"http+unix://{path.replace('/', '%2F')}/status/200")
    assert response.connection_info is not None
    assert response.connection_info.peer == path


@pytest.mark.every_loop
async def test_tls(ca: trustme.CA) -> None:
    serving, asking = contexts(ca)
    async with LoopbackServer({"/": lambda request: Response(200, close=True)}, ssl_context=serving) as server:
        async with ClientSession() as session, session.get(server.url, ssl=asking) as response:
            pass
        info = response.connection_info
        assert info is not None
        assert info.tls_version == "TLSv1.3"
        assert info.cipher is not None
        assert info.cipher[2] >= 128
        assert info.certificate is not None
        assert info.certificate["subjectAltName"] == (("IP Address", "127.0.0.1"),)
        assert info.certificate_der is not None
        assert "BEGIN CERTIFICATE" in ssl.DER_cert_to_PEM_cert(info.certificate_der)
        async with ClientSession() as session, session.get(server.url, ssl=False) as response:
            pass
        info = response.connection_info
        assert info is not None
        assert info.certificate == {}
        assert info.certificate_der is not None


def test_a_response_made_by_hand_has_none() -> None:
    response = ClientResponse("GET", URL("http://a.test/"))
    assert response.connection_info is None
    assert response.timings == Timings()


# -- the time


async def test_what_opening_a_connection_took_is_always_known(ca: trustme.CA) -> None:
    serving, asking = contexts(ca)
    async with LoopbackServer(ssl_context=serving) as server, ClientSession() as session:
        async with session.get(f"{server.url}/status/200", ssl=asking) as response:
            pass
        timings = response.timings
        assert timings.tls is not None
        assert 0 < timings.tls < 10
        assert timings.connect is not None
        assert 0 < timings.connect < 10
        assert timings.dns is not None
        assert (timings.pool, timings.send, timings.first_byte, timings.total) == (None, None, None, None)
        async with session.get(f"{server.url}/status/200", ssl=asking) as response:
            pass
        assert response.timings == Timings()


@pytest.mark.every_loop
@pytest.mark.parametrize("by_session", [False, True])
async def test_the_parts_of_a_request(by_session: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    script = [ExpectRequest(), Pause(0.1), head, Pause(0.1), b"ok", ExpectRequest(), head + b"ok"]
    said: dict[str, Any] = {} if by_session else {"timings": True}
    async with ScriptedPeer(script) as peer, ClientSession(timings=by_session) as session:
        async with session.get(peer.url, **said) as response:
            first = response.timings
            assert first.first_byte is not None
            assert 0.09 < first.first_byte < 10
            assert first.total is None
            await response.read()
        timings = response.timings
        assert timings.total is not None
        assert timings.first_byte == first.first_byte
        assert timings.send is not None
        assert timings.dns is not None
        assert timings.connect is not None
        parts = [timings.dns, timings.connect, timings.send, timings.first_byte]
        assert 0.09 + sum(parts) < timings.total < 10
        async with session.get(peer.url, **said) as response:
            pass
        assert type(response) is ClientResponse
        timings = response.timings
        assert (timings.pool, timings.dns, timings.connect, timings.tls) == (None, None, None, None)
        assert None not in (timings.send, timings.first_byte, timings.total)
        assert min(timings.send or 0, timings.first_byte or 0) >= 0


async def test_waiting_for_a_slot_and_sending_a_body() -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(0.1)
        yield b"y"

    connector = TCPConnector(limit=1)
    async with LoopbackServer() as server, ClientSession(connector=connector, timings=True) as session:

        async def post() -> Timings:
            async with session.post(f"{server.url}/anything", data=slowly()) as response:
                await response.read()
            return response.timings

        first, second = await asyncio.gather(post(), post())
    assert first.send is not None
    assert first.send > 0.09
    assert first.pool is None
    assert second.pool is not None
    assert second.pool > 0.09
    assert second.connect is None
    assert second.total is not None
    assert second.total > second.pool + 0.09


async def test_each_redirect_is_timed_by_itself() -> None:
    async def serve(request: Request) -> Response:
        if request.path == "/first":
            await asyncio.sleep(0.1)
            return Response(302, [("Location", "/second")])
        return Response.text("here")

    class Own(ClientRequest):
        pass

    async with LoopbackServer({"/": serve}) as server, ClientSession(request_class=Own) as session:
        async with session.get(f"{server.url}/first", timings=True) as response:
            assert await response.text() == "here"
        first = response.history[0].timings
    assert first.connect is not None
    assert first.total is not None
    assert first.total > 0.09
    assert response.timings.connect is None
    assert response.timings.total is not None
    assert response.connection_info is not None
    assert response.connection_info.reused


async def test_a_request_that_a_middleware_sends_twice() -> None:
    async def twice(request: ClientRequest, handler: Any) -> ClientResponse:
        (await handler(request)).release()
        response: ClientResponse = await handler(request)
        return response

    async with LoopbackServer() as server, ClientSession(middlewares=[twice], timings=True) as session:
        response = await session.get(f"{server.url}/status/200")
    assert response.connection_info is not None
    assert response.connection_info.reused
    assert response.timings.connect is None
    assert response.timings.first_byte is not None
