from __future__ import annotations

import pytest

from aiohttpx.testing.messages import Request
from aiohttpx.testing.request_parser import END_OF_REQUEST, MAX_FIELDS, MAX_REQUEST_LINE, BadRequest, RequestParser


def events_of(wire: bytes, cut: int | None = None) -> list[object]:
    """What the parser says of `wire`, contents joined."""
    parser = RequestParser()
    events: list[object] = []
    size = cut or len(wire)
    for start in range(0, len(wire), size):
        parser.feed(wire[start : start + size])
        while (event := parser.next_event()) is not None:
            if isinstance(event, bytes) and events and isinstance(events[-1], bytes):
                events[-1] += event
            else:
                events.append(event)
    return events


def head(method: str = "GET", target: str = "/", *lines: str, version: str = "1.1") -> bytes:
    return "".join(f"{line}\r\n" for line in (f"{method} {target} HTTP/{version}", "Host: h", *lines, "")).encode()


@pytest.mark.parametrize("cut", [1, 2, 7, None], ids=lambda cut: f"cut={cut}")
def test_says_the_same_however_the_bytes_are_cut(cut: int | None) -> None:
    wire = (
        head("GET", "/a%20b?c=%20")
        + head("POST", "/", "Content-Length: 5")
        + b"hello"
        + CHUNKED
        + b'3;a="b"\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n'
        + head("GET", "/last")
    )
    get, end, post, content, end_of_post, chunked, joined, end_of_chunked, last, end_of_last = events_of(wire, cut)
    assert isinstance(get, Request)
    assert (get.method, get.target, get.path, get.query) == ("GET", "/a%20b?c=%20", "/a b", "c=%20")
    assert isinstance(post, Request)
    assert post.content_length == 5
    assert isinstance(chunked, Request)
    assert chunked.content_length is None
    assert isinstance(last, Request)
    assert (content, joined, last.path) == (b"hello", b"abc0123456789", "/last")
    assert {end, end_of_post, end_of_chunked, end_of_last} == {END_OF_REQUEST}


def test_fields_keep_order_and_spelling_and_headers_are_joined() -> None:
    request, _ = events_of(head("GET", "/", "X-A: 1 ", "x-B:\t2", "X-a: 3", "Empty:"))
    assert isinstance(request, Request)
    assert request.fields == (("Host", "h"), ("X-A", "1"), ("x-B", "2"), ("X-a", "3"), ("Empty", ""))
    assert dict(request.headers) == {"host": "h", "x-a": "1, 3", "x-b": "2", "empty": ""}


@pytest.mark.parametrize(
    ("method", "target", "path", "query"),
    [
        ("GET", "http://example.org", "/", ""),
        ("GET", "http://example.org?a", "/", "a"),
        ("GET", "HTTPS://example.org:1/a?b?c", "/a", "b?c"),
        ("OPTIONS", "*", "*", ""),
        ("CONNECT", "example.org:443", "example.org:443", ""),
        ("GET", "/%FF", "/\ufffd", ""),
    ],
)
def test_knows_all_forms_of_target(method: str, target: str, path: str, query: str) -> None:
    request = events_of(head(method, target))[0]
    assert isinstance(request, Request)
    assert (request.path, request.query) == (path, query)


@pytest.mark.parametrize(
    ("version", "connection", "persistent"),
    [
        ("1.1", "", True),
        ("1.1", "Close", False),
        ("1.1", "x, close", False),
        ("1.0", "", False),
        ("1.0", "Keep-Alive", True),
        ("1.7", "", True),
    ],
)
def test_persistence(version: str, connection: str, persistent: bool) -> None:
    request = events_of(head("GET", "/", f"Connection: {connection}", version=version))[0]
    assert isinstance(request, Request)
    assert request.persistent is persistent


def test_expects_continue_only_in_http_1_1() -> None:
    new, _ = events_of(head("POST", "/", "Expect: 100-Continue"))
    old, _ = events_of(head("POST", "/", "Expect: 100-continue", version="1.0"))
    assert isinstance(new, Request)
    assert isinstance(old, Request)
    assert (new.expects_continue, old.expects_continue) == (True, False)


