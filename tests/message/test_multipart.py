"""MultipartWriter."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import logging
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpx import (
    BufferedReaderPayload,
    BytesPayload,
    ClientPayloadError,
    JsonPayload,
    MultipartReader,
    MultipartWriter,
    Payload,
    StreamReader,
    StringPayload,
)
from aiohttpx.message.multipart import Part


class Sink:
    """A writer that keeps what it is given, call by call."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    async def write(self, chunk: Any) -> None:
        self.chunks.append(bytes(chunk))

    @property
    def data(self) -> bytes:
        return b"".join(self.chunks)


async def written(payload: Payload) -> bytes:
    sink = Sink()
    await payload.write(sink)
    return sink.data


def mixed() -> MultipartWriter:
    return MultipartWriter(boundary=":")


# -- what it is


def test_the_content_type_names_subtype_and_boundary() -> None:
    assert mixed().headers == {"Content-Type": 'multipart/mixed; boundary=":"'}
    writer = MultipartWriter("related")
    assert writer.content_type == f"multipart/related; boundary={writer.boundary}"
    assert MultipartWriter().boundary != MultipartWriter().boundary


@pytest.mark.parametrize("boundary", ["тест", "test\n", "", "x" * 71], ids=repr)
def test_a_boundary_that_cannot_be_one_is_refused(boundary: str) -> None:
    with pytest.raises(ValueError, match="boundary"):
        MultipartWriter(boundary=boundary)


def test_it_is_a_collection_of_parts() -> None:
    with mixed() as writer:
        assert len(writer) == 0
        assert writer
        first = writer.append("one")
        second = writer.append(b"two", {"Content-Encoding": "GZIP"})
    assert len(writer) == 2
    assert list(writer) == [Part(first, "", ""), Part(second, "gzip", "")]
    assert [payload for payload, _, _ in writer] == [first, second]


# -- parts


async def test_without_parts() -> None:
    assert await written(mixed()) == b"--:--\r\n"
    assert mixed().size == 7


async def test_parts_of_many_kinds() -> None:
    writer = mixed()
    writer.append("foo-bar-baz")
    writer.append(b"raw", {"X-Part": "1", "Content-Type": "a/b"})
    writer.append_json({"test": "passed"})
    writer.append_form({"test": "пас"})
    writer.append_form([("one", 1), ("two", "2 3")], {"Content-Type": "test/passed"})
    writer.append(io.BytesIO(b"in memory"))
    writer.append_payload(StringPayload("ü", encoding="latin-1"))
    body = (
        b"--:\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 11\r\n\r\nfoo-bar-baz\r\n"
        b"--:\r\nContent-Type: a/b\r\nX-Part: 1\r\nContent-Length: 3\r\n\r\nraw\r\n"
        b'--:\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n{"test": "passed"}\r\n'
        b"--:\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 23\r\n\r\ntest=%D0%BF%D0%B0%D1%81\r\n"
        b"--:\r\nContent-Type: test/passed\r\nContent-Length: 13\r\n\r\none=1&two=2+3\r\n"
        b"--:\r\nContent-Type: application/octet-stream\r\nContent-Length: 9\r\n\r\nin memory\r\n"
        b"--:\r\nContent-Type: text/plain; charset=latin-1\r\nContent-Length: 1\r\n\r\n\xfc\r\n"
        b"--:--\r\n"
    )
    assert await written(writer) == body
    assert await writer.as_bytes() == body
    assert writer.size == len(body)
    assert writer.decode("latin-1").encode("latin-1") == body


@pytest.mark.parametrize("thing", [1, 1.1, None, object(), {"a": "b"}, [b"x"]], ids=repr)
def test_what_is_no_payload_is_refused(thing: Any) -> None:
    with pytest.raises(TypeError, match="Cannot create payload"):
        mixed().append(thing)


def test_headers_given_override_those_of_a_payload() -> None:
    part = mixed().append(JsonPayload({}), {"content-type": "test/passed", "X-A": "1"})
    assert list(part.headers.values()) == ["test/passed", "1", "2"]
    assert part.content_type == "test/passed"


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nX-B: b"}, {"X-A": "\0"}, {"X A": "1"}, {"X-A\n": "1"}], ids=repr)
def test_headers_are_checked_when_they_are_given(headers: dict[str, str]) -> None:
    writer = mixed()
    with pytest.raises(ValueError, match="X"):
        writer.append(b"", headers)
    assert len(writer) == 0


