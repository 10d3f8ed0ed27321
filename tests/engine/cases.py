"""What a server may send, and what both parsers must make of it, however the bytes are cut.

A case is what was asked, the bytes, and the events they say: all of them, or those before the error.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from aiohttpx.errors import (
    BadHttpMessage,
    BadStatusLine,
    ContentLengthError,
    HttpProcessingError,
    InvalidHeader,
    LineTooLong,
    TransferEncodingError,
)
from aiohttpx.events import END_OF_MESSAGE, Chunks, Event, HttpVersion10, HttpVersion11, ResponseHead, Trailers

from .outcome import Request

END = END_OF_MESSAGE
GET, HEAD, CONNECT = Request(), Request("HEAD"), Request("CONNECT")
UPGRADE = Request(upgrade=True)


class Case(NamedTuple):
    request: Request
    wire: bytes
    events: list[Event]
    error: type[HttpProcessingError] | None = None
    message: str = ""  # a part of the error's
    eof: bool = False  # the connection ends after the bytes


def head(status: int = 200, reason: str = "OK", fields: bytes = b"", **more: Any) -> ResponseHead:
    values: dict[str, Any] = {
        "version": HttpVersion11,
        "persistent": True,
        "upgraded": False,
        "content_length": None,
        "chunked": False,
        "content_type": "",
        "content_encoding": "",
        "keep_alive": None,
        "sets_cookies": False,
    }
    return ResponseHead(status=status, reason=reason, fields=fields, **{**values, **more})


def ok(fields: bytes, body: bytes = b"") -> bytes:
    """A response whose length is known."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), fields, body)


def said(fields: bytes, **more: Any) -> list[Event]:
    """What `ok(fields)` says."""
    return [head(fields=b"Content-Length: 0\r\n" + fields, content_length=0, **more), END]


def bad_field(line: bytes, message: str, *, start: bytes = b"") -> Case:
    """A field line that is refused, at the latest when the next one begins."""
    return Case(GET, b"HTTP/1.1 200 OK\r\n%s%s\r\nX: y\r\n\r\n" % (start, line), [], InvalidHeader, message)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED_HEAD = head(fields=b"Transfer-Encoding: chunked\r\n", chunked=True)
LENGTH_5 = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
LENGTH_5_HEAD = head(fields=b"Content-Length: 5\r\n", content_length=5)


def chunked(body: bytes, *events: Event) -> Case:
    return Case(GET, CHUNKED + body, [CHUNKED_HEAD, *events])


def bad_chunked(body: bytes, message: str, *events: Event, error: type[HttpProcessingError] = TransferEncodingError) -> Case:
    return Case(GET, CHUNKED + body, [CHUNKED_HEAD, *events], error, message)


def cut_short(wire: bytes, error: type[HttpProcessingError], message: str, *events: Event) -> Case:
    return Case(GET, wire, list(events), error, message, eof=True)


