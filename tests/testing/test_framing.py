from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from aiohttpx.testing.framing import Framing, chunk, frame
from aiohttpx.testing.messages import Request, Response

GET = Request("GET", "/", "/", "", (1, 1), (), {}, 0, False, True)
OLD_GET = replace(GET, version=(1, 0), persistent=False)


def test_a_length_that_is_known() -> None:
    framing = frame(GET, Response(headers={"A": "b", "C": "\u00e9"}), 2)
    assert framing == Framing("HTTP/1.1 200 OK\r\nA: b\r\nC: \u00e9\r\nContent-Length: 2\r\n\r\n".encode(), True, False, True)


def test_chunked_when_the_length_is_not_known() -> None:
    assert frame(GET, Response(), None) == Framing(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", True, True, True)


def test_http_1_0_knows_no_chunks() -> None:
    request = replace(OLD_GET, persistent=True)
    assert frame(request, Response(), None) == Framing(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", True, False, False)
    assert frame(request, Response(), 0).head == b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"
    assert frame(OLD_GET, Response(), 0).head == b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(status: int) -> None:
    framing = frame(GET, Response(status), 5)
    assert not framing.has_body
    assert b"Content-Length" not in framing.head


def test_head_has_the_fields_of_get_and_no_body() -> None:
    assert frame(replace(GET, method="HEAD"), Response(), 5) == frame(GET, Response(), 5)._replace(has_body=False)


def test_close_and_reason() -> None:
    framing = frame(GET, Response(299, close=True, reason="Fine so far"), 0)
    assert framing == Framing(b"HTTP/1.1 299 Fine so far\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", True, False, False)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-length": "1"},
        {"Connection": "close"},
        {"Transfer-Encoding": "chunked"},
        {"A": "b\r\nC: d"},
        {"A b": "c"},
        {"": "a"},
    ],
)
def test_refuses_what_would_break_the_framing(headers: Mapping[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot send this field"):
        frame(GET, Response(headers=headers), 0)


def test_refuses_bad_status_and_reason() -> None:
    with pytest.raises(ValueError, match="not a final status"):
        frame(GET, Response(103), 0)
    with pytest.raises(ValueError, match="bad reason"):
        frame(GET, Response(reason="a\r\nB: c"), 0)


def test_chunk() -> None:
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
