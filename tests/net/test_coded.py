"""Content that is there as a whole, decoded: at once, or in turns."""

from __future__ import annotations

import gzip
import zlib

import pytest

from aiohttpx.errors import BodyTooLarge, ClientPayloadError
from aiohttpx.net.coded import WHOLE_TURN, decode_whole
from aiohttpx.wire.codings import ACCEPT_ENCODING, make_encoder

from ..turns import turns_during

CONTENT = bytes(range(256)) * 40
MUCH = CONTENT * (3 * WHOLE_TURN // len(CONTENT))
CODINGS = ACCEPT_ENCODING.split(", ")

every_coding = pytest.mark.parametrize("coding", CODINGS)


def encoded(coding: str, content: bytes) -> bytes:
    encoder = make_encoder(coding)
    return encoder.encode(content) + encoder.finish()


@every_coding
@pytest.mark.parametrize("content", [b"", CONTENT, MUCH], ids=["nothing", "some", "much"])
async def test_all_of_it_comes(coding: str, content: bytes) -> None:
    assert await decode_whole(coding, encoded(coding, content)) == content


@every_coding
async def test_a_body_of_no_bytes_is_empty(coding: str) -> None:
    assert await decode_whole(coding, b"") == b""


async def test_what_is_behind_the_first_member_counts_or_does_not() -> None:
    one, two = gzip.compress(CONTENT), gzip.compress(b"two")
    assert await decode_whole("gzip", one + two * 100) == CONTENT + b"two" * 100
    assert await decode_whole("gzip", one + b"junk") == CONTENT
    assert await decode_whole("deflate", zlib.compress(CONTENT) + b"junk") == CONTENT


@pytest.mark.parametrize("coding", ["", "identity", "magic", "gzip, magic"])
async def test_an_unknown_coding_stays(coding: str) -> None:
    assert await decode_whole(coding, b"as it came") == b"as it came"


@every_coding
@pytest.mark.parametrize("content", [CONTENT, MUCH], ids=["some", "much"])
async def test_a_body_cut_short_is_an_error(coding: str, content: bytes) -> None:
    data = encoded(coding, content)
    for cut in (1, len(data) // 2, len(data) - 1):
        with pytest.raises(ClientPayloadError, match=f"'{coding}'"):
            await decode_whole(coding, data[:cut])


@every_coding
async def test_garbage_is_an_error_that_names_the_coding(coding: str) -> None:
    with pytest.raises(ClientPayloadError, match=f"content coding '{coding}'"):
        await decode_whole(coding, b"\xffthis is something else\xff")


@every_coding
@pytest.mark.parametrize("content", [CONTENT, MUCH], ids=["some", "much"])
async def test_the_limit_is_what_may_come(coding: str, content: bytes) -> None:
    data = encoded(coding, content)
    assert await decode_whole(coding, data, len(content)) == content
    with pytest.raises(BodyTooLarge):
        await decode_whole(coding, data, len(content) - 1)


async def test_a_small_body_takes_no_turn_and_a_bomb_many() -> None:
    assert await turns_during(decode_whole("gzip", gzip.compress(CONTENT))) == 0
    assert await turns_during(decode_whole("gzip", gzip.compress(bytes(8 * WHOLE_TURN)))) >= 7


async def test_members_without_content_take_turns_too() -> None:
    assert await turns_during(decode_whole("gzip", gzip.compress(b"") * 1000)) > 50
