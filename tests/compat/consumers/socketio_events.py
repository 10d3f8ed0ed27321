"""python-socketio's client talks over a WebSocket, at once and after it has begun by polling."""

import asyncio
import sys

import pytest
import socketio


async def talk(url: str, transports: list[str]) -> None:
    reversed_ones: asyncio.Queue[bytes] = asyncio.Queue()
    async with socketio.AsyncSimpleClient() as simple:
        await simple.connect(url, transports=transports, auth={"token": "right"})
        assert simple.transport == transports[-1]
        assert await simple.call("add", (1, 2, 3)) == 6

    client = socketio.AsyncClient(reconnection=False)
    client.on("reversed", reversed_ones.put)
    await client.connect(url, transports=transports, auth={"token": "right"})
    await client.emit("reverse", bytes(range(256)) * 100)
    assert await reversed_ones.get() == (bytes(range(256)) * 100)[::-1]
    assert await asyncio.gather(*(client.call("add", (number, 1)) for number in range(8))) == list(range(1, 9))
    await client.disconnect()

    client = socketio.AsyncClient(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError, match="failed to connect"):
        await client.connect(url, transports=transports, auth={"token": "wrong"})


async def main(url: str) -> None:
    for transports in ["websocket"], ["polling", "websocket"]:
        await talk(url, transports)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await socketio.AsyncClient(reconnection=False).connect("http://127.0.0.1:9")


asyncio.run(main(sys.argv[3]))
