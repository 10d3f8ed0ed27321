"""What of an exchange is not written down: the values of whatever is named like a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from yarl import URL

from ..secrets import REDACTED, SECRET_FIELDS

#: Names of fields, of pairs in queries, forms and cookies, and of members of JSON objects. Case, and - or _, make no difference.
SECRETS: Final = SECRET_FIELDS | {
    *("access_token", "api_key", "apikey", "assertion", "auth_token", "client_secret", "id_token", "passwd", "password"),
    *("private_key", "refresh_token", "secret", "session_token", "sig", "signature", "token", "x_amz_credential"),
    *("x_amz_security_token", "x_amz_signature", "x_api_key", "x_auth_token", "x_csrf_token", "x_goog_signature"),
}

_COOKIES: Final = frozenset({"cookie", "set-cookie"})
_URLS: Final = frozenset({"content-location", "location", "referer"})
_COOKIE_VALUE: Final = re.compile(r"(?<==)[^;]*")
_FORM: Final = "application/x-www-form-urlencoded"


class Redaction:
    """Takes the values of some names out of what is to be written."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(map(_plain, names))

    def fields(self, fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """A field section. Cookies keep their names and attributes."""
        return [(name, self._field(name.lower(), value)) for name, value in fields]

    def _field(self, name: str, value: str) -> str:
        if name in _URLS:
            return self.url(URL(value)) if self._names else value
        if _plain(name) not in self._names:
            return value
        if name in _COOKIES:
            return _COOKIE_VALUE.sub(REDACTED, value, count=1 if name == "set-cookie" else 0)
        return REDACTED

    def url(self, url: URL) -> str:
        """A URL, without user and password."""
        if not self._names:
            return str(url)
        if url.absolute:
            url = url.with_user(None)
        if any(_plain(name) in self._names for name in url.query):
            url = url.with_query([(name, self._value(name, value)) for name, value in url.query.items()])
        return str(url)

    def body(self, body: bytes, content_type: str) -> bytes:
        """A body, if it is JSON or an urlencoded form; nothing is left of one in parts."""
        kind = content_type.partition(";")[0].strip().lower()
        if not self._names or not body:
            return body
        if kind.startswith("multipart/"):
            return REDACTED.encode()
        if kind == _FORM:
            pairs = parse_qsl(body.decode(errors="surrogateescape"), keep_blank_values=True)
            if any(_plain(name) in self._names for name, _ in pairs):
                return urlencode([(name, self._value(name, value)) for name, value in pairs], errors="surrogateescape").encode()
        elif kind == "application/json" or kind.endswith("+json"):
            try:
                value = json.loads(body)
            except ValueError:
                return body
            redacted = self._members(value)
            if redacted != value:
                return json.dumps(redacted, ensure_ascii=False).encode()
        return body

    def _members(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._value(name, self._members(member)) for name, member in value.items()}
        if isinstance(value, list):
            return [self._members(member) for member in value]
        return value

    def _value(self, name: str, value: Any) -> Any:
        return REDACTED if _plain(name) in self._names and value is not None else value


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
