"""Real WebSocket servers on this machine, which all do the same: what a test asks of one it asks of all.

They echo. Three texts are orders: "ping" has the server ping, and say "ponged" when it was answered; "close" has it close with
4001; "abort" has it end the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

Server = Callable[[], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def with_websockets() -> AsyncIterator[str]:
    asyncio_server = pytest.importorskip("websockets.asyncio.server")

    async def talk(ws: Any) -> None:
        async for message in ws:
            if message == "ping":
                await (await ws.ping())
                await ws.send("ponged")
            elif message == "close":
                await ws.close(4001, "so long")
            elif message == "abort":
                ws.transport.abort()
            else:
                await ws.send(message)

    def choose(connection: Any, offered: list[str]) -> str | None:
        return "chat" if "chat" in offered else None

    options = {"select_subprotocol": choose, "max_size": 2**24, "ping_interval": 0.02}
    async with asyncio_server.serve(talk, "127.0.0.1", 0, **options) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@asynccontextmanager
async def with_aiohttp() -> AsyncIterator[str]:
    web = pytest.importorskip("aiohttp.web")

    async def talk(request: Any) -> Any:
        ws = web.WebSocketResponse(protocols=["chat"], max_msg_size=2**24, autoping=False)
        await ws.prepare(request)
        async for message in ws:
            if message.type == web.WSMsgType.PONG:
                await ws.send_str("ponged")
            elif message.type == web.WSMsgType.PING:
                await ws.pong(message.data)
            elif message.data == "ping":
                await ws.ping()
            elif message.data == "close":
                await ws.close(code=4001, message=b"so long")
            elif message.data == "abort":
                request.transport.abort()
            elif message.type == web.WSMsgType.TEXT:
                await ws.send_str(message.data)
            else:
                await ws.send_bytes(message.data)
        return ws

    app = web.Application()
    app.router.add_get("/", talk)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"ws://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def with_picows() -> AsyncIterator[str]:
    picows = pytest.importorskip("picows")
    kinds = picows.WSMsgType

    class Talk(picows.WSListener):  # type: ignore[misc, name-defined]
        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            payload = frame.get_payload_as_bytes()
            if frame.msg_type == kinds.CLOSE:
                transport.send_close(frame.get_close_code(), frame.get_close_message())
                transport.disconnect()
            elif frame.msg_type == kinds.PING:
                transport.send_pong(payload)
            elif frame.msg_type == kinds.PONG:
                transport.send(kinds.TEXT, b"ponged")
            elif payload == b"ping":
                transport.send_ping(b"x")
            elif payload == b"close":
                transport.send_close(4001, b"so long")
            elif payload == b"abort":
                transport.underlying_transport.abort()
            else:
                transport.send(frame.msg_type, payload)

    def listener(request: Any) -> Any:
        if request.headers.get("Sec-WebSocket-Protocol"):
            answer = picows.WSUpgradeResponse.create_101_response(extra_headers={"Sec-WebSocket-Protocol": "chat"})
            return picows.WSUpgradeResponseWithListener(answer, Talk())
        return Talk()

    server = await picows.ws_create_server(listener, "127.0.0.1", 0, max_frame_size=2**24)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()


WS_OF_NPM = """
const {WebSocketServer} = require("ws");
const chosen = offered => offered.has("chat") ? "chat" : false;
const server = new WebSocketServer(
  {host: "127.0.0.1", port: 0, maxPayload: 2**24, perMessageDeflate: {threshold: 0}, handleProtocols: chosen},
  () => console.log(server.address().port));
server.on("connection", ws => {
  ws.on("error", () => {});
  ws.on("pong", () => ws.send("ponged"));
  ws.on("message", (data, binary) => {
    const text = binary ? "" : data.toString();
    if (text === "ping") ws.ping("x");
    else if (text === "close") ws.close(4001, "so long");
    else if (text === "abort") ws.terminate();
    else ws.send(data, {binary});
  });
});
"""


@asynccontextmanager
async def with_ws_of_npm() -> AsyncIterator[str]:
    """NODE_PATH says where npm has installed `ws`."""
    if "NODE_PATH" not in os.environ:
        pytest.skip("node and its package ws are not installed (npm install ws, and NODE_PATH)")
    process = await asyncio.create_subprocess_exec(
        "node", "-e", WS_OF_NPM, stdout=asyncio.subprocess.PIPE, env={**os.environ, "NODE_OPTIONS": ""}
    )
    if process.stdout is None:
        raise RuntimeError("no pipe")
    try:
        yield f"ws://127.0.0.1:{int(await process.stdout.readline())}/"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


SERVERS: dict[str, Server] = {
    "websockets": with_websockets,
    "aiohttp": with_aiohttp,
    "picows": with_picows,
    "ws of npm": with_ws_of_npm,
}
#: These do not compress.
PLAIN = {"picows"}
