"""message/response.py: the content of a response, read whole, as text, as JSON or piece by piece; content codings."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from functools import partial

import pytest

from aiohttpx import ClientPayloadError, ClientResponse, ClientSession, ContentTypeError
from aiohttpx.testing import Close, ExpectRequest, Script, ScriptedPeer, Send
from aiohttpx.wire.codings import ACCEPT_ENCODING, make_encoder

from .answering import Gate, answer, both_ways, head

CONTENT = b"".join(b"line %d\n" % number for number in range(20_000))


# -- reading


@both_ways
async def test_read_gives_all_of_it_and_gives_it_again(streamed: bool) -> None:
    async with answer(CONTENT, streamed=streamed) as response:
        body = await response.read()
        assert body == CONTENT
        assert await response.read() is body
        assert await response.content.read() == b""


@both_ways
async def test_no_content(streamed: bool) -> None:
    async with answer(streamed=streamed, status="204 No Content") as response:
        assert await response.read() == b""
        assert await response.text() == ""
        assert await response.content.read() == b""
        assert response.content.at_eof()


@both_ways
async def test_read_gives_what_is_left_of_a_stream(streamed: bool) -> None:
    async with answer(b"one\ntwo\nthree", streamed=streamed) as response:
        assert await response.content.readline() == b"one\n"
        assert await response.content.readexactly(2) == b"tw"
        assert await response.read() == b"o\nthree"
        assert await response.text() == "o\nthree"
        assert await response.read() == b"o\nthree"


@both_ways
async def test_read_after_a_stream_was_read_to_its_end_gives_nothing(streamed: bool) -> None:
    async with answer(b"body", streamed=streamed) as response:
        assert await response.content.read() == b"body"
        assert response.content.at_eof()
        assert await response.content.read() == b""
        assert await response.read() == b""
        assert await response.text() == ""


@both_ways
async def test_the_content_is_one_stream(streamed: bool) -> None:
    async with answer(CONTENT, streamed=streamed) as response:
        content = response.content
        assert content is response.content
        pieces = [piece async for piece in content.iter_chunked(1000)]
        assert max(map(len, pieces)) <= 1000
        assert b"".join(pieces) == CONTENT


@both_ways
async def test_lines(streamed: bool) -> None:
    async with answer(CONTENT, streamed=streamed) as response:
        assert [line async for line in response.content] == CONTENT.splitlines(keepends=True)


@both_ways
async def test_chunks_keep_their_borders(streamed: bool) -> None:
    start = head(fields=["Transfer-Encoding: chunked"])
    chunks, gate = b"3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Trailer: 1\r\n\r\n", Gate()
    script: Script = [ExpectRequest(), start, gate, chunks] if streamed else start + chunks
    async with ScriptedPeer(script) as peer, ClientSession() as client, client.get(peer.url) as response:
        gate.open()
        assert [chunk async for chunk in response.content.iter_chunks()] == [(b"abc", True), (b"defg", True)]
        assert response.content_length is None
    if not streamed:
        async with ScriptedPeer(script) as peer, ClientSession() as client, client.get(peer.url) as response:
            assert await response.read() == b"abcdefg"


async def test_content_that_ends_with_the_connection() -> None:
    gate = Gate()
    script: Script = [ExpectRequest(), head() + b"one,", gate, b"two", Close()]
    async with ScriptedPeer(script) as peer, ClientSession() as client, client.get(peer.url) as response:
        assert await response.content.readany() == b"one,"
        gate.open()
        assert await response.read() == b"two"
        assert response.connection is None


async def test_content_without_framing_is_none_if_it_is_not_to_last_until_the_end() -> None:
    script: Script = [ExpectRequest(), head() + b"junk"]
    async with ScriptedPeer(script) as peer, ClientSession() as client, client.get(peer.url, read_until_eof=False) as response:
        assert await response.read() == b""


@pytest.mark.parametrize("end", [Close(), None], ids=["cut short", "malformed"])
async def test_content_that_breaks_off_is_an_error(end: Close | None) -> None:
    gate = Gate()
    script: Script = [ExpectRequest(), head(fields=["Transfer-Encoding: chunked"]), b"3\r\nabc\r\n", gate, end or b"nonsense"]
    async with ScriptedPeer(script) as peer, ClientSession() as client, client.get(peer.url) as response:
        assert await response.content.readany() == b"abc"
        gate.open()
        with pytest.raises(ClientPayloadError):
            await response.read()
        assert response.closed
        assert response.connection is None
        with pytest.raises(ClientPayloadError):
            await response.read()


# -- text


@both_ways
@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain", "Käse".encode(), "Käse"),
        ("text/plain; charset=utf-8", "Käse".encode(), "Käse"),
        ("text/plain; charset=latin-1", b"K\xe4se", "Käse"),
        ('text/plain; charset="KOI8-R"', "Сыр".encode("koi8-r"), "Сыр"),
        ("text/plain; charset=no-such-charset", "Käse".encode(), "Käse"),
        ("text/plain; charset=", "Käse".encode(), "Käse"),
        ("text/plain; charset=a\x80b", "Käse".encode(), "Käse"),
        ("application/json", "Käse".encode(), "Käse"),
    ],
)
async def test_text(content_type: str, body: bytes, text: str, streamed: bool) -> None:
    async with answer(body, f"Content-Type: {content_type}", streamed=streamed) as response:
        assert await response.text() == text


async def test_text_in_an_encoding_of_the_callers() -> None:
    async with answer(b"K\xe4se", "Content-Type: text/plain; charset=utf-8") as response:
        assert await response.text("latin-1") == "Käse"
        assert await response.text(encoding="cp1252") == "Käse"


async def test_text_that_is_not_in_its_charset_is_an_error_unless_told_otherwise() -> None:
    async with answer(b"K\xe4se", "Content-Type: text/plain; charset=utf-8") as response:
        with pytest.raises(UnicodeDecodeError):
            await response.text()
        assert await response.text(errors="replace") == "K\ufffdse"
        assert await response.text(errors="ignore") == "Kse"
        assert await response.read() == b"K\xe4se"


@pytest.mark.parametrize("charset", ["", "; charset=no-such-charset"])
async def test_the_session_says_what_charset_a_text_has_that_does_not_say_it(charset: str) -> None:
    asked: list[tuple[ClientResponse, bytes]] = []

    def resolver(response: ClientResponse, body: bytes) -> str:
        asked.append((response, body))
        return "cp1251"

    session = {"fallback_charset_resolver": resolver}
    async with answer("Сыр".encode("cp1251"), f"Content-Type: text/plain{charset}", session=session) as response:
        assert await response.text() == "Сыр"
        assert asked == [(response, "Сыр".encode("cp1251"))]
    async with answer("Сыр".encode(), "Content-Type: text/plain; charset=utf-8", session=session) as response:
        assert await response.text() == "Сыр"
        assert len(asked) == 1


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("text/plain; charset=Latin-1", "iso8859-1"),
        ("text/plain", "utf-8"),
        ("application/json", "utf-8"),
        ("application/rdap+json", "utf-8"),
        ("application/json; charset=utf-16", "utf-16"),
    ],
)
async def test_get_encoding(content_type: str, encoding: str) -> None:
    async with answer(b"{}", f"Content-Type: {content_type}") as response:
        await response.read()
        assert response.get_encoding() == encoding


async def test_the_encoding_of_a_text_that_was_not_read_is_not_known() -> None:
    async with answer(b"text", "Content-Type: text/plain") as response:
        with pytest.raises(RuntimeError, match="not yet read"):
            response.get_encoding()


# -- json


@both_ways
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/problem+json",
        "application/vnd.api+json;version=1",
        "application/json-seq",
    ],
)
async def test_json(content_type: str, streamed: bool) -> None:
    value = {"a": [1, None, "ä"]}
    body = json.dumps(value, ensure_ascii=False).encode()
    async with answer(body, f"Content-Type: {content_type}", streamed=streamed) as response:
        assert await response.json() == value
        assert await response.json() == value


@pytest.mark.parametrize("content_type", ["", "text/html", "text/json", "json"])
async def test_json_is_what_says_that_it_is(content_type: str) -> None:
    async with answer(b"[1]", *([f"Content-Type: {content_type}"] if content_type else []), status="202 Accepted") as response:
        with pytest.raises(ContentTypeError) as caught:
            await response.json()
        error = caught.value
        assert error.status == 202
        assert error.message == f"Attempt to decode JSON with unexpected mimetype: {content_type}"
        assert error.headers == response.headers
        assert error.request_info == response.request_info
        assert error.body == b"[1]"
        assert await response.json(content_type=None) == [1]
        assert await response.json(content_type="") == [1]
        assert await response.text() == "[1]"


async def test_json_of_another_type_if_it_is_asked_for() -> None:
    async with answer(b"[1]", "Content-Type: text/javascript; charset=utf-8") as response:
        assert await response.json(content_type="text/javascript") == [1]
        assert await response.json(content_type="text/") == [1]
        with pytest.raises(ContentTypeError):
            await response.json(content_type="text/html")


@both_ways
@pytest.mark.parametrize("body", [b"", b" \r\n\t"])
async def test_no_json_is_none(body: bytes, streamed: bool) -> None:
    async with answer(body, "Content-Type: application/json", streamed=streamed) as response:
        assert await response.json() is None


async def test_an_empty_body_has_its_type_checked_all_the_same() -> None:
    async with answer(b"", "Content-Type: text/html") as response:
        with pytest.raises(ContentTypeError):
            await response.json()


async def test_json_by_another_function() -> None:
    async with answer(b' {"a": 1} ', "Content-Type: application/json") as response:
        assert await response.json(loads=lambda text: text) == '{"a": 1}'


async def test_json_in_its_charset() -> None:
    async with answer('"ä"'.encode("utf-16"), "Content-Type: application/json; charset=utf-16") as response:
        assert await response.json() == "ä"
    async with answer(b'"\xe4"', "Content-Type: application/json") as response:
        with pytest.raises(UnicodeDecodeError):
            await response.json()
        assert await response.json(encoding="latin-1") == "ä"


async def test_what_is_no_json_raises_what_its_function_raises() -> None:
    async with answer(b"{", "Content-Type: application/json") as response:
        with pytest.raises(json.JSONDecodeError):
            await response.json()
        assert await response.text() == "{"


# -- content codings


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def encoded(coding: str, data: bytes) -> bytes:
    encoder = make_encoder(coding)
    return encoder.encode(data) + encoder.finish()


br, zstd = partial(encoded, "br"), partial(encoded, "zstd")


CODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without zlib's header": ("deflate", raw_deflate),
    "br": ("br", br),
    "zstd": ("zstd", zstd),
    "capitals": ("GZip", gzip.compress),
    "two": ("gzip, br", lambda data: br(gzip.compress(data))),
    "identity": ("identity", bytes),
    "unknown": ("rot13", bytes),
}
codings = pytest.mark.parametrize(("coding", "encode"), CODINGS.values(), ids=CODINGS)
real_codings = pytest.mark.parametrize(("coding", "encode"), list(CODINGS.values())[:-2], ids=list(CODINGS)[:-2])


@both_ways
@codings
@pytest.mark.parametrize("content", [b"small", CONTENT, bytes(5_000_000)], ids=["small", "large", "zeros"])
async def test_a_coding_is_undone(coding: str, encode: Callable[[bytes], bytes], content: bytes, streamed: bool) -> None:
    async with answer(encode(content), f"Content-Encoding: {coding}", streamed=streamed) as response:
        assert await response.read() == content
        assert response.headers["Content-Encoding"] == coding


@both_ways
@real_codings
async def test_a_coding_is_undone_piece_by_piece(coding: str, encode: Callable[[bytes], bytes], streamed: bool) -> None:
    async with answer(encode(CONTENT), f"Content-Encoding: {coding}", streamed=streamed) as response:
        assert await response.content.readline() == b"line 0\n"
        pieces = [piece async for piece in response.content.iter_chunked(777)]
        assert max(map(len, pieces)) <= 777
        assert b"line 0\n" + b"".join(pieces) == CONTENT


@both_ways
@real_codings
async def test_coded_content_may_come_in_chunks(coding: str, encode: Callable[[bytes], bytes], streamed: bool) -> None:
    coded = encode(CONTENT)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for at in range(0, len(coded), 100) if (part := coded[at : at + 100]))
    start = head(fields=["Transfer-Encoding: chunked", f"Content-Encoding: {coding}"])
    gate, body = Gate(), chunks + b"0\r\n\r\n"
    script: Script = [ExpectRequest(), start, gate, Send(body, cut=1000)] if streamed else start + body
    async with ScriptedPeer(script) as peer, ClientSession() as client, client.get(peer.url) as response:
        gate.open()
        assert await response.read() == CONTENT


@both_ways
@real_codings
async def test_coded_content_that_is_cut_short_is_an_error(coding: str, encode: Callable[[bytes], bytes], streamed: bool) -> None:
    for content in (b"small", CONTENT):
        cut = encode(content)[:-1]
        async with answer(cut, f"Content-Encoding: {coding}", streamed=streamed) as response:
            with pytest.raises(ClientPayloadError):
                await response.read()
        async with answer(cut, f"Content-Encoding: {coding}", streamed=streamed) as response:
            with pytest.raises(ClientPayloadError):
                async for _ in response.content.iter_any():
                    pass


@both_ways
@real_codings
async def test_what_is_not_in_its_coding_is_an_error(coding: str, encode: Callable[[bytes], bytes], streamed: bool) -> None:
    async with answer(b"\xffnonsense" * 10, f"Content-Encoding: {coding}", streamed=streamed) as response:
        for _ in range(2):
            with pytest.raises(ClientPayloadError, match="decode"):
                await response.read()


@both_ways
@codings
async def test_a_coding_is_left_alone_if_asked(coding: str, encode: Callable[[bytes], bytes], streamed: bool) -> None:
    coded = encode(CONTENT)
    fields = f"Content-Encoding: {coding}"
    async with answer(coded, fields, streamed=streamed, auto_decompress=False) as response:
        assert await response.read() == coded
    async with answer(coded, fields, streamed=streamed, session={"auto_decompress": False}) as response:
        assert b"".join([piece async for piece in response.content.iter_any()]) == coded
    async with answer(coded, fields, streamed=streamed, session={"auto_decompress": False}, auto_decompress=True) as response:
        assert await response.read() == CONTENT if coding != "rot13" else coded


@both_ways
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
async def test_a_coding_of_no_content_at_all(coding: str, streamed: bool) -> None:
    async with answer(b"", f"Content-Encoding: {coding}", streamed=streamed) as response:
        assert await response.read() == b""
    start = head(fields=[f"Content-Encoding: {coding}"], length=500)
    async with ScriptedPeer(start) as peer, ClientSession() as client, client.head(peer.url) as response:
        assert await response.read() == b""
        assert await response.content.read() == b""
        assert response.content_length == 500
        assert response.headers["Content-Encoding"] == coding


async def test_a_small_body_that_would_inflate_without_end_is_inflated_by_demand() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    async with answer(bomb, "Content-Encoding: gzip") as response:
        assert await response.content.read(10) == bytes(10)
        assert response.content.total_bytes < 2_000_000


async def test_codings_without_number_are_refused() -> None:
    async with answer(b"x", f"Content-Encoding: {', '.join(['gzip'] * 20)}") as response:
        with pytest.raises(ClientPayloadError, match="20 content codings"):
            await response.read()


def test_every_coding_that_is_asked_for_was_tried() -> None:
    assert {coding.strip() for coding in ACCEPT_ENCODING.split(",")} <= {coding for coding, _ in CODINGS.values()}
