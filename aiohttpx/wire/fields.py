"""What the values of fields mean: media types, Content-Disposition, Link. Text in, meaning out, in time linear in the text.

The patterns are possessive (`++`, `*+`): what they have taken they never give back, so that they cannot try again and again.
"""

from __future__ import annotations

import codecs
import re
import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import count
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote_to_bytes

from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, MultiDictProxy
from yarl import URL

from ..patterns import pattern
from ..records import NamedTuple
from ..typedefs import RawHeaders

OCTET_STREAM: Final = "application/octet-stream"
#: Of a stream of Server-Sent Events.
EVENT_STREAM: Final = "text/event-stream"

# RFC 9110, section 5.6.2.
_TOKEN: Final = pattern(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++")
# RFC 9110, section 5.6.4; the closing quote may be missing where that does no harm.
_QUOTED_PAIR: Final = pattern(r"\\(.)", re.DOTALL)
_PARAMETER: Final = pattern(r"""\s*+([^\s;,="]++)\s*+(?:=\s*+(?:"((?:[^"\\]++|\\.)*+)"?+|([^\s;,]*+)))?+""", re.DOTALL)
_END_OF_PARAMETER: Final = pattern(";")
_END_OF_LINK_PARAMETER: Final = pattern("[;,]")
_QUOTED_ITEM: Final = pattern(r"""([^=;]*+)=\s*+("(?:[^"\\]++|\\.)*+"|".*?")[ \t]*+(?=;|\Z)""", re.DOTALL)
_BROWSERS_ESCAPES: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
_UNWRITABLE: Final = pattern(r"[\r\n\0\ud800-\udfff]")
_CONTINUATION: Final = pattern(r"[^*]*+\*[0-9]++\*?+")
# Codecs of Python that are no charsets. Of these, punycode and idna also take more than linear time.
_NOT_CHARSETS: Final = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})

#: Up to this length the meaning of a Content-Type is kept: what a hostile server sends must not fill the memory.
_REMEMBERED: Final = 256
#: So much of a bad field is shown in a warning: Python remembers the text of each.
_SHOWN: Final = 100