CHUNKED = head("POST", "/", "Transfer-Encoding: chunked")
BAD = {
    "garbage": (b"\x16\x03\x01\x02\x00\n", 400),
    "an empty line first": (b"\r\n" + head(), 400),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "bare LF after the request line": (b"GET / HTTP/1.1\nHost: h\r\n\r\n", 400),
    "bare LF after a field": (b"GET / HTTP/1.1\r\nHost: h\nA: b\n\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\n", 505),
    "HTTP/1.10": (b"GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400),
    "lower case http": (b"GET / http/1.1\r\nHost: h\r\n\r\n", 400),
    "method no token": (head("G(T"), 400),
    "non-ASCII target": (head("GET", "/\u00e9"), 400),
    "relative target": (head("GET", "a/b"), 400),
    "asterisk for GET": (head("GET", "*"), 400),
    "fragment": (head("GET", "/#a"), 400),
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (head("GET", "/", "HOST: h"), 400),
    "space before the colon": (head("GET", "/", "A : b"), 400),
    "no colon": (head("GET", "/", "A"), 400),
    "no name": (head("GET", "/", ": b"), 400),
    "folded line": (head("GET", "/", "A: b", " c"), 400),
    "NUL in a value": (head("GET", "/", "A: \0"), 400),
    "CR in a value": (head("GET", "/", "A: \rB: c"), 400),
    "non-ASCII name": (head("GET", "/", "\u00e9: b"), 400),
    "signed length": (head("POST", "/", "Content-Length: +1"), 400),
    "empty length": (head("POST", "/", "Content-Length:"), 400),
    "non-ASCII digits": (head("POST", "/", "Content-Length: \u0661"), 400),
    "huge length": (head("POST", "/", "Content-Length: " + "9" * 19), 400),
    "length twice": (head("POST", "/", "Content-Length: 1", "Content-Length: 1"), 400),
    "length and chunked": (head("POST", "/", "Content-Length: 1", "Transfer-Encoding: chunked"), 400),
    "unknown coding": (head("POST", "/", "Transfer-Encoding: gzip, chunked"), 501),
    "chunked twice": (head("POST", "/", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 501),
    "chunked in HTTP/1.0": (head("POST", "/", "Transfer-Encoding: chunked", version="1.0"), 400),
    "chunk size in Unicode": (CHUNKED + b"\xd9\xa1\r\n", 400),
    "chunk size with 0x": (CHUNKED + b"0x1\r\n", 400),
    "negative chunk size": (CHUNKED + b"-1\r\n", 400),
    "no chunk size": (CHUNKED + b"\r\n", 400),
    "chunk size of 17 digits": (CHUNKED + b"0" * 17 + b"\r\n", 400),
    "chunk size with bare LF": (CHUNKED + b"1\na\r\n", 400),
    "control byte in an extension": (CHUNKED + b"1;\x01\r\n", 400),
    "endless extension": (CHUNKED + b"1;" + b"a" * 5000, 400),
    "longer than its chunk": (CHUNKED + b"1\r\nab\r\n", 400),
    "bad trailer": (CHUNKED + b"0\r\nA\r\n\r\n", 400),
    "endless request line": (b"GET /" + b"a" * MAX_REQUEST_LINE, 414),
    "endless fields": (b"GET / HTTP/1.1\r\n" + b"A: bcdefgh\r\n" * (MAX_FIELDS // 12 + 1), 431),
    "endless trailers": (CHUNKED + b"0\r\n" + b"A: bcdef\r\n" * (MAX_FIELDS // 10 + 1), 431),
}


@pytest.mark.parametrize(("wire", "status"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("cut", [997, None], ids=lambda cut: f"cut={cut}")
def test_refuses(wire: bytes, status: int, cut: int | None) -> None:
    with pytest.raises(BadRequest) as caught:
        events_of(wire, cut)
    assert caught.value.status == status


def test_refuses_a_bare_lf_however_it_is_cut() -> None:
    for cut in (1, 2, 3):
        with pytest.raises(BadRequest, match="bare LF"):
            events_of(b"GET / HTTP/1.1\r\nHost: h\nA: b\n\n", cut)
