"""What is not shown: the values of fields that carry credentials, wherever a message is printed or logged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from multidict import CIMultiDict, CIMultiDictProxy

#: Names of such fields, in lower case (RFC 9110, section 11.6; RFC 6265).
SECRET_FIELDS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})
REDACTED: Final = "[redacted]"


def shown(name: str, value: str) -> str:
    """The value of a field, or what stands for it."""
    return REDACTED if name.strip().lower() in SECRET_FIELDS else value


def without_secrets(headers: Any) -> Any:
    """Fields to be printed: themselves, or a copy without the values that nobody is shown."""
    if not isinstance(headers, Mapping) or SECRET_FIELDS.isdisjoint(map(str.lower, headers)):
        return headers
    return CIMultiDictProxy(CIMultiDict([(name, shown(name, value)) for name, value in headers.items()]))
