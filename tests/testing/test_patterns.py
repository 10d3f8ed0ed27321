from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from aiohttpx.testing import Request, RequestPattern


def request(method: str = "GET", url: str = "http://example.org/a?b=1&b=2&c=3", body: bytes = b"", **headers: str) -> Request:
    parts = urlsplit(url)
    target = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
    fields = CIMultiDictProxy(CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}))
    return Request(
        method, target, parts.path, parts.query, (1, 1), (), fields, len(body), False, True, body, len(body),
        f"{parts.scheme}://{parts.netloc}",
    )  # fmt: skip


FITS: dict[str, tuple[dict[str, Any], Request]] = {
    "anything": ({}, request()),
    "method": ({"method": "get"}, request()),
    "methods": ({"method": ["PUT", "GET"]}, request()),
    "url": ({"url": "http://example.org/a"}, request()),
    "url that ends at its port": ({"url": "http://EXAMPLE.org:80"}, request(url="http://example.org/")),
    "url with a query": ({"url": "http://example.org/a?c=3&b=2"}, request()),
    "URL": ({"url": URL("http://example.org/a")}, request()),
    "quoted": ({"url": "http://example.org/é b"}, request(url="http://example.org/%C3%A9%20b")),
    "quoted otherwise": ({"url": "http://example.org/~a"}, request(url="http://example.org/%7ea")),
    "path": ({"url": "/a"}, request()),
    "path with a query": ({"url": "/a?b=1"}, request()),
    "websocket": ({"url": "wss://example.org/a"}, request(url="https://example.org/a")),
    "regex": ({"url": re.compile(r"/a\?.*c=\d$")}, request()),
    "params": ({"params": {"c": 3}}, request()),
    "params as pairs": ({"params": [("b", "2"), ("b", "1")]}, request()),
    "headers": ({"headers": {"X-A": "1"}}, request(x_a="1", x_b="2")),
    "headers by regex": ({"headers": {"authorization": re.compile("^Bearer ")}}, request(Authorization="Bearer abc")),
    "bytes": ({"data": b"\xff"}, request(body=b"\xff")),
    "text": ({"data": "é"}, request(body="é".encode())),
    "form": ({"data": {"a": 1, "b": ""}}, request(body=b"b=&a=1")),
    "json": ({"json": {"a": [1, None]}}, request(body=b'{"a":[1,null]}')),
    "json null": ({"json": None}, request(body=b"null")),
    "match": ({"match": lambda request: request.path == "/a"}, request()),
}


@pytest.mark.parametrize(("pattern", "asked"), FITS.values(), ids=FITS)
def test_fits(pattern: dict[str, Any], asked: Request) -> None:
    assert RequestPattern(**pattern).objection(asked) is None


OBJECTIONS: dict[str, tuple[dict[str, Any], Request, str]] = {
    "method": ({"method": "PUT"}, request(), "another method"),
    "scheme": ({"url": "https://example.org/a"}, request(), "another URL"),
    "port": ({"url": "http://example.org:81/a"}, request(), "another URL"),
    "path": ({"url": "/b"}, request(), "another URL"),
    "regex": ({"url": re.compile("^/a")}, request(), "another URL"),
    "param": ({"params": {"d": 1}}, request(), "no 'd' in the query"),
    "param's value": ({"url": "/a?c=4"}, request(), "another 'c' in the query"),
    "header": ({"headers": {"X-A": "1"}}, request(), "no field X-A"),
    "header's value": ({"headers": {"X-A": "1"}}, request(x_a="11"), "another value of X-A"),
    "body": ({"data": b"a"}, request(body=b"b"), "another body"),
    "form": ({"data": {"a": 1}}, request(body=b"a=1&b=2"), "another form"),
    "json": ({"json": 1}, request(body=b"2"), "other JSON"),
    "no json": ({"json": 1}, request(), "no JSON"),
    "match": ({"match": lambda request: False}, request(), "its function says no"),
}


@pytest.mark.parametrize(("pattern", "asked", "said"), OBJECTIONS.values(), ids=OBJECTIONS)
def test_objections(pattern: dict[str, Any], asked: Request, said: str) -> None:
    assert RequestPattern(**pattern).objection(asked) == said


def test_it_is_shown_without_values_of_fields_and_bodies() -> None:
    pattern = RequestPattern("POST", "http://example.org/a?b=1", headers={"Authorization": "secret"}, json={"password": "secret"})
    assert str(pattern) == "POST http://example.org/a, with b=1 in the query, with Authorization, with JSON"
    assert str(RequestPattern(url=re.compile("a"))) == "any method 'a'"