HEADS = {
    "no fields, length 0": Case(GET, b"HTTP/1.1 200 OK\r\nContent-Length:0\r\n\r\n", [
        head(fields=b"Content-Length:0\r\n", content_length=0), END]),
    "all that a head tells": Case(
        GET,
        b"HTTP/1.1 404 Not  Found \r\nContent-Type: \t text/html;charset=utf-8 \r\nSET-COOKIE: a=b\r\ncontent-length: 5\r\n"
        b"Content-Encoding: GZip\r\nKeep-Alive: timeout=5, max=9\r\nConnection: Keep-Alive\r\n\r\nhello",
        [
            head(
                404,
                "Not  Found",
                b"Content-Type: \t text/html;charset=utf-8 \r\nSET-COOKIE: a=b\r\ncontent-length: 5\r\n"
                b"Content-Encoding: GZip\r\nKeep-Alive: timeout=5, max=9\r\nConnection: Keep-Alive\r\n",
                content_length=5,
                content_type="text/html;charset=utf-8",
                content_encoding="gzip",
                keep_alive=5,
                sets_cookies=True,
            ),
            b"hello",
            END,
        ],
    ),
    "reason: none": Case(GET, b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", [
        head(200, "", b"Content-Length: 0\r\n", content_length=0), END]),
    "reason: none, nor a space": Case(GET, b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", [
        head(200, "", b"Content-Length: 0\r\n", content_length=0), END]),
    "reason: UTF-8": Case(GET, b"HTTP/1.1 200 \xc3\xa9t\xc3\xa9\r\nContent-Length: 0\r\n\r\n", [
        head(200, "été", b"Content-Length: 0\r\n", content_length=0), END]),
    "reason: Latin-1": Case(GET, b"HTTP/1.1 200 \xe9\r\nContent-Length: 0\r\n\r\n", [
        head(200, "\udce9", b"Content-Length: 0\r\n", content_length=0), END]),
    "status code 999": Case(GET, b"HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n", [
        head(999, "No", b"Content-Length: 0\r\n", content_length=0), END]),
    "bare LF": Case(GET, b"HTTP/1.1 200 OK\nA: b\nContent-Length: 5\n\nhello", [
        head(fields=b"A: b\r\nContent-Length: 5\r\n", content_length=5), b"hello", END]),
    "bare LF and CRLF": Case(GET, b"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\r\n\nhello", [
        head(fields=b"A: b\r\nContent-Length: 5\r\n", content_length=5), b"hello", END]),
    "empty value": Case(GET, ok(b"A:\r\nB: \t \r\n"), said(b"A:\r\nB: \t \r\n")),
    "value with a colon": Case(GET, ok(b"A: b: c\r\n"), said(b"A: b: c\r\n")),
    "every token byte": Case(GET, ok(b"!#$%&'*+-.^_`|~09azAZ: x\r\n"), said(b"!#$%&'*+-.^_`|~09azAZ: x\r\n")),
    "value with bytes over 127": Case(GET, ok(b"A: \x80\xff\xc3\xa9\r\n"), said(b"A: \x80\xff\xc3\xa9\r\n")),
    "names that only begin like known ones": Case(
        GET, ok(b"Content-Lengths: x\r\nContent-Typ: x\r\nTransfer-Encodings: x\r\n"),
        said(b"Content-Lengths: x\r\nContent-Typ: x\r\nTransfer-Encodings: x\r\n")),
    "content type: the first counts": Case(
        GET, ok(b"Content-Type: a/b\r\nContent-Type: c/d\r\n"),
        said(b"Content-Type: a/b\r\nContent-Type: c/d\r\n", content_type="a/b")),
    "content type: empty": Case(
        GET, ok(b"Content-Type:\r\nContent-Type: c/d\r\n"), said(b"Content-Type:\r\nContent-Type: c/d\r\n")),
    "content codings: several": Case(
        GET, ok(b"Content-Encoding: GZIP , br\r\nContent-Encoding:\r\ncontent-encoding: Zstd\r\n"),
        said(b"Content-Encoding: GZIP , br\r\nContent-Encoding:\r\ncontent-encoding: Zstd\r\n", content_encoding="gzip,br,zstd")),
    "keep-alive: spaces and case": Case(
        GET, ok(b"Keep-Alive: max=100 ,\tTimeOut = 30 \r\n"), said(b"Keep-Alive: max=100 ,\tTimeOut = 30 \r\n", keep_alive=30)),
    "keep-alive: zero": Case(GET, ok(b"Keep-Alive: timeout=0\r\n"), said(b"Keep-Alive: timeout=0\r\n", keep_alive=0)),
    "keep-alive: the first counts": Case(
        GET, ok(b"Keep-Alive: timeout=x,timeout=1,timeout=2\r\nKeep-Alive: timeout=3\r\n"),
        said(b"Keep-Alive: timeout=x,timeout=1,timeout=2\r\nKeep-Alive: timeout=3\r\n", keep_alive=1)),
    "keep-alive: no number of seconds": Case(
        GET, ok(b"Keep-Alive: timeout=-1, timeout=5s, timeouts=5, xtimeout=5, timeout=1234567890, timeout=, timeout\r\n"),
        said(b"Keep-Alive: timeout=-1, timeout=5s, timeouts=5, xtimeout=5, timeout=1234567890, timeout=, timeout\r\n")),
    "keep-alive: other digits": Case(
        GET, ok("Keep-Alive: timeout=٣\r\n".encode()), said("Keep-Alive: timeout=٣\r\n".encode())),
}  # fmt: skip

FOLDED = {
    "obs-fold": Case(GET, ok(b"A: b\r\n c\r\n"), said(b"A: b c\r\n")),
    "obs-fold: white space stays": Case(GET, ok(b"A: b \r\n\t  c\r\n"), said(b"A: b    c\r\n")),
    "obs-fold: bare LF": Case(GET, ok(b"A: b\n c\n"), said(b"A: b c\r\n")),
    "obs-fold: nothing before it": Case(GET, ok(b"A:\r\n b\r\n"), said(b"A: b\r\n")),
    "obs-fold: nothing behind it": Case(GET, ok(b"A: b\r\n \r\n \r\n"), said(b"A: b  \r\n")),
    "obs-fold: known field": Case(
        GET, ok(b"Content-Type: a/b;\r\n c=d\r\n"), said(b"Content-Type: a/b; c=d\r\n", content_type="a/b; c=d")),
    "obs-fold: last field": Case(GET, b"HTTP/1.1 204 OK\r\nA: b\r\n c\r\n\r\n", [head(204, fields=b"A: b c\r\n"), END]),
    "obs-fold: in Content-Length": bad_field(b"Content-Length: 1\r\n 2", "no line folding"),
    "obs-fold: in Transfer-Encoding": bad_field(b"Transfer-Encoding:\r\n chunked", "no line folding"),
    "obs-fold: in Connection": bad_field(b"connection: close,\r\n\tupgrade", "no line folding"),
    "obs-fold: in Upgrade": bad_field(b"UPGRADE: a\r\n b", "no line folding"),
    "obs-fold: of no value": bad_field(b"Abc\r\n def", "no line folding"),
    "obs-fold: of a name": bad_field(b"Abc\r\n : def", "no line folding"),
    "obs-fold: of the status line": bad_field(b" OK", "expected a field name"),
    "obs-fold: of the status line, TAB": bad_field(b"\tOK", "expected a field name"),
}  # fmt: skip

