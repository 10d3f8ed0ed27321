"""Servers that WebSockets are talked to, for uvicorn: socket.io, and beside it as much of Slack as a bot needs."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import socketio

server = socketio.AsyncServer(async_mode="asgi")


@server.event
async def connect(sid: str, environ: dict[str, Any], auth: dict[str, str] | None) -> None:
    if auth != {"token": "right"}:
        raise socketio.exceptions.ConnectionRefusedError("wrong token")


@server.event
async def add(sid: str, *numbers: int) -> int:
    return sum(numbers)


@server.event
async def reverse(sid: str, data: bytes) -> None:
    await server.emit("reversed", data[::-1], to=sid)


async def slack(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await _socket_mode(receive, send)
    elif scope["type"] == "http":
        body = b""
        while (event := await receive()).get("more_body"):
            body += event["body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        answer = _method(scope["path"], headers, body + event["body"])
        fields = [(b"content-type", b"application/json"), (b"x-slack-req-id", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def _method(path: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """What a method of Slack's web API answers."""
    if headers.get("authorization") not in ("Bearer xoxb-bot", "Bearer xapp-app"):
        return {"ok": False, "error": "invalid_auth"}
    if path == "/api/apps.connections.open":
        return {"ok": True, "url": f"ws://{headers['host']}/link?ticket=1"}
    if headers["content-type"].startswith("application/json"):
        return {"ok": True, "said": json.loads(body)}
    if headers["content-type"].startswith("multipart/form-data"):
        return {"ok": True, "size": len(body), "type": headers["content-type"]}
    return {"ok": True, "form": parse_qs(body.decode())}


async def _socket_mode(receive: Any, send: Any) -> None:
    """Say hello, send an event, and then one that repeats how it was acknowledged."""

    async def say(message: dict[str, Any]) -> None:
        await send({"type": "websocket.send", "text": json.dumps(message)})

    await receive()
    await send({"type": "websocket.accept"})
    await say({"type": "hello", "num_connections": 1})
    await say({"type": "events_api", "envelope_id": "first", "payload": {"event": {"text": "hi"}}})
    event = await receive()
    await say({"type": "events_api", "envelope_id": "second", "payload": {"event": json.loads(event["text"])}})
    while event["type"] != "websocket.disconnect":
        event = await receive()


app = socketio.ASGIApp(server, slack)
