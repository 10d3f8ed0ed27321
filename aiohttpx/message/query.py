"""What `params=` adds to a URL (seed 003, "Passing Parameters In URLs")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yarl import URL


def extend_query(url: URL, params: Any) -> URL:
    """`url` with `params` after its own query, in order.

    A str is taken as it is, as a part of a URL is (`+` and `%2B` stay what they are); a mapping may have sequences as values. A
    bool is written as `true` or `false`, and a None leaves its key out: JSON's words, as APIs expect them. Raises `TypeError` for
    other values than str, int and float.
    """
    if isinstance(params, str):
        return _extend_by_text(url, params)
    pairs = _pairs(params)
    return url.extend_query(pairs) if pairs else url


def _extend_by_text(url: URL, text: str) -> URL:
    """`URL.extend_query` would quote what is quoted already."""
    query = URL("?" + text.replace("#", "%23")).raw_query_string
    return URL.build(
        scheme=url.scheme,
        authority=url.raw_authority,
        path=url.raw_path,
        query_string="&".join(filter(None, (url.raw_query_string, query))),
        fragment=url.raw_fragment,
        encoded=True,
    )


def _pairs(params: Any) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for name, value in params.items() if isinstance(params, Mapping) else params:
        if isinstance(value, (list, tuple)):
            pairs.extend((name, _said(each)) for each in value if each is not None)
        elif value is not None:
            pairs.append((name, _said(value)))
    return pairs


def _said(value: Any) -> Any:
    return ("false", "true")[value] if isinstance(value, bool) else value