def header_map(raw: RawHeaders) -> CIMultiDictProxy[str]:
    """Field lines as a multidict. Bytes that are not UTF-8 become surrogates (`surrogateescape`), so that none is lost."""
    try:
        pairs = [(name.decode(), value.decode()) for name, value in raw]
    except UnicodeDecodeError:
        pairs = [(name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")) for name, value in raw]
    return CIMultiDictProxy(CIMultiDict(pairs))


# -- media types (RFC 9110, section 8.3.1)


class MimeType(NamedTuple):
    """The parts of a media type, in lower case: those of `application/vnd.api+json` are `application`, `vnd.api`, `json`."""

    type: str
    subtype: str
    suffix: str
    parameters: MultiDictProxy[str]


def parse_mimetype(mimetype: str) -> MimeType:
    """The parts of a media type; those that are missing are empty. Never raises."""
    essence = _essence(mimetype)
    kind, _, subtype = ("*/*" if essence == "*" else essence).partition("/")
    subtype, _, suffix = subtype.partition("+")
    parameters, _ = _parameters(mimetype, 0, _END_OF_PARAMETER)
    return MimeType(kind, subtype, suffix, MultiDictProxy(MultiDict(parameters)))


def parse_content_type(value: str) -> tuple[str, Mapping[str, str]]:
    """The `type/subtype` of a Content-Type, in lower case, and its parameters, of which the first of a name counts.

    What is no media type is `application/octet-stream`. Never raises. Values of a usual length are remembered.
    """
    return _parse_content_type(value) if len(value) <= _REMEMBERED else _parse_content_type.__wrapped__(value)


@lru_cache(maxsize=64)
def _parse_content_type(value: str) -> tuple[str, Mapping[str, str]]:
    essence = _essence(value)
    kind, _, subtype = essence.partition("/")
    if not kind or not subtype or "/" in subtype:
        essence = OCTET_STREAM
    parameters, _ = _parameters(value, 0, _END_OF_PARAMETER)
    return essence, MappingProxyType(dict(reversed(parameters)))


def is_json(content_type: str, wanted: str = "application/json") -> bool:
    """A Content-Type is what `json(content_type=wanted)` asks for.

    When `application/json` is wanted, so are its relatives (`application/problem+json`, `application/json-seq`); of another
    type the wanted text need only be a part (`text/` is enough for `text/javascript`). aiohttp takes the same.
    """
    essence, _ = parse_content_type(content_type)
    if wanted == "application/json":
        return essence.startswith("application/") and (essence.startswith("json", 12) or "+json" in essence)
    return wanted in essence


def _essence(mimetype: str) -> str:
    return mimetype.partition(";")[0].strip().lower()


def _parameters(text: str, at: int, end: re.Pattern[str]) -> tuple[list[tuple[str, str]], int]:
    """The `;name=value` pairs of `text` from `at` on, and the index after them.

    `end` finds the end of one: a semicolon, after which comes another, or something else, after which comes none.
    """
    found: list[tuple[str, str]] = []
    while (mark := end.search(text, at)) is not None:
        at = mark.end()
        if mark[0] != ";":
            return found, at
        if (parameter := _PARAMETER.match(text, at)) is not None:
            name, quoted, token = parameter.groups()
            found.append((name.lower(), (token or "") if quoted is None else _unquote(quoted)))
            at = parameter.end()
    return found, len(text)


def _unquote(text: str) -> str:
    return _QUOTED_PAIR.sub(r"\1", text) if "\\" in text else text


# -- Content-Disposition (RFC 6266; parameters by RFC 8187, continued ones by RFC 2231)


class BadContentDispositionHeader(RuntimeWarning):
    """A Content-Disposition cannot be read."""


class BadContentDispositionParam(RuntimeWarning):
    """A parameter of a Content-Disposition cannot be read, and is left out."""


class ContentDisposition(NamedTuple):
    """`type` in lower case, or None when the field cannot be read; `filename` as `content_disposition_filename` finds it."""

    type: str | None
    parameters: Mapping[str, str]
    filename: str | None

    @classmethod
    def parse(cls, header: str) -> ContentDisposition:
        """What a field says. Warns as `parse_content_disposition` does."""
        kind, params = parse_content_disposition(header)
        return cls(kind, MappingProxyType(params), content_disposition_filename(params))


def parse_content_disposition(header: str | None) -> tuple[str | None, dict[str, str]]:
    """The disposition type, in lower case, and the parameters, with `*` at the end of the names of extended ones.

    A field that cannot be read gives `(None, {})` and a `BadContentDispositionHeader` warning.
    """
    if not header:
        return None, {}
    kind, _, _ = header.partition(";")
    kind = kind.strip()
    params: dict[str, str] = {}
    if not _TOKEN.fullmatch(kind):
        return _unreadable(header)
    at = header.find(";")
    while at != -1:
        # A quoted string may hold semicolons. One that is not quoted by the rules (`""a" b"`) ends where its writer meant it to:
        # at the first quote that stands before a semicolon or the end.
        if (item := _QUOTED_ITEM.match(header, at + 1)) is not None:
            name, value = item.groups()
            at = header.find(";", item.end())
        else:
            start, at = at + 1, header.find(";", at + 1)
            text = header[start:] if at == -1 else header[start:at]
            if not text:
                warnings.warn(BadContentDispositionHeader(header[:_SHOWN]), stacklevel=2)
                continue
            name, equals, value = text.partition("=")
            value = value.lstrip()
            if not equals or value.startswith('"'):
                return _unreadable(header)
        name = name.strip().lower()
        if name in params:
            return _unreadable(header)
        legal = _TOKEN.fullmatch(name) is not None
        known = _disposition_parameter(name, value) if legal else None
        if known is not None:
            params[name] = known
        elif legal and not name.endswith("*") and not _CONTINUATION.fullmatch(name):
            return _unreadable(header)
        else:
            warnings.warn(BadContentDispositionParam(f"{name}={value}"[:_SHOWN]), stacklevel=2)
    return kind.lower(), params


def _unreadable(header: str) -> tuple[None, dict[str, str]]:
    warnings.warn(BadContentDispositionHeader(header[:_SHOWN]), stacklevel=3)
    return None, {}


def _disposition_parameter(name: str, value: str) -> str | None:
    if _CONTINUATION.fullmatch(name):
        return _unquote(value[1:-1]) if value.startswith('"') else value if _TOKEN.fullmatch(value) else None
    if name.endswith("*"):
        if value.count("'") != 2 or not _TOKEN.fullmatch(value):
            return None
        charset, _, coded = value.split("'")
        return _decode(unquote_to_bytes(coded), charset or "utf-8")
    if value.startswith('"'):
        return _unquote(value[1:-1].lstrip("\\/"))  # an absolute path, as old browsers send them, is none of our business
    return value if _TOKEN.fullmatch(value) else None


def _decode(octets: bytes, charset: str) -> str | None:
    try:
        return None if codecs.lookup(charset).name in _NOT_CHARSETS else octets.decode(charset)
    except (LookupError, ValueError):
        return None


def content_disposition_header(disptype: str, quote_fields: bool = True, _charset: str = "utf-8", **params: str) -> str:
    """A Content-Disposition in the way of browsers, for the parts of a multipart body (WHATWG HTML, "multipart/form-data").

    Text stays as it is, to be sent in UTF-8, but `"`, CR and LF become `%22`, `%0D`, `%0A`; with `quote_fields=False` nothing is
    changed. `_charset` is accepted for aiohttp's sake.

    Raises `ValueError`, with the name of the parameter, for a type or name that is no token, and for what cannot be written: NUL,
    lone surrogates, and CR and LF if nothing is changed.
    """
    if not _TOKEN.fullmatch(disptype):
        raise ValueError(f"A disposition type is a token, unlike {disptype!r:.100}")
    said = [disptype]
    for name, value in params.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"The name of a parameter of Content-Disposition is a token, unlike {name!r:.100}")
        text = value.translate(_BROWSERS_ESCAPES) if quote_fields else value
        if _UNWRITABLE.search(text):
            raise ValueError(f"The {name} of a part cannot be written in a field: {value!r:.100}")
        said.append(f'{name}="{text}"')
    return "; ".join(said)


def content_disposition_filename(params: Mapping[str, str], name: str = "filename") -> str | None:
    """The filename that `params` hold: extended, else plain, else in pieces. None when there is none that can be read."""
    for whole in (params.get(f"{name}*"), params.get(name)):
        if whole is not None:
            return whole
    charset = ""
    pieces = []
    for number in count():
        if (coded := params.get(f"{name}*{number}*")) is not None:
            if number == 0 and coded.count("'") > 1:
                charset, _, coded = coded.split("'", 2)
                charset = charset or "utf-8"
            pieces.append(unquote_to_bytes(coded))
        elif (plain := params.get(f"{name}*{number}")) is not None:
            pieces.append(plain.encode("utf-8", "surrogateescape"))
        else:
            break
    if not pieces:
        return None
    return _decode(b"".join(pieces), charset) if charset else b"".join(pieces).decode("utf-8", "surrogateescape")


# -- Link (RFC 8288, section 3)


def parse_links(values: Iterable[str], base: URL) -> MultiDictProxy[MultiDictProxy[str | URL]]:
    """The links of Link fields, by relation type, or by target where they have none.

    Each holds the parameters of its link, and as "url" the target, joined to `base`. What is no link is left out. Never raises.
    """
    links: MultiDict[MultiDictProxy[str | URL]] = MultiDict()
    for text in values:
        at = 0
        while (start := text.find("<", at)) != -1 and (end := text.find(">", start)) != -1:
            target = text[start + 1 : end]
            parameters, at = _parameters(text, end + 1, _END_OF_LINK_PARAMETER)
            try:
                url = base.join(URL(target))
            except ValueError:
                continue
            link: MultiDict[str | URL] = MultiDict((name, _without_apostrophes(value)) for name, value in parameters)
            links.add(str(link.get("rel", target)), MultiDictProxy(link))
            link["url"] = url
    return MultiDictProxy(links)


def _without_apostrophes(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == "'" else value  # no quotes by the RFC, but in use
