from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpx import BodyPartReader, ClientPayloadError, MultipartReader, MultipartWriter, StreamReader
from aiohttpx.errors import BadHttpMessage, InvalidHeader, LineTooLong
from aiohttpx.message.multipart_reader import MAX_DEPTH

from ..turns import turns_during
from .pieces import Pieces

CUTS = pytest.mark.parametrize("cut", [1, 2, 3, 7, None], ids=lambda cut: f"cut={cut}")
MIXED = {"Content-Type": "multipart/mixed; boundary=b"}


def reader_of(body: bytes, cut: int | None = None, headers: dict[str, str] = MIXED, **limits: Any) -> MultipartReader:
    return MultipartReader(headers, Pieces.of(body, cut), **limits)


async def contents_of(reader: MultipartReader) -> list[Any]:
    """The contents of the parts, a list for a nested body."""
    contents: list[Any] = []
    async for part in reader:
        contents.append(await part.read() if isinstance(part, BodyPartReader) else await contents_of(part))
    return contents


#: Bodies with the boundary "b", and their parts.
BODIES: dict[str, tuple[bytes, list[Any]]] = {
    "one": (b"--b\r\n\r\none\r\n--b--\r\n", [b"one"]),
    "two": (b"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", [b"one", b"two"]),
    "none": (b"--b--\r\n", []),
    "an empty part": (b"--b\r\n\r\n--b--", [b""]),
    "two empty parts": (b"--b\r\n\r\n--b\r\n\r\n\r\n--b--", [b"", b""]),
    "fields only": (b"--b\r\nX-A: 1\r\n\r\n--b--", [b""]),
    "a preamble": (b"Not supported.\r\n--bx\r\n--\r\n \r\n--b\r\n\r\none\r\n--b--", [b"one"]),
    "an empty line before": (b"\r\n--b\r\n\r\none\r\n--b--", [b"one"]),
    "a preamble with other line ends": (b"one\ntwo\n--b\r\n\r\none\r\n--b--", [b"one"]),
    "a preamble like a boundary": (b"--bb\r\n--b x\r\n-\r\n--b\r\n\r\none\r\n--b--", [b"one"]),
    "an epilogue": (b"--b\r\n\r\none\r\n--b--\r\nepilogue\r\n--b\r\n\r\nnothing\r\n--b--", [b"one"]),
    "spaces after boundaries": (b"--b \t \r\n\r\none\r\n--b  \r\n\r\ntwo\r\n--b-- \t", [b"one", b"two"]),
    "no last line end": (b"--b\r\n\r\none\r\n--b--", [b"one"]),
    "line feeds in heads": (b"--b\nX-A: 1\n\none\r\n--b\n\ntwo\r\n--b--", [b"one", b"two"]),
    "a length": (b"--b\r\nContent-Length: 7\r\n\r\n\r\n--b\r\n\r\n--b--", [b"\r\n--b\r\n"]),
    "nested": (
        b"--b\r\nContent-Type: multipart/x; boundary=c\r\n\r\npreamble\r\n--c\r\n\r\none\r\n--c\r\n\r\ntwo\r\n--c--\r\nepilogue"
        b"\r\n--b\r\n\r\nthree\r\n--b--",
        [[b"one", b"two"], b"three"],
    ),
    "nested without space": (
        b"--b\r\nContent-Type: multipart/x; boundary=c\r\n\r\n--c\r\n\r\none\r\n--c--\r\n--b--",
        [[b"one"]],
    ),
    "nested with nothing in it": (
        b"--b\r\nContent-Type: multipart/x; boundary=c\r\n\r\n--c--\r\n--b\r\n\r\none\r\n--b--",
        [[], b"one"],
    ),
    "nested with a longer boundary": (
        b"--b\r\nContent-Type: multipart/x; boundary=bb\r\n\r\n--bb\r\n\r\none\r\n--bb--\r\n--b\r\n\r\ntwo\r\n--b--",
        [[b"one"], b"two"],
    ),
    "nested twice, ending line by line": (
        b"--b\r\nContent-Type: multipart/x; boundary=c\r\n\r\n--c\r\nContent-Type: multipart/x; boundary=d\r\n\r\n"
        b"--d\r\n\r\none\r\n--d--\r\n--c--\r\n\r\n--b--\r\n",
        [[[b"one"]]],
    ),
}


