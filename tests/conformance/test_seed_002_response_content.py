"""Seed 002, from "Response Content" to "Streaming Response Content", and from "Response Status Codes" to "Response Cookies": the
examples as they stand, with a URL that exists."""

from __future__ import annotations

import gzip
import types
import zlib
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any

import pytest

import aiohttpx as aiohttp
from aiohttpx.testing import LoopbackServer, Request, Response

EVENTS = '[{"repository": {"open_issues": 0, "url": "здесь"}}]'
CODED = {"gzip": gzip.compress, "deflate": zlib.compress}


def serve(request: Request) -> Response:
    if request.path == "/1251":
        return Response(200, [("Content-Type", "application/json")], EVENTS.encode("windows-1251"))
    if request.path == "/redirects":
        return Response(302, [("Location", "/cookies"), ("Set-Cookie", "first=lost")])
    if request.path == "/cookies":
        return Response(200, [("Set-Cookie", "example_cookie_name=example_cookie_value; Path=/")])
    coding = request.path.removeprefix("/")
    body = EVENTS.encode()
    if coding in CODED:
        return Response(200, [("Content-Type", "application/json"), ("Content-Encoding", coding)], CODED[coding](body))
    return Response(200, [("Content-Type", "application/json"), ("SERVER", "gunicorn/18.0")], body)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with LoopbackServer({"/": serve}) as server:
        yield server.url


async def test_response_content(url: str) -> None:
    @types.coroutine
    def go() -> Generator[Any, None, tuple[str, str]]:
        r = yield from aiohttp.request("get", url)
        text = yield from r.text()
        r = yield from aiohttp.request("get", f"{url}/1251")
        other = yield from r.text(encoding="windows-1251")
        return text, other

    assert await go() == (EVENTS, EVENTS)


@pytest.mark.parametrize("coding", ["", "gzip", "deflate"])
async def test_binary_and_json_response_content(url: str, coding: str) -> None:
    @types.coroutine
    def go() -> Generator[Any, None, tuple[bytes, Any]]:
        r = yield from aiohttp.request("get", f"{url}/{coding}")
        body = yield from r.read()
        return body, (yield from r.json())

    assert await go() == (EVENTS.encode(), [{"repository": {"open_issues": 0, "url": "здесь"}}])


async def test_json_with_an_encoding_and_a_decoder_and_when_decoding_fails(url: str) -> None:
    @types.coroutine
    def go(**options: Any) -> Generator[Any, None, Any]:
        r = yield from aiohttp.request("get", f"{url}/1251")
        return (yield from r.json(**options))

    assert await go(encoding="windows-1251", loads=str.upper) == EVENTS.upper()
    with pytest.raises(ValueError, match="decode"):
        await go()


async def test_streaming_response_content(url: str, tmp_path: Path) -> None:
    filename, chunk_size = tmp_path / "events", 10

    @types.coroutine
    def go() -> Generator[Any, None, None]:
        r = yield from aiohttp.request("get", f"{url}/gzip")
        assert isinstance(r.content, aiohttp.StreamReader)
        with open(filename, "wb") as fd:
            while True:
                chunk = yield from r.content.read(chunk_size)
                if not chunk:
                    break
                fd.write(chunk)

    await go()
    assert filename.read_bytes() == EVENTS.encode()


async def test_response_status_codes_and_headers(url: str) -> None:
    async with aiohttp.request("get", url) as r:
        assert r.status == 200
        assert r.headers["SERVER"] == "gunicorn/18.0"
        assert r.headers["Content-Type"] == "application/json"
        assert r.headers.get("content-type") == "application/json"


async def test_response_cookies(url: str) -> None:
    @types.coroutine
    def go(url: str) -> Generator[Any, None, Any]:
        r = yield from aiohttp.request("get", url)
        return r.cookies

    for start in ("cookies", "redirects"):  # of the last request in the redirection chain
        cookies = await go(f"{url}/{start}")
        assert {name: morsel.value for name, morsel in cookies.items()} == {"example_cookie_name": "example_cookie_value"}
