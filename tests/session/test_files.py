"""Forms with files, from the session to three parsers (BEHAVIOUR: requests on the wire)."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import aiohttpx
from aiohttpx import ClientSession, FormData
from aiohttpx.testing import ScriptedPeer

from ..message.form_parsers import Field
from .form_server import FormServer


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"%PDF-1.7 \xff\0")
    return path


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete", "query", "options"])
async def test_files_on_every_verb(verb: str, report: Path) -> None:
    async with FormServer() as server, ClientSession() as session:
        with report.open("rb") as file:
            async with getattr(session, verb)(server.url, files={"upload": file}) as response:
                assert await response.text() == "ok"
        assert server.requests[-1].method == verb.upper()
        assert server.fields == [Field("upload", "report.pdf", b"%PDF-1.7 \xff\0")]
        assert server.requests[-1].content_length == len(server.requests[-1].body)


async def test_files_on_request_and_without_a_session(report: Path) -> None:
    async with FormServer() as server, ClientSession() as session:
        async with session.request("POST", server.url, files={"raw": b"data"}):
            assert server.fields == [Field("raw", "raw", b"data")]
        async with aiohttpx.request("POST", server.url, data={"a": "1"}, files={"raw": b"data"}):
            assert server.fields == [Field("a", None, b"1"), Field("raw", "raw", b"data")]


async def test_files_in_all_their_forms(report: Path) -> None:
    async with FormServer() as server, ClientSession() as session:
        with report.open("rb") as file:
            files = [
                ("a", file),
                ("b", b"bytes"),
                ("c", "text"),
                ("d", ("d.txt", "text")),
                ("e", ("e.png", io.BytesIO(b"PNG"), "image/png")),
                ("f", ("f.txt", b"x", "text/x", {"X-Part": "yes"})),
                ("g", (None, "a value")),
            ]
            async with session.post(server.url, data={"n": 1}, files=files):
                pass
        assert server.fields == [
            Field("a", "report.pdf", b"%PDF-1.7 \xff\0"),
            Field("b", "b", b"bytes"),
            Field("c", "c", b"text"),
            Field("d", "d.txt", b"text"),
            Field("e", "e.png", b"PNG"),
            Field("f", "f.txt", b"x"),
            Field("g", None, b"a value"),
            Field("n", None, b"1"),
        ]
        assert b"Content-Type: application/pdf\r\n" in server.requests[-1].body
        assert b"Content-Type: image/png\r\n" in server.requests[-1].body
        assert b"Content-Type: text/x\r\nX-Part: yes\r\n" in server.requests[-1].body


@pytest.mark.parametrize("empty", [{}, [], None, ()], ids=repr)
async def test_no_files_change_nothing(empty: Any) -> None:
    async with FormServer() as server, ClientSession() as session:
        async with session.post(server.url, data={"a": "1"}, files=empty):
            assert server.requests[-1].body == b"a=1"
        async with session.post(server.url, json={"a": "1"}, files=empty):
            assert server.requests[-1].body == b'{"a": "1"}'


@pytest.mark.parametrize(
    "body", [{"json": {}}, {"data": b"x"}, {"data": "x"}, {"data": [("a", "b")]}, {"data": FormData()}], ids=str
)
async def test_files_go_with_no_other_body(body: dict[str, Any]) -> None:
    async with FormServer() as server, ClientSession() as session:
        with pytest.raises(ValueError, match="files can be used with a mapping as data"):
            await session.post(server.url, files={"a": b"x"}, **body)
        assert server.connections == 0


@pytest.mark.parametrize(
    "files",
    [
        {"a\r\nX-Evil: 1": b"x"},
        {"a": ("b\0", b"x")},
        {"a": ("b", b"x", "text/plain\r\nX-Evil: 1")},
        {"a": ("b", b"x", None, {"X-Evil": "1\r\n"})},
    ],
    ids=str,
)
async def test_nothing_is_sent_of_a_form_that_would_say_more_than_it_should(files: dict[str, Any]) -> None:
    async with FormServer() as server, ClientSession() as session:
        with pytest.raises(ValueError, match=r"form field|field X-Evil"):
            await session.post(server.url, files=files)
        with pytest.raises(TypeError, match="'photo'"):
            await session.post(server.url, files={"photo": None})
        assert server.connections == 0


async def test_data_with_a_file_or_bytes_is_multipart(report: Path) -> None:
    async with FormServer() as server, ClientSession() as session:
        with report.open("rb") as file:
            async with session.post(server.url, data={"file": file, "raw": b"1", "text": "käse"}):
                pass
        assert server.fields == [
            Field("file", "report.pdf", b"%PDF-1.7 \xff\0"),
            Field("raw", "raw", b"1"),
            Field("text", None, "käse".encode()),
        ]


async def test_a_form_is_sent_again_with_the_same_boundary() -> None:
    form = FormData({"a": "1", "raw": b"2"})
    async with FormServer() as server, ClientSession() as session:
        for _ in range(3):
            async with session.post(server.url, data=form):
                pass
        assert len({request.body for request in server.requests}) == 1
        assert len(server.requests) == 3
        async with session.post(server.url, data=FormData({"a": "1"})):
            assert server.requests[-1].body == b"a=1"
            assert server.requests[-1].headers["content-type"] == "application/x-www-form-urlencoded"


async def test_a_form_of_unknown_size_is_chunked() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async with FormServer() as server, ClientSession() as session:
        async with session.post(server.url, data={"stream": pieces(), "a": "1"}):
            pass
        assert server.requests[-1].content_length is None
        assert server.fields == [Field("a", None, b"1"), Field("stream", None, b"one two")]


async def test_a_large_file_arrives_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    content = bytes(range(256)) * 16_000
    path.write_bytes(content)
    async with FormServer() as server, ClientSession() as session:
        with path.open("rb") as file:
            async with session.post(server.url, files={"large": file, "small": b"1"}, data={"a": "b"}):
                pass
        large = Field("large", "large.bin", content)
        assert server.fields == [Field("a", None, b"b"), large, Field("small", "small", b"1")]


async def test_on_the_wire() -> None:
    form = FormData({"text": "ü", "file": io.BytesIO(b"\xff")}, boundary="0123456789abcdef0123456789abcdef")
    async with ScriptedPeer(b"HTTP/1.1 204 No Content\r\n\r\n") as peer, ClientSession() as session:
        async with session.post(peer.url, data=form):
            pass
        head, _, body = peer.received.partition(b"\r\n\r\n")
    expected = (
        b"--0123456789abcdef0123456789abcdef\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b'Content-Disposition: form-data; name="text"\r\n\r\n'
        b"\xc3\xbc\r\n"
        b"--0123456789abcdef0123456789abcdef\r\n"
        b"Content-Type: application/octet-stream\r\n"
        b'Content-Disposition: form-data; name="file"; filename="file"\r\n\r\n'
        b"\xff\r\n"
        b"--0123456789abcdef0123456789abcdef--\r\n"
    )
    assert body == expected
    assert head.endswith(
        b"\r\nContent-Length: %d\r\nContent-Type: multipart/form-data; boundary=0123456789abcdef0123456789abcdef" % len(expected)
    )


async def test_an_explicit_content_type_wins() -> None:
    fields = {"Content-Type": "multipart/x; boundary=y"}
    async with (
        FormServer() as server,
        ClientSession() as session,
        session.post(server.url, files={"a": b"x"}, headers=fields),
    ):
        assert server.requests[-1].headers["content-type"] == "multipart/x; boundary=y"
