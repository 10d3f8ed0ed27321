from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any

import pytest

from aiohttpx import BodyPartReader, BytesPayload, ClientPayloadError, MultipartWriter, StreamReader, get_payload
from aiohttpx.errors import LineTooLong
from aiohttpx.message.bodypart import MAX_LINE, BodyPartReaderPayload

from .pieces import Pieces
from .test_multipart import written

CUTS = pytest.mark.parametrize("cut", [1, 2, 3, 7, None], ids=lambda cut: f"cut={cut}")


def part_of(body: bytes, cut: int | None = None, headers: dict[str, str] | None = None, **options: Any) -> BodyPartReader:
    return BodyPartReader(b"--b", headers or {}, Pieces.of(body, cut), **options)


async def chunks_of(part: BodyPartReader, size: int) -> list[bytes]:
    chunks = []
    while not part.at_eof():
        chunks.append(await part.read_chunk(size))
    return chunks


#: What is between the head of a part and the boundary after it.
CONTENTS = {
    "text": b"Hello, world!",
    "empty": b"",
    "line ends": b"\r\n",
    "more line ends": b"\r\n\r\n\n\r\r\r\n",
    "almost a boundary": b"\r\n--\r\n-b\r\n--a\n--b\r--b",
    "a boundary in a line": b"x--b\r\n x--b",
    "binary": bytes(range(256)) * 4,
}
END = b"\r\n--b\r\nnext"


@CUTS
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
async def test_a_part_ends_before_its_boundary(content: bytes, cut: int | None) -> None:
    pieces = Pieces.of(content + END, cut)
    part = BodyPartReader(b"--b", {}, pieces)
    assert not part.at_eof()
    assert await part.read() == content
    assert part.at_eof()
    assert await part.read() == b""
    assert await part.read_chunk() == b""
    assert await part.readline() == b""
    await part.release()
    # What was read ahead is given back, from the boundary on.
    assert pieces.left == b"--b\r\nnext"


@CUTS
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("size", [1, 2, 5, 100, 10_000])
async def test_chunks_are_never_larger_than_asked_for(content: bytes, cut: int | None, size: int) -> None:
    chunks = await chunks_of(part_of(content + END, cut), size)
    assert b"".join(chunks) == content
    assert max(map(len, chunks), default=0) <= size
    assert all(chunks[:-1])


@CUTS
async def test_a_part_of_known_length_may_hold_its_boundary(cut: int | None) -> None:
    content = b"data\r\n--b\r\nstill data"
    part = part_of(content + END, cut, {"Content-Length": str(len(content))})
    assert await part.read() == content
    empty = part_of(END, cut, {"Content-Length": "0"})
    assert await empty.read_chunk(4) == b""
    assert empty.at_eof()


async def test_in_forms_a_length_means_nothing() -> None:
    part = part_of(b"data" + END, headers={"Content-Length": "1", "Content-Encoding": "gzip"}, subtype="form-data")
    assert await part.read(decode=True) == b"data"


@pytest.mark.parametrize("length", ["-1", "+5", "1_0", " 5", "0x5", "\uff15", "", "9" * 20], ids=repr)
def test_a_malformed_length_is_refused(length: str) -> None:
    with pytest.raises(ValueError, match="Content-Length"):
        part_of(b"", headers={"Content-Length": length})


@CUTS
@pytest.mark.parametrize("rest", [b"XX--b--", b"\r", b"", b"\n\r\n--b"], ids=repr)
async def test_a_wrong_length_is_an_error(rest: bytes, cut: int | None) -> None:
    part = part_of(b"Hello" + rest, cut, {"Content-Length": "5"})
    with pytest.raises(ValueError, match="malformed"):
        await part.read()


@CUTS
@pytest.mark.parametrize("body", [b"", b"Hello", b"Hello\r\n--", b"Hello\r\n", b"--"], ids=repr)
@pytest.mark.parametrize("headers", [{}, {"Content-Length": "99"}], ids=["delimited", "length"])
async def test_a_body_that_ends_within_a_part_is_an_error(body: bytes, cut: int | None, headers: dict[str, str]) -> None:
    async def read_chunks() -> None:
        while await chunks.read_chunk(7):
            pass

    async def read_lines() -> None:
        while await lines.readline():
            pass

    chunks, lines, whole, released = (part_of(body, cut, headers) for _ in range(4))
    for read in (read_chunks, read_lines, whole.read, released.release):
        with pytest.raises(ValueError, match="ends within a part"):
            await read()


