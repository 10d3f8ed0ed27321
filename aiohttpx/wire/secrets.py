"""What is not shown: the values of fields that carry credentials, wherever a message is printed or logged."""

from __future__ import annotations

from typing import Final

#: Names of such fields, in lower case (RFC 9110, section 11.6; RFC 6265).
SECRET_FIELDS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})
REDACTED: Final = "[redacted]"


def shown(name: str, value: str) -> str:
    """The value of a field, or what stands for it."""
    return REDACTED if name.strip().lower() in SECRET_FIELDS else value
