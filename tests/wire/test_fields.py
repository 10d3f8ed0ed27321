from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from multidict import MultiDict, MultiDictProxy
from yarl import URL

from aiohttpx.wire.fields import (
    BadContentDispositionHeader,
    BadContentDispositionParam,
    ContentDisposition,
    MimeType,
    content_disposition_filename,
    content_disposition_header,
    header_map,
    is_json,
    parse_content_disposition,
    parse_content_type,
    parse_links,
    parse_mimetype,
)

BASE = URL("http://example.org/list/?page=2")


# -- header_map


def test_header_map_keeps_order_spelling_and_repetition() -> None:
    headers = header_map(((b"Server", b"x"), (b"SET-Cookie", b"a=1"), (b"set-cookie", b"b=2")))
    assert list(headers.items()) == [("Server", "x"), ("SET-Cookie", "a=1"), ("set-cookie", "b=2")]
    assert headers["server"] == "x"
    assert headers.getall("Set-Cookie") == ["a=1", "b=2"]


def test_header_map_reads_utf8_and_loses_no_other_byte() -> None:
    headers = header_map(((b"X-Name", "Käse".encode()), (b"X-Old", b"K\xe4se")))
    assert headers["X-Name"] == "Käse"
    assert headers["X-Old"].encode("utf-8", "surrogateescape") == b"K\xe4se"


# -- media types


@pytest.mark.parametrize(
    ("value", "parts", "parameters"),
    [
        ("", ("", "", ""), {}),
        ("*", ("*", "*", ""), {}),
        ("text/plain", ("text", "plain", ""), {}),
        ("Application/VND.Api+JSON", ("application", "vnd.api", "json"), {}),
        ("text/plain;base64", ("text", "plain", ""), {"base64": ""}),
        ('text/html ; Charset = "UTF-8" ; ', ("text", "html", ""), {"charset": "UTF-8"}),
        (r'a/b; x="1;\"2\""; y=3', ("a", "b", ""), {"x": '1;"2"', "y": "3"}),
        ("multipart/form-data; boundary=a/b:c=d?e", ("multipart", "form-data", ""), {"boundary": "a/b:c=d?e"}),
        ('a/b; x="never closed; y=1', ("a", "b", ""), {"x": "never closed; y=1"}),
        ("a/b;; =z;;x=1", ("a", "b", ""), {"x": "1"}),
    ],
)
def test_parse_mimetype(value: str, parts: tuple[str, str, str], parameters: dict[str, str]) -> None:
    assert parse_mimetype(value) == MimeType(*parts, MultiDictProxy(MultiDict(parameters)))


def test_parse_mimetype_keeps_repeated_parameters() -> None:
    assert parse_mimetype("a/b; x=1; X=2").parameters.getall("x") == ["1", "2"]


@pytest.mark.parametrize(
    ("value", "essence", "charset"),
    [
        ("text/html; charset=UTF-8", "text/html", "UTF-8"),
        ("TEXT/HTML ;charset=utf-8; charset=latin-1", "text/html", "utf-8"),
        ("text/html; charset=utf-8 (a comment)", "text/html", "utf-8"),
        ("text/html; charset=utf-8, text/plain", "text/html", "utf-8"),
        ('text/html; charset="utf-8', "text/html", "utf-8"),
        ("text/html; charset=", "text/html", ""),
        ("text/html", "text/html", None),
        ("application/problem+json", "application/problem+json", None),
        ("", "application/octet-stream", None),
        ("text", "application/octet-stream", None),
        ("text/", "application/octet-stream", None),
        ("text/a/b; charset=x", "application/octet-stream", "x"),
        ("text/plain; x=" + "a" * 1000 + "; charset=utf-8", "text/plain", "utf-8"),
    ],
)
def test_parse_content_type(value: str, essence: str, charset: str | None) -> None:
    found, parameters = parse_content_type(value)
    assert found == essence
    assert parameters.get("charset") == charset


def test_content_type_parameters_cannot_be_changed_for_the_next_caller() -> None:
    _, parameters = parse_content_type("text/html; charset=utf-8")
    with pytest.raises(TypeError):
        parameters["charset"] = "x"  # type: ignore[index]


