from __future__ import annotations

import gzip
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpx.errors import ContentEncodingError
from aiohttpx.wire.codings import (
    ACCEPT_ENCODING,
    MAX_CODINGS,
    Decoder,
    decode_at_once,
    make_decoder,
    make_encoder,
    set_zlib_backend,
)

MIB = 2**20
CONTENT = bytes(range(256)) * 40 + b"x" * 5000 + b"the end"


def raw_deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(content) + compressor.flush()


def encode(coding: str, content: bytes) -> bytes:
    encoder = make_encoder(coding)
    return encoder.encode(content) + encoder.finish()


#: A name for the case -> (Content-Encoding, how to encode).
CODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "GZIP": ("GZIP", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
}
if "br" in ACCEPT_ENCODING:
    CODINGS["br"] = ("br", lambda content: encode("br", content))
    CODINGS["gzip, br"] = ("gzip, br", lambda content: encode("br", gzip.compress(content)))
if "zstd" in ACCEPT_ENCODING:
    CODINGS["zstd"] = ("zstd", lambda content: encode("zstd", content))
    CODINGS["zstd,identity,deflate"] = ("zstd,identity,deflate", lambda content: zlib.compress(encode("zstd", content)))

every_coding = pytest.mark.parametrize("coding", CODINGS)


def decoder_of(coding: str) -> Decoder:
    decoder = make_decoder(coding)
    assert decoder is not None
    return decoder


def pieces_of(decoder: Decoder, data: bytes, cut: int, room: int) -> Iterator[bytes]:
    """All that `decoder` gives for `data`, fed `cut` bytes at a time and asked for `room` bytes at a time."""
    for at in range(0, len(data), cut):
        yield decoder.decode(data[at : at + cut], room)
        while decoder.pending:
            yield decoder.decode(b"", room)
    decoder.finish()


def decode(coding: str, data: bytes, cut: int = 2**16, room: int = 2**16) -> bytes:
    return b"".join(pieces_of(decoder_of(coding), data, cut, room))


# -- what comes out


@every_coding
@pytest.mark.parametrize("cut", [1, 7, 1000, MIB])
@pytest.mark.parametrize("room", [1, 100, 2**16])
def test_gives_the_content_however_it_is_fed_and_asked_for(coding: str, cut: int, room: int) -> None:
    content_encoding, packed = CODINGS[coding]
    pieces = list(pieces_of(decoder_of(content_encoding), packed(CONTENT), cut, room))
    assert b"".join(pieces) == CONTENT
    assert max(map(len, pieces)) <= room


@every_coding
@given(
    content=st.lists(st.tuples(st.binary(max_size=20), st.integers(1, 5000))).map(lambda runs: b"".join(a * n for a, n in runs)),
    cuts=st.lists(st.integers(0, 300)),
    rooms=st.lists(st.integers(1, 20_000), min_size=1),
)
def test_input_may_come_while_there_is_more_to_give(coding: str, content: bytes, cuts: list[int], rooms: list[int]) -> None:
    content_encoding, packed = CODINGS[coding]
    data = packed(content)
    decoder = decoder_of(content_encoding)
    got = []
    for cut, room in zip(cuts, rooms * len(cuts), strict=False):
        got.append(decoder.decode(data[:cut], room))
        assert len(got[-1]) <= room
        data = data[cut:]
    decoder.feed(data)
    while decoder.pending:
        got.append(decoder.decode(b"", rooms[0]))
    decoder.finish()
    assert b"".join(got) == content


@pytest.mark.parametrize("name", ["isal.isal_zlib", "zlib_ng.zlib_ng"])
@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw deflate"])
@pytest.mark.parametrize("room", [10, 2**16])
def test_another_zlib_serves(name: str, coding: str, room: int) -> None:
    module = pytest.importorskip(name)
    content_encoding, packed = CODINGS[coding]
    set_zlib_backend(module)
    try:
        assert decode(content_encoding, packed(CONTENT), 1000, room) == CONTENT
        assert decode_at_once(content_encoding, packed(CONTENT), MIB) == CONTENT
        assert decode("gzip", encode("gzip", CONTENT)) == CONTENT
        with pytest.raises(ContentEncodingError, match="'gzip'"):
            decode("gzip", b"\x1f\x8bthis is not gzip")
    finally:
        set_zlib_backend(zlib)


def test_zlib_ng_inflates_where_it_is_installed() -> None:
    code = "from aiohttpx.wire import codings; print(codings.make_decoder('gzip')._decompressobj.__module__)"
    assert python(f"import sys; sys.modules['zlib_ng'] = None; {code}") != "zlib_ng.zlib_ng"
    pytest.importorskip("zlib_ng")
    assert "zlib_ng" in python("from aiohttpx.wire import codings; print(codings._inflate.__name__)")
    assert python("from aiohttpx.wire import codings; print(codings._zlib.__name__)") == "zlib"


