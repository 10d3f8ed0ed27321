"""Names for the types that callers give and get; aiohttp's names where it has one."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from multidict import CIMultiDict, CIMultiDictProxy, istr
from yarl import URL, Query, QueryVariable

if TYPE_CHECKING:
    from http.cookies import BaseCookie, Morsel

__all__ = (
    "DEFAULT_JSON_DECODER",
    "DEFAULT_JSON_ENCODER",
    "Byteish",
    "Handler",
    "JSONBytesDecoder",
    "JSONBytesEncoder",
    "JSONDecoder",
    "JSONEncoder",
    "LooseCookies",
    "LooseHeaders",
    "Middleware",
    "Params",
    "PathLike",
    "Query",
    "RawHeaders",
    "StrOrURL",
)

DEFAULT_JSON_ENCODER = json.dumps
DEFAULT_JSON_DECODER = json.loads

Byteish: TypeAlias = bytes | bytearray | memoryview
JSONEncoder: TypeAlias = Callable[[Any], str]
JSONBytesDecoder: TypeAlias = Callable[[bytes], Any]
JSONBytesEncoder: TypeAlias = Callable[[Any], bytes]
JSONDecoder: TypeAlias = Callable[[str], Any]
LooseHeaders: TypeAlias = (
    Mapping[str, str] | Mapping[istr, str] | CIMultiDict[str] | CIMultiDictProxy[str] | Iterable[tuple[str | istr, str]]
)
# A Union takes a name for what is not loaded; `|` does not.
LooseCookies: TypeAlias = Union[
    Mapping[str, "str | BaseCookie[str] | Morsel[Any]"],
    Iterable[tuple[str, "str | BaseCookie[str] | Morsel[Any]"]],
    "BaseCookie[str]",
]
#: Names and values as they came, in order, repeated ones too.
RawHeaders: TypeAlias = tuple[tuple[bytes, bytes], ...]
StrOrURL: TypeAlias = str | URL
#: What `params=` takes: as yarl does, but a value may be None, which leaves its name out.
Params: TypeAlias = Query | Mapping[str, QueryVariable | None] | Iterable[tuple[str, QueryVariable | None]]
PathLike: TypeAlias = str | os.PathLike[str]
#: Of aiohttp's server half: what answers a request there, and what stands around that.
Handler: TypeAlias = Callable[[Any], Awaitable[Any]]
Middleware: TypeAlias = Callable[[Any, Handler], Awaitable[Any]]
