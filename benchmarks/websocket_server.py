"""The server of compare_websockets.py, on a core of its own: picows, which echoes and floods, and aiohttp, which echoes
compressed.

It prints the ports of both, and serves until its input ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import picows
from aiohttp import web

_KINDS = picows.WSMsgType
_BLOCK = 256


class Listener(picows.WSListener):  # type: ignore[misc]
    """Echoes; b"flood <count>" is answered with so many messages of 256 bytes, as fast as they are taken."""

    def __init__(self) -> None:
        self.left = 0
        self.writable = True

    def on_ws_connected(self, transport: Any) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        payload = frame.get_payload_as_bytes()
        if frame.msg_type == _KINDS.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif frame.msg_type == _KINDS.PING:
            transport.send_pong(payload)
        elif payload.startswith(b"flood "):
            self.left = int(payload[6:])
            self.pump()
        else:
            transport.send(frame.msg_type, payload)

    def pump(self) -> None:
        if self.left and self.writable:
            count = min(self.left, _BLOCK)
            self.left -= count
            self.transport.underlying_transport.write(b"\x82\x7e\x01\x00".ljust(260, b"x") * count)
            asyncio.get_running_loop().call_soon(self.pump)

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True
        self.pump()


async def echo(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        await ws.send_bytes(message.data)
    return ws


async def main(core: int) -> None:
    os.sched_setaffinity(0, {core})
    plain = await picows.ws_create_server(lambda request: Listener(), "127.0.0.1", 0, max_frame_size=2**24)
    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(plain.sockets[0].getsockname()[1], runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    plain.close()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
