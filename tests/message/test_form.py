from __future__ import annotations

import io
import re
import tempfile
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict, MultiDictProxy

from aiohttpx import BytesPayload, FormData, MultipartWriter, StreamReader, StringPayload
from aiohttpx.message.form import form_payload, form_with_files

from .form_parsers import FORM_PARSERS, Field


async def body_of(form: FormData) -> bytes:
    return await form().as_bytes()


async def parts_of(form: FormData) -> list[tuple[str, bytes]]:
    """The head, without the empty line, and the content of each part."""
    payload = form()
    assert isinstance(payload, MultipartWriter)
    body = await payload.as_bytes()
    assert payload.size == len(body)
    delimiter = b"--" + payload.boundary.encode()
    first, *parts, last = (b"\r\n" + body).split(b"\r\n" + delimiter)
    assert (first, last) == (b"", b"--\r\n")
    heads = [part.removeprefix(b"\r\n").partition(b"\r\n\r\n") for part in parts]
    return [(head.decode(), content) for head, _, content in heads]


def text_part(name: str, content: bytes) -> tuple[str, bytes]:
    return f'Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name="{name}"', content


def file_part(name: str, filename: str, content: bytes, content_type: str = "application/octet-stream") -> tuple[str, bytes]:
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    return f"Content-Type: {content_type}\r\n{disposition}", content


# -- urlencoded


@pytest.mark.parametrize(
    "fields",
    [
        {"a": "1", "b": "x y"},
        [("a", "1"), ["b", "x y"]],
        (("a", "1"), {"b": "x y"}),
        MultiDict([("a", "1"), ("b", "x y")]),
        MultiDictProxy(MultiDict([("a", "1"), ("b", "x y")])),
        [MultiDict([("a", "1"), ("b", "x y")])],
    ],
    ids=lambda fields: type(fields).__name__,
)
async def test_texts_are_urlencoded(fields: Any) -> None:
    form = FormData(fields)
    assert not form.is_multipart
    payload = form()
    assert payload.content_type == "application/x-www-form-urlencoded"
    assert await payload.as_bytes() == b"a=1&b=x+y"


async def test_a_charset_other_than_utf8_is_said() -> None:
    payload = FormData({"ä": "€"}, charset="iso-8859-15")()
    assert payload.content_type == "application/x-www-form-urlencoded; charset=iso-8859-15"
    assert await payload.as_bytes() == b"%E4=%A4"


async def test_an_empty_form() -> None:
    assert await body_of(FormData()) == b""
    assert await parts_of(FormData(default_to_multipart=True)) == []


def test_what_cannot_be_urlencoded_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="'photo'"):
        FormData({"photo": {"nested": 1}})()


# -- multipart


async def test_a_file_makes_a_form_multipart() -> None:
    form = FormData({"text": "käse", "file": io.BytesIO(b"\0\xff")})
    assert form.is_multipart
    assert await parts_of(form) == [text_part("text", "käse".encode()), file_part("file", "file", b"\0\xff")]


@pytest.mark.parametrize("value", [b"data", bytearray(b"data"), memoryview(b"data")], ids=lambda value: type(value).__name__)
async def test_bytes_are_a_file_named_after_their_field(value: Any) -> None:
    assert await parts_of(FormData({"raw": value})) == [file_part("raw", "raw", b"data")]


async def test_a_file_has_its_own_name_and_the_type_that_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(b"a,b\r\n")
    with path.open("rb") as file, path.open("rb") as again:
        form = FormData([file, ("table", again)])
        expected = [file_part(name, "report.csv", b"a,b\r\n", "text/csv") for name in ("report.csv", "table")]
        assert await parts_of(form) == expected


async def test_a_single_file_is_a_form_and_may_have_no_name() -> None:
    assert await parts_of(FormData(io.BytesIO(b"x"))) == [file_part("unknown", "unknown", b"x")]