@pytest.mark.parametrize(
    ("content_type", "wanted", "answer"),
    [
        ("application/json", "application/json", True),
        ("Application/JSON; charset=utf-8", "application/json", True),
        ("application/vnd.api+json", "application/json", True),
        ("application/json-seq", "application/json", True),
        ("application/x-json", "application/json", False),
        ("text/json", "application/json", False),
        ("text/json+x", "application/json", False),
        ("text/html; x=application/json", "application/json", False),
        ("", "application/json", False),
        ("text/javascript", "text/javascript", True),
        ("text/javascript; charset=utf-8", "text/", True),
        ("text/html", "text/javascript", False),
    ],
)
def test_is_json(content_type: str, wanted: str, answer: bool) -> None:
    assert is_json(content_type, wanted) is answer


# -- Content-Disposition


@pytest.mark.parametrize(
    ("header", "kind", "params"),
    [
        (None, None, {}),
        ("", None, {}),
        ("INLINE", "inline", {}),
        ("attachment ", "attachment", {}),
        ('Attachment; FileName="example.html"', "attachment", {"filename": "example.html"}),
        ('attachment;\tfilename = "a.txt" ;name=b', "attachment", {"filename": "a.txt", "name": "b"}),
        ('form-data; name="a"; filename="x;y=1; z.txt"', "form-data", {"name": "a", "filename": "x;y=1; z.txt"}),
        (r'attachment; filename="a\"b\\c.txt"', "attachment", {"filename": r'a"b\c.txt'}),
        (r'attachment; filename="a\"; b=c"', "attachment", {"filename": 'a"; b=c'}),
        ('attachment; filename=""quoted" name.txt"', "attachment", {"filename": '"quoted" name.txt'}),
        ('attachment; filename="a "b; c" d"; x=1', "attachment", {"filename": 'a "b; c" d', "x": "1"}),
        (r'attachment; filename="C:\"; x=1', "attachment", {"filename": "C:\\", "x": "1"}),
        ('attachment; filename="/etc/passwd"', "attachment", {"filename": "etc/passwd"}),
        (r'attachment; filename="\\\\server"', "attachment", {"filename": "server"}),
        ("attachment; filename='a.txt'", "attachment", {"filename": "'a.txt'"}),
        ('attachment; filename="Käse.txt"', "attachment", {"filename": "Käse.txt"}),
        ("attachment; filename*=UTF-8''%e2%82%ac%20rates", "attachment", {"filename*": "€ rates"}),
        ("attachment; filename*= iso-8859-1'en'%A3%20rates", "attachment", {"filename*": "£ rates"}),
        ("attachment; filename*=''%C3%A4", "attachment", {"filename*": "ä"}),
        ('attachment; filename*0="a b"; filename*1*=c%20d', "attachment", {"filename*0": "a b", "filename*1*": "c%20d"}),
    ],
)
def test_parse_content_disposition(header: str | None, kind: str | None, params: dict[str, str]) -> None:
    assert parse_content_disposition(header) == (kind, params)


@pytest.mark.parametrize(
    "header",
    [
        '"attachment"',
        "; filename=a",
        "filename=a",
        "attachment filename=a",
        "attachment; filename",
        "attachment; filename=",
        "attachment; filename=a b",
        "attachment; filename=a,b",
        "attachment; filename=ä",
        'attachment; filename="a',
        'attachment; filename="a".txt',
        'attachment; filename=a"b;c"d',
        "attachment; filename=a; FILENAME=b",
        "attachment; inline; filename=a",
        'attachment; filename*="a; x=1',
    ],
)
def test_a_content_disposition_that_cannot_be_read_gives_nothing_and_a_warning(header: str) -> None:
    with pytest.warns(BadContentDispositionHeader):
        assert parse_content_disposition(header) == (None, {})


def test_an_empty_parameter_is_left_out_with_a_warning() -> None:
    with pytest.warns(BadContentDispositionHeader):
        assert parse_content_disposition("attachment; filename=a;") == ("attachment", {"filename": "a"})


