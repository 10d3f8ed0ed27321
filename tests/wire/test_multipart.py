from __future__ import annotations

import binascii
import gzip
import re
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpx.errors import InvalidHeader
from aiohttpx.wire.codings import make_decoder
from aiohttpx.wire.multipart import (
    PartBuffer,
    boundary_parameter,
    decode_transfer,
    new_boundary,
    parse_part_head,
    part_encoder,
    serialize_part_head,
    whole_quartets,
)

# -- boundaries


def test_a_new_boundary_is_32_hexadecimal_digits_and_never_the_same() -> None:
    boundaries = {new_boundary() for _ in range(100)}
    assert len(boundaries) == 100
    assert all(re.fullmatch("[0-9a-f]{32}", boundary) for boundary in boundaries)


@pytest.mark.parametrize(
    ("boundary", "parameter"),
    [("a-B_1.'*", "a-B_1.'*"), (":", '":"'), ("a b", '"a b"'), ('\\"', '"\\\\\\""'), ("=", '"="'), ("x" * 70, "x" * 70)],
)
def test_a_boundary_that_is_no_token_is_quoted(boundary: str, parameter: str) -> None:
    assert boundary_parameter(boundary) == parameter


@pytest.mark.parametrize("boundary", ["", " ", "a ", "a\n", "a\r", "a\0", "a\t", "\x7f", "ä", "x" * 71], ids=repr)
def test_a_boundary_that_cannot_be_one_is_refused(boundary: str) -> None:
    with pytest.raises(ValueError, match="1 to 70 printable"):
        boundary_parameter(boundary)


# -- the buffer


def content_before(delimiter: bytes, pieces: list[bytes]) -> tuple[bytes, bool]:
    """What comes before `delimiter` when the pieces come one after the other, each taken as far as it is known."""
    buffer = PartBuffer()
    content = b""
    for piece in pieces:
        buffer.feed(piece)
        known, found = buffer.find(delimiter)
        content += buffer.take(known)
        if found:
            return content, buffer.begins(delimiter) is True
    return content + buffer.take(len(buffer)), False


@given(
    content=st.lists(st.sampled_from([b"\r", b"\n", b"-", b"b", b"x", b"\r\n--", b"\r\n--bb"])).map(b"".join),
    rest=st.sampled_from([b"", b"--", b"\r\n\r\n--b\r\n"]),
    cuts=st.lists(st.integers(0, 80)),
    closed=st.booleans(),
)
def test_a_delimiter_is_found_however_the_bytes_are_cut(content: bytes, rest: bytes, cuts: list[int], closed: bool) -> None:
    delimiter = b"\r\n--bbb"
    body = content + delimiter + rest if closed else content
    at = sorted({0, *(min(cut, len(body)) for cut in cuts), len(body)})
    pieces = [body[start:end] for start, end in pairwise(at)]
    before, found, _ = body.partition(delimiter)
    assert content_before(delimiter, pieces) == (before, bool(found))


def test_what_is_taken_whole_is_handed_on_without_a_copy() -> None:
    buffer, data = PartBuffer(), b"x" * 1000
    buffer.feed(data)
    assert buffer.take(1000) is data
    assert len(buffer) == 0


def test_peek_leaves_and_skip_drops() -> None:
    buffer = PartBuffer()
    buffer.feed(b"abcdef")
    assert buffer.peek(2) == b"ab"
    buffer.skip(2)
    buffer.feed(b"gh")
    assert buffer.take(3) == b"cde"
    assert buffer.peek(99) == buffer.take(99) == b"fgh"


@pytest.mark.parametrize(("data", "known"), [(b"", None), (b"--", None), (b"--b", True), (b"--bx", True), (b"-x", False)])
def test_begins(data: bytes, known: bool | None) -> None:
    buffer = PartBuffer()
    buffer.feed(data)
    assert buffer.begins(b"--b") is known


# -- heads


def test_the_head_of_a_part() -> None:
    assert serialize_part_head([]) == b"\r\n"
    head = serialize_part_head([("Content-Type", "text/plain"), ("X-Name", "käse\t\x01")])
    assert head == "Content-Type: text/plain\r\nX-Name: käse\t\x01\r\n\r\n".encode()


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\0b", "\r\n", "a\ud800"], ids=ascii)
def test_a_value_that_would_end_its_line_is_refused_by_the_name_of_its_field(value: str) -> None:
    with pytest.raises(ValueError, match="X-Bad"):
        serialize_part_head([("X-Good", "1"), ("X-Bad", value)])


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "ä", "a\0"], ids=repr)
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no token"):
        serialize_part_head([(name, "1")])


def test_the_fields_of_a_part() -> None:
    lines = [b"Content-Type:text/plain", b'x-a:  "1" ', b"X-A: 2", b"X-Folded: a", b"\t b ", b" c", b"X-Bytes: \xff", b"X-Empty:"]
    fields = parse_part_head(lines)
    assert fields["content-type"] == "text/plain"
    assert fields.getall("X-A") == ['"1"', "2"]
    assert fields["X-Folded"] == "a b c"
    assert fields["X-Bytes"].encode("utf-8", "surrogateescape") == b"\xff"
    assert fields["X-Empty"] == ""
    assert not parse_part_head([])