async def test_a_text_file_is_sent_in_the_charset_of_its_content_type() -> None:
    form = FormData()
    file = io.TextIOWrapper(io.BytesIO("日本".encode()), encoding="utf-8")
    form.add_field("foo", file, content_type="text/plain; charset=shift-jis")
    form.add_field("io", io.StringIO("käse"))
    payload = form()
    assert payload.size is None
    body = await payload.as_bytes()
    assert "日本".encode("shift-jis") in body
    assert b'Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name="io"; filename="io"' in body


async def test_add_field_says_what_a_value_is() -> None:
    form = FormData()
    form.add_field("plain", "1")
    assert not form.is_multipart
    form.add_field("json", "{}", content_type="application/json")
    assert form.is_multipart
    form.add_field("named", "text", filename="a.txt")
    form.add_field("both", b"GIF", filename="a.gif", content_type="image/gif")
    assert await parts_of(form) == [
        text_part("plain", b"1"),
        ('Content-Type: application/json\r\nContent-Disposition: form-data; name="json"', b"{}"),
        file_part("named", "a.txt", b"text", "text/plain; charset=utf-8"),
        file_part("both", "a.gif", b"GIF", "image/gif"),
    ]


async def test_numbers_and_several_values_are_sent_as_in_an_urlencoded_form() -> None:
    form = FormData({"n": 1, "d": Decimal("1.10"), "several": ["a", 2], "none": ()}, default_to_multipart=True)
    assert await parts_of(form) == [
        text_part("n", b"1"),
        text_part("d", b"1.10"),
        text_part("several", b"a"),
        text_part("several", b"2"),
    ]


async def test_payloads_and_streams_are_parts_too() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    stream = StreamReader()
    stream.feed_data(b"content")
    stream.feed_eof()
    form = FormData({"payload": BytesPayload(b"x", content_type="a/b"), "pieces": pieces(), "stream": stream})
    assert form.is_multipart
    payload = form()
    assert payload.size is None
    assert not payload.replayable
    body = await payload.as_bytes()
    assert b'Content-Type: a/b\r\nContent-Disposition: form-data; name="payload"\r\n\r\nx\r\n' in body
    assert b'name="pieces"\r\n\r\none two\r\n' in body
    assert b'name="stream"\r\n\r\ncontent\r\n' in body


@pytest.mark.parametrize("value", [None, object(), {"x": 1}, [None]], ids=repr)
def test_a_value_that_cannot_be_sent_is_refused_by_the_name_of_its_field(value: Any) -> None:
    with pytest.raises(TypeError, match="'photo'"):
        FormData({"photo": value}, default_to_multipart=True)()
    form = FormData()
    form.add_field("photo", value, filename="photo.jpg")
    with pytest.raises(TypeError, match="'photo'"):
        form()


@pytest.mark.parametrize("fields", ["as", "asdf", b"as", 1, [1], ["ab"], [("a",)], [("a", "b", "c")]], ids=repr)
def test_what_is_no_form_is_refused(fields: Any) -> None:
    with pytest.raises(TypeError, match="A form consists of"):
        FormData(fields)


def test_a_transfer_encoding_is_accepted_and_makes_no_difference() -> None:
    form = FormData()
    with pytest.warns(DeprecationWarning, match="content_transfer_encoding"):
        form.add_field("a", b"x", content_transfer_encoding="base64")
    assert form.is_multipart
    assert 'name="a"\r\n\r\nx\r\n' in form().decode()
    with pytest.raises(TypeError, match="content_transfer_encoding"):
        form.add_field("a", "x", content_transfer_encoding=1)


# -- its boundary


async def test_each_form_has_a_boundary_of_its_own_and_keeps_it() -> None:
    first, second = (FormData({"a": b""}) for _ in range(2))
    assert first().content_type != second().content_type
    assert first().content_type == first().content_type
    assert re.fullmatch("multipart/form-data; boundary=[0-9a-f]{32}", first().content_type)


