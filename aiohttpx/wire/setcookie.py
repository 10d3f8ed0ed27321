"""Set-Cookie, as browsers read it (RFC 6265bis, section 5.6). What is sent back is the server's, octet for octet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Any, Final

#: Octets of a name and its value together, and of an attribute's value.
MAX_COOKIE: Final = 4096
MAX_ATTRIBUTE: Final = 1024
#: The last second that has a date, in seconds since 1970.
MAX_TIME: Final = 253402300799

ATTRIBUTES: Final = frozenset(
    {"comment", "domain", "expires", "httponly", "max-age", "partitioned", "path", "samesite", "secure", "version"}
)
#: Attributes that are there or not, whatever their value.
FLAGS: Final = frozenset({"httponly", "partitioned", "secure"})

#: What parts attributes. Some servers forget the semicolon, and no path or date has the name of an attribute in it.
_BETWEEN: Final = re.compile(
    r";|[ \t](?=(?:comment|domain|expires|max-age|path|samesite|version)=|(?:httponly|partitioned|secure)[ \t]*(?:;|\Z))",
    re.I,
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CODEC: Final = SimpleCookie()


class ReceivedMorsel(Morsel[str]):
    """A cookie as a server sent it. `value` is what it means; `coded_value` is what goes back, and is never quoted anew."""


def parse_set_cookie(value: str) -> tuple[str, str, dict[str, str]] | None:
    """The name, the value and the known attributes (by lower-case name; the last of a name counts) of one Set-Cookie field.

    None when there is no cookie in it, or none that may be kept: without a name, with a control character, with over 4,096
    octets, or with a comma in its name, which is what is left when two fields were joined into one. Never raises.
    """
    if _CONTROL.search(value) is not None:
        return None
    pair, _, rest = value.partition(";")
    name, equals, content = pair.partition("=")
    name = name.strip(" \t")
    content = content.strip(" \t")
    if not equals or not name or "," in name or _octets(name) + _octets(content) > MAX_COOKIE:
        return None
    if "\t" in name or "\t" in content:  # a Morsel cannot hold one
        return None
    attributes = {}
    for attribute in _BETWEEN.split(rest):
        key, _, text = attribute.partition("=")
        key = key.strip(" \t").lower()
        text = text.strip(" \t")
        if key in FLAGS:
            attributes[key] = ""
        elif key in ATTRIBUTES and "\t" not in text and _octets(text) <= MAX_ATTRIBUTE:
            attributes[key] = text
    return name, content, attributes


def parse_morsels(values: Iterable[str]) -> list[tuple[str, Morsel[str]]]:
    """The cookies of Set-Cookie fields with their names, in order. What cannot be read is left out."""
    parsed = (parse_set_cookie(value) for value in values)
    morsels = (make_morsel(*cookie) for cookie in parsed if cookie is not None)
    return [(morsel.key, morsel) for morsel in morsels if morsel is not None]


def parse_set_cookies(values: Iterable[str]) -> SimpleCookie:
    """The cookies of Set-Cookie fields, by name; a later one replaces an earlier one. What cannot be read is left out."""
    cookies = SimpleCookie()
    for name, morsel in parse_morsels(values):
        cookies[name] = morsel
    return cookies


def make_morsel(name: str, coded_value: str, attributes: Mapping[str, Any]) -> Morsel[str] | None:
    """A cookie with `coded_value` for the wire, and without its quotes for reading. None when a Morsel cannot hold it."""
    value = _CODEC.value_decode(coded_value)[0]
    if "\t" in value or _CONTROL.search(value) is not None:
        value = coded_value
    morsel = ReceivedMorsel()
    # Morsel.set() refuses names that browsers take. What unpickling uses does not, and cannot change.
    with suppress(CookieError):
        morsel.__setstate__({"key": name, "value": value, "coded_value": coded_value})  # type: ignore[attr-defined]
        for key, text in attributes.items():
            if key in morsel:  # Partitioned is new in Python 3.14
                morsel[key] = True if key in FLAGS else text
        return morsel
    return None


def _octets(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))  # a byte that was no UTF-8 counts as one


# -- how long it is kept

_TOKEN: Final = re.compile(r"[^\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME: Final = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY: Final = re.compile(r"([0-9]{1,2})(?![0-9])")
_YEAR: Final = re.compile(r"([0-9]{2,4})(?![0-9])")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MAX_AGE: Final = re.compile(r"-?[0-9]+")


def expiry(attributes: Mapping[str, object], now: float) -> float | None:
    """When a cookie with these attributes ends, in seconds since 1970; None when it has no end. `now` is the time now.

    Max-Age goes before Expires; what cannot be read counts as not there (RFC 6265bis, sections 5.6.1 and 5.6.2).
    """
    max_age = str(attributes.get("max-age") or "")
    if _MAX_AGE.fullmatch(max_age):
        digits = max_age.lstrip("0")
        if not digits or digits.startswith("-"):
            return 0.0
        return min(now + int(digits), MAX_TIME) if len(digits) < len(str(MAX_TIME)) else MAX_TIME
    return parse_cookie_date(str(attributes.get("expires") or ""))


def parse_cookie_date(text: str) -> float | None:
    """Seconds since 1970 of a date in any of the forms servers use; None when it is none (RFC 6265bis, section 5.1.1)."""
    time: re.Match[str] | None = None
    day = month = year = None
    for token in _TOKEN.findall(text):
        if time is None and (found := _TIME.match(token)):
            time = found
        elif day is None and (found := _DAY.match(token)):
            day = int(found[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (found := _YEAR.match(token)):
            year = int(found[1])
            if year < 100:
                year += 1900 if year >= 70 else 2000
    if time is None or day is None or month is None or year is None or year < 1601:
        return None
    try:
        return datetime(year, month, day, int(time[1]), int(time[2]), int(time[3]), tzinfo=UTC).timestamp()
    except ValueError:
        return None
