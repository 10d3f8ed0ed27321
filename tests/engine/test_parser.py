"""The life of a parser: exchange after exchange, paused, ended, broken."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from aiohttpx.errors import BadHttpMessage, HttpProcessingError, TransferEncodingError
from aiohttpx.events import END_OF_MESSAGE, Chunks, HttpVersion, HttpVersion11, ResponseHead, Trailers

from .cases import CHUNKED, CHUNKED_HEAD, END, LENGTH_5, LENGTH_5_HEAD


@pytest.fixture
def parser(engine: ModuleType) -> Any:
    return engine.ResponseParser()


def test_one_exchange_after_the_other(parser: Any) -> None:
    for _ in range(3):
        parser.expect("GET")
        assert parser.feed(LENGTH_5 + b"hello") == [LENGTH_5_HEAD, b"hello", END]
        parser.expect("HEAD")
        assert parser.feed(LENGTH_5) == [LENGTH_5_HEAD, END]
        parser.expect("GET")
        assert parser.feed(CHUNKED + b"1\r\nx\r\n0\r\nA: b\r\n\r\n") == [
            CHUNKED_HEAD,
            Chunks(b"x", (1,)),
            Trailers(b"A: b\r\n"),
            END,
        ]


def test_nothing_of_one_head_is_left_in_the_next(parser: Any) -> None:
    parser.expect("GET")
    parser.feed(
        b"HTTP/1.0 404 Not Found\r\nContent-Type: a/b\r\nContent-Encoding: gzip\r\nSet-Cookie: a=b\r\n"
        b"Keep-Alive: timeout=5\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"
    )
    for wire in (LENGTH_5, LENGTH_5[:20], LENGTH_5[20:]):
        if parser.idle:
            parser.expect("GET")
        events = parser.feed(wire)
        if events:
            assert events == [LENGTH_5_HEAD]
            assert parser.feed(b"hello") == [b"hello", END]


def test_the_events_are_of_their_types(parser: Any) -> None:
    parser.expect("GET")
    head, content, end = parser.feed(LENGTH_5 + b"hello")
    assert type(head) is ResponseHead
    assert type(head.version) is HttpVersion
    assert head.version is HttpVersion11
    assert (type(head.status), type(head.reason), type(head.fields)) == (int, str, bytes)
    assert (type(head.persistent), type(head.upgraded), type(head.chunked), type(head.sets_cookies)) == (bool, bool, bool, bool)
    assert head._replace(status=500).status == 500
    assert hash(head) == hash(tuple(head))
    assert type(content) is bytes
    assert end is END_OF_MESSAGE
    parser.expect("GET")
    _, chunks, trailers, _ = parser.feed(CHUNKED + b"1\r\nx\r\n0\r\nA: b\r\n\r\n")
    assert (type(chunks), type(chunks.ends), type(trailers)) == (Chunks, tuple, Trailers)


def test_idle_and_started(parser: Any) -> None:
    assert (parser.idle, parser.started) == (True, False)
    parser.expect("GET")
    assert (parser.idle, parser.started) == (False, False)
    parser.feed(b"")
    assert (parser.idle, parser.started) == (False, False)
    parser.feed(LENGTH_5[:1])
    assert (parser.idle, parser.started) == (False, True)
    parser.feed(LENGTH_5[1:])
    assert (parser.idle, parser.started) == (False, True)
    parser.feed(b"hello")
    assert (parser.idle, parser.started) == (True, True)
    parser.expect("GET")
    assert (parser.idle, parser.started) == (False, False)


def test_a_paused_parser_has_started_when_bytes_came(parser: Any) -> None:
    parser.expect("GET")
    parser.pause()
    assert parser.feed(b"") == []
    assert not parser.started
    assert parser.feed(b"H") == []
    assert parser.started


def test_bytes_before_the_first_request(parser: Any) -> None:
    with pytest.raises(BadHttpMessage, match="belong to no response"):
        parser.feed(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert not parser.idle


def test_bytes_while_idle(parser: Any) -> None:
    parser.expect("GET")
    parser.feed(LENGTH_5 + b"hello")
    with pytest.raises(BadHttpMessage, match="belong to no response") as caught:
        parser.feed(b"x")
    assert caught.value.events == []


def test_bytes_behind_the_last_message_are_dropped(parser: Any) -> None:
    parser.expect("GET")
    assert len(parser.feed(b"HTTP/1.1 204 No\r\nConnection: close\r\n\r\nx")) == 2
    assert parser.idle
    assert parser.feed(b"y" * 100) == []
    assert parser.feed_eof() == []


def test_expect_comes_between_messages(parser: Any) -> None:
    parser.expect("GET")
    with pytest.raises(RuntimeError):
        parser.expect("GET")
    parser.feed(LENGTH_5)
    with pytest.raises(RuntimeError):
        parser.expect("GET")
    assert parser.feed(b"hello") == [b"hello", END]
    parser.expect("GET")


@pytest.mark.parametrize(
    ("method", "wire"),
    [
        ("GET", b"HTTP/1.1 204 No\r\nConnection: close\r\n\r\n"),
        ("CONNECT", b"HTTP/1.1 200 OK\r\n\r\n"),
        ("GET", b"HTTP/1.1 200 OK\r\n\r\n"),
    ],
    ids=["closed", "tunnel", "until the end"],
)
def test_expect_needs_a_connection_that_can(parser: Any, method: str, wire: bytes) -> None:
    parser.expect(method)
    parser.feed(wire)
    with pytest.raises(RuntimeError):
        parser.expect("GET")


def test_the_end_of_a_connection_without_a_response(parser: Any) -> None:
    assert parser.feed_eof() == []
    parser.expect("GET")
    assert parser.feed_eof() == []
    assert not parser.started


def test_the_end_of_a_tunnel_says_nothing(parser: Any) -> None:
    parser.expect("CONNECT")
    parser.feed(b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert parser.feed_eof() == []


def test_after_an_error_only_the_error(parser: Any) -> None:
    parser.expect("GET")
    with pytest.raises(TransferEncodingError) as first:
        parser.feed(CHUNKED + b"1\r\nx\r\nx")
    assert first.value.events == [CHUNKED_HEAD, Chunks(b"x", (1,))]
    for use in (lambda: parser.feed(b"x"), lambda: parser.feed(b""), parser.feed_eof, parser.resume):
        with pytest.raises(TransferEncodingError) as again:
            use()
        assert again.value.message == first.value.message
        assert again.value.events == []
    with pytest.raises(RuntimeError):
        parser.expect("GET")


def test_pause_keeps_what_comes(parser: Any) -> None:
    parser.expect("GET")
    parser.pause()
    assert parser.feed(LENGTH_5[:9]) == []
    assert parser.feed(LENGTH_5[9:] + b"he") == []
    assert parser.resume() == [LENGTH_5_HEAD, b"he"]
    parser.pause()
    data = bytearray(b"llo")
    assert parser.feed(data) == []
    data[:] = b"xxx"
    assert parser.resume() == [b"llo", END]
    assert parser.resume() == []


def test_pause_keeps_the_end(parser: Any) -> None:
    parser.expect("GET")
    parser.pause()
    assert parser.feed(b"HTTP/1.1 200 OK\r\n\r\nabc") == []
    assert parser.feed_eof() == []
    head, *rest = parser.resume()
    assert head.persistent is False
    assert rest == [b"abc", END]


def test_what_was_kept_may_be_wrong(parser: Any) -> None:
    parser.expect("GET")
    parser.pause()
    parser.feed(LENGTH_5 + b"hel")
    parser.feed_eof()
    with pytest.raises(HttpProcessingError, match="3 of 5") as caught:
        parser.resume()
    assert caught.value.events == [LENGTH_5_HEAD, b"hel"]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_whatever_holds_bytes(parser: Any, kind: type) -> None:
    parser.expect("GET")
    assert parser.feed(kind(LENGTH_5[:30])) == []
    assert parser.feed(kind(LENGTH_5[30:] + b"he")) == [LENGTH_5_HEAD, b"he"]
    assert parser.feed(kind(b"llo")) == [b"llo", END]
    parser.expect("GET")
    assert parser.feed(kind(CHUNKED + b"3\r\na")) == [CHUNKED_HEAD, Chunks(b"a", ())]
    assert parser.feed(kind(b"bc\r\n2\r\nde\r\n0\r\n\r\n")) == [Chunks(b"bcde", (2, 4)), END]


def test_content_is_not_a_view(parser: Any) -> None:
    parser.expect("GET")
    data = bytearray(LENGTH_5 + b"hel")
    _, content = parser.feed(data)
    data[:] = b"x" * len(data)
    assert content == b"hel"
    data.clear()  # nobody holds on to it


@pytest.mark.parametrize("wrong", ["text", 5, None, [72]])
def test_what_holds_no_bytes(parser: Any, wrong: object) -> None:
    parser.expect("GET")
    with pytest.raises(TypeError):
        parser.feed(wrong)
    assert parser.feed(LENGTH_5) == [LENGTH_5_HEAD]


def test_content_that_is_all_of_a_read_is_not_copied(parser: Any) -> None:
    parser.expect("GET")
    parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    data = bytes(999)
    [content] = parser.feed(data)
    assert content is data
    parser.feed(b"\0")
    parser.expect("GET")
    parser.feed(CHUNKED + b"400\r\n")
    [chunks] = parser.feed(data)
    assert chunks.data is data


def test_content_left_and_skipped(parser: Any) -> None:
    assert parser.content_left == 0
    parser.expect("GET")
    assert parser.content_left == 0
    parser.feed(LENGTH_5[:-1])
    assert parser.content_left == 0
    parser.feed(LENGTH_5[-1:] + b"h")
    assert parser.content_left == 4
    assert parser.skip(0) == []
    assert parser.skip(1) == []
    assert parser.feed(b"l") == [b"l"]
    with pytest.raises(ValueError, match="3 bytes of content cannot be skipped: 2 are left"):
        parser.skip(3)
    assert parser.skip(2) == [END]
    assert parser.content_left == 0
    with pytest.raises(ValueError, match="cannot be skipped"):
        parser.skip(1)
    parser.expect("GET")
    assert parser.feed(LENGTH_5 + b"hello") == [LENGTH_5_HEAD, b"hello", END]


def test_nothing_can_be_skipped_of_content_without_a_known_length(parser: Any) -> None:
    parser.expect("GET")
    parser.feed(CHUNKED + b"5\r\nab")
    assert parser.content_left == 0
    parser.feed(b"cde\r\n0\r\n\r\n")
    parser.expect("GET")
    parser.feed(b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert parser.content_left == 0
    with pytest.raises(ValueError, match="cannot be skipped"):
        parser.skip(1)


def test_nothing_can_be_skipped_while_paused_or_broken(parser: Any) -> None:
    parser.expect("GET")
    parser.feed(LENGTH_5)
    parser.pause()
    assert parser.content_left == 0
    assert parser.resume() == []
    assert parser.content_left == 5
    with pytest.raises(HttpProcessingError):
        parser.feed_eof()
    assert parser.content_left == 0


def test_one_event_for_very_many_chunks(parser: Any) -> None:
    parser.expect("GET")
    count = 20_000
    head, chunks, end = parser.feed(CHUNKED + b"1\r\nx\r\n" * count + b"0\r\n\r\n")
    assert chunks == Chunks(b"x" * count, tuple(range(1, count + 1)))
    assert (head, end) == (CHUNKED_HEAD, END)


def test_a_flood_of_heads_is_read_as_it_comes(parser: Any) -> None:
    parser.expect("GET")
    flood = b"HTTP/1.1 100 Continue\r\n\r\n" * 1000
    for _ in range(3):
        assert [event.status for event in parser.feed(flood)] == [100] * 1000
    assert not parser.idle


def test_a_long_head_in_single_bytes_is_read_in_linear_time(parser: Any) -> None:
    value = b"x" * 60_000
    parser.expect("GET")
    for byte in b"HTTP/1.1 204 OK\r\nA: " + value + b"\r\n\r":
        assert parser.feed(bytes([byte])) == []
    head, end = parser.feed(b"\n")
    assert head.fields == b"A: " + value + b"\r\n"
    assert end is END
