"""A session against a real httpbin under gunicorn: bodies both ways, codings, statuses, delays."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from aiohttpx import (
    BasicAuth,
    BearerAuthMiddleware,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    ContentTypeError,
    DigestAuthMiddleware,
    ServerTimeoutError,
    SocketTimeoutError,
)

from .servers import Httpbin

VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


async def said(session: ClientSession, method: str, path: str, **kwargs: Any) -> Any:
    async with session.request(method, path, **kwargs) as response:
        assert response.status == 200
        return await response.json()


# -- what was asked


@pytest.mark.every_loop
@pytest.mark.parametrize("method", VERBS)
async def test_what_a_request_says_is_what_arrives(httpbin: Httpbin, method: str) -> None:
    async with ClientSession(httpbin.url) as session:
        url = f"/{method.lower()}?a=1"
        heard = await said(session, method, url, params={"b": ["2", "ä &"]}, headers={"X-Own": "value, with: all\tsorts"})
        assert heard["args"] == {"a": "1", "b": ["2", "ä &"]}
        assert heard["headers"]["X-Own"] == "value, with: all\tsorts"
        assert heard["headers"]["Host"] == URL(httpbin.url).authority
        assert heard["headers"]["User-Agent"].startswith("Python/")
        assert heard["url"].startswith(f"{httpbin.url}/{method.lower()}?")
        assert (await said(session, method, "/anything"))["method"] == method


async def test_head_and_options(httpbin: Httpbin) -> None:
    async with ClientSession(httpbin.url) as session:
        async with session.head("/get") as response:
            assert response.status == 200
            assert response.content_length
            assert await response.read() == b""
        async with session.options("/get") as response:
            assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
            assert await response.read() == b""
        assert (await said(session, "GET", "/get"))["args"] == {}


async def upload() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b"part "
        await asyncio.sleep(0)


@pytest.mark.every_loop
@pytest.mark.parametrize("method", VERBS)
async def test_every_kind_of_body_arrives(httpbin: Httpbin, method: str, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("käse", encoding="utf-8")
    async with ClientSession(httpbin.url) as session:
        for data, text, content_type in [
            (b"bytes", "bytes", "application/octet-stream"),
            ("käse", "käse", "text/plain; charset=utf-8"),
            (io.BytesIO(b"in memory"), "in memory", "application/octet-stream"),
            (io.StringIO("käse"), "käse", "text/plain; charset=utf-8"),
            (upload(), "part part part ", "application/octet-stream"),
            (path.open("rb"), "käse", "text/plain"),
        ]:
            heard = await said(session, method, "/anything", data=data)
            assert heard["data"] == text
            assert heard["headers"]["Content-Type"] == content_type


@pytest.mark.every_loop
async def test_forms_and_json_arrive(httpbin: Httpbin) -> None:
    value = {"text": "ä\n\u2028", "number": 1.5, "list": [None, True, {}]}
    async with ClientSession(httpbin.url) as session:
        heard = await said(session, "POST", "/post", json=value)
        assert heard["json"] == value
        assert heard["headers"]["Content-Type"] == "application/json"
        heard = await said(session, "POST", "/post", data={"a": "1 + 1 = 2 & more", "ä": "ö"})
        assert heard["form"] == {"a": "1 + 1 = 2 & more", "ä": "ö"}
        heard = await said(session, "POST", "/post", data=[("a", "1"), ("a", "2")])
        assert heard["form"] == {"a": ["1", "2"]}
        for body in (b"x" * 100_000, "x" * 100_000):
            assert len((await said(session, "PUT", "/put", data=body))["data"]) == 100_000
        assert (await said(session, "POST", "/post", data=b"chunks", chunked=True))["data"] == "chunks"


async def test_urls_are_not_mangled(httpbin: Httpbin) -> None:
    async with ClientSession(httpbin.url) as session:
        heard = await said(session, "GET", "/anything/päth/a%2Fb/c d", params="q=1+2&x=%C3%A4")
        assert heard["args"] == {"q": "1 2", "x": "ä"}
        assert URL(heard["url"]).path == "/anything/päth/a/b/c d"


# -- what is answered


@pytest.mark.every_loop
@pytest.mark.parametrize(("path", "flag"), [("/gzip", "gzipped"), ("/deflate", "deflated"), ("/brotli", "brotli")])
async def test_codings(httpbin: Httpbin, path: str, flag: str) -> None:
    async with ClientSession(httpbin.url) as session:
        assert (await said(session, "GET", path))[flag] is True
        async with session.get(path) as response:
            assert json.loads(b"".join([piece async for piece in response.content.iter_chunked(10)]))[flag] is True
        async with session.get(path, auto_decompress=False) as response:
            assert len(await response.read()) == response.content_length
        async with session.head(path) as response:
            assert await response.read() == b""


@pytest.mark.every_loop
@pytest.mark.parametrize("status", [200, 201, 299, 400, 401, 404, 418, 500, 503])
async def test_statuses(httpbin: Httpbin, status: int) -> None:
    async with ClientSession(httpbin.url) as session:
        for method in VERBS:
            async with session.request(method, f"/status/{status}") as response:
                assert response.status == status
                await response.read()
        if status >= 400:
            with pytest.raises(ClientResponseError) as caught:
                await session.get(f"/status/{status}", raise_for_status=True)
            assert caught.value.status == status
            if status == 418:
                assert b"teapot" in (caught.value.body or b"")


async def test_texts_and_types(httpbin: Httpbin) -> None:
    async with ClientSession(httpbin.url) as session:
        async with session.get("/encoding/utf8") as response:
            assert (response.content_type, response.charset) == ("text/html", "utf-8")
            assert "∮ E⋅da = Q" in await response.text()
            with pytest.raises(ContentTypeError):
                await response.json()
        async with session.get("/json") as response:
            assert (await response.json())["slideshow"]["author"] == "Yours Truly"
        async with session.get("/image/png") as response:
            assert response.content_type == "image/png"
            assert (await response.read()).startswith(b"\x89PNG")
        async with session.get("/deny") as response:
            assert "YOU SHOULDN'T BE HERE" in await response.text()


async def test_fields_and_cookies(httpbin: Httpbin) -> None:
    async with ClientSession(httpbin.url) as session:
        fields = [("X-A", "1"), ("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; HttpOnly")]
        async with session.get("/response-headers", params=fields) as response:
            assert response.headers["X-A"] == "1"
            assert {name: cookie.value for name, cookie in response.cookies.items()} == {"a": "1", "b": "2"}
        async with session.get("/etag/abc", headers={"If-None-Match": '"abc"'}) as response:
            assert response.status == 304
        async with session.get("/range/100", headers={"Range": "bytes=10-19"}) as response:
            assert response.status == 206
            assert await response.read() == b"klmnopqrst"


@pytest.mark.every_loop
async def test_streams(httpbin: Httpbin) -> None:
    async with ClientSession(httpbin.url) as session:
        async with session.get("/stream/20") as response:
            assert response.headers["Transfer-Encoding"] == "chunked"
            assert [json.loads(line)["id"] async for line in response.content] == list(range(20))
        async with session.get("/stream-bytes/100000", params={"seed": 1, "chunk_size": 1000}) as response:
            chunks = [chunk async for chunk, ended in response.content.iter_chunks() if ended]
            assert sum(map(len, chunks)) == 100_000
        async with session.get("/stream-bytes/100000", params={"seed": 1, "chunk_size": 999}) as response:
            assert await response.read() == b"".join(chunks)
        async with session.get("/bytes/100000", params={"seed": 1}) as response:
            assert await response.read() == b"".join(chunks)
        async with session.get("/drip", params={"duration": 0.2, "numbytes": 5, "delay": 0}) as response:
            assert await response.read() == b"*****"


async def test_two_lengths_that_differ_are_refused(httpbin: Httpbin) -> None:
    async with ClientSession(httpbin.url) as session:
        with pytest.raises(ClientResponseError, match="Content-Length: 100000") as caught:
            await session.get("/response-headers?Content-Length=100000")
        assert caught.value.status == 400
        assert (await said(session, "GET", "/get"))["args"] == {}


# -- delays


@pytest.mark.every_loop
@pytest.mark.parametrize(
    ("limit", "error"),
    [
        (0.2, ServerTimeoutError),
        (ClientTimeout(total=0.2), ServerTimeoutError),
        (ClientTimeout(sock_read=0.2), SocketTimeoutError),
        (ClientTimeout(headers=0.2), ServerTimeoutError),
    ],
)
async def test_an_answer_that_comes_too_late(httpbin: Httpbin, limit: Any, error: type[Exception]) -> None:
    async with ClientSession(httpbin.url) as session:
        with pytest.raises(error) as caught:
            await session.get("/delay/1", timeout=limit)
        assert isinstance(caught.value, asyncio.TimeoutError)
        assert URL(httpbin.url).authority in str(caught.value)
        assert (await said(session, "GET", "/get"))["args"] == {}


@pytest.mark.every_loop
async def test_an_answer_that_comes_in_time(httpbin: Httpbin) -> None:
    async with ClientSession(httpbin.url, timeout=ClientTimeout(total=30, sock_read=20)) as session:
        assert (await said(session, "GET", "/delay/0.3"))["args"] == {}


@pytest.mark.every_loop
async def test_a_body_that_comes_too_late(httpbin: Httpbin) -> None:
    drip = "/drip?duration=5&numbytes=5&delay=0"
    async with ClientSession(httpbin.url) as session, session.get(drip, timeout=ClientTimeout(total=0.3)) as response:
        with pytest.raises(ServerTimeoutError, match="reading the body"):
            await response.read()


@pytest.mark.every_loop
async def test_many_at_once(httpbin: Httpbin) -> None:
    async with ClientSession(httpbin.url) as session:
        answers = await asyncio.gather(*(said(session, "POST", f"/anything/{number}", json=number) for number in range(100)))
    assert [answer["json"] for answer in answers] == list(range(100))


# -- credentials


@pytest.mark.parametrize("qop", ["auth", "auth-int"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512"])
async def test_digest(httpbin: Httpbin, qop: str, algorithm: str) -> None:
    path = f"/digest-auth/{qop}/me/secret/{algorithm}"
    async with ClientSession(httpbin.url, middlewares=(DigestAuthMiddleware("me", "secret"),)) as session:
        for _ in range(2):
            assert await said(session, "GET", path) == {"authenticated": True, "user": "me"}
        async with session.get(path, middlewares=(DigestAuthMiddleware("me", "wrong"),)) as response:
            assert response.status == 401


async def test_basic_and_bearer(httpbin: Httpbin) -> None:
    async with ClientSession(httpbin.url, auth=BasicAuth("me", "se:cret")) as session:
        assert await said(session, "GET", "/basic-auth/me/se:cret") == {"authenticated": True, "user": "me"}
    async with ClientSession(httpbin.url, middlewares=(BearerAuthMiddleware("token"),)) as session:
        assert await said(session, "GET", "/bearer") == {"authenticated": True, "token": "token"}
