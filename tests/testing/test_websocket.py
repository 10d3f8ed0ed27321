from __future__ import annotations

import asyncio

import pytest

from aiohttpx import ClientSession, WSMsgType, WSServerHandshakeError
from aiohttpx.messages import WSMessage
from aiohttpx.testing import LoopbackServer, Mock, PeerWebSocket, Request, Response


async def shout(websocket: PeerWebSocket) -> None:
    async for message in websocket:
        if message.type is WSMsgType.BINARY:
            await websocket.send_bytes(message.data.upper())
        else:
            await websocket.send_str(message.data.upper())


@pytest.mark.every_loop
async def test_a_mocked_websocket_talks() -> None:
    with Mock() as mock:
        mock.get("wss://example.org/chat", params={"a": 1}).websocket(shout, protocol="loud")
        async with ClientSession() as session, session.ws_connect("wss://example.org/chat?a=1", protocols=["loud"]) as ws:
            assert ws.protocol == "loud"
            for text in ("hello", "é" * 100_000):
                await ws.send_str(text)
                assert await ws.receive_str() == text.upper()
            await ws.send_bytes(b"abc")
            assert await ws.receive_bytes() == b"ABC"
        mock.assert_all_called()


@pytest.mark.every_loop
async def test_a_server_opens_websockets_and_closes_them_when_the_handler_returns() -> None:
    heard = []

    async def talk(websocket: PeerWebSocket) -> None:
        await websocket.send_json({"path": websocket.request.path})
        await websocket.ping(b"1")
        heard.append(await websocket.receive())

    async with LoopbackServer({"/ws": lambda request: Response.websocket(talk, headers={"X-A": "1"})}) as server:
        async with ClientSession() as session, session.ws_connect(f"{server.url}/ws") as ws:
            assert await ws.receive_json() == {"path": "/ws"}
            assert (await ws.receive()).type is WSMsgType.CLOSE
            assert ws.close_code == 1000
        async with ClientSession() as session, session.get(f"{server.url}/ws") as response:
            assert response.status == 426
    assert heard == [WSMessage(WSMsgType.PONG, b"1", "")]


async def test_a_client_that_closes_is_heard() -> None:
    heard = asyncio.get_running_loop().create_future()

    async def talk(websocket: PeerWebSocket) -> None:
        async for _ in websocket:
            pass
        with pytest.raises(ConnectionResetError):
            await websocket.send_str("too late")
        heard.set_result(websocket.close_code)

    with Mock() as mock:
        mock.get("/ws").websocket(talk)
        async with ClientSession() as session, session.ws_connect("ws://h/ws") as ws:
            await ws.close(code=3000)
            assert await heard == 3000


async def test_a_client_that_breaks_the_protocol_is_told() -> None:
    async def talk(websocket: PeerWebSocket) -> None:
        async for _ in websocket:
            pass

    with Mock() as mock:
        mock.get("/ws").websocket(talk)
        async with ClientSession() as session, session.ws_connect("ws://h/ws") as ws:
            ws._conn.transport.write(b"\x81\x01a")  # not masked
            assert (await ws.receive()).data == 1002


async def test_what_a_handler_raises_closes_it_with_1011() -> None:
    async def talk(websocket: PeerWebSocket) -> None:
        raise ValueError

    with Mock() as mock:
        mock.get("/ws").websocket(talk)
        async with ClientSession() as session, session.ws_connect("ws://h/ws") as ws:
            assert (await ws.receive()).type is WSMsgType.CLOSE
            assert ws.close_code == 1011


async def test_a_refused_handshake() -> None:
    def handler(request: Request) -> Response:
        return Response.text("no", 403)

    with Mock() as mock:
        mock.get("/ws").call(handler)
        async with ClientSession() as session:
            with pytest.raises(WSServerHandshakeError) as raised:
                await session.ws_connect("ws://h/ws")
    assert raised.value.status == 403
