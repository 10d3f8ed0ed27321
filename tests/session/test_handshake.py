"""The opening handshake: what is asked, which answers are taken, and what becomes of the others."""

from __future__ import annotations

import asyncio
import base64
import ssl
from typing import Any

import pytest
import trustme
from yarl import URL

from aiohttpx import (
    ClientConnectionError,
    ClientSession,
    ClientTimeout,
    ClientWSTimeout,
    CookieJar,
    ServerTimeoutError,
    TCPConnector,
    WSServerHandshakeError,
)

from .websocket_peer import HEAD, Talk, WebSocketPeer, echo


def request_lines(talk: Talk) -> list[str]:
    return talk.request.decode().split("\r\n")


async def test_what_is_asked() -> None:
    async with WebSocketPeer() as peer, ClientSession(headers={"X-Session": "1"}, cookies={"c": "d"}) as session:
        session.cookie_jar.update_cookies({"a": "b"}, URL(peer.url))
        async with session.ws_connect(
            f"{peer.url}path",
            params={"q": "ü"},
            protocols=["chat", "superchat"],
            origin="http://example.org",
            headers={"X-Own": "2"},
            compress=12,
        ):
            pass
        async with session.ws_connect(peer.url.replace("ws", "http", 1)):
            pass
    first, second = peer.talks
    lines = request_lines(first)
    assert lines[0] == "GET /path?q=%C3%BC HTTP/1.1"
    assert lines[1] == f"Host: {URL(peer.url).raw_authority}"
    assert {*lines[2:]} >= {
        "X-Session: 1",
        "X-Own: 2",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: chat,superchat",
        "Origin: http://example.org",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; server_max_window_bits=12",
        "Cookie: c=d",
    }
    keys = [talk.field("Sec-WebSocket-Key") or "" for talk in peer.talks]
    assert keys[0] != keys[1]
    assert [len(base64.b64decode(key)) for key in keys] == [16, 16]
    assert second.field("Sec-WebSocket-Protocol") is second.field("Sec-WebSocket-Extensions") is second.field("Origin") is None


async def test_fields_of_the_callers_own_win() -> None:
    headers = {"Sec-WebSocket-Version": "8", "Connection": "keep-alive, Upgrade"}
    async with WebSocketPeer() as peer, ClientSession() as session, session.ws_connect(peer.url, headers=headers):
        pass
    assert peer.talks[0].field("Sec-WebSocket-Version") == "8"
    assert peer.talks[0].field("Connection") == "keep-alive, Upgrade"


async def test_cookies_of_the_answer_are_kept() -> None:
    async def serve(talk: Talk) -> None:
        await talk.open(more=b"Set-Cookie: fresh=1\r\n")
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        ws = await session.ws_connect(peer.url)
        assert [(cookie.key, cookie.value) for cookie in session.cookie_jar] == [("fresh", "1")]
    assert ws.closed


@pytest.mark.parametrize(("said", "protocol"), [(b"", None), (b"Sec-WebSocket-Protocol: chat\r\n", "chat")])
async def test_the_subprotocol_that_the_server_chose(said: bytes, protocol: str | None) -> None:
    async def serve(talk: Talk) -> None:
        await talk.open(more=said)
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url, protocols=iter(["other", "chat"]))
        assert ws.protocol == protocol
        await session.close()


async def test_an_answer_in_other_words() -> None:
    head = HEAD.replace(b"Connection: Upgrade", b"connection: keep-alive,\t upgrade").replace(b": websocket", b":  WebSocket ")

    async def serve(talk: Talk) -> None:
        await talk.open(head)
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        ws = await session.ws_connect(peer.url)
        assert not ws.closed
    assert ws.closed


ANSWERS = {
    "refused": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno! ", 403, "Invalid response status", b"no! "),
    "not found, chunked": (
        b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
        404,
        "Invalid response status",
        b"no",
    ),
    "an ordinary page": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "Invalid response status", b"hi"),
    "a redirect": (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", 302, "Invalid response status", b""),
    "no upgrade": (HEAD.replace(b"Upgrade: websocket", b"Upgrade: h2c"), 101, "Invalid upgrade header", None),
    "no connection": (HEAD.replace(b"Connection: Upgrade", b"Connection: keep-alive"), None, None, None),
    "accept": (HEAD.replace(b"%(accept)s", b"%(accept)s="), 101, "Invalid challenge response", None),
    "protocol": (HEAD.replace(b"%(more)s", b"Sec-WebSocket-Protocol: else\r\n"), 101, "subprotocol", None),
    "extension": (
        HEAD.replace(b"%(more)s", b"Sec-WebSocket-Extensions: permessage-deflate\r\n"),
        101,
        "Invalid extension: 'permessage-deflate' was not offered",
        None,
    ),
}