@CUTS
@pytest.mark.parametrize(("body", "contents"), BODIES.values(), ids=BODIES)
async def test_bodies(body: bytes, contents: list[Any], cut: int | None) -> None:
    reader = reader_of(body, cut)
    assert await contents_of(reader) == contents
    assert reader.at_eof()
    assert await reader.next() is None


@CUTS
@pytest.mark.parametrize(("body", "contents"), BODIES.values(), ids=BODIES)
async def test_parts_that_are_not_read_are_skipped(body: bytes, contents: list[Any], cut: int | None) -> None:
    reader = reader_of(body, cut)
    parts = [part async for part in reader]
    assert [isinstance(part, MultipartReader) for part in parts] == [isinstance(content, list) for content in contents]
    assert all(part.at_eof() for part in parts)
    released = reader_of(body, cut)
    await released.release()
    await released.release()
    assert released.at_eof()
    assert await released.next() is None


async def test_the_next_part_ends_the_last_one_half_read() -> None:
    reader = reader_of(b"--b\r\n\r\nfirst\r\n--b\r\n\r\nsecond\r\n--b--")
    first = await reader.next()
    assert isinstance(first, BodyPartReader)
    assert await first.read_chunk(2) == b"fi"
    second = await reader.next()
    assert isinstance(second, BodyPartReader)
    assert first.at_eof()
    assert await first.read() == b""
    assert await second.read() == b"second"


@CUTS
async def test_fields(cut: int | None) -> None:
    reader = reader_of(
        b"--b\r\nContent-Type: text/plain;\r\n charset=latin-1\r\nX-A: 1\r\nx-a: 2\r\nX-\xc3: no\r\n\r\n".replace(
            b"X-\xc3: no\r\n", b'Content-Disposition: attachment; filename="k\xc3\xa4se"\r\n'
        )
        + b"\xe4\r\n--b--",
        cut,
    )
    part = await reader.next()
    assert isinstance(part, BodyPartReader)
    assert part.headers["content-type"] == "text/plain; charset=latin-1"
    assert part.headers.getall("X-A") == ["1", "2"]  # type: ignore[attr-defined]
    assert part.filename == "käse"
    assert await part.text() == "ä"


# -- broken bodies


