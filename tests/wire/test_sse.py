"""WHATWG HTML, section 9.2: "Server-sent events". The examples are those of its section 9.2.6, in other words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpx.errors import BodyTooLarge
from aiohttpx.wire.sse import EventParser, ServerSentEvent


def message(data: str, id: str = "", event: str = "message") -> ServerSentEvent:
    return ServerSentEvent(event, data, id)


CASES: dict[str, tuple[bytes, list[ServerSentEvent]]] = {
    "one line": (b"data: hello\n\n", [message("hello")]),
    "several lines": (b"data: YHOO\ndata: +2\ndata: 10\n\n", [message("YHOO\n+2\n10")]),
    "a comment, ids, and an event that never ends": (
        b": test stream\n\ndata: first\nid: 1\n\ndata:second\nid\n\ndata:  third\n",
        [message("first", "1"), message("second")],
    ),
    "data without a value": (b"data\n\ndata\ndata\n\ndata:", [message(""), message("\n")]),
    "one space is no part of a value": (
        b"data:test\n\ndata: test\n\ndata:  test\n\n",
        [message("test")] * 2 + [message(" test")],
    ),
    "types": (b"event: add\ndata: 1\n\ndata: 2\n\nevent:\ndata: 3\n\n", [message("1", event="add"), message("2"), message("3")]),
    "a type without data is forgotten": (b"event: add\n\ndata: 1\n\n", [message("1")]),
    "an id stays, also that of what is no event": (b"id: 1\n\ndata: a\n\ndata: b\n\n", [message("a", "1"), message("b", "1")]),
    "an id with NUL is none": (b"id: 1\0\ndata: a\n\n", [message("a")]),
    "unknown fields, and what is almost a name": (b"Data: x\n data: y\ndatax: z\nfoo\ndata: a:b: c\n\n", [message("a:b: c")]),
    "CR": (b"data: a\rdata: b\r\rdata: c\r\r", [message("a\nb"), message("c")]),
    "CRLF": (b"data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", [message("a\nb"), message("c")]),
    "all ends at once": (b"data: a\rdata: b\ndata: c\r\n\n", [message("a\nb\nc")]),
    "no other ends": ("data: a\x0bb\x0cc\x85d\u2028e\n\n".encode(), [message("a\x0bb\x0cc\x85d\u2028e")]),
    "a byte order mark": (b"\xef\xbb\xbfdata: a\n\n", [message("a")]),
    "only the first is one": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", [message("b")]),
    "a byte order mark cut short": (b"\xef\xbbdata: a\n\ndata: b\n\n", [message("b")]),
    "UTF-8, and what is not": ("data: é".encode() + b"\xff\xc3\n\n", [message("é\ufffd\ufffd")]),
    "nothing": (b"", []),
    "only ends": (b"\n\r\n\r\r\n", []),
}


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("case", CASES)
def test_says_the_same_however_the_bytes_are_cut(case: str, cut: int) -> None:
    wire, events = CASES[case]
    parser = EventParser()
    said = []
    for at in range(0, len(wire), cut):
        said += parser.feed(wire[at : at + cut])
        said += parser.feed(b"")
    assert said == events


@given(st.lists(st.sampled_from([b"data", b":", b" ", b"\r", b"\n", b"id", b"1", b"\xef\xbb\xbf", b"\xc3", b"event"])), st.data())
def test_cuts_never_matter(pieces: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)))))
    parser = EventParser()
    said = []
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        said += parser.feed(wire[start:end])
    whole = EventParser()
    assert said == whole.feed(wire)
    assert parser.last_event_id == whole.last_event_id


def test_the_last_id_is_that_of_the_last_block_that_ended() -> None:
    parser = EventParser("0")
    assert parser.last_event_id == "0"
    parser.feed(b"data: a\nid: 1\n")
    assert parser.last_event_id == "0"
    assert parser.feed(b"\nid: 2\ndata: lost") == [message("a", "1")]
    assert parser.last_event_id == "1"


@pytest.mark.parametrize(
    ("value", "retry"),
    [(b"1500", 1.5), (b"0", 0.0), (b"", None), (b"-1", None), (b"1.5", None), (b"1s", None), ("\u0661".encode(), None)],
)
def test_retry(value: bytes, retry: float | None) -> None:
    parser = EventParser()
    parser.feed(b"retry: " + value + b"\n")
    assert parser.retry == retry


@pytest.mark.parametrize("wire", [b"data: " + b"x" * 100, b"data: x\n" * 12, b":" * 61], ids=["line", "lines", "comment"])
@pytest.mark.parametrize("cut", [1, 1000])
def test_an_event_has_a_limit(wire: bytes, cut: int) -> None:
    parser = EventParser(max_event_size=60)
    parser.feed(b"data: " + b"x" * 54 + b"\n\n" + b": comment\n" * 12)
    pieces = [wire[at : at + cut] for at in range(0, len(wire), cut)]
    with pytest.raises(BodyTooLarge, match=r"larger than 60 bytes \(max_event_size\)"):
        [parser.feed(piece) for piece in pieces]


def test_a_long_line_in_small_pieces_takes_work_in_proportion() -> None:
    parser = EventParser(max_event_size=2**24)
    for _ in range(100_000):
        parser.feed(b"x" * 10)
    assert parser.feed(b"\ndata: end\n\n") == [message("end")]