@pytest.mark.parametrize(("head", "status", "message", "body"), ANSWERS.values(), ids=ANSWERS)
async def test_a_wrong_answer(head: bytes, status: int | None, message: str | None, body: bytes | None) -> None:
    async def serve(talk: Talk) -> None:
        await talk.open(head)
        await talk.hear_end()

    connector = TCPConnector(limit=1)
    async with WebSocketPeer(serve) as peer, ClientSession(connector=connector, raise_for_status=True) as session:
        with pytest.raises(WSServerHandshakeError) as raised:
            await session.ws_connect(peer.url, protocols=["chat"])
    error = raised.value
    if status is not None:
        assert error.status == status
        assert message in error.message
        assert error.body == body
        assert str(error.request_info.real_url) == peer.url
        assert error.headers is not None


@pytest.mark.parametrize("compress", [1, 8, 16, -1])
async def test_compress_out_of_range(compress: int) -> None:
    async with ClientSession() as session:
        with pytest.raises(ValueError, match="compress must be 0, or 9 to 15"):
            await session.ws_connect("ws://127.0.0.1:9/", compress=compress)


async def test_the_connection_is_lost_in_the_handshake() -> None:
    async def serve(talk: Talk) -> None:
        await talk._reader.readuntil(b"\r\n\r\n")
        await talk.write(b"HTTP/1.1 101 Switch")

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        with pytest.raises(ClientConnectionError):
            await session.ws_connect(peer.url)


async def test_a_handshake_that_takes_too_long() -> None:
    async def serve(talk: Talk) -> None:
        await talk.hear_end()

    async with WebSocketPeer(serve) as peer, ClientSession(timeout=ClientTimeout(total=0.05)) as session:
        with pytest.raises(ServerTimeoutError, match="total"):
            await session.ws_connect(peer.url)


async def test_the_limits_of_requests_end_with_the_handshake() -> None:
    limits = ClientTimeout(total=0.1, sock_read=0.05)
    async with WebSocketPeer() as peer, ClientSession(timeout=limits) as session, session.ws_connect(peer.url) as ws:
        await asyncio.sleep(0.2)
        await ws.send_str("later")
        assert await ws.receive_str() == "later"


async def test_old_forms_of_the_timeout() -> None:
    async with WebSocketPeer() as peer, ClientSession() as session:
        with pytest.warns(DeprecationWarning, match="parameter 'timeout' of type 'float' is deprecated"):
            ws = await session.ws_connect(peer.url, timeout=3.5)
        assert ws._timeout == ClientWSTimeout(ws_close=3.5)
        await ws.close()
        with pytest.warns(DeprecationWarning, match="float parameter 'receive_timeout' is deprecated"):
            ws = await session.ws_connect(peer.url, receive_timeout=0.01)
        assert ws._timeout == ClientWSTimeout(ws_receive=0.01, ws_close=10)
        with pytest.raises(TimeoutError):
            await ws.receive()
        await ws.close()


async def test_it_takes_a_slot_until_it_is_closed() -> None:
    connector = TCPConnector(limit=1)
    async with WebSocketPeer() as peer, ClientSession(connector=connector) as session:
        async with session.ws_connect(peer.url):
            with pytest.raises(ServerTimeoutError):
                await session.get(peer.url.replace("ws", "http", 1), timeout=0.02)
        async with session.ws_connect(peer.url):
            pass


async def test_a_kept_connection_is_upgraded() -> None:
    async def serve(talk: Talk) -> None:
        await talk._reader.readuntil(b"\r\n\r\n")
        await talk.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await echo(talk)

    async with WebSocketPeer(serve) as peer, ClientSession() as session:
        async with session.get(peer.url.replace("ws", "http", 1)) as response:
            assert await response.read() == b"ok"
        async with session.ws_connect(peer.url) as ws:
            await ws.send_str("same connection")
            assert await ws.receive_str() == "same connection"
        assert len(peer.talks) == 1


@pytest.mark.every_loop
async def test_over_tls() -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    peer = WebSocketPeer(ssl_context=server)
    async with peer, ClientSession() as session, session.ws_connect(peer.url, ssl=client) as ws:
        assert peer.url.startswith("wss:")
        for data in (b"a", bytes(2_000_000)):
            await ws.send_bytes(data)
            assert await ws.receive_bytes() == data
        assert ws.get_extra_info("ssl_object").version() == "TLSv1.3"


async def test_the_request_goes_through_the_sessions_own_methods() -> None:
    asked: list[Any] = []

    class Own(ClientSession):
        async def _request(self, method: str, url: Any, **kwargs: Any) -> Any:
            asked.append((method, url))
            return await super()._request(method, url, **kwargs)

    async with WebSocketPeer() as peer, Own() as session:
        async with session.ws_connect(peer.url):
            pass
        assert asked == [("GET", peer.url)]