async def test_a_boundary_can_be_given() -> None:
    form = FormData({"a": b"x"}, boundary="my boundary")
    payload = form()
    assert payload.content_type == 'multipart/form-data; boundary="my boundary"'
    assert (await payload.as_bytes()).endswith(b"\r\n--my boundary--\r\n")
    with pytest.raises(ValueError, match="boundary"):
        FormData({"a": b"x"}, boundary="a\n")()


# -- more than once


async def test_a_form_can_be_used_again_and_grow() -> None:
    form = FormData({"text": "1", "bytes": io.BytesIO(b"xyz"), "io": io.StringIO("text")})
    first = await body_of(form)
    assert await body_of(form) == first
    form.add_field("more", "2")
    assert (await body_of(form)).startswith(first.removesuffix(b"--\r\n") + b"\r\n")
    assert [content for _, content in await parts_of(form)] == [b"1", b"xyz", b"text", b"2"]


# -- names, as browsers write them


@pytest.mark.parametrize("text", ["a\r", "a\nb", "\r\n", "a\0b", "a\ud800"], ids=ascii)
@pytest.mark.parametrize("quote_fields", [True, False])
def test_line_ends_and_nul_are_refused_by_name(text: str, quote_fields: bool) -> None:
    form = FormData(quote_fields=quote_fields)
    with pytest.raises(ValueError, match="The name of a form field"):
        form.add_field(text, "x")
    with pytest.raises(ValueError, match="The filename of a form field"):
        form.add_field("a", b"x", filename=text)
    with pytest.raises(ValueError, match="The content_type of a form field"):
        form.add_field("a", "x", content_type=text)
    with pytest.raises(ValueError, match="The name of a form field"):
        FormData({text: "x"})


def test_the_name_of_a_file_on_disk_is_checked_too() -> None:
    file = io.BytesIO(b"x")
    file.name = "evil\r\nX-Header: 1"
    with pytest.raises(ValueError, match="filename"):
        FormData({"a": file})


@pytest.mark.parametrize("wrong", [0, 0.1, {}, [], b"foo"], ids=repr)
def test_names_are_str(wrong: Any) -> None:
    form = FormData()
    with pytest.raises(TypeError, match="name"):
        form.add_field(wrong, "x")
    with pytest.raises(TypeError, match="filename"):
        form.add_field("a", "x", filename=wrong)
    with pytest.raises(TypeError, match="content_type"):
        form.add_field("a", "x", content_type=wrong)


async def test_only_quotes_are_escaped_unless_the_caller_sees_to_them() -> None:
    nasty = 'a"b \\ % ; ключ.txt'
    ((head, _),) = await parts_of(FormData([(nasty, io.BytesIO())]))
    assert head.endswith('form-data; name="a%22b \\ % ; ключ.txt"; filename="a%22b \\ % ; ключ.txt"')
    ((head, _),) = await parts_of(FormData([(nasty, io.BytesIO())], quote_fields=False))
    assert head.endswith(f'form-data; name="{nasty}"; filename="{nasty}"')


# -- what servers make of it

NASTY = [
    "plain",
    "",
    " ",
    "  spaces  around ",
    "tab\there",
    "semi;colon=equals, comma",
    "apostrophe's `backtick` (parens) <angles> {braces} [brackets]",
    "100% %41 +plus+ &amp; &",
    "ключ",
    "日本語の名前",
    "👩‍👩‍👧‍👦 e\u0301",
    "\u202eright to left",
    "del\x7f bell\x07 nbsp\xa0",
    "name[]",
    "a.b.c",
    "../../etc/passwd",
    "x" * 900,
]
CONTENTS = [
    b"",
    b"\r\n",
    b"\n",
    b"\r",
    b"--",
    b"\r\n--",
    b"a\r\n\r\nb\r\n",
    b"-" * 1000,
    bytes(range(256)),
    "käse\r\n日本".encode(),
    b"\r\n" * 500,
    b"x" * 300_000,
]


