"""Servers for tests: an HTTP server that is quick, strict and small, and a peer that plays exact bytes."""

from __future__ import annotations

from .handlers import DEFAULT_ROUTES, count, delay, echo, payload, payload_period, send_payload, status
from .messages import Request, Response
from .peer import ScriptedPeer
from .peer_connection import PeerConnection
from .request_parser import BadRequest
from .routes import Handler, Route
from .script import Close, Expect, ExpectRequest, HalfClose, Pause, Reset, Script, Send, StallForever, Step, StopReading
from .server import LoopbackServer

__all__ = (
    "DEFAULT_ROUTES",
    "BadRequest",
    "Close",
    "Expect",
    "ExpectRequest",
    "HalfClose",
    "Handler",
    "LoopbackServer",
    "Pause",
    "PeerConnection",
    "Request",
    "Reset",
    "Response",
    "Route",
    "Script",
    "ScriptedPeer",
    "Send",
    "StallForever",
    "Step",
    "StopReading",
    "count",
    "delay",
    "echo",
    "payload",
    "payload_period",
    "send_payload",
    "status",
)
