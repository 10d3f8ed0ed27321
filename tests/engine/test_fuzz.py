"""The twins agree on whatever a peer may send, however it is cut: events, class and text of the error.

A few hundred examples as a rule; AIOHTTPX_FUZZ=100000 in the environment makes it as many.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .cases import CASES, CHUNKED
from .conftest import TWINS
from .outcome import Outcome, Request, cut, outcome, single_bytes

EXAMPLES = int(os.environ.get("AIOHTTPX_FUZZ", "300"))

pytestmark = pytest.mark.skipif(len(TWINS) < 2, reason="the compiled engine is not built")


def pick(*choices: bytes) -> st.SearchStrategy[bytes]:
    return st.sampled_from(choices)


def some(part: st.SearchStrategy[bytes], most: int) -> st.SearchStrategy[bytes]:
    return st.lists(part, max_size=most).map(b"".join)


def chain(*parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.tuples(*parts).map(b"".join)


line_end = pick(b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r\r\n", b"\r")
space = pick(b" ", b" ", b" ", b"", b"\t", b"  \t", b"\r\n ", b"\n\t", b"\r\n\t\r\n ")
byte = st.binary(min_size=1, max_size=1)
text = some(pick(b"a", b"Z", b"9", b" ", b"\t", b",", b";", b'"', b":", b"\xc3\xa9", b"\xff", b"~"), 6)

status_line = chain(
    pick(b"HTTP/1.1 ", b"HTTP/1.1 ", b"HTTP/1.1 ", b"HTTP/1.0 ", b"HTTP/1.2 ", b"HTTP/2.0 ", b"ICE/1.0 ", b"http/1.1 "),
    pick(b"200", b"200", b"200", b"200", b"100", b"101", b"103", b"204", b"304", b"404", b"999", b"099", b"20"),
    pick(b" OK", b" OK", b" ", b"", b"  Not \xc3\xa9 ", b" \xff", b"\tx", b" a\x00", b" a\x7f"),
    line_end,
)
length_value = pick(
    b"0", b"5", b"5", b"5", b"005", b"7", b"+5", b"-5", b"5,5", b"5 5", b"", b"5a", b"\xd9\xa5", str(2**64).encode()
)
option = pick(b"close", b"keep-alive", b"upgrade", b"Close", b"KEEP-ALIVE", b"closed", b"keep-alive x", b"", b"te", b"cl", b"\t")
known_field = st.one_of(
    chain(pick(b"Content-Length:", b"content-length:", b"Content-Length :"), space, length_value, space),
    chain(
        pick(b"Transfer-Encoding:"), space, pick(b"chunked", b"chunked", b"Chunked", b"gzip, chunked", b"chunked,", b""), space
    ),
    chain(pick(b"Connection:", b"CONNECTION:"), space, option, pick(b"", b",", b" , ", b"\t,\t"), option, space),
    chain(
        pick(b"Keep-Alive:"),
        space,
        pick(b"timeout=5", b"max=9, TimeOut = 7 ,x", b"timeout=", b"timeout=1234567890", b"timeouts=1"),
    ),
    chain(pick(b"Content-Type:"), space, pick(b"text/html", b"", b"text/\xc3\xa9", b"text/\xff"), space),
    chain(pick(b"Content-Encoding:"), space, pick(b"gzip", b"GZIP , br", b"", b"\xc3\x89"), space),
    chain(pick(b"Set-Cookie:", b"Upgrade:", b"Set-Cookies:"), space, text),
)
any_field = st.one_of(
    known_field,
    known_field,
    chain(pick(b"X", b"X-Long-Name", b"Content-Typ", b"x y", b"", b"x\xc3"), pick(b":", b":", b":", b""), space, text),
)
fields = some(chain(any_field, line_end), 5)
extension = some(pick(b";", b"a", b"=", b'"', b"\\", b" ", b"b", b"\xff", b"\t"), 5)
chunk = st.one_of(
    st.builds(lambda size, form: form % size + b"\r\n" + b"d" * size, st.integers(1, 20), pick(b"%x", b"%X", b"00%x")),
    chain(
        pick(b"5", b"5 ", b"05", b"5\t ", b"4", b"6", b"0" * 15 + b"5", b"0" * 16 + b"5", b"", b"g", b"1" * 16, b"1" * 17),
        pick(b"", b"", b";a", b";a=b", b';a="b;\\""', b";a;b=c", b"; a", b";"),
        extension,
        pick(b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"),
        st.just(b"dat\r\n"),
    ),
)
chunk_end = pick(b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"", b"\n", b"\r", b"x")
chunked = chain(
    some(chain(chunk, chunk_end), 4), pick(b"0\r\n", b"0\r\n", b"00\r\n", b"0;a\r\n", b"0"), fields, pick(b"\r\n", b"\n")
)
simple_chunked = chain(
    some(pick(b"3\r\nabc\r\n", b"1;x=y\r\n\n\r\n"), 5), pick(b"0\r\n"), some(pick(b"A: b\r\n", b"C:\r\n"), 3), pick(b"\r\n")
)
simple_head = pick(
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.0 200 OK\nTransfer-Encoding: chunked\n\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
)
message = st.one_of(
    chain(status_line, fields, line_end, st.one_of(pick(b"hello"), chunked, simple_chunked)),
    chain(simple_head, st.one_of(pick(b"hello"), chunked, simple_chunked)),
    st.sampled_from([case.wire for case in CASES.values() if len(case.wire) < 300]),
)


@st.composite
def wires(draw: st.DrawFn) -> bytes:
    """A response that is right or nearly so, or wrong in a place or two."""
    wire = bytearray(draw(message) + draw(st.one_of(pick(b""), message)))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(wire)))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            wire[at:at] = draw(st.one_of(byte, pick(b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"0")))
        elif kind == 1:
            del wire[at : at + draw(st.integers(1, 3))]
        elif kind == 2:
            wire[at : at + 1] = draw(byte)
        else:
            del wire[at:]
    return bytes(wire)


requests = st.builds(
    Request,
    st.sampled_from(["GET", "GET", "GET", "HEAD", "CONNECT"]),
    st.booleans(),
    st.one_of(
        st.just((65536, 262144, 512)),
        st.tuples(st.integers(1, 60), st.integers(1, 150), st.integers(0, 4)),
    ),
)


def agreed(request: Request, ways: list[list[bytes]], *, eof: bool = False) -> Outcome:
    """The one outcome that all twins have, whichever way they are given the bytes."""
    first, *others = (outcome(twin, request, way, eof=eof) for twin in TWINS for way in ways)
    for other in others:
        assert other == first
    assert "llhttp" not in first.message  # what the compiled twin says when only llhttp knows a fault
    return first


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(request=requests, wire=wires(), places=st.lists(st.integers(0, 400), max_size=6), eof=st.booleans())
def test_twins_agree_however_the_bytes_are_cut(request: Request, wire: bytes, places: list[int], eof: bool) -> None:
    agreed(request, [[wire], cut(wire, *(min(place, len(wire)) for place in places)), single_bytes(wire)], eof=eof)


@pytest.mark.parametrize(
    "wire",
    [
        b"%cHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.%c 200 OK\r\n\r\n",
        b"HTTP/1.1%c200 OK\r\n\r\n",
        b"HTTP/1.1 %c00 OK\r\n\r\n",
        b"HTTP/1.1 200%cOK\r\n\r\n",
        b"HTTP/1.1 200 O%cK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n%c: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA%c: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA:%cb\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b%c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n%c\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0%c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked%c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close%c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection:%cclose\r\n\r\n",
        CHUNKED + b"%c1\r\nx",
        CHUNKED + b"1%c\r\nx",
        CHUNKED + b"1 %c\r\nx",
        CHUNKED + b"1;%c\r\nx",
        CHUNKED + b"1;a%cb\r\nx",
        CHUNKED + b"1;a=%c\r\nx",
        CHUNKED + b'1;a="%c"\r\nx',
        CHUNKED + b'1;a="\\%c"\r\nx',
        CHUNKED + b'1;a="b"%c\r\nx',
        CHUNKED + b"1\r\nx%c\r\n",
        CHUNKED + b"1\r%cx\r\n",
        CHUNKED + b"0\r\n%c\r\n\r\n",
        CHUNKED + b"0\r\nA%cb\r\n\r\n",
        CHUNKED + b"0\r\nA:b%c\r\n\r\n",
    ],
)
def test_twins_agree_on_every_byte_at_every_place_of_the_grammar(wire: bytes) -> None:
    for byte in range(256):
        filled = wire % byte
        agreed(Request(), [[filled], single_bytes(filled)])
