"""The Cookie field (RFC 6265bis, section 4.2): pairs of a name and a value, and nothing more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from http.cookies import Morsel, SimpleCookie
from typing import Any, Final

from ..typedefs import LooseCookies
from .setcookie import ReceivedMorsel

_CODEC: Final = SimpleCookie()
#: One pair of a field; a quoted value may have a semicolon in it.
_PAIR: Final = re.compile(r'[^;=]*=[ \t]*"[^"]*"(?=[ \t]*(?:;|\Z))|[^;]+')
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f;=]+")
_VALUE: Final = re.compile(r'[^\x00-\x1f\x7f;]*|"[^\x00-\x1f\x7f]*"')


def can_be_sent(name: str, coded_value: str) -> bool:
    """A server reads this pair as what it is: no character ends it, or the field, before its time."""
    if _NAME.fullmatch(name) is None or _VALUE.fullmatch(coded_value) is None:
        return False
    try:
        (name + coded_value).encode()
    except UnicodeEncodeError:
        return False
    return True


def named_cookies(cookies: LooseCookies) -> Iterator[tuple[str, Any]]:
    """The cookies of whatever may be given as such, with their names; a Morsel's own name wins."""
    given: Any = cookies
    for name, cookie in given.items() if isinstance(given, Mapping) else given:
        own = cookie.key if isinstance(cookie, Morsel) else None
        yield own or name, cookie


def code_value(cookie: Any, quote: bool = True) -> str:
    """The value of a cookie as it is sent: what a server has coded stays; the rest is quoted where it must be, if `quote`."""
    if isinstance(cookie, Morsel):
        coded: str = cookie.coded_value or ""
        if isinstance(cookie, ReceivedMorsel) or (quote and coded.startswith('"')):
            return coded
        cookie = cookie.value or ""
    return _CODEC.value_encode(cookie)[1] if quote else str(cookie)


def format_cookies(cookies: LooseCookies) -> str:
    """Cookies as the value of a Cookie field. Raises `ValueError`, naming it, for one that cannot be sent."""
    pairs = []
    for name, cookie in named_cookies(cookies):
        coded = code_value(cookie)
        if not can_be_sent(name, coded):
            raise unsendable(name)
        pairs.append(f"{name}={coded}")
    return "; ".join(pairs)


def merge_cookies(fields: Iterable[str], over: str) -> str:
    """The cookies of `fields` that `over` does not name, as they are, and then those of `over`."""
    names = {_name(pair) for pair in _PAIR.findall(over)}
    kept = [pair.strip(" \t") for field in fields for pair in _PAIR.findall(field) if _name(pair) not in names]
    return "; ".join([*filter(None, kept), over])


def unsendable(name: str) -> ValueError:
    """The error for a cookie that cannot be sent. It does not show the value, which may be a secret."""
    return ValueError(f"The cookie {name!r} cannot be sent: its name or its value has characters that would end it")


def _name(pair: str) -> str:
    return pair.partition("=")[0].strip(" \t")