@pytest.mark.parametrize("parse", FORM_PARSERS.values(), ids=FORM_PARSERS)
async def test_three_parsers_get_back_what_went_in(parse: Any) -> None:
    form = FormData(default_to_multipart=True)
    sent = []
    for name in NASTY:
        if name:  # of fields without a name they think differently
            sent.append(Field(name, None, name.encode()))
            form.add_field(name, name)
    for name, content in zip(NASTY, CONTENTS, strict=False):
        name = f"{name}file"
        sent.append(Field(name, name, content))
        form.add_field(name, io.BytesIO(content), filename=name)
    assert parse(await body_of(form), boundary_of(form)) == sent


def boundary_of(form: FormData) -> str:
    return form().content_type.partition("boundary=")[2]


QUOTED = ['"', 'a"b', '"quoted"', 'a"; filename="evil.exe', '""']
BACKSLASHED = ["a\\b", "\\", "C:\\temp", "a\\\\b", '\\"']


@pytest.mark.parametrize("name", QUOTED)
@pytest.mark.parametrize("parser", ["multipart", "werkzeug"])
async def test_quotes_come_back(parser: str, name: str) -> None:
    form = FormData([(name, "text")], default_to_multipart=True)
    assert FORM_PARSERS[parser](await body_of(form), boundary_of(form)) == [Field(name, None, b"text")]


@pytest.mark.parametrize("name", QUOTED)
async def test_python_multipart_leaves_the_escapes_of_browsers_as_they_are(name: str) -> None:
    form = FormData([(name, "text")], default_to_multipart=True)
    escaped = name.replace('"', "%22")
    assert FORM_PARSERS["python-multipart"](await body_of(form), boundary_of(form)) == [Field(escaped, None, b"text")]


@pytest.mark.parametrize("name", BACKSLASHED)
async def test_backslashes_come_back_where_they_are_read_as_browsers_write_them(name: str) -> None:
    """The others take a backslash for that of a quoted-pair, which browsers do not write."""
    form = FormData([(name, "text")], default_to_multipart=True)
    assert FORM_PARSERS["multipart"](await body_of(form), boundary_of(form)) == [Field(name, None, b"text")]


@pytest.mark.parametrize("parse", FORM_PARSERS.values(), ids=FORM_PARSERS)
@given(
    fields=st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\r\n\0"\\%'), min_size=1, max_size=20),
            st.binary(max_size=50),
        ),
        max_size=5,
        unique_by=lambda field: field[0],
    )
)
def test_so_do_names_and_contents_of_any_kind(parse: Any, fields: list[tuple[str, bytes]]) -> None:
    form = FormData(default_to_multipart=True, boundary="boundary")
    for name, content in fields:
        form.add_field(name, io.BytesIO(content), filename=f"{name}.bin")
    payload = form()
    assert payload.size is not None
    body = b"".join(drain(payload.as_bytes()))
    assert sorted(parse(body, "boundary")) == sorted(Field(name, f"{name}.bin", content) for name, content in fields)


def drain(coroutine: Any) -> list[bytes]:
    """Run a coroutine that waits for nothing."""
    with pytest.raises(StopIteration) as stopped:
        coroutine.send(None)
    return [stopped.value.value]


async def test_a_large_file_comes_back() -> None:
    content = bytes(range(256)) * 20_000
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        form = FormData()
        form.add_field("large", file, filename="large.bin")
        form.add_field("after", "it")
        body = await body_of(form)
    for name, parse in FORM_PARSERS.items():
        fields = sorted(parse(body, boundary_of(form)))
        assert fields == [Field("after", None, b"it"), Field("large", "large.bin", content)], name


# -- data= and files=


async def test_data_is_a_form_of_the_kind_that_its_values_need() -> None:
    assert await form_payload({"a": "b"}).as_bytes() == b"a=b"
    assert await form_payload([("a", "b")]).as_bytes() == b"a=b"
    for data in ({"a": b"b"}, [("x", "y"), ("a", io.BytesIO(b"b"))], [io.BytesIO(b"b")], MultiDict(a=StringPayload("b"))):
        payload = form_payload(data)
        assert isinstance(payload, MultipartWriter)
        assert b"\r\n\r\nb\r\n" in await payload.as_bytes()
    form = FormData({"a": "b"}, default_to_multipart=True)
    assert form_payload(form).content_type == form().content_type