@CUTS
@pytest.mark.parametrize(
    ("body", "error", "text"),
    [
        (b"", ValueError, "Could not find starting boundary b'--b'"),
        (b"no boundary at all\r\n", ValueError, "Could not find starting boundary"),
        (b"---b\r\n\r\none\r\n---b--", ValueError, "Could not find starting boundary"),
        (b"--b", ValueError, "Could not find starting boundary"),
        (b"--b\r", ValueError, "Could not find starting boundary"),
        (b"--b\r\n", ValueError, "ends within the head of a part"),
        (b"--b\r\nX-A: 1", ValueError, "ends within the head of a part: b'X-A: 1'"),
        (b"--b\r\nX-A: 1\r\n", ValueError, "ends within the head of a part"),
        (b"--b\r\n\r\none", ValueError, "ends within a part"),
        (b"--b\r\n\r\none\r\n--", ValueError, "ends within a part"),
        (b"--b\r\n\r\none\r\n--b", ValueError, "Invalid boundary, expected b'--b'"),
        (b"--b\r\n\r\none\r\n--b\r", ValueError, "Invalid boundary"),
        (b"--b\r\n\r\none\r\n--bx\r\n\r\ntwo\r\n--b--", ValueError, "Invalid boundary, expected b'--b', and then not b'x"),
        (b"--b\r\n\r\none\r\n--b-x\r\n", ValueError, "Invalid boundary"),
        (b"--b\r\n\r\none\r\n--b-\r\n\r\ntwo\r\n--b--", ValueError, "Invalid boundary"),
        (b"--b\r\n\r\none\r\n--b -\r\n", ValueError, "Invalid boundary"),
        (b"--b\r\n\r\none\r\n--b" + b" " * 300 + b"\r\n\r\ntwo\r\n--b--", ValueError, "Invalid boundary"),
        (b"--b\r\nContent-Length: 2\r\n\r\none\r\n--b--", ValueError, "malformed"),
        (b"--b\r\nContent-Length: x\r\n\r\none\r\n--b--", ValueError, "Content-Length"),
        (b"--b\r\nno colon\r\n\r\none\r\n--b--", InvalidHeader, "b'no colon'"),
        (b"--b\r\nX-A: \0\r\n\r\none\r\n--b--", InvalidHeader, "NUL"),
        (b"--b\r\n--b--\r\n", ValueError, "ends within the head of a part"),
        (b"--b\r\n--b--\r\n\r\n", InvalidHeader, "b'--b--'"),
        (b"--b\r\nContent-Length: 0\r\n\r\n\r\n", ValueError, "Invalid boundary"),
        (b"--b\r\nContent-Length: 0\r\n\r\n\r\n-", ValueError, "Invalid boundary"),
        (b"--b\r\nContent-Length: 0\r\n\r\n\r\nother", ValueError, "Invalid boundary"),
        (b"--b\r\nContent-Type: multipart/x\r\n\r\n", ValueError, "boundary missed"),
        (b"--b\r\nContent-Type: multipart/x; boundary=c\r\n\r\n--c\r\n\r\none\r\n--b--", ValueError, "ends within a part"),
        (b"--b\r\nContent-Type: multipart/x; boundary=c\r\n\r\n--c--\r\n", ValueError, "Could not find boundary b'--b'"),
    ],
)
async def test_a_broken_body_is_an_error_however_it_is_cut(
    body: bytes, error: type[Exception], text: str, cut: int | None
) -> None:
    with pytest.raises(error) as raised:
        await contents_of(reader_of(body, cut))
    assert text in str(raised.value)
    with pytest.raises(error):
        await reader_of(body, cut).release()