def outcome(module: Any, data: bytes, room: int) -> Any:
    """All that can be seen of one decompressor."""
    member = module.decompressobj(wbits=31)
    seen: list[Any] = []
    try:
        while not member.eof and (data or not seen):
            seen.append((member.decompress(data, room), member.eof, member.unused_data))
            data = member.unconsumed_tail
    except module.error:
        seen.append("error")
    return seen


@given(
    content=st.lists(st.tuples(st.binary(max_size=20), st.integers(1, 500))).map(lambda runs: b"".join(a * n for a, n in runs)),
    damage=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 7)), max_size=3),
    cut=st.integers(0, 10_000) | st.none(),
    behind=st.binary(max_size=30),
    room=st.integers(1, 3000),
)
def test_zlib_ng_says_what_zlib_says(
    content: bytes, damage: list[tuple[int, int]], cut: int | None, behind: bytes, room: int
) -> None:
    zlib_ng = pytest.importorskip("zlib_ng.zlib_ng")
    data = bytearray(gzip.compress(content) + behind)
    for at, bit in damage:
        data[at % len(data)] ^= 1 << bit
    coded = bytes(data if cut is None else data[: cut % len(data)])
    assert outcome(zlib_ng, coded, room) == outcome(zlib, coded, room)


def test_a_room_for_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        decoder_of("gzip").decode(gzip.compress(CONTENT), 0)


# -- which codings there are


@pytest.mark.parametrize("coding", ["", "identity", "Identity , identity", "compress", "gzip, magic", "magic,gzip"])
def test_nothing_and_the_unknown_are_not_decoded(coding: str) -> None:
    assert make_decoder(coding) is None
    assert decode_at_once(coding, b"as it came", MIB) is None


def test_a_chain_of_codings_has_a_limit() -> None:
    data = CONTENT
    for _ in range(MAX_CODINGS):
        data = gzip.compress(data)
    assert decode(",".join(["gzip"] * MAX_CODINGS), data) == CONTENT
    decoder = decoder_of(",".join(["gzip"] * (MAX_CODINGS + 1)))
    with pytest.raises(ContentEncodingError, match="limit is 5"):
        decoder.decode(gzip.compress(data), 100)


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


WITHOUT = "import sys; sys.modules.update({'brotli': None, 'brotlicffi': None, 'backports.zstd': None, 'backports': None});"


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="zstd is in the standard library")
def test_without_the_libraries_their_codings_are_not_offered() -> None:
    assert python(f"{WITHOUT} from aiohttpx.wire.codings import *; print(ACCEPT_ENCODING)") == "gzip, deflate"


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="zstd is in the standard library")
@pytest.mark.parametrize(("coding", "library"), [("br", "Brotli"), ("zstd", "backports.zstd")])
def test_a_body_in_a_coding_without_library_says_what_to_install(coding: str, library: str) -> None:
    code = f"{WITHOUT} from aiohttpx.wire.codings import make_decoder; decoder = make_decoder({coding!r})"
    said = python(
        f"{code}; decoder.finish(); print(decoder.decode(b'', 1))\n"  # an empty body is no trouble
        "try: decoder.decode(b'data', 1)\nexcept Exception as error: print(repr(error))"
    )
    assert said.startswith("b''\n<ContentEncodingError")
    assert f"install {library}" in said


def test_an_old_brotli_which_has_no_limit_is_not_used() -> None:
    code = "import sys, types; old = types.ModuleType('brotli'); old.Decompressor = type('Decompressor', (), {});"
    code += "sys.modules.update({'brotli': old, 'brotlicffi': None});"
    assert "br" not in python(f"{code} from aiohttpx.wire.codings import *; print(ACCEPT_ENCODING)")


def test_the_import_does_not_pay_for_zstd() -> None:
    assert python("import sys, aiohttpx.wire.codings; print([m for m in sys.modules if m.endswith('zstd')])") == "[]"


# -- the end, and what is behind it


@every_coding
def test_a_body_cut_short_anywhere_is_an_error(coding: str) -> None:
    content_encoding, packed = CODINGS[coding]
    data = packed(b"some content")
    for length in range(1, len(data)):
        with pytest.raises(ContentEncodingError, match="cut short"):
            decode(content_encoding, data[:length])
        assert decode_at_once(content_encoding, data[:length], MIB) is None