async def test_headers_that_are_changed_later_are_written_and_checked() -> None:
    writer = mixed()
    part = writer.append("x")
    part.headers["X-Late"] = "1"
    part.set_content_disposition("inline", name="käse")
    assert 'X-Late: 1\r\nContent-Disposition: inline; name="käse"\r\n\r\nx'.encode() in await written(writer)
    assert writer.size == len(await writer.as_bytes())
    part.headers["X-Late"] = "1\r\n"
    with pytest.raises(ValueError, match="X-Late"):
        _ = writer.size
    with pytest.raises(ValueError, match="X-Late"):
        await written(writer)


async def test_a_file_is_an_attachment_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"PDF")
    writer = mixed()
    with path.open("rb") as file, path.open("rb") as other:
        part = writer.append(file)
        assert part.headers["Content-Disposition"] == 'attachment; filename="report.pdf"'
        kept = writer.append(other, {"Content-Disposition": "inline"})
        assert kept.headers["Content-Disposition"] == "inline"
        assert writer.size == len(await writer.as_bytes())


# -- nested


async def test_a_writer_can_be_a_part() -> None:
    inner = MultipartWriter("alternative", boundary="::")
    inner.append("nested content")
    inner.headers["X-CUSTOM"] = "test"
    outer = mixed()
    outer.append(inner)
    body = (
        b'--:\r\nContent-Type: multipart/alternative; boundary="::"\r\nX-CUSTOM: test\r\nContent-Length: 93\r\n\r\n'
        b"--::\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\nnested content\r\n--::--\r\n"
        b"\r\n--:--\r\n"
    )
    assert await written(outer) == body
    assert outer.size == len(body)


async def test_a_nested_writer_may_grow_after_it_was_appended() -> None:
    inner, outer = MultipartWriter(boundary="::"), mixed()
    outer.append(inner)
    inner.append("more")
    body = await written(outer)
    assert outer.size == len(body)
    assert f"Content-Length: {inner.size}\r\n\r\n--::\r\n".encode() in body


# -- encodings of parts


@pytest.mark.parametrize("content", [b"", b"Time to Relax!", bytes(range(256)) * 3000], ids=len)
@pytest.mark.parametrize(
    ("headers", "decode"),
    [
        ({"Content-Encoding": "gzip"}, gzip.decompress),
        ({"Content-Encoding": "deflate"}, lambda data: zlib.decompress(data, wbits=-15)),
        ({"Content-Transfer-Encoding": "base64"}, base64.b64decode),
        (
            {"Content-Encoding": "gzip", "Content-Transfer-Encoding": "Base64"},
            lambda data: gzip.decompress(base64.b64decode(data)),
        ),
        ({"Content-Encoding": "identity"}, bytes),
        ({"Content-Transfer-Encoding": "binary"}, bytes),
    ],
    ids=str,
)
async def test_a_part_can_be_encoded(headers: dict[str, str], decode: Callable[[bytes], bytes], content: bytes) -> None:
    writer = mixed()
    writer.append(io.BytesIO(content), headers)
    body = await written(writer)
    head, _, rest = body.partition(b"\r\n\r\n")
    changed = decode is not bytes
    assert (b"Content-Length" in head) is not changed
    assert decode(rest.removesuffix(b"\r\n--:--\r\n")) == content
    assert writer.size == (None if changed else len(body))
    assert await writer.as_bytes() == body


async def test_quoted_printable_is_readable() -> None:
    writer = mixed()
    part = writer.append("Käse = gut", {"Content-Transfer-Encoding": "quoted-printable", "Content-Length": "11"})
    assert "Content-Length" not in part.headers
    assert b"\r\n\r\nK=C3=A4se =3D gut\r\n--:--" in await written(writer)
    assert "\r\n\r\nK=C3=A4se =3D gut\r\n--:--" in writer.decode()


@pytest.mark.parametrize("name", ["Content-Encoding", "Content-Transfer-Encoding"])
def test_an_unknown_encoding_is_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match=r"unknown content .*snappy"):
        mixed().append("x", {name: "snappy"})


# -- form-data


def test_a_part_of_a_form_has_a_name_and_no_length(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"")
    writer = MultipartWriter("form-data")
    writer.append_json(())
    named = StringPayload("foo")
    named.set_content_disposition("form-data", name="second")
    writer.append_payload(named)
    with (tmp_path / "a.txt").open("rb") as file:
        writer.append(file)
    assert [part.payload.headers["Content-Disposition"] for part in writer] == [
        'form-data; name="section-0"',
        'form-data; name="second"',
        'form-data; name="section-2"; filename="a.txt"',
    ]
    assert not any("Content-Length" in part.payload.headers for part in writer)