async def test_what_came_of_a_part_that_is_cut_short_can_be_read() -> None:
    part = part_of(b"Hello, World!\r\n--")
    assert [await part.read_chunk(7) for _ in range(3)] == [b"Hello, ", b"World!", b"\r\n--"]
    with pytest.raises(ValueError, match="ends within a part"):
        await part.read_chunk(7)


async def test_what_is_there_is_given_before_more_comes() -> None:
    stream = StreamReader()
    part = BodyPartReader(b"--b", {}, stream)
    stream.feed_data(b"first message\n")
    assert await part.read_chunk() == b"first message\n"
    stream.feed_data(b"second message\r\n--b\r\n")
    assert await part.read_chunk() == b"second message"
    assert part.at_eof()
    assert stream.read_nowait() == b"--b\r\n"


async def test_a_size_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        await part_of(b"x" + END).read_chunk(0)


@CUTS
async def test_lines(cut: int | None) -> None:
    part = part_of(b"Hello\n,\r\n\r\nworld!\r\n\r\n--b--", cut)
    lines = [await part.readline() for _ in range(6)]
    assert lines == [b"Hello\n", b",\r\n", b"\r\n", b"world!\r\n", b"", b""]
    assert part.at_eof()
    part = part_of(b"one\ntwo" + END, cut)
    assert await part.readline() == b"one\n"
    assert await part.read_chunk(1) == b"t"
    assert await part.readline() == b"wo"


@pytest.mark.parametrize("cut", [1000, 2**16, None])
@pytest.mark.parametrize("end", [b"\n", b""])
async def test_a_line_has_a_limit(cut: int | None, end: bytes) -> None:
    part = part_of(b"x" * MAX_LINE + end + END, cut)
    if end:
        with pytest.raises(LineTooLong, match="131072"):
            await part.readline()
    else:
        assert len(await part.readline()) == MAX_LINE


async def test_iteration_gives_the_part_at_once() -> None:
    assert [data async for data in part_of(b"foobarbaz" + END, 3)] == [b"foobarbaz"]
    part = part_of(b"x" + END)
    assert await part.next() == b"x"
    assert await part.next() is None


@pytest.mark.parametrize("content", [b"x" * 1000, gzip.compress(b"x" * 1000)], ids=["plain", "gzip"])
async def test_a_part_has_a_limit(content: bytes) -> None:
    class TooLarge(Exception):
        pass

    coding = {"Content-Encoding": "gzip"} if content[:1] == b"\x1f" else {}
    part = part_of(content + END, headers=coding, client_max_size=999)
    with pytest.raises(ValueError, match="more than 999 bytes"):
        await part.read(decode=True)
    part = part_of(content + END, headers=coding, client_max_size=999, max_size_error_cls=TooLarge)
    with pytest.raises(TooLarge):
        await part.read(decode=True)
    assert await part_of(content + END, headers=coding, client_max_size=1000).read(decode=True) == b"x" * 1000


# -- decoding


@CUTS
@pytest.mark.parametrize(
    ("headers", "encoded"),
    [
        ({"Content-Encoding": "gzip"}, gzip.compress(b"Time to Relax!")),
        ({"Content-Encoding": "deflate"}, zlib.compress(b"Time to Relax!")),
        ({"Content-Encoding": "Deflate"}, zlib.compress(b"Time to Relax!", wbits=-15)),
        ({"Content-Encoding": "identity"}, b"Time to Relax!"),
        ({"Content-Transfer-Encoding": "base64"}, b"VGltZSB0b\r\nyBSZWxheCE="),
        ({"Content-Transfer-Encoding": "quoted-printable"}, b"Time =\r\nto=20Relax!"),
        ({"Content-Transfer-Encoding": "8bit"}, b"Time to Relax!"),
        (
            {"Content-Encoding": "gzip", "Content-Transfer-Encoding": "BASE64"},
            base64.encodebytes(gzip.compress(b"Time to Relax!")),
        ),
    ],
    ids=str,
)
async def test_what_a_part_is_packed_in_is_taken_off(headers: dict[str, str], encoded: bytes, cut: int | None) -> None:
    assert await part_of(encoded + END, cut, headers).read() == encoded
    assert await part_of(encoded + END, cut, headers).read(decode=True) == b"Time to Relax!"
    part = part_of(encoded + END, cut, headers)
    assert b"".join([piece async for piece in part.decoded()]) == b"Time to Relax!"
    data = await part_of(encoded + END, cut, headers).read()
    assert part.decode(data) == b"Time to Relax!"
    assert b"".join([piece async for piece in part.decode_iter(data)]) == b"Time to Relax!"