@every_coding
def test_a_body_of_no_bytes_is_empty(coding: str) -> None:
    decoder = decoder_of(CODINGS[coding][0])
    assert decoder.decode(b"", 10) == b""
    assert not decoder.pending
    decoder.finish()


@pytest.mark.parametrize("coding", [coding for coding in CODINGS if coding != "raw deflate"])
def test_garbage_is_an_error_that_names_the_coding(coding: str) -> None:
    content_encoding = CODINGS[coding][0]
    last = content_encoding.lower().rpartition(",")[2].strip().removeprefix("x-")
    with pytest.raises(ContentEncodingError, match=f"content coding '{last}'") as caught:
        decode(content_encoding, b"\xffthis is something else\xff")
    assert caught.value.__cause__ is not None
    assert decode_at_once(content_encoding, b"\xffthis is something else\xff", MIB) is None


@pytest.mark.parametrize("damaged", [-1, -5])
def test_a_wrong_checksum_is_an_error(damaged: int) -> None:
    data = bytearray(gzip.compress(CONTENT))
    data[damaged] ^= 1
    with pytest.raises(ContentEncodingError, match="incorrect"):
        decode("gzip", bytes(data))


@pytest.mark.parametrize("cut", [1, 2, 5, MIB])
@pytest.mark.parametrize("coding", [coding for coding in ("gzip", "zstd") if coding in CODINGS])
def test_members_follow_each_other(coding: str, cut: int) -> None:
    packed = CODINGS[coding][1]
    data = packed(b"one ") + packed(b"") + packed(CONTENT) + packed(b"two")
    assert decode(coding, data, cut) == b"one " + CONTENT + b"two"
    assert decode_at_once(coding, data, MIB) is None
    with pytest.raises(ContentEncodingError, match="cut short"):
        decode(coding, data[:-1], cut)


@pytest.mark.parametrize("coding", [coding for coding in ("gzip", "zstd") if coding in CODINGS])
def test_a_member_may_wait_inside_the_one_before(coding: str) -> None:
    packed = CODINGS[coding][1]
    decoder = decoder_of(coding)
    got = [decoder.decode(packed(bytes(10_000)) + packed(b"two"), 10)]
    decoder.feed(packed(b"three"))
    while decoder.pending:
        got.append(decoder.decode(b"", 1000))
    decoder.finish()
    assert b"".join(got) == bytes(10_000) + b"twothree"


@pytest.mark.skipif("zstd" not in CODINGS, reason="zstd is not installed")
def test_zstd_frames_to_be_skipped_are_skipped() -> None:
    skipped = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    assert decode("zstd", skipped + encode("zstd", CONTENT) + skipped, 3) == CONTENT


@pytest.mark.parametrize("cut", [1, 3, MIB])
@pytest.mark.parametrize("junk", [b"\0" * 10, b"junk", b"\x1f", b"\x1fx", b"x" + gzip.compress(b"not content")])
def test_junk_behind_gzip_is_ignored(junk: bytes, cut: int) -> None:
    assert decode("gzip", gzip.compress(CONTENT) + junk, cut) == CONTENT
    assert decode_at_once("gzip", gzip.compress(CONTENT) + junk, MIB) is None


@pytest.mark.parametrize("coding", ["deflate", "raw deflate"])
@pytest.mark.parametrize("cut", [1, MIB])
def test_junk_behind_deflate_is_ignored(coding: str, cut: int) -> None:
    packed = CODINGS[coding][1]
    assert decode("deflate", packed(CONTENT) + packed(b"more"), cut) == CONTENT


@pytest.mark.parametrize("cut", [1, MIB])
@pytest.mark.parametrize("coding", [coding for coding in ("br", "zstd") if coding in CODINGS])
def test_junk_behind_br_and_zstd_is_an_error(coding: str, cut: int) -> None:
    with pytest.raises(ContentEncodingError, match=f"'{coding}'"):
        decode(coding, CODINGS[coding][1](CONTENT) + b"junk", cut)


# -- work and memory


@every_coding
def test_a_bomb_is_inflated_by_demand(coding: str) -> None:
    content_encoding, packed = CODINGS[coding]
    data = packed(bytes(64 * MIB))
    decoder = decoder_of(content_encoding)
    tracemalloc.start()
    try:
        decoder.feed(data)
        for _ in range(10):
            assert decoder.decode(b"", 10) == bytes(10)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert decoder.pending
    assert peak < MIB


class CountingZlib(SimpleNamespace):
    """zlib, counting decompressors, their calls and the bytes handed to them."""

    error = zlib.error

    def decompressobj(self, wbits: int) -> Any:
        self.members += 1
        real = zlib.decompressobj(wbits=wbits)
        counting = self

        class Counted:
            def decompress(self, data: bytes, max_length: int) -> bytes:
                counting.calls += 1
                counting.handed += len(data)
                return real.decompress(data, max_length)

            def __getattr__(self, name: str) -> Any:
                return getattr(real, name)

        return Counted()


