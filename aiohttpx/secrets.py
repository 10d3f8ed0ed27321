"""What is not shown: the values of fields that carry credentials, wherever a message is printed or logged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from multidict import CIMultiDict, CIMultiDictProxy

from .patterns import pattern

#: Names of such fields, in lower case (RFC 9110, section 11.6; RFC 6265).
SECRET_FIELDS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})
REDACTED: Final = "[redacted]"
#: User and password in the URL of a Location or the like.
_USERINFO: Final = pattern(r"(?<=[/\\]{2})[^/?#\\\s]*@")


def shown(name: str, value: str) -> str:
    """The value of a field, or what stands for it."""
    return REDACTED if name.strip().lower() in SECRET_FIELDS else _USERINFO.sub("...@", value)


def without_secrets(headers: Any) -> Any:
    """Fields to be printed: a copy without the values that nobody is shown; what is no mapping, itself."""
    if not isinstance(headers, Mapping):
        return headers
    fields = CIMultiDict([(name, shown(name, value)) for name, value in headers.items()])
    return fields if isinstance(headers, CIMultiDict) else CIMultiDictProxy(fields)