@pytest.mark.parametrize("headers", [{"Content-Encoding": "snappy"}, {"Content-Transfer-Encoding": "uuencode"}], ids=str)
async def test_an_unknown_encoding_is_an_error(headers: dict[str, str]) -> None:
    part = part_of(b"x" + END, headers=headers)
    with pytest.raises(RuntimeError, match="unknown content"):
        part.decode(b"x")
    with pytest.raises(RuntimeError, match="unknown content"):
        await part.read(decode=True)


@pytest.mark.parametrize("encoded", [gzip.compress(b"Time to Relax!")[:-1], b"\x1f\x8bnonsense"], ids=["cut", "broken"])
async def test_broken_codings_are_errors(encoded: bytes) -> None:
    headers = {"Content-Encoding": "gzip"}
    with pytest.raises(ClientPayloadError, match="gzip"):
        await part_of(encoded + END, headers=headers).read(decode=True)
    with pytest.raises(ClientPayloadError, match="gzip"):
        part_of(b"", headers=headers).decode(encoded)
    with pytest.raises(ClientPayloadError, match="gzip"):
        [piece async for piece in part_of(encoded + END, headers=headers).decoded()]


async def test_content_is_decoded_in_pieces() -> None:
    content = bytes(2**22)
    part = part_of(gzip.compress(content) + END, headers={"Content-Encoding": "gzip"}, max_decompress_size=2**16)
    pieces = [piece async for piece in part.decoded()]
    assert max(map(len, pieces)) <= 2**16
    assert b"".join(pieces) == content
    assert part.decode(gzip.compress(content)) == content


@CUTS
@pytest.mark.parametrize("size", [1, 4, 5, 6, 7, 13, 64, 10_000])
async def test_chunks_of_base64_can_be_decoded_one_by_one(size: int, cut: int | None) -> None:
    content = bytes(range(256)) * 2
    part = part_of(base64.encodebytes(content).replace(b"\n", b"\r\n") + END, cut, {"Content-Transfer-Encoding": "base64"})
    chunks = await chunks_of(part, size)
    assert max(map(len, chunks[:-1]), default=0) <= size
    if size > 5:  # else not even a quartet and a line end have room in it
        assert b"".join(map(part.decode, chunks)) == content


async def test_base64_without_a_quartet_is_passed_on() -> None:
    body = b"A" + b" " * (64 * 1024) + b"BBB"
    part = part_of(body + END, headers={"Content-Transfer-Encoding": "base64"})
    chunks = await chunks_of(part, 8192)
    assert b"".join(chunks) == body
    assert all(chunks)


async def test_base64_of_known_length_is_not_read_beyond_it() -> None:
    encoded = b"VGltZSB0byBSZWxheCE"  # without its padding
    headers = {"Content-Length": str(len(encoded)), "Content-Transfer-Encoding": "base64"}
    assert await chunks_of(part_of(encoded + END, headers=headers), 8192) == [encoded]


# -- what is in it


@pytest.mark.parametrize(
    ("content_type", "encoding", "coded_in"),
    [
        (None, None, "utf-8"),
        ("text/plain", None, "utf-8"),
        ("text/plain;charset=cp1251", None, "cp1251"),
        ("text/plain; charset=cp1251", "utf-16", "utf-16"),
        ("text/plain; charset=no-such-thing", None, "utf-8"),
    ],
)
async def test_text_json_and_form_are_in_a_charset(content_type: str | None, encoding: str | None, coded_in: str) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    text = "Привет, Мир!"
    assert await part_of(text.encode(coded_in) + END, headers=headers).text(encoding=encoding) == text
    data = json.dumps({"тест": "пассед"}, ensure_ascii=False).encode(coded_in)
    assert await part_of(data + END, headers=headers).json(encoding=encoding) == {"тест": "пассед"}
    pairs = [("foo", "bar"), ("foo", "Мир"), ("boo", "")]
    data = "&".join(f"{name}={value}" for name, value in pairs).encode(coded_in)
    if coded_in != "utf-16":
        assert await part_of(data + b"\r\n" + END, headers=headers).form(encoding=encoding) == pairs