async def test_errors_of_the_content_are_passed_on() -> None:
    content = StreamReader()
    content.feed_data(b"--b\r\n\r\none")
    content.set_exception(ClientPayloadError("cut short"))
    with pytest.raises(ClientPayloadError, match="cut short"):
        await MultipartReader(MIXED, content).next()


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        (None, "multipart/\\* content type expected"),
        ("text/plain", "multipart/\\* content type expected"),
        ("multipart/mixed", "boundary missed"),
        ("multipart/mixed; boundary=", "boundary missed"),
        ('multipart/mixed; boundary=""', "boundary missed"),
        ("multipart/mixed; boundary=" + "a" * 71, "up to 70"),
        ('multipart/mixed; boundary="a\r\nb"', "no line"),
    ],
)
def test_a_content_type_without_a_boundary_is_refused(content_type: str | None, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        reader_of(b"", headers={} if content_type is None else {"Content-Type": content_type})


@pytest.mark.parametrize("boundary", ["a" * 70, "a b", "käse", "':()+_,-./=?"])
async def test_boundaries_of_any_kind(boundary: str) -> None:
    mark = b"--" + boundary.encode()
    headers = {"Content-Type": f'Multipart/Mixed; Boundary="{boundary}"'}
    assert await contents_of(reader_of(mark + b"\r\n\r\none\r\n" + mark + b"--", headers=headers)) == [b"one"]


# -- limits


@CUTS
async def test_a_field_has_a_limit(cut: int | None) -> None:
    name = b"X-A: "
    reader = reader_of(b"--b\r\n" + name + b"x" * 100 + b"\r\n\r\none\r\n--b--", cut, max_field_size=99)
    with pytest.raises(LineTooLong, match="99 bytes"):
        await reader.next()
    fits = reader_of(b"--b\r\n" + name + b"x" * 92 + b"\r\n\r\none\r\n--b--", cut, max_field_size=99)
    assert await contents_of(fits) == [b"one"]


async def test_an_endless_field_is_not_collected() -> None:
    pieces = Pieces([b"--b\r\n", *[b"x" * 4096] * 1000])
    with pytest.raises(LineTooLong, match="8190 bytes"):
        await MultipartReader(MIXED, pieces).next()
    assert pieces.reads < 5


@CUTS
async def test_a_part_has_only_so_many_fields(cut: int | None) -> None:
    head = b"".join(b"X-%d: 1\r\n" % number for number in range(6))
    with pytest.raises(BadHttpMessage, match="more than 5"):
        await reader_of(b"--b\r\n" + head + b"\r\n", cut, max_headers=5).next()
    part = await reader_of(b"--b\r\n" + head + b"\r\n", cut, max_headers=6).next()
    assert part is not None
    assert len(part.headers) == 6


async def test_there_may_be_a_limit_of_parts() -> None:
    body = b"--b\r\n\r\none\r\n" * 4 + b"--b--"
    assert len(await contents_of(reader_of(body, max_parts=4))) == 4
    with pytest.raises(ValueError, match="more than 3 parts"):
        await contents_of(reader_of(body, max_parts=3))


async def test_reading_a_part_has_the_limit_of_its_reader() -> None:
    nested = b"--b\r\nContent-Type: multipart/x; boundary=c\r\n\r\n--c\r\n\r\nlarge\r\n--c--\r\n--b--"
    for body in (b"--b\r\n\r\nlarge\r\n--b--", nested):
        with pytest.raises(ValueError, match="more than 4 bytes"):
            await contents_of(reader_of(body, client_max_size=4))
        with pytest.raises(KeyError):
            await contents_of(reader_of(body, client_max_size=4, max_size_error_cls=KeyError))


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 5000])
async def test_bodies_are_nested_only_so_deep(depth: int) -> None:
    body = b"".join(
        b"--b%d\r\nContent-Type: multipart/x; boundary=b%d\r\n\r\n" % (number, number + 1) for number in range(1, depth)
    )
    body += b"--b%d--\r\n" % depth + b"".join(b"--b%d--\r\n" % number for number in range(depth - 1, 0, -1))
    reader = reader_of(body, headers={"Content-Type": "multipart/x; boundary=b1"})
    if depth <= MAX_DEPTH:
        await reader.release()
        assert reader.at_eof()
    else:
        with pytest.raises(ValueError, match="More than 16 multipart bodies"):
            await reader.release()


