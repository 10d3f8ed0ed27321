"""Seeds 001, 002 and 003, "Streaming uploads": the examples as they stand, with URLs and files that exist."""

from __future__ import annotations

import asyncio
import hashlib
import types
from collections.abc import AsyncIterator, Callable, Generator
from pathlib import Path
from typing import Any

import aiofiles
import pytest

import aiohttpx as aiohttp
from aiohttpx import StreamReader
from aiohttpx.testing import LoopbackServer, Request, Response, payload

BODY = payload(300_000)


class Keep:
    """Keeps what is posted."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return Response.text("thanks")


@pytest.fixture
def keep() -> Keep:
    return Keep()


@pytest.fixture
async def site(keep: Keep) -> AsyncIterator[str]:
    async with LoopbackServer({"/post": keep, "/": lambda _: Response(200, (), BODY)}) as server:
        yield server.url


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("massive-body", "huge_file"):
        Path(name).write_bytes(BODY)


# -- seeds 001 and 003


async def test_a_file_like_object(site: str, keep: Keep) -> None:
    async with aiohttp.ClientSession() as session:
        with open("massive-body", "rb") as f:  # noqa: ASYNC230
            await session.post(f"{site}/post", data=f)
    assert keep.requests[0].body == BODY


async def test_an_asynchronous_generator(site: str, keep: Keep) -> None:
    async def file_sender(file_name: Any = None) -> AsyncIterator[bytes]:
        async with aiofiles.open(file_name, "rb") as f:
            chunk = await f.read(64 * 1024)
            while chunk:
                yield chunk
                chunk = await f.read(64 * 1024)

    # Then you can use file_sender as a data provider:
    provider = file_sender(file_name="huge_file")
    async with aiohttp.ClientSession() as session, session.post(f"{site}/post", data=provider) as resp:
        print(await resp.text())
    assert keep.requests[0].body == BODY


async def test_get_and_post_chained(site: str, keep: Keep) -> None:
    async with aiohttp.ClientSession() as session:
        resp = await session.get(site)
        await session.post(f"{site}/post", data=resp.content)
    assert keep.requests[0].body == BODY


# -- seed 002

Old = Callable[..., Generator[Any, Any, Any]]


async def run(coroutine: Old) -> Any:
    return await types.coroutine(coroutine)()


async def test_a_file_like_object_of_old(site: str, keep: Keep) -> None:
    def example() -> Generator[Any, Any, None]:
        with open("massive-body", "rb") as f:
            yield from aiohttp.request("post", f"{site}/post", data=f)

    await run(example)
    assert keep.requests[0].body == BODY


async def test_a_coroutine_that_yields_bytes(site: str, keep: Keep) -> None:
    left = [b"first ", b"second"]

    @types.coroutine
    def read_some_data_from_somewhere() -> Generator[Any, Any, bytes]:
        yield from asyncio.sleep(0.001).__await__()
        return left.pop(0) if left else b""

    def my_coroutine() -> Generator[Any, Any, None]:
        while True:
            chunk = yield from read_some_data_from_somewhere()  # type: ignore[misc]
            if not chunk:
                return
            yield chunk

    async with aiohttp.ClientSession() as session:
        await session.post(f"{site}/post", data=my_coroutine())
    assert keep.requests[0].body == b"first second"


async def test_a_stream_that_is_fed_from_another_request(site: str, keep: Keep) -> None:
    @types.coroutine
    def feed_stream(resp: Any, stream: StreamReader) -> Generator[Any, Any, str]:
        h = hashlib.sha1()
        while True:
            chunk = yield from resp.content.readany().__await__()
            if not chunk:
                break
            h.update(chunk)
            stream.feed_data(chunk)
        stream.feed_eof()
        return h.hexdigest()

    def example() -> Generator[Any, Any, None]:
        resp = yield from aiohttp.request("get", site)
        stream = StreamReader()
        posting = asyncio.ensure_future(aiohttp.request("post", f"{site}/post", data=stream))

        file_hash = yield from feed_stream(resp, stream)
        assert file_hash == hashlib.sha1(BODY).hexdigest()
        yield from posting

    await run(example)
    assert keep.requests[0].body == BODY


async def test_get_and_post_chained_in_coroutines_of_old(site: str, keep: Keep) -> None:
    def example() -> Generator[Any, Any, None]:
        r = yield from aiohttp.request("get", site)
        yield from aiohttp.request("post", f"{site}/post", data=r.content)

    await run(example)
    assert keep.requests[0].body == BODY
