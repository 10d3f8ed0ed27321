"""Which requests are meant. What a pattern does not say does not matter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from multidict import CIMultiDict, MultiDict
from yarl import URL

from .messages import Request

#: A URL, a path on any host, or a regular expression to be found in the URL.
URLPattern: TypeAlias = str | URL | re.Pattern[str]
Pairs: TypeAlias = Mapping[str, str | int] | Iterable[tuple[str, str | int]]

#: What stands for a value that was not given, where None is one.
MISSING: Any = object()
#: WebSockets begin as requests (RFC 6455, section 4.1).
_SCHEMES = {"ws": "http", "wss": "https"}


class RequestPattern:
    """Requests that have all of what is given.

    :param method: a method, or several; None for any.
    :param url: a URL, whose query may be a part of what is asked for; a path, for any host; or a regular expression, searched in
        the whole URL; None for any.
    :param params: pairs that are in the query.
    :param headers: fields that are there, with these values; a value may be a regular expression, searched in it.
    :param data: the content: bytes, text, or the pairs of an urlencoded form.
    :param json: the value that the content is in JSON.
    :param match: called with the request; returns whether it is meant.
    """

    def __init__(
        self,
        method: str | Iterable[str] | None = None,
        url: URLPattern | None = None,
        *,
        params: Pairs | None = None,
        headers: Mapping[str, str | re.Pattern[str]] | None = None,
        data: bytes | str | Pairs | None = None,
        json: Any = MISSING,
        match: Callable[[Request], bool] | None = None,
    ) -> None:
        self._methods = None if method is None else tuple(map(str.upper, [method] if isinstance(method, str) else method))
        self._url = url if isinstance(url, re.Pattern) or url is None else _canonical(URL(url))
        self._query = MultiDict(_strings(params or ()))
        if isinstance(self._url, URL):
            self._query.extend(self._url.query)
            self._url = self._url.with_query(None).with_fragment(None)
        self._headers = CIMultiDict(headers or ())
        self._data = data.encode() if isinstance(data, str) else data if isinstance(data, bytes | None) else _strings(data)
        self._json = json
        self._match = match

    def __str__(self) -> str:
        method = "any method" if self._methods is None else " or ".join(self._methods)
        url = "any URL" if self._url is None else repr(self._url.pattern) if isinstance(self._url, re.Pattern) else self._url
        parts = [f"{method} {url}"]
        if self._query:
            parts.append("with " + "&".join(f"{name}={value}" for name, value in self._query.items()) + " in the query")
        if self._headers:
            parts.append("with " + ", ".join(self._headers))
        if self._data is not None or self._json is not MISSING:
            parts.append("with a body" if self._data is not None else "with JSON")
        if self._match is not None:
            parts.append(f"for which {getattr(self._match, '__qualname__', self._match)} holds")
        return ", ".join(parts)

    def objection(self, request: Request) -> str | None:
        """What of `request` is not as this pattern has it; None if it is meant."""
        if self._methods is not None and request.method not in self._methods:
            return "another method"
        if not self._has_url(request):
            return "another URL"
        query = request.url.query
        for name in self._query:
            if not set(self._query.getall(name)) <= set(query.getall(name, ())):
                return f"another {name!r} in the query" if name in query else f"no {name!r} in the query"
        for name, value in self._headers.items():
            given = request.headers.get(name)
            if given is None:
                return f"no field {name}"
            if not (value.search(given) if isinstance(value, re.Pattern) else value == given):
                return f"another value of {name}"
        return self._objection_to_body(request)

    def _has_url(self, request: Request) -> bool:
        if self._url is None:
            return True
        url = _canonical(request.url)
        if isinstance(self._url, re.Pattern):
            return self._url.search(str(url)) is not None
        url = url.with_query(None)
        return (url if self._url.absolute else url.relative()) == self._url

    def _objection_to_body(self, request: Request) -> str | None:
        if isinstance(self._data, bytes):
            if request.body != self._data:
                return "another body"
        elif self._data is not None and sorted(parse_qsl(request.body.decode(errors="replace"), True)) != sorted(self._data):
            return "another form"
        if self._json is not MISSING:
            try:
                if request.json() != self._json:
                    return "other JSON"
            except ValueError:
                return "no JSON"
        if self._match is not None and not self._match(request):
            return "its function says no"
        return None


def _canonical(url: URL) -> URL:
    """Its parts quoted in the one way that yarl does it."""
    url = URL(str(url))
    return url.with_scheme(_SCHEMES[url.scheme]) if url.scheme in _SCHEMES else url


def _strings(pairs: Pairs) -> list[tuple[str, str]]:
    given: Any = pairs
    return [(name, str(value)) for name, value in (given.items() if isinstance(given, Mapping) else given)]
