"""WebSockets go the way that requests go: through proxies, with credentials, traced."""

from __future__ import annotations

from typing import Any

import pytest
from yarl import URL

from aiohttpx import BasicAuth, ClientSession, TraceConfig

from .relay import Relay
from .websocket_peer import WebSocketPeer


@pytest.mark.every_loop
async def test_a_proxy() -> None:
    async with WebSocketPeer() as peer, Relay(URL(peer.url).port or 0) as relay, ClientSession() as session:
        async with session.ws_connect("ws://example.org/path", proxy=relay.url) as ws:
            await ws.send_str("through")
            assert await ws.receive_str() == "through"
        assert ws.close_code == 1000
    assert relay.heads[0].startswith(b"CONNECT example.org:80 HTTP/1.1\r\n")
    assert peer.talks[0].request.startswith(b"GET /path HTTP/1.1\r\nHost: example.org\r\n")


async def test_credentials() -> None:
    peer, auth = WebSocketPeer(), BasicAuth("user", "secret")
    async with peer, ClientSession() as session, session.ws_connect(peer.url, auth=auth):
        pass
    assert peer.talks[0].field("Authorization") == "Basic dXNlcjpzZWNyZXQ="


async def test_traces() -> None:
    seen: list[Any] = []
    trace = TraceConfig()

    async def start(session: Any, context: Any, params: Any) -> None:
        seen.append((params.method, str(params.url)))

    async def end(session: Any, context: Any, params: Any) -> None:
        seen.append(params.response.status)

    trace.on_request_start.append(start)
    trace.on_request_end.append(end)
    async with WebSocketPeer() as peer, ClientSession(trace_configs=[trace]) as session:
        async with session.ws_connect(peer.url) as ws:
            await ws.send_str("traced")
            assert await ws.receive_str() == "traced"
        assert seen == [("GET", peer.url), 101]
