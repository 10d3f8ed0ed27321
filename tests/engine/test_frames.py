"""Frames and messages, as the engine sees them."""

from __future__ import annotations

import pytest

from aiohttpx import WebSocketError, WSMessage, WSMsgType
from aiohttpx._impl import FrameParser, serialize_frame


def test_a_frame_there_and_back() -> None:
    [message] = FrameParser(masked=True).feed(serialize_frame(WSMsgType.TEXT, "häüö".encode()))
    assert message == WSMessage(WSMsgType.TEXT, "häüö", "")


def test_what_came_before_a_violation_is_said() -> None:
    parser = FrameParser()
    with pytest.raises(WebSocketError, match="not UTF-8 at byte 2") as caught:
        parser.feed(b"\x82\x01a\x81\x03ab\xff")
    assert caught.value.code == 1007
    assert caught.value.messages == [WSMessage(WSMsgType.BINARY, b"a", "")]