@pytest.mark.parametrize("line", [b"no colon", b": 1", b" folded: nothing", b"a b: 1", b"a : 1", b"a: \0", b"a: \r1", b"\xff: 1"])
def test_a_malformed_line_is_shown(line: bytes) -> None:
    with pytest.raises(InvalidHeader) as raised:
        parse_part_head([line])
    assert repr(line) in str(raised.value)


# -- packing


@pytest.mark.parametrize(("coding", "transfer"), [("", ""), ("identity", "binary"), ("", "8bit"), ("identity", "7bit")])
def test_what_changes_nothing_has_no_encoder(coding: str, transfer: str) -> None:
    assert part_encoder(coding, transfer) is None


@pytest.mark.parametrize(("coding", "transfer"), [("snappy", ""), ("", "uuencode"), ("snappy", "base64"), ("gzip", "x")])
def test_an_unknown_encoding_is_refused(coding: str, transfer: str) -> None:
    with pytest.raises(RuntimeError, match="unknown content"):
        part_encoder(coding, transfer)


def packed(coding: str, transfer: str, pieces: list[bytes]) -> bytes:
    encoder = part_encoder(coding, transfer)
    assert encoder is not None
    return b"".join([encoder.encode(piece) for piece in pieces]) + encoder.finish()


@pytest.mark.parametrize("transfer", ["base64", "quoted-printable"])
@given(pieces=st.lists(st.one_of(st.binary(max_size=100), st.text("a =.\r\n\t", max_size=100).map(str.encode))))
def test_a_transfer_encoding_gives_back_what_went_in(transfer: str, pieces: list[bytes]) -> None:
    encoded = packed("", transfer, pieces)
    assert encoded.isascii()
    assert decode_transfer(transfer, encoded) == b"".join(pieces)


@given(pieces=st.lists(st.binary(max_size=200)))
def test_quoted_printable_lines_are_as_short_as_they_have_to_be(pieces: list[bytes]) -> None:
    encoded = packed("", "quoted-printable", pieces)
    assert max(map(len, encoded.split(b"\r\n"))) <= 76
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", encoded)


@given(pieces=st.lists(st.binary()))
def test_both_kinds_of_encoding_can_be_combined(pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    assert gzip.decompress(binascii.a2b_base64(packed("gzip", "base64", pieces))) == content
    # In parts, deflate comes without zlib's header: aiohttp writes it so, and ours reads it.
    assert zlib.decompress(packed("deflate", "", pieces), wbits=-15) == content


def test_deflate_without_a_header_is_understood_here() -> None:
    decoder = make_decoder("deflate")
    assert decoder is not None
    assert decoder.decode(packed("deflate", "binary", [b"Time to ", b"Relax!"]), 100) == b"Time to Relax!"


def test_base64_is_unbroken_and_padded_once() -> None:
    assert packed("", "base64", [b"Time ", b"to Relax!"]) == b"VGltZSB0byBSZWxheCE="
    assert packed("", "base64", [b"x"] * 60) == binascii.b2a_base64(b"x" * 60, newline=False)


def test_a_transfer_encoding_is_undone() -> None:
    assert decode_transfer("base64", b"VG\r\nlt ZSE=") == b"Time!"
    assert decode_transfer("quoted-printable", b"a=\r\n=3D=F6") == b"a=\xf6"
    for plain in ("", "7bit", "8bit", "binary"):
        assert decode_transfer(plain, b"=3D") == b"=3D"
    with pytest.raises(RuntimeError, match="unknown content transfer encoding: uuencode"):
        decode_transfer("uuencode", b"")
    with pytest.raises(ValueError, match="padding"):
        decode_transfer("base64", b"VG=")


@pytest.mark.parametrize(
    ("data", "whole"),
    [(b"", 0), (b"AAAA", 4), (b"AAA", 0), (b"AAAAB", 4), (b"AAAA\r\nBB", 6), (b" A", 1), (b"\r\n", 2), (b"AAAA B B B  ", 5)],
)
def test_whole_quartets(data: bytes, whole: int) -> None:
    assert whole_quartets(data) == whole


@given(content=st.binary(), junk=st.lists(st.integers(0, 400)), cut=st.integers(0, 400))
def test_base64_can_be_decoded_up_to_its_last_whole_quartet(content: bytes, junk: list[int], cut: int) -> None:
    encoded = bytearray(binascii.b2a_base64(content))
    for at in junk:
        encoded.insert(min(at, len(encoded)), ord("\n"))
    data = bytes(encoded)
    whole = whole_quartets(data[:cut])
    assert decode_transfer("base64", data[:whole]) + decode_transfer("base64", data[whole:]) == content
