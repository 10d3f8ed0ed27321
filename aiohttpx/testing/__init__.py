"""For tests: mocked requests, and a connector that gives requests to a handler; an HTTP server that is quick, strict and small,
and a peer that plays exact bytes."""

from __future__ import annotations

from .fake import FakeConnector
from .handlers import DEFAULT_ROUTES, count, delay, echo, payload, payload_period, send_payload, status
from .messages import Request, Response
from .mock import Mock, MockedRoute, NotMocked
from .patterns import RequestPattern
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
    "FakeConnector",
    "HalfClose",
    "Handler",
    "LoopbackServer",
    "Mock",
    "MockedRoute",
    "NotMocked",
    "Pause",
    "PeerConnection",
    "Request",
    "RequestPattern",
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