BAD_HEADS = {
    "another protocol": Case(GET, b"SSH-2.0-OpenSSH_9.2\r\n", [], BadStatusLine, 'b"S"\n    ^'),
    "a TLS alert": Case(GET, b"\x15\x03\x01\x00\x02\x02\x28", [], BadStatusLine, 'b"\\x15"\n    ^^^^'),
    "ICY": Case(GET, b"ICY 200 OK\r\n\r\n", [], BadStatusLine, "expected HTTP/1.0 or HTTP/1.1"),
    "RTSP": Case(GET, b"RTSP/1.0 200 OK\r\n\r\n", [], BadStatusLine, "expected HTTP/1.0 or HTTP/1.1"),
    "a request": Case(GET, b"GET / HTTP/1.1\r\n\r\n", [], BadStatusLine, 'b"G"'),
    "an empty line first": Case(GET, b"\r\nHTTP/1.1 200 OK\r\n\r\n", [], BadStatusLine, 'b""'),
    "an empty line first, LF": Case(GET, b"\nHTTP/1.1 200 OK\r\n\r\n", [], BadStatusLine, 'b""'),
    "version 2.0": Case(GET, b"HTTP/2.0 200 OK\r\n\r\n", [], BadStatusLine, 'b"HTTP/2"\n         ^'),
    "version 1.2": Case(GET, b"HTTP/1.2 200 OK\r\n\r\n", [], BadStatusLine, 'b"HTTP/1.2"'),
    "version 0.9": Case(GET, b"HTTP/0.9 200 OK\r\n\r\n", [], BadStatusLine, 'b"HTTP/0"'),
    "version with a comma": Case(GET, b"HTTP/1,1 200 OK\r\n\r\n", [], BadStatusLine, 'b"HTTP/1,"'),
    "lower case": Case(GET, b"http/1.1 200 OK\r\n\r\n", [], BadStatusLine, 'b"h"'),
    "only the version": Case(GET, b"HTTP/1.1\r\n\r\n", [], BadStatusLine, "a space after the version"),
    "two spaces": Case(GET, b"HTTP/1.1  200 OK\r\n\r\n", [], BadStatusLine, "three digits"),
    "status code 099": Case(GET, b"HTTP/1.1 099 OK\r\n\r\n", [], BadStatusLine, "from 100"),
    "status code of two digits": Case(GET, b"HTTP/1.1 20 OK\r\n\r\n", [], BadStatusLine, "three digits"),
    "status code of four digits": Case(GET, b"HTTP/1.1 2000 OK\r\n\r\n", [], BadStatusLine, "a space after the status code"),
    "status code with a sign": Case(GET, b"HTTP/1.1 +20 OK\r\n\r\n", [], BadStatusLine, "three digits"),
    "status code in other digits": Case(GET, "HTTP/1.1 ٢٠٠ OK\r\n\r\n".encode(), [], BadStatusLine, "three digits"),
    "NUL in the reason": Case(GET, b"HTTP/1.1 200 O\0K\r\n\r\n", [], BadStatusLine, 'b"HTTP/1.1 200 O\\x00"'),
    "DEL in the reason": Case(GET, b"HTTP/1.1 200 O\x7fK\r\n\r\n", [], BadStatusLine, "control characters"),
    "bare CR in the reason": Case(GET, b"HTTP/1.1 200 O\rK\r\n\r\n", [], BadStatusLine, "control characters"),
    "bare CR before the line end": Case(GET, b"HTTP/1.1 200 OK\r\r\n\r\n", [], BadStatusLine, "control characters"),
    "no colon": bad_field(b"Abc", 'b"Abc"\n       ^'),
    "no name": bad_field(b": b", "expected a field name"),
    "space before the colon": bad_field(b"Content-Length : 0", 'b"Content-Length "\n                  ^'),
    "space in the name": bad_field(b"A b: c", "a byte of a name"),
    "NUL in the name": bad_field(b"A\0: c", "a byte of a name"),
    "byte over 127 in the name": bad_field(b"A\xe9: c", "a byte of a name"),
    "NUL in the value": bad_field(b"A: b\0c", "control characters"),
    "DEL in the value": bad_field(b"A: b\x7fc", "control characters"),
    "BEL in the value": bad_field(b"A: b\x07c", "control characters"),
    "vertical TAB in the value": bad_field(b"A:\x0bc", "control characters"),
    "bare CR in the value": bad_field(b"A: b\rInjected: c", 'b"A: b\\r"\n        ^^'),
    "bare CR before the value": bad_field(b"A:\rb", "control characters"),
    "bare CR at the end of the value": bad_field(b"A: b\r", "control characters"),
    "bare CR at the end of the head": Case(GET, b"HTTP/1.1 200 OK\r\nA: b\r\n\rX", [], InvalidHeader, "expected a field name"),
    "NUL in a folded value": bad_field(b"A: b\r\n c\0", "control characters"),
    "101 that nobody asked for": Case(
        GET, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc", [],
        BadHttpMessage, "nobody asked for"),
    "101 after 100, neither asked for": Case(
        GET, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 X\r\n\r\n", [head(100, "Continue")], BadHttpMessage, "nobody asked for"),
    "the error is in the second head": Case(
        GET, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA\r\n\r\n", [head(100, "Continue")],
        InvalidHeader, "a byte of a name"),
}  # fmt: skip

FRAMING = {
    "length: leading zeros": Case(GET, b"HTTP/1.1 200 OK\r\nContent-Length: 0005\r\n\r\nhello", [
        head(fields=b"Content-Length: 0005\r\n", content_length=5), b"hello", END]),
    "length: very many zeros": Case(GET, b"HTTP/1.1 204 OK\r\nContent-Length: %s5\r\n\r\n" % (b"0" * 5000), [
        head(204, fields=b"Content-Length: %s5\r\n" % (b"0" * 5000), content_length=5), END]),
    "length: 64 bits": Case(HEAD, b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n", [
        head(fields=b"Content-Length: 18446744073709551615\r\n", content_length=2**64 - 1), END]),
    "length: one more than 64 bits": bad_field(b"Content-Length: 18446744073709551616", "64 bits"),
    "length: 21 digits": bad_field(b"Content-Length: 100000000000000000000", 'b"Content-Length: 100000000000000000000"'),
    "length: the same twice": Case(GET, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 05\r\n\r\nhello", [
        head(fields=b"Content-Length: 5\r\ncontent-length: 05\r\n", content_length=5), b"hello", END]),
    "length: another one": bad_field(b"Content-Length: 6", "of 5 before", start=b"Content-Length: 5\r\n"),
    "length: the same in one line": bad_field(b"Content-Length: 5, 5", 'b"Content-Length: 5,"'),
    "length: none": bad_field(b"Content-Length:  ", "expected the digits"),
    "length: negative": bad_field(b"Content-Length: -1", "expected the digits"),
    "length: with a sign": bad_field(b"Content-Length: +1", "expected the digits"),
    "length: hexadecimal": bad_field(b"Content-Length: 0x10", "expected the digits"),
    "length: with an underscore": bad_field(b"Content-Length: 1_0", "expected the digits"),
    "length: other digits": bad_field("Content-Length: ٣".encode(), "expected the digits"),
    "length: two numbers": bad_field(b"Content-Length: 1 2", "expected the digits"),
    "length, then chunked": bad_field(b"Transfer-Encoding: chunked", "smuggling", start=b"Content-Length: 5\r\n"),
    "chunked, then length": bad_field(b"Content-Length: 5", "smuggling", start=b"Transfer-Encoding: chunked\r\n"),
    "chunked twice": bad_field(b"Transfer-Encoding: chunked", "once", start=b"Transfer-Encoding: chunked\r\n"),
    "chunked twice in one line": bad_field(b"Transfer-Encoding: chunked, chunked", "once"),
    "transfer coding: gzip, chunked": bad_field(b"Transfer-Encoding: gzip, chunked", '"chunked"'),
    "transfer coding: identity": bad_field(b"Transfer-Encoding: identity", '"chunked"'),
    "transfer coding: none": bad_field(b"Transfer-Encoding:", '"chunked"'),
    "transfer coding: quoted": bad_field(b'Transfer-Encoding: "chunked"', '"chunked"'),
    "transfer coding: xchunked": bad_field(b"Transfer-Encoding: xchunked", '"chunked"'),
    "transfer coding: with a TAB and capitals": Case(
        GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding:\tCHUNKED\t\r\n\r\n0\r\n\r\n",
        [head(fields=b"Transfer-Encoding:\tCHUNKED\t\r\n", chunked=True), END]),
    "more than the length": Case(GET, LENGTH_5 + b"hello!", [LENGTH_5_HEAD, b"hello", END], BadHttpMessage, 'b"!"'),
    "an empty line behind the message": Case(
        GET, LENGTH_5 + b"hello\r\n", [LENGTH_5_HEAD, b"hello", END], BadHttpMessage, "belong to no response"),
    "a response nobody asked for": Case(
        GET, LENGTH_5 + b"hello" + LENGTH_5, [LENGTH_5_HEAD, b"hello", END], BadHttpMessage, 'b"H"'),
    "more than the length, then close": Case(
        GET, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello!\r\n\0",
        [head(fields=b"Content-Length: 5\r\nConnection: close\r\n", content_length=5, persistent=False), b"hello", END]),
    "until the end": Case(
        GET, b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nhello\r\n\r\n", [head(fields=b"A: b\r\n", persistent=False), b"hello\r\n\r\n", END],
        eof=True),
    "until the end, empty": Case(GET, b"HTTP/1.1 200 OK\r\n\r\n", [head(persistent=False), END], eof=True),
    "until the end, which has not come": Case(GET, b"HTTP/1.1 200 OK\r\n\r\nhello", [head(persistent=False), b"hello"]),
}  # fmt: skip

