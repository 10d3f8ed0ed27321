from __future__ import annotations

import pytest

from aiohttpx.wire.ranges import ContentRange, parse_content_range, strong_validator


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("bytes 0-0/1", ContentRange(0, 0, 1)),
        ("Bytes 5-9/10", ContentRange(5, 9, 10)),
        ("bytes 5-9/*", ContentRange(5, 9, None)),
        ("bytes */10", ContentRange(None, None, 10)),
        *(
            (value, None)
            for value in ("bytes */*", "bytes 9-5/10", "bytes 5-10/10", "bytes 5-/10", "items 0-1/2", "bytes 0-1", "", None)
        ),
        *((value, None) for value in ("bytes 0-1/-2", "bytes 0-1/2 ", "bytes\t0-1/2", "bytes 0-1/\u0662", "bytes=0-1/2")),
    ],
)
def test_content_range(value: str | None, said: ContentRange | None) -> None:
    assert parse_content_range(value) == said


DATE = "Sat, 21 Nov 2026 13:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": '"a"'}, '"a"'),
        ({"ETag": '""'}, '""'),
        ({"ETag": 'W/"a"'}, None),
        ({"ETag": "a"}, None),
        ({"ETag": '"a b"'}, None),
        ({"ETag": 'W/"a"', "Last-Modified": "Sat, 21 Nov 2026 12:00:00 GMT", "Date": DATE}, None),
        ({"Last-Modified": "Sat, 21 Nov 2026 12:59:00 GMT", "Date": DATE}, "Sat, 21 Nov 2026 12:59:00 GMT"),
        ({"Last-Modified": "Sat, 21 Nov 2026 12:59:01 GMT", "Date": DATE}, None),
        ({"Last-Modified": "Sat, 21 Nov 2026 12:00:00 GMT"}, None),
        ({"Last-Modified": "yesterday", "Date": DATE}, None),
        ({"Last-Modified": "Sat, 21 Nov 2026 12:00:00", "Date": DATE}, None),
        ({}, None),
    ],
)
def test_what_is_a_strong_validator(headers: dict[str, str], validator: str | None) -> None:
    assert strong_validator(headers) == validator