@pytest.mark.parametrize(
    "parameter",
    [
        "filename*=no-charset",
        "filename*=UTF-8'one-quote",
        "filename*=\"UTF-8''quoted\"",
        "filename*=UTF-8''%ff",
        "filename*=no-such-charset''a",
        "filename*=idna''xn--a",
        "filename*=punycode''a",
        "filename*=unicode_escape''%5cq",
        "filename*0=a b",
        "file name=a",
        "ä=a",
    ],
)
def test_a_bad_parameter_is_left_out_with_a_warning(parameter: str) -> None:
    with pytest.warns(BadContentDispositionParam):
        assert parse_content_disposition(f"attachment; {parameter}; x=1") == ("attachment", {"x": "1"})


def test_warnings_show_a_bounded_piece_and_point_to_the_caller() -> None:
    with pytest.warns(BadContentDispositionHeader) as caught:
        parse_content_disposition('"' + "a" * 10_000)
    assert len(str(caught[0].message)) <= 100
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("params", "filename"),
    [
        ({}, None),
        ({"name": "a"}, None),
        ({"filename": "a"}, "a"),
        ({"filename": "a", "filename*": "ä"}, "ä"),
        ({"filename*": "ä", "filename*0": "b"}, "ä"),
        ({"filename*0": "a.", "filename*1": "txt"}, "a.txt"),
        ({"filename*0": "it's"}, "it's"),
        ({"filename*0": "100%41"}, "100%41"),
        ({"filename*0": "a", "filename*01": "b"}, "a"),
        ({"filename*0": "a", "filename*2": "b"}, "a"),
        ({"filename*1": "a"}, None),
        ({f"filename*{number}": str(number) for number in range(12)}, "01234567891011"),
        ({"filename*0*": "UTF-8''a%20", "filename*1": "b%41", "filename*2*": "%c3%a4"}, "a b%41ä"),
        ({"filename*0*": "UTF-8''%c3", "filename*1*": "%a4"}, "ä"),
        ({"filename*0*": "UTF-8''%ff"}, None),
        ({"filename*0*": "no-such-charset''a"}, None),
        ({"filename*0*": "\0''a"}, None),
        ({"filename*0*": "no-quotes"}, "no-quotes"),
        ({"filename*0": "a\udcff"}, "a\udcff"),
    ],
)
def test_content_disposition_filename(params: dict[str, str], filename: str | None) -> None:
    assert content_disposition_filename(params) == filename


def test_content_disposition_filename_of_another_name() -> None:
    assert content_disposition_filename({"name*": "ä", "filename": "a"}, "name") == "ä"


def test_content_disposition() -> None:
    found = ContentDisposition.parse("ATTACHMENT; filename=a; filename*=UTF-8''%c3%a4")
    assert found == ContentDisposition("attachment", {"filename": "a", "filename*": "ä"}, "ä")
    with pytest.raises(TypeError):
        found.parameters["filename"] = "b"  # type: ignore[index]


# -- Link


def links(*values: str) -> list[tuple[str, dict[str, str | URL]]]:
    return [(key, dict(link)) for key, link in parse_links(values, BASE).items()]


def test_links_by_relation_or_target() -> None:
    assert links("<?page=3>; rel=next, </>; rel=home", "<http://example.com/a>") == [
        ("next", {"rel": "next", "url": URL("http://example.org/list/?page=3")}),
        ("home", {"rel": "home", "url": URL("http://example.org/")}),
        ("http://example.com/a", {"url": URL("http://example.com/a")}),
    ]


def test_link_parameters_may_hold_every_separator() -> None:
    value = r'<a,b;c>; REL="next"; title="x, <y>; \"z\""; hreflang=de;crossorigin, <d>; rel=' + "'prev'"
    assert links(value) == [
        (
            "next",
            {
                "rel": "next",
                "title": 'x, <y>; "z"',
                "hreflang": "de",
                "crossorigin": "",
                "url": URL("http://example.org/list/a,b;c"),
            },
        ),
        ("prev", {"rel": "prev", "url": URL("http://example.org/list/d")}),
    ]


def test_links_of_the_same_relation_are_all_there() -> None:
    found = parse_links(["<a>; rel=alternate, <b>; rel=alternate"], BASE)
    assert [str(link["url"]) for link in found.getall("alternate")] == [
        "http://example.org/list/a",
        "http://example.org/list/b",
    ]


def test_a_link_parameter_cannot_pass_for_the_target() -> None:
    assert links("<a>; url=b; url=c; rel=next") == [("next", {"rel": "next", "url": URL("http://example.org/list/a")})]