def work(do: Callable[[], Any]) -> int:
    """How many Python functions are called: a measure that does not depend on the machine."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        do()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize(
    ("start", "unit"),
    [
        (b"", b"\n--bx"),
        (b"", b"\r\n--b"),
        (b"", b"\r\n"),
        (b"", b"x"),
        (b"--b\r\n", b"X-A: 1\r\n"),
        (b"--b\r\n\r\n", b"\r"),
        (b"--b\r\n\r\n", b"\r\n--"),
        (b"--b\r\n\r\n", b"\r\n--a"),
        (b"--b", b" "),
        (b"", b"--b\r\n\r\n"),
        (b"", b"--b\r\nContent-Length: 0\r\n\r\n\r\n"),
        (b"--b\r\nContent-Type: multipart/x; boundary=c\r\n\r\n", b"\n--c"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("piece", [2**16, 500])
def test_hostile_bodies_take_work_in_proportion_to_their_size(start: bytes, unit: bytes, piece: int) -> None:
    async def read(size: int) -> None:
        body = start + unit * (size // len(unit))
        reader = MultipartReader(MIXED, Pieces.of(body, piece))
        with pytest.raises((ValueError, BadHttpMessage)):
            await reader.release()

    small, large = (work(lambda size=size: asyncio.run(read(size))) for size in (20_000, 200_000))
    assert large <= 15 * small + 1000


# -- forms


CHARSET = b'--b\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\n%s\r\n'
FIELD = b'--b\r\n%sContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


@CUTS
async def test_a_form_may_name_its_charset_first(cut: int | None) -> None:
    body = CHARSET % b" latin-1 " + FIELD % (b"", b"a", b"\xe4")
    body += FIELD % (b"Content-Type: text/plain; charset=utf-8\r\n", b"b", "ä".encode()) + b"--b--"
    texts = []
    async for part in reader_of(body, cut, FORM):
        assert isinstance(part, BodyPartReader)
        texts.append((part.name, part.get_charset("none"), await part.text()))
    assert texts == [("a", "latin-1", "ä"), ("b", "utf-8", "ä")]


@pytest.mark.parametrize("charset", [b"this-value-is-too-long-to-be-a-charset", b"\xff"])
async def test_a_charset_that_is_none_is_an_error(charset: bytes) -> None:
    with pytest.raises(RuntimeError, match="Invalid default charset"):
        await reader_of(CHARSET % charset + FIELD % (b"", b"a", b"") + b"--b--", headers=FORM).next()


async def test_elsewhere_such_a_part_is_one_like_others() -> None:
    later = FIELD % (b"", b"a", b"x") + CHARSET % b"latin-1" + b"--b--"
    assert await contents_of(reader_of(later, headers=FORM)) == [b"x", b"latin-1"]
    assert await contents_of(reader_of(CHARSET % b"latin-1" + b"--b--")) == [b"latin-1"]
    assert await contents_of(reader_of(CHARSET % b"latin-1" + b"--b--", headers=FORM)) == []


# -- readers of one's own


async def test_classes_of_readers_can_be_replaced() -> None:
    class Part(BodyPartReader):
        pass

    class Nested(MultipartReader):
        part_reader_cls = Part

    class Outer(MultipartReader):
        part_reader_cls = Part
        multipart_reader_cls = Nested

    body, _ = BODIES["nested"]
    nested, part = [part async for part in Outer(MIXED, Pieces.of(body))]
    assert type(nested) is Nested
    assert type(part) is Part
    (same, _) = [part async for part in Nested(MIXED, Pieces.of(body))]
    assert type(same) is Nested


# -- the loop


async def test_the_loop_has_its_turn_between_many_parts() -> None:
    content = StreamReader()
    content.feed_data(b"--b\r\n\r\n" * 10_000 + b"--b--")
    content.feed_eof()
    parts: list[Any] = []

    async def read() -> None:
        parts.extend([part async for part in MultipartReader(MIXED, content)])

    assert await turns_during(read()) > 100
    assert len(parts) == 10_000


@given(
    parts=st.lists(st.binary(max_size=200), max_size=4),
    nested=st.lists(st.binary(max_size=50), max_size=3),
    preamble=st.sampled_from([b"", b"\r\n", b"preamble\r\n", b"--\r\n"]),
    cut=st.integers(1, 300),
)
def test_what_is_written_is_read(parts: list[bytes], nested: list[bytes], preamble: bytes, cut: int) -> None:
    async def read() -> list[Any]:
        writer, inner = MultipartWriter(), MultipartWriter("alternative")
        for content in parts:
            writer.append(content)
        for content in nested:
            inner.append(content)
        writer.append(inner)
        return await contents_of(MultipartReader(writer.headers, Pieces.of(preamble + await writer.as_bytes(), cut)))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert asyncio.run(read()) == [*parts, nested]
