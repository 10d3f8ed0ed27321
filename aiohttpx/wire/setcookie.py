"""Set-Cookie, as browsers read it (RFC 6265bis, section 5.6). Values stay the server's, octet for octet: nothing is unquoted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Final

#: Octets of a name and its value together, and of an attribute's value.
MAX_COOKIE: Final = 4096
MAX_ATTRIBUTE: Final = 1024

ATTRIBUTES: Final = frozenset(
    {"comment", "domain", "expires", "httponly", "max-age", "partitioned", "path", "samesite", "secure", "version"}
)
#: Attributes that are there or not, whatever their value.
FLAGS: Final = frozenset({"httponly", "partitioned", "secure"})

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


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
    for attribute in rest.split(";"):
        key, _, text = attribute.partition("=")
        key = key.strip(" \t").lower()
        text = text.strip(" \t")
        if key in ATTRIBUTES and "\t" not in text and _octets(text) <= MAX_ATTRIBUTE:
            attributes[key] = text
    return name, content, attributes


def parse_set_cookies(values: Iterable[str]) -> SimpleCookie:
    """The cookies of Set-Cookie fields, by name; a later one replaces an earlier one. What cannot be read is left out."""
    cookies = SimpleCookie()
    for value in values:
        if (cookie := parse_set_cookie(value)) is not None and (morsel := _morsel(*cookie)) is not None:
            cookies[morsel.key] = morsel
    return cookies


def _morsel(name: str, value: str, attributes: dict[str, str]) -> Morsel[str] | None:
    morsel: Morsel[str] = Morsel()
    # Morsel.set() refuses names that browsers take. What unpickling uses does not, and cannot change.
    with suppress(CookieError):
        morsel.__setstate__({"key": name, "value": value, "coded_value": value})  # type: ignore[attr-defined]
        for key, text in attributes.items():
            if key in morsel:  # Partitioned is new in Python 3.14
                morsel[key] = True if key in FLAGS else text
        return morsel
    return None


def _octets(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))  # a byte that was no UTF-8 counts as one
