"""What a WWW-Authenticate or Proxy-Authenticate field asks for (RFC 9110, section 11.6.1)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ("Challenge", "parse_challenges", "quoted")

_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_GAP: Final = re.compile(r"[ \t,]*")
_SCHEME: Final = re.compile(rf"({_TOKEN})(?:(?=[ \t]*(?:,|$))|[ \t]+)")
_TOKEN68: Final = re.compile(r"([A-Za-z0-9\-._~+/]+=*)(?=[ \t]*(?:,|$))")
_PARAMETER: Final = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))(?=[ \t]*(?:,|$))')
_ESCAPED: Final = re.compile(r"\\(.)")
_TO_ESCAPE: Final = re.compile(r'(["\\])')


class Challenge(NamedTuple):
    """One way to authenticate that a server offers."""

    #: In lower case.
    scheme: str
    #: By name, in lower case; of several with the same name the first one counts.
    parameters: dict[str, str]
    #: What some schemes have instead of parameters.
    token: str = ""


def parse_challenges(field: str) -> list[Challenge]:
    """The challenges in the value of a field, in the order of the server's preference. Nothing is read from where it is broken
    on."""
    challenges: list[Challenge] = []
    position = _after_gap(field, 0)
    while position < len(field):
        parameter = _PARAMETER.match(field, position) if challenges else None
        if parameter is not None:
            name, escaped, plain = parameter.groups()
            value = plain if escaped is None else _ESCAPED.sub(r"\1", escaped)
            challenges[-1].parameters.setdefault(name.lower(), value)
            position = _after_gap(field, parameter.end())
            continue
        scheme = _SCHEME.match(field, position)
        if scheme is None:
            break
        position = scheme.end()
        token = _TOKEN68.match(field, position)
        challenges.append(Challenge(scheme[1].lower(), {}, token[1] if token is not None else ""))
        position = _after_gap(field, position if token is None else token.end())
    return challenges


def _after_gap(field: str, position: int) -> int:
    gap = _GAP.match(field, position)
    return position if gap is None else gap.end()


def quoted(text: str) -> str:
    """`text` as a quoted-string (RFC 9110, section 5.6.4), out of which it cannot break."""
    return '"' + _TO_ESCAPE.sub(r"\\\1", text) + '"'
