"""Take part in a chat: one task prints what others say while another sends what is typed.

For example: python examples/chat.py ws://127.0.0.1:8765/ Ada
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttpx

Chat = aiohttpx.ClientWebSocketResponse[Any]


async def listen(ws: Chat) -> None:
    async for message in ws:
        if message.type == aiohttpx.WSMsgType.TEXT:
            said = message.json()
            print(f"{said['from']}: {said['text']}")


async def speak(ws: Chat, name: str) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        await ws.send_json({"from": name, "text": line.strip()})
    await ws.close(message=f"{name} leaves".encode())


async def main(url: str, name: str) -> None:
    async with aiohttpx.ClientSession() as session, session.ws_connect(url, heartbeat=20) as ws, asyncio.TaskGroup() as tasks:
        tasks.create_task(listen(ws))
        tasks.create_task(speak(ws, name))
    print(f"the chat has ended ({ws.close_code})")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