@pytest.mark.parametrize("name", ["Content-Encoding", "Content-Length", "Content-Transfer-Encoding"])
def test_a_part_of_a_form_is_not_encoded(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        MultipartWriter("form-data").append("x", {name: "1"})


# -- how it is written


async def test_small_parts_are_written_at_once() -> None:
    sink, writer = Sink(), mixed()
    for number in range(100):
        writer.append(str(number))
    await writer.write(sink)
    assert len(sink.chunks) == 1


async def test_a_payload_with_a_way_of_its_own_writes_itself() -> None:
    class Shouting(BytesPayload):
        async def write(self, writer: Any) -> None:
            await writer.write(bytes(self.value).upper())

    writer = mixed()
    writer.append(Shouting(b"quiet"))
    assert b"\r\n\r\nQUIET\r\n" in await written(writer)


async def test_parts_are_not_gathered_without_bound() -> None:
    sink, writer = Sink(), mixed()
    for _ in range(40):
        writer.append(b"x" * 50_000)
    await writer.write(sink)
    assert len(sink.chunks) > 5
    assert max(map(len, sink.chunks)) < 2**19
    assert sink.data == await writer.as_bytes()


async def test_what_comes_before_a_slow_part_does_not_wait_for_it() -> None:
    sink, asked, gate, writer = Sink(), asyncio.Event(), asyncio.Event(), mixed()

    async def slow() -> AsyncIterator[bytes]:
        yield b"first"
        asked.set()
        await gate.wait()
        yield b"last"

    writer.append("before")
    writer.append(slow())
    assert writer.size is None
    task = asyncio.create_task(writer.write(sink))
    await asked.wait()
    assert b"before\r\n--:\r\n" in sink.data
    assert sink.data.endswith(b"first")
    gate.set()
    await task
    assert sink.data.endswith(b"\r\n\r\nfirstlast\r\n--:--\r\n")


async def test_without_the_last_boundary_more_can_follow() -> None:
    sink, writer = Sink(), mixed()
    writer.append("a")
    await writer.write(sink, close_boundary=False)
    assert sink.data == (await writer.as_bytes()).removesuffix(b"--:--\r\n")


async def test_it_can_be_cut_to_a_length() -> None:
    sink, writer = Sink(), mixed()
    writer.append(io.BytesIO(b"x" * 1000))
    await writer.write_with_length(sink, 600)
    assert sink.data == (await writer.as_bytes())[:600]


# -- again, and the end


async def test_it_can_be_written_again_as_long_as_its_parts_can() -> None:
    async def once() -> AsyncIterator[bytes]:
        yield b"gone"

    writer = mixed()
    writer.append("text")
    writer.append(io.BytesIO(b"bytes"))
    writer.append(io.StringIO("text io"))
    assert writer.replayable
    assert await written(writer) == await written(writer) == await writer.as_bytes()
    assert not writer.consumed
    writer.append(once())
    assert not writer.replayable
    assert not writer.consumed
    assert b"gone" in await written(writer)
    assert writer.consumed
    with pytest.raises(ClientPayloadError, match="consumed"):
        await written(writer)


async def test_closing_it_closes_every_part(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Stubborn(BytesPayload):
        _autoclose = False

        async def close(self) -> None:
            raise RuntimeError("not now")

    (tmp_path / "a.txt").write_bytes(b"")
    file = (tmp_path / "a.txt").open("rb")
    writer, inner = mixed(), mixed()
    assert writer.autoclose
    writer.append(Stubborn(b""))
    inner.append(BufferedReaderPayload(file))
    writer.append(inner)
    assert not writer.autoclose
    with caplog.at_level(logging.ERROR):
        await writer.close()
    assert "cannot be closed" in caplog.text
    async with asyncio.timeout(10):
        while not file.closed:  # noqa: ASYNC110  # that is done in a thread
            await asyncio.sleep(0.001)
    await writer.close()


# -- there and back


@given(
    contents=st.lists(st.one_of(st.binary(max_size=300), st.sampled_from([b"\r\n", b"\r\n--", b"--:", b"-"])), max_size=4),
    transfer=st.sampled_from(["", "binary", "base64", "quoted-printable"]),
    coding=st.sampled_from(["", "gzip", "deflate"]),
    length=st.booleans(),
)
def test_a_reader_gets_back_what_was_written(contents: list[bytes], transfer: str, coding: str, length: bool) -> None:
    async def there_and_back() -> list[bytes]:
        writer = MultipartWriter()
        for content in contents:
            writer.append(content)
            part = writer.append(content, {"Content-Transfer-Encoding": transfer, "Content-Encoding": coding})
            if not length:
                part.headers.popall("Content-Length", None)
        content = StreamReader()
        content.feed_data(await writer.as_bytes())
        content.feed_eof()
        return [await part.read(decode=True) async for part in MultipartReader(writer.headers, content)]

    assert asyncio.run(there_and_back()) == [content for content in contents for _ in range(2)]