@pytest.mark.parametrize("data", [1, object(), [1], ["ab"], [b"a"]], ids=lambda data: type(data).__name__)
def test_data_that_is_no_form_is_refused(data: Any) -> None:
    with pytest.raises(TypeError, match="A form"):
        form_payload(data)


@pytest.mark.parametrize("pairs", [dict, list, MultiDict, iter], ids=lambda kind: kind.__name__)
async def test_every_form_of_files(pairs: Any, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"PNG")
    with path.open("rb") as file, path.open("rb") as renamed:
        files = [
            ("file", file),
            ("bytes", b"raw"),
            ("str", "text"),
            ("named.csv", ("table.csv", b"1,2")),
            ("renamed", ("other.gif", renamed)),
            ("typed", ("a.txt", "{}", "application/json")),
            ("headers", ["b.txt", b"x", "text/x", {"X-Part": "1"}]),
            ("own type", ("c.txt", b"x", None, {"Content-Type": "text/y"})),
            ("nameless", (None, "value")),
        ]
        form = form_with_files(None, pairs(files))
        assert await parts_of(form) == [
            file_part("file", "photo.png", b"PNG", "image/png"),
            file_part("bytes", "bytes", b"raw"),
            file_part("str", "str", b"text", "text/plain; charset=utf-8"),
            file_part("named.csv", "table.csv", b"1,2", "text/csv"),
            file_part("renamed", "other.gif", b"PNG", "image/gif"),
            file_part("typed", "a.txt", b"{}", "application/json"),
            file_part("headers", "b.txt", b"x", "text/x\r\nX-Part: 1"),
            file_part("own type", "c.txt", b"x", "text/y"),
            text_part("nameless", b"value"),
        ]


async def test_files_come_after_the_fields_of_data() -> None:
    form = form_with_files({"a": "1", "n": 2}, {"f": b"x"})
    assert await parts_of(form) == [text_part("a", b"1"), text_part("n", b"2"), file_part("f", "f", b"x")]


@pytest.mark.parametrize("data", [b"x", "x", [("a", "b")], FormData(), BytesPayload(b"")], ids=lambda data: type(data).__name__)
def test_files_go_with_no_other_data(data: Any) -> None:
    with pytest.raises(ValueError, match="files can be used with a mapping"):
        form_with_files(data, {"f": b"x"})


@pytest.mark.parametrize("files", ["ab", b"ab", [b"x"], [("a", b"x", 1)], io.BytesIO(b"ab"), {"ab"}], ids=repr)
def test_files_are_a_mapping_or_pairs(files: Any) -> None:
    with pytest.raises(TypeError, match="files is a mapping or pairs"):
        form_with_files(None, files)


@pytest.mark.parametrize("file", [(), ("a.txt",), ("a.txt", b"", "a/b", {}, 1)], ids=repr)
def test_a_tuple_of_another_length_is_refused(file: Any) -> None:
    with pytest.raises(ValueError, match="'broken'"):
        form_with_files(None, {"broken": file})


@pytest.mark.parametrize(
    "headers", [{"X-A": "1\r\nX-B: 2"}, {"X-A\r\n": "1"}, {"Content-Length": "5"}, {"Content-Encoding": "gzip"}]
)
def test_headers_of_a_file_are_checked(headers: dict[str, str]) -> None:
    form = form_with_files(None, {"f": ("a", b"x", None, headers)})
    with pytest.raises(ValueError, match=r"field|form"):
        form()


@pytest.mark.parametrize("value", [None, object(), {"a": "b"}], ids=repr)
def test_a_file_is_no_other_thing(value: Any) -> None:
    form = form_with_files(None, {"photo": value})
    with pytest.raises(TypeError, match="'photo'"):
        form()