BODILESS = {
    "204": Case(GET, b"HTTP/1.1 204 No Content\r\n\r\n", [head(204, "No Content"), END]),
    "204 with a length": Case(
        GET, b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        [head(204, "No Content", b"Content-Length: 5\r\n", content_length=5), END]),
    "204, chunked": Case(
        GET, b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        [head(204, "No Content", b"Transfer-Encoding: chunked\r\n", chunked=True), END]),
    "304 with a length": Case(
        GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        [head(304, "Not Modified", b"Content-Length: 5\r\n", content_length=5), END]),
    "HEAD with a length": Case(HEAD, LENGTH_5, [LENGTH_5_HEAD, END]),
    "HEAD, chunked": Case(HEAD, CHUNKED, [CHUNKED_HEAD, END]),
    "HEAD without a length": Case(HEAD, b"HTTP/1.1 200 OK\r\n\r\n", [head(), END]),
    "HEAD with a body all the same": Case(HEAD, LENGTH_5 + b"hello", [LENGTH_5_HEAD, END], BadHttpMessage, 'b"h"'),
    "100, 103, 200": Case(
        GET, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + LENGTH_5 + b"hello",
        [head(100, "Continue"), head(103, "Early Hints", b"Link: </a>\r\n"), LENGTH_5_HEAD, b"hello", END]),
    "100 with a length": Case(
        GET, b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n" + LENGTH_5 + b"hello",
        [head(100, "Continue", b"Content-Length: 5\r\n", content_length=5), LENGTH_5_HEAD, b"hello", END]),
    "100, then nothing yet": Case(GET, b"HTTP/1.1 100 Continue\r\n\r\n", [head(100, "Continue")]),
    "199": Case(GET, b"HTTP/1.1 199 Odd\r\n\r\n" + LENGTH_5 + b"hello", [head(199, "Odd"), LENGTH_5_HEAD, b"hello", END]),
}  # fmt: skip

