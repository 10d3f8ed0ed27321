"""Byte ranges, and what makes it safe to ask for one (RFC 9110, sections 8.8, 13.1.5 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

_CONTENT_RANGE = re.compile(r"bytes (?:([0-9]{1,19})-([0-9]{1,19})|\*)/(?:([0-9]{1,19})|\*)", re.IGNORECASE)
_STRONG = re.compile(r'"[\x21\x23-\x7e\x80-\U0010ffff]*"')
#: A date is strong when nothing can have changed again within its second: so much older than the response it has to be.
_OLD_ENOUGH: Final = timedelta(seconds=60)


class ContentRange(NamedTuple):
    """The first and the last byte (None: no range could be satisfied), and the size of the whole (None: not known)."""

    first: int | None
    last: int | None
    size: int | None


def parse_content_range(value: str | None) -> ContentRange | None:
    """The value of Content-Range (RFC 9110, section 14.4); None when it is invalid, or not in bytes."""
    found = _CONTENT_RANGE.fullmatch(value or "")
    if found is None:
        return None
    first, last, size = (None if text is None else int(text) for text in found.groups())
    if first is not None and last is not None and (last < first or (size is not None and last >= size)):
        return None
    if first is None and size is None:
        return None
    return ContentRange(first, last, size)


def strong_validator(headers: Mapping[str, str]) -> str | None:
    """What If-Range may say of a representation with these fields: its ETag, or a date, if that is strong. None for nothing."""
    etag = headers.get("ETag")
    if etag is not None:
        return etag if _STRONG.fullmatch(etag) else None
    modified, date = _date(headers.get("Last-Modified")), _date(headers.get("Date"))
    if modified is None or date is None or date - modified < _OLD_ENOUGH:
        return None
    return headers["Last-Modified"]


def _date(value: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(value) if value else None
    except ValueError:
        return None
    return None if date is None or date.tzinfo is None else date