async def test_the_charset_of_the_form_counts_when_the_part_names_none() -> None:
    part = part_of("ü".encode("latin-1") + END, default_charset="latin-1")
    assert part.get_charset("utf-8") == "latin-1"
    assert await part.text() == "ü"


async def test_a_part_is_decoded_before_it_is_read_as_something() -> None:
    headers = {"Content-Encoding": "deflate", "Content-Type": "application/json"}
    assert await part_of(zlib.compress(b'{"a": 1}') + END, headers=headers).json() == {"a": 1}


async def test_an_empty_part() -> None:
    assert await part_of(END).text() == ""
    assert await part_of(END).json() is None
    assert await part_of(END).form() == []


async def test_a_form_in_another_charset_is_an_error() -> None:
    with pytest.raises(ValueError, match="data cannot be decoded with utf-8 encoding"):
        await part_of(b"\xff" + END).form()


@pytest.mark.parametrize(
    ("header", "name", "filename"),
    [
        (None, None, None),
        ("attachment; filename=foo.html", None, "foo.html"),
        ('form-data; name="käse"; filename="a b.txt"', "käse", "a b.txt"),
        ("attachment; filename*=utf-8''%e2%82%ac.txt; filename=euro.txt", None, "€.txt"),
    ],
)
def test_its_names(header: str | None, name: str | None, filename: str | None) -> None:
    part = part_of(b"", headers={} if header is None else {"Content-Disposition": header})
    assert (part.name, part.filename) == (name, filename)


# -- passed on


@CUTS
async def test_a_part_can_be_sent_on_once(cut: int | None) -> None:
    content = bytes(range(256)) * 10
    headers = {
        "Content-Type": "image/png",
        "Content-Encoding": "gzip",
        "Content-Transfer-Encoding": "base64",
        "Content-Disposition": 'form-data; name="a"; filename="ü.png"',
    }
    payload = get_payload(part_of(base64.b64encode(gzip.compress(content)) + END, cut, headers))
    assert isinstance(payload, BodyPartReaderPayload)
    assert payload.size is None
    assert not payload.replayable
    assert payload.headers == {"Content-Type": "image/png", "Content-Disposition": 'attachment; name="a"; filename="ü.png"'}
    assert not payload.consumed
    assert await written(payload) == content
    assert payload.consumed
    with pytest.raises(ClientPayloadError, match="read already"):
        await written(payload)


async def test_quoted_printable_is_sent_on_line_by_line() -> None:
    encoded = b"a=20=\r\nb=3D\r\n" * 1000
    payload = get_payload(part_of(encoded + END, 11, {"Content-Transfer-Encoding": "quoted-printable"}))
    assert await written(payload) == b"a b=\r\n" * 1000


async def test_it_has_no_other_form() -> None:
    payload = BodyPartReaderPayload(part_of(b"x" + END))
    assert "Content-Disposition" not in payload.headers
    assert payload.content_type == BytesPayload(b"").content_type
    with pytest.raises(TypeError, match="Unable to decode"):
        payload.decode()
    with pytest.raises(TypeError, match="Unable to read body part as bytes"):
        await payload.as_bytes()


async def test_it_can_be_a_part_again() -> None:
    writer = MultipartWriter(boundary=":")
    writer.append(part_of(b"content" + END))
    assert not writer.replayable
    assert await written(writer) == b"--:\r\nContent-Type: application/octet-stream\r\n\r\ncontent\r\n--:--\r\n"
    assert writer.consumed


async def test_a_boundary_may_be_text() -> None:
    content = StreamReader()
    content.feed_data(b"\r\nhere\r\n--:--")
    content.feed_eof()
    assert await BodyPartReader("--:", {}, content).read() == b"\r\nhere"