SWITCHED = {
    "101 that was asked for": Case(
        UPGRADE, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nHTTP/1.1 \r\n\0",
        [
            head(101, "Switching Protocols", b"Upgrade: x\r\nConnection: upgrade\r\n", upgraded=True, persistent=False),
            b"HTTP/1.1 \r\n\0",
        ]),
    "101 with a length": Case(
        UPGRADE, b"HTTP/1.1 101 X\r\nContent-Length: 1\r\n\r\nabc",
        [head(101, "X", b"Content-Length: 1\r\n", upgraded=True, persistent=False), b"abc"], eof=True),
    "100, then 101": Case(
        UPGRADE, b"HTTP/1.1 100 X\r\n\r\nHTTP/1.1 101 X\r\n\r\nabc",
        [head(100, "X"), head(101, "X", upgraded=True, persistent=False), b"abc"]),
    "an upgrade that was declined": Case(UPGRADE, LENGTH_5 + b"hello", [LENGTH_5_HEAD, b"hello", END]),
    "Upgrade in a response that does not switch": Case(
        GET, b"HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: upgrade\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        [head(fields=b"Upgrade: h2c\r\nConnection: upgrade\r\nTransfer-Encoding: chunked\r\n", chunked=True), END]),
    "CONNECT: 200": Case(
        CONNECT, b"HTTP/1.1 200 Connection established\r\n\r\n\x16\x03\x01",
        [head(200, "Connection established", upgraded=True, persistent=False), b"\x16\x03\x01"], eof=True),
    "CONNECT: 200 with a length": Case(
        CONNECT, LENGTH_5 + b"\x16\x03\x01",
        [head(fields=b"Content-Length: 5\r\n", upgraded=True, persistent=False), b"\x16\x03\x01"]),
    "CONNECT: 204, chunked": Case(
        CONNECT, b"HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        [head(204, "X", b"Transfer-Encoding: chunked\r\n", upgraded=True, persistent=False), b"abc"]),
    "CONNECT: refused": Case(
        CONNECT, b"HTTP/1.1 407 X\r\nContent-Length: 2\r\n\r\nno",
        [head(407, "X", b"Content-Length: 2\r\n", content_length=2), b"no", END]),
}  # fmt: skip

CHUNKS = {
    "no content": chunked(b"0\r\n\r\n", END),
    "two chunks": chunked(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", Chunks(b"abcde", (3, 5)), END),
    "sizes in hexadecimal": chunked(
        b"1A\r\n" + b"x" * 26 + b"\r\n0b\r\n" + b"y" * 11 + b"\r\n00\r\n\r\n", Chunks(b"x" * 26 + b"y" * 11, (26, 37)), END),
    "size of 16 digits": chunked(b"0000000000000003\r\nabc\r\n0000000000000000\r\n\r\n", Chunks(b"abc", (3,)), END),
    "largest size": chunked(b"ffffffffffffffff\r\nabc", Chunks(b"abc", ())),
    "content that looks like framing": chunked(b"7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", Chunks(b"0\r\n\r\n\r\n", (7,)), END),
    "very many": chunked(b"1\r\nx\r\n" * 500 + b"0\r\n\r\n", Chunks(b"x" * 500, tuple(range(1, 501))), END),
    "space behind the size": chunked(b"3 \t\r\nabc\r\n0 \r\n\r\n", Chunks(b"abc", (3,)), END),
    "extensions": chunked(
        b'3;a\r\nabc\r\n3;a=b;c="d;\\"\t\xff";e=\r\nabc\r\n3 ;;=f;g=h"i"\r\nabc\r\n0;z\r\n\r\n',
        Chunks(b"abc" * 3, (3, 6, 9)), END),
    "trailers": chunked(
        b"1\r\nx\r\n0\r\nExpires: 0\r\nA:\t b \r\n\r\n", Chunks(b"x", (1,)), Trailers(b"Expires: 0\r\nA:\t b \r\n"), END),
    "trailers only": chunked(b"0\r\nA: b\r\n\r\n", Trailers(b"A: b\r\n"), END),
    "surplus": Case(GET, CHUNKED + b"0\r\n\r\nx", [CHUNKED_HEAD, END], BadHttpMessage, 'b"x"'),
    "HTTP/1.0": Case(
        GET, b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nmore",
        [
            head(
                fields=b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
                version=HttpVersion10, chunked=True, persistent=False),
            Chunks(b"x", (1,)),
            END,
        ]),
    "no size": bad_chunked(b"\r\nabc", 'expected a chunk size:\n  b"\\r"'),
    "no size, but an extension": bad_chunked(b";a\r\nabc", "expected a chunk size"),
    "size with a sign": bad_chunked(b"+3\r\nabc", "expected a chunk size"),
    "size with a prefix": bad_chunked(b"0x3\r\nabc", "hexadecimal digits"),
    "size with an underscore": bad_chunked(b"1_0\r\nabc", "hexadecimal digits"),
    "size in other digits": bad_chunked("٣\r\nabc".encode(), "expected a chunk size"),
    "size behind a space": bad_chunked(b" 3\r\nabc", "expected a chunk size"),
    "size of two numbers": bad_chunked(b"3 3\r\nabc", "expected CRLF"),
    "size of 17 digits": bad_chunked(b"00000000000000003\r\nabc", 'b"00000000000000003"\n                    ^'),
    "size over 64 bits": bad_chunked(b"fffffffffffffffff\r\nabc", "expected CRLF after the chunk size"),
    "LF behind the size": bad_chunked(b"3\nabc\r\n0\r\n\r\n", "CRLF"),
    "CR behind the size": bad_chunked(b"3\rabc\r\n0\r\n\r\n", "expected LF after CR"),
    "NUL behind the size": bad_chunked(b"3\0\r\nabc\r\n0\r\n\r\n", 'b"3\\x00"'),
    "LF in an extension": bad_chunked(b"3;a\nabc\r\n0\r\n\r\n", "chunk extension"),
    "CR in an extension": bad_chunked(b"3;a\rabc\r\n0\r\n\r\n", "expected LF after CR"),
    "LF in a quoted extension": bad_chunked(b'3;a="\n"\r\nabc\r\n0\r\n\r\n', "expected a quoted string"),
    "NUL in a quoted pair": bad_chunked(b'3;a="\\\0"\r\nabc\r\n0\r\n\r\n', "expected a quoted string"),
    "text behind a quoted string": bad_chunked(b'3;a="b"c\r\nabc\r\n0\r\n\r\n', "expected CRLF after the chunk extension"),
    "empty extension": bad_chunked(b"3;\r\nabc\r\n0\r\n\r\n", "expected a chunk extension"),
    "space in an extension": bad_chunked(b"3; a\r\nabc\r\n0\r\n\r\n", "expected a chunk extension"),
    "no CRLF behind the data": bad_chunked(b"3\r\nabc0\r\n\r\n", "after the data of a chunk", Chunks(b"abc", (3,))),
    "LF behind the data": bad_chunked(b"3\r\nabc\n0\r\n\r\n", 'b"\\n"', Chunks(b"abc", (3,))),
    "CR behind the data": bad_chunked(b"3\r\nabc\r0\r\n\r\n", 'b"\\r0"\n      ^', Chunks(b"abc", (3,))),
    "more data than its size": bad_chunked(b"3\r\nabcd\r\n0\r\n\r\n", 'b"d"', Chunks(b"abc", (3,))),
    "less data than its size": bad_chunked(b"3\r\nab\r\n0\r\n\r\n", 'b"\\n"', Chunks(b"ab\r", (3,))),
    "later chunk": bad_chunked(b"3\r\nabc\r\n2\r\nde\r\nzz\r\n", 'b"z"', Chunks(b"abcde", (3, 5))),
    "LF behind a trailer": bad_chunked(
        b"0\r\nA: b\n\r\n", 'Bad trailer, expected text without control characters:\n  b"A: b\\n"'),
    "LF behind the trailers": bad_chunked(b"0\r\nA: b\r\n\n", "expected a field name"),
    "folded trailer": bad_chunked(b"0\r\nA: b\r\n c\r\n\r\n", "no line folding"),
    "trailer without a colon": bad_chunked(b"0\r\nA\r\n\r\n", "a byte of a name"),
    "NUL in a trailer": bad_chunked(b"0\r\nA: \0\r\n\r\n", "control characters"),
    "CR in a trailer": bad_chunked(b"0\r\nA: \rb\r\n\r\n", "control characters"),
    "trailer Content-Length": bad_chunked(b"0\r\nContent-Length: 3\r\n\r\n", 'cannot be a trailer:\n  b"Content-Length:"'),
    "trailer Transfer-Encoding": bad_chunked(b"0\r\ntransfer-encoding: chunked\r\n\r\n", "cannot be a trailer"),
}  # fmt: skip

CUT_SHORT = {
    "nothing came": Case(GET, b"", [], eof=True),
    "in the version": cut_short(b"HTTP/1", BadHttpMessage, 'in the middle of the head:\n  b"HTTP/1"'),
    "in the status line": cut_short(b"HTTP/1.1 200 OK", BadHttpMessage, "in the middle of the head"),
    "in a line end": cut_short(b"HTTP/1.1 200 OK\r", BadHttpMessage, "in the middle of the head"),
    "behind the status line": cut_short(b"HTTP/1.1 200 OK\r\n", BadHttpMessage, "in the middle of the head"),
    "in a field": cut_short(b"HTTP/1.1 200 OK\r\nA: b", BadHttpMessage, 'b"A: b"'),
    "behind a field": cut_short(b"HTTP/1.1 200 OK\r\nA: b\r\n", BadHttpMessage, 'b"A: b"'),
    "in the empty line": cut_short(b"HTTP/1.1 200 OK\r\nA: b\r\n\r", BadHttpMessage, 'b"A: b"'),
    "behind 100": cut_short(b"HTTP/1.1 100 X\r\n\r\n", BadHttpMessage, "in the middle of the head", head(100, "X")),
    "before the content": cut_short(LENGTH_5, ContentLengthError, "0 of 5 bytes", LENGTH_5_HEAD),
    "in the content": cut_short(LENGTH_5 + b"hell", ContentLengthError, "4 of 5 bytes", LENGTH_5_HEAD, b"hell"),
    "before the first chunk": cut_short(CHUNKED, TransferEncodingError, "chunked body", CHUNKED_HEAD),
    "in a size": cut_short(CHUNKED + b"3", TransferEncodingError, "chunked body", CHUNKED_HEAD),
    "in a chunk": cut_short(CHUNKED + b"3\r\na", TransferEncodingError, "chunked body", CHUNKED_HEAD, Chunks(b"a", ())),
    "behind a chunk": cut_short(CHUNKED + b"1\r\na", TransferEncodingError, "chunked body", CHUNKED_HEAD, Chunks(b"a", (1,))),
    "behind its CRLF": cut_short(
        CHUNKED + b"1\r\na\r\n", TransferEncodingError, "chunked body", CHUNKED_HEAD, Chunks(b"a", (1,))
    ),
    "behind the last chunk": cut_short(CHUNKED + b"0\r\n", TransferEncodingError, "chunked body", CHUNKED_HEAD),
    "in the last CRLF": cut_short(CHUNKED + b"0\r\n\r", TransferEncodingError, "chunked body", CHUNKED_HEAD),
    "in a trailer": cut_short(CHUNKED + b"0\r\nA: b\r\n", TransferEncodingError, "chunked body", CHUNKED_HEAD),
    "behind the message": Case(GET, LENGTH_5 + b"hello", [LENGTH_5_HEAD, b"hello", END], eof=True),
}


def limited(line: int = 1000, section: int = 10000, fields: int = 100, status_line: int = 1000) -> Request:
    return Request(limits=(line, section, fields, status_line))


def within(request: Request, fields: bytes) -> Case:
    return Case(request, b"HTTP/1.1 204 OK\r\n%s\r\n" % fields, [head(204, fields=fields), END])


def beyond(request: Request, fields: bytes, message: str) -> Case:
    return Case(request, b"HTTP/1.1 204 OK\r\n%s\r\n" % fields, [], LineTooLong, message)


def framing(request: Request, body: bytes, *events: Event, message: str = "") -> Case:
    return Case(request, CHUNKED + body, [CHUNKED_HEAD, *events], LineTooLong if message else None, message)


LIMITS = {
    "a line of the limit": within(limited(30), b"A: %s\r\n" % (b"x" * 27)),
    "a line of one more": beyond(limited(30), b"A: %s\r\n" % (b"x" * 28), "longer than 30 bytes:\n"),
    "a line without an end": Case(limited(30), b"HTTP/1.1 204 OK\r\nA:" + b" " * 100, [], LineTooLong, "longer than 30 bytes:\n"),
    "a name without an end": Case(limited(30), b"HTTP/1.1 204 OK\r\n" + b"A" * 100, [], LineTooLong, "longer than 30 bytes:\n"),
    "a line of white space": beyond(limited(30), b"A:%s\r\n" % (b" " * 29), "longer than 30 bytes:\n"),
    "a long line shows its end": beyond(
        limited(200), b"A: %s\r\n" % (b"x" * 196 + b"yz"), f'200 bytes:\n  b"{"x" * 78}yz"\n{" " * 83}^'),
    "a fault before the limit": Case(limited(30), b"HTTP/1.1 204 OK\r\nA: \0" + b"x" * 100, [], InvalidHeader, "control"),
    "a fault behind the limit": beyond(limited(30), b"A: %s\0\r\n" % (b"x" * 28), "longer than 30 bytes:\n"),
    "a folded line of the limit": Case(
        limited(30), b"HTTP/1.1 204 OK\r\nA: %s\r\n %s\r\n\r\n" % (b"x" * 13, b"y" * 13),
        [head(204, fields=b"A: %s %s\r\n" % (b"x" * 13, b"y" * 13)), END]),
    "a folded line of one more": beyond(limited(30), b"A: %s\r\n %s\r\n" % (b"x" * 13, b"y" * 14), "longer than 30 bytes:\n"),
    "folds without an end": Case(
        limited(30), b"HTTP/1.1 204 OK\r\nA: b" + b"\r\n " * 100, [], LineTooLong, "longer than 30 bytes:\n"),
    "a status line of the limit": Case(limited(status_line=15), b"HTTP/1.1 204 OK\r\n\r\n", [head(204), END]),
    "a status line of one more": Case(
        limited(status_line=14), b"HTTP/1.1 204 OK\r\n\r\n", [], LineTooLong, 'longer than 14 bytes:\n  b"HTTP/1.1 204 OK"'),
    "a status line without reason of one more": Case(
        limited(status_line=11), b"HTTP/1.1 204\r\n\r\n", [], LineTooLong, "11 bytes"),
    "a status line longer than a field may be": Case(
        limited(5), b"HTTP/1.1 204 OK\r\nA: b\r\n\r\n", [head(204, fields=b"A: b\r\n"), END]),
    "a head of the limit": within(limited(section=34), b"A: b\r\nC: defghij\r\n"),
    "a head of one more": beyond(limited(section=32), b"A: b\r\nC: defghij\r\n", "The head is longer than 32 bytes:\n"),
    "a head of no room for a field": beyond(limited(section=17), b"A: b\r\n", "The head is longer than 17 bytes:\n"),
    "fields of the limit": within(limited(fields=2), b"A: b\r\nC: d\r\n"),
    "fields of one more": beyond(limited(fields=2), b"A: b\r\nC: d\r\nE: f\r\n", "more than 2 field lines:\n"),
    "no fields": within(limited(fields=0), b""),
    "a field where there may be none": beyond(limited(fields=0), b"A: b\r\n", "more than 0 field lines:\n"),
    "each head counts for itself": Case(
        limited(section=40, fields=1), b"HTTP/1.1 100 X\r\nA: b\r\n\r\n" * 9 + b"HTTP/1.1 204 OK\r\nA: b\r\n\r\n",
        [*[head(100, "X", b"A: b\r\n")] * 9, head(204, fields=b"A: b\r\n"), END]),
    "an extension of the limit": framing(limited(50), b"1;%s\r\nx\r\n0\r\n\r\n" % (b"a" * 48), Chunks(b"x", (1,)), END),
    "an extension of one more": framing(limited(50), b"1;%s\r\nx" % (b"a" * 49), message="longer than 50 bytes:\n"),
    "an extension without an end": framing(limited(50), b"1;" + b"a" * 1000, message="longer than 50 bytes:\n"),
    "a later extension of one more": framing(
        limited(50), b"1\r\nx\r\n1;%s\r\nx" % (b"a" * 49), Chunks(b"x", (1,)), message="longer than 50 bytes:\n"),
    "spaces behind a size without an end": framing(limited(50), b"1" + b" " * 1000, message="longer than 50 bytes:\n"),
    "trailers of the limit": framing(
        limited(28, 49, 2), b"0\r\nA: %s\r\nB: %s\r\n\r\n" % (b"x" * 25, b"y" * 16),
        Trailers(b"A: %s\r\nB: %s\r\n" % (b"x" * 25, b"y" * 16)), END),
    "a trailer of one more": framing(limited(28), b"0\r\nA: %s\r\n\r\n" % (b"x" * 26), message="longer than 28 bytes:\n"),
    "trailers of one more": framing(
        limited(section=49), b"0\r\n" + b"A: b\r\n" * 10, message="The trailer section is longer than 49 bytes:\n"),
    "trailer fields of one more": framing(
        limited(fields=2), b"0\r\nA: b\r\nC: d\r\nE: f\r\n\r\n", message="more than 2 field lines:\n"),
}  # fmt: skip

#: version, Connection fields, is the connection persistent? RFC 9112, section 9.3.
PERSISTENCE: list[tuple[bytes, list[bytes], bool]] = [
    (b"1.1", [], True),
    (b"1.1", [b""], True),
    (b"1.1", [b"keep-alive"], True),
    (b"1.1", [b"close"], False),
    (b"1.1", [b"Close"], False),
    (b"1.1", [b"\tclose "], False),
    (b"1.1", [b"upgrade , close"], False),
    (b"1.1", [b"close,upgrade"], False),
    (b"1.1", [b"keep-alive", b"close"], False),
    (b"1.1", [b"close", b"keep-alive"], False),
    (b"1.1", [b",,close"], False),
    (b"1.1", [b"closed"], True),
    (b"1.1", [b"not-close"], True),
    (b"1.1", [b"cl, ose"], True),
    (b"1.1", [b"close keep-alive"], True),
    (b"1.1", [b'"close"'], True),
    (b"1.0", [], False),
    (b"1.0", [b"upgrade"], False),
    (b"1.0", [b"keep-alive"], True),
    (b"1.0", [b"Keep-Alive"], True),
    (b"1.0", [b"x, keep-alive"], True),
    (b"1.0", [b"keep-alive, close"], False),
    (b"1.0", [b"close, keep-alive"], False),
    (b"1.0", [b"keep-alive-not"], False),
    (b"1.0", [b"keep alive"], False),
]

CASES = {
    f"{table}: {name}": case
    for table, cases in {
        "head": HEADS,
        "folded": FOLDED,
        "bad head": BAD_HEADS,
        "framing": FRAMING,
        "bodiless": BODILESS,
        "switched": SWITCHED,
        "chunks": CHUNKS,
        "cut short": CUT_SHORT,
        "limits": LIMITS,
    }.items()
    for name, case in cases.items()
}