@pytest.fixture
def counting() -> Iterator[CountingZlib]:
    module = CountingZlib(members=0, calls=0, handed=0)
    set_zlib_backend(module)  # type: ignore[arg-type]
    yield module
    set_zlib_backend(zlib)


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 2000], ids=len)
def test_many_tiny_members_take_work_in_proportion(counting: CountingZlib, content: bytes) -> None:
    data = gzip.compress(content) * 3000
    decoder = decoder_of("gzip")
    decoder.feed(data)
    got, longest = 0, 0
    while decoder.pending:
        before = counting.calls
        got += len(decoder.decode(b"", 2**16))
        longest = max(longest, counting.calls - before)
    assert got == 3000 * len(content)
    assert counting.members == 3000
    assert longest <= 16  # a call ends, though it has nothing to give
    assert counting.handed < 60 * len(data)


def test_a_large_input_is_handed_over_in_windows(counting: CountingZlib) -> None:
    data = gzip.compress(bytes(range(256)) * 20_000, 0)
    decoder = decoder_of("gzip")
    decoder.feed(data)
    while decoder.pending:
        decoder.decode(b"", 2**16)
    assert counting.handed < 2.5 * len(data)


def test_input_that_comes_to_nothing_does_not_hold_a_call_for_long(counting: CountingZlib) -> None:
    nothing = b"\x00\x00\x00\xff\xff"  # a stored block of no bytes, and not the last
    decoder = decoder_of("deflate")
    decoder.feed(b"\x78\x9c" + nothing * MIB)
    calls = 0
    while decoder.pending:
        before = counting.handed
        assert decoder.decode(b"", 2**16) == b""
        assert counting.handed - before <= MIB
        calls += 1
    assert calls >= 5


@pytest.mark.skipif("zstd" not in CODINGS, reason="zstd is not installed")
def test_zstd_that_wants_more_than_8_mib_of_memory_is_refused() -> None:
    zstd: Any = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    wide = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 25})
    data = wide.compress(CONTENT) + wide.flush()
    with pytest.raises(ContentEncodingError, match="'zstd'"):
        decode("zstd", data)


# -- whole bodies


@every_coding
def test_a_whole_body_of_the_usual_kind_is_decoded_at_once(coding: str) -> None:
    content_encoding, packed = CODINGS[coding]
    usual = content_encoding in ("gzip", "deflate")
    assert decode_at_once(content_encoding, packed(CONTENT), len(CONTENT)) == (CONTENT if usual else None)
    assert decode_at_once(content_encoding, packed(CONTENT), len(CONTENT) - 1) is None


def test_a_bomb_that_says_it_is_small_is_not_decoded_at_once() -> None:
    bomb = gzip.compress(bytes(4 * MIB))
    assert decode_at_once("gzip", bomb[:-4] + b"\1\0\0\0", MIB) is None
    assert decode_at_once("gzip", bomb, MIB) is None


# -- encoding


@pytest.mark.parametrize("coding", [coding for coding in ("gzip", "deflate", "br", "zstd") if coding in CODINGS])
@pytest.mark.parametrize("level", [None, 1])
def test_what_is_encoded_is_decoded(coding: str, level: int | None) -> None:
    encoder = make_encoder(coding, level)
    data = b"".join([*map(encoder.encode, (CONTENT, b"", CONTENT)), encoder.finish()])
    assert len(data) < len(CONTENT)
    assert decode(coding, data) == CONTENT * 2


def test_deflate_is_sent_in_zlibs_format() -> None:
    assert zlib.decompress(encode("deflate", CONTENT)) == CONTENT


@pytest.mark.parametrize("coding", ["", "identity", "compress", "gzip, br"])
def test_an_unknown_coding_cannot_be_encoded(coding: str) -> None:
    with pytest.raises(ValueError, match=f"{coding!r}.*gzip, deflate"):
        make_encoder(coding)


def test_the_backend_is_a_module_with_zlibs_functions() -> None:
    asked = []

    def compressobj(**options: int) -> Any:
        asked.append(options)
        return zlib.compressobj(**options)

    module = ModuleType("another")
    module.__dict__.update(compressobj=compressobj)
    set_zlib_backend(module)
    try:
        data = encode("gzip", CONTENT)
    finally:
        set_zlib_backend(zlib)
    assert asked == [{"wbits": 31}]
    assert gzip.decompress(data) == CONTENT