@pytest.mark.parametrize("value", ["", "a; rel=next", "<a; rel=next", "<http://[>; rel=next", ">a<", ",,;;"])
def test_what_is_no_link_is_left_out(value: str) -> None:
    assert links(value) == []


def test_a_bad_link_does_not_hide_the_next() -> None:
    assert [key for key, _ in links("<http://[>; rel=bad, <b>; rel=good")] == ["good"]


def test_an_open_quote_hides_only_the_links_of_its_own_field() -> None:
    assert [key for key, _ in links('<a>; rel=a; title="open, <b>; rel=b', "<c>; rel=c")] == ["a", "c"]


# -- hostile input


def work(function: Callable[[], Any]) -> int:
    """How many functions, of Python and of C, are called."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return calls


READERS: dict[str, Callable[[str], Any]] = {
    "content type": parse_content_type,
    "disposition": parse_content_disposition,
    "links": lambda text: parse_links([text], BASE),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize(
    ("start", "unit"),
    [
        ("", " "),
        ("", ";"),
        ("", "<"),
        ('a/b; x="', "\\"),
        ('a/b; x="', '\\"'),
        ("a; x=", '"'),
        ("a", '; x="'),
        ("a", '; x*0="x'),
        ("a", ';x*="\\";'),
        ("a", ";" + " " * 50),
        ("<a>", '; x="\\"'),
        ("<a>", "; x"),
        ("<a>", ", <"),
    ],
)
def test_each_part_takes_a_few_calls(reader: Callable[[str], Any], start: str, unit: str) -> None:
    parts = 2**14 // len(unit)
    assert work(lambda: reader(start + unit * parts)) <= 25 * parts + 100
    reader(start + unit * (2**20 // len(unit)))  # that no call scans it all again is seen by its coming to an end


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_so_it_does_with_parameters_of_different_names(reader: Callable[[str], Any]) -> None:
    header = "a" + "".join(rf'; x{number}="\""' for number in range(20_000))
    assert work(lambda: reader(header)) <= 25 * 20_000 + 100


# -- writing Content-Disposition


@pytest.mark.parametrize(
    ("params", "header"),
    [
        ({}, "form-data"),
        ({"name": "a"}, 'form-data; name="a"'),
        ({"name": "a", "filename": "b c.txt"}, 'form-data; name="a"; filename="b c.txt"'),
        ({"name": 'a"b'}, 'form-data; name="a%22b"'),
        ({"name": "a\r\nb"}, 'form-data; name="a%0D%0Ab"'),
        ({"name": "käse 日本 %41 \\ ; '"}, 'form-data; name="käse 日本 %41 \\ ; \'"'),
        ({"name": ""}, 'form-data; name=""'),
    ],
)
def test_content_disposition_is_written_as_browsers_do(params: dict[str, str], header: str) -> None:
    assert content_disposition_header("form-data", **params) == header


def test_quoting_can_be_left_to_the_caller() -> None:
    header = content_disposition_header("form-data", quote_fields=False, name='a\\"b', filename="50%.txt")
    assert header == r'form-data; name="a\"b"; filename="50%.txt"'


@pytest.mark.parametrize(
    ("value", "quote_fields"), [("a\0", True), ("a\ud800", True), ("a\0", False), ("a\r", False), ("a\n", False)], ids=ascii
)
def test_what_cannot_be_written_is_refused_by_name(value: str, quote_fields: bool) -> None:
    with pytest.raises(ValueError, match="filename of a part"):
        content_disposition_header("form-data", quote_fields, name="good", filename=value)


@pytest.mark.parametrize("disptype", ["", "a b", "тест", "a\0b", "a;b", "a\r\nb"])
def test_a_disposition_type_is_a_token(disptype: str) -> None:
    with pytest.raises(ValueError, match="disposition type"):
        content_disposition_header(disptype)


@pytest.mark.parametrize("name", ["", "foo bar", "тест", "foo\0bar", "a=b"])
def test_the_name_of_a_parameter_is_a_token(name: str) -> None:
    with pytest.raises(ValueError, match="name of a parameter"):
        content_disposition_header("inline", **{name: "baz"})
