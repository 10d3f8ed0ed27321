"""For tests: mocked requests, and a connector that gives requests to a handler; an HTTP server that is quick, strict and small,
and a peer that plays exact bytes."""

from __future__ import annotations

from .asgi import ASGIConnector
from .fake import FakeConnector
from .handlers import DEFAULT_ROUTES, count, delay, echo, payload, payload_period, send_payload, status
from .messages import Request, Response
from .mock import Mock, MockedRoute, NotMocked
from .patterns import RequestPattern
from .peer import ScriptedPeer
from .peer_connection import PeerConnection
from .recorder import NotRecorded, Recorder
from .recordings import Exchange, RecordedRequest, RecordedResponse
from .redaction import SECRETS
from .request_parser import BadRequest
from .routes import Handler, Route
from .script import Close, Expect, ExpectRequest, HalfClose, Pause, Reset, Script, Send, StallForever, Step, StopReading
from .server import LoopbackServer
from .websocket import PeerWebSocket

__all__ = (
    "DEFAULT_ROUTES",
    "SECRETS",
    "ASGIConnector",
    "BadRequest",
    "Close",
    "Exchange",
    "Expect",
    "ExpectRequest",
    "FakeConnector",
    "HalfClose",
    "Handler",
    "LoopbackServer",
    "Mock",
    "MockedRoute",
    "NotMocked",
    "NotRecorded",
    "Pause",
    "PeerConnection",
    "PeerWebSocket",
    "RecordedRequest",
    "RecordedResponse",
    "Recorder",
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
