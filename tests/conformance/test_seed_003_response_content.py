"""Seed 003, from "Response Content and Status Code" to "Streaming Response Content" (seed 001 begins with the first): the
examples as they stand, with a URL that exists."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import aiohttpx as aiohttp
from aiohttpx.testing import LoopbackServer, Request, Response
from aiohttpx.wire.codings import ACCEPT_ENCODING, make_encoder

EVENTS = '[{"created_at":"2015-06-12T14:06:22Z","public":true,"actor":"актёр"}]'


def serve(request: Request) -> Response:
    coding = request.path.rpartition("/")[2]
    kind = ("Content-Type", "application/json")
    if coding == "windows-1251":
        return Response(200, [kind], EVENTS.encode("windows-1251"))
    if coding == "events":
        return Response(200, [kind, ("Content-Encoding", "gzip")], gzip.compress(EVENTS.encode()))
    encoder = make_encoder(coding)
    return Response(200, [kind, ("Content-Encoding", coding)], encoder.encode(EVENTS.encode()) + encoder.finish())


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with LoopbackServer({"/": serve}) as server:
        yield server.url


async def test_response_content_and_status_code(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/events") as resp:
            print(resp.status)
            print(await resp.text())
        assert capsys.readouterr().out == f"200\n{EVENTS}\n"
        async with session.get(f"{url}/windows-1251") as resp:
            assert await resp.text(encoding="windows-1251") == EVENTS


@pytest.mark.parametrize("coding", ACCEPT_ENCODING.split(", "))
async def test_binary_response_content(url: str, coding: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/{coding}") as resp:
        assert await resp.read() == EVENTS.encode()


async def test_json_response_content(url: str) -> None:
    def decoder(text: str) -> Any:
        return {"decoded": text}

    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/events") as resp:
            assert await resp.json() == [{"created_at": "2015-06-12T14:06:22Z", "public": True, "actor": "актёр"}]
        async with session.get(f"{url}/windows-1251") as resp:
            assert await resp.json(encoding="windows-1251", loads=decoder) == {"decoded": EVENTS}
            with pytest.raises(UnicodeDecodeError):
                await resp.json()


async def test_streaming_response_content(url: str, tmp_path: Path) -> None:
    filename, chunk_size = tmp_path / "events", 10
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/events") as resp:
            assert isinstance(resp.content, aiohttp.StreamReader)
            assert await resp.content.read(10) == EVENTS.encode()[:10]
        async with session.get(f"{url}/events") as resp:
            with open(filename, "wb") as fd:  # noqa: ASYNC230
                async for chunk in resp.content.iter_chunked(chunk_size):
                    fd.write(chunk)
            assert await resp.read() == b""  # it was read already
    assert filename.read_bytes() == EVENTS.encode()
