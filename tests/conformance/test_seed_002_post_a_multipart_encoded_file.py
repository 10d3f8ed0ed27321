"""Seed 002, "POST a Multipart-Encoded File": the examples as they stand, in coroutines of old, with a URL that exists."""

from __future__ import annotations

import types
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

import aiohttpx as aiohttp
from aiohttpx import FormData

from ..session.form_server import Field, FormServer


@pytest.fixture(autouse=True)
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("report.xls").write_bytes(b"\xd0\xcf\x11\xe0")


async def test_upload() -> None:
    async with FormServer() as server:
        url = server.url
        files = {"file": open("report.xls", "rb")}  # noqa: ASYNC230, SIM115

        @types.coroutine
        def go() -> Generator[Any, None, None]:
            r = yield from aiohttp.request("post", url, data=files)
            r.release()

        await go()
        assert server.requests[0].method == "POST"
        assert server.fields == [Field("file", "report.xls", b"\xd0\xcf\x11\xe0")]


async def test_filename_and_content_type() -> None:
    async with FormServer() as server:
        url = server.url
        file = open("report.xls", "rb")  # noqa: ASYNC230, SIM115

        @types.coroutine
        def go() -> Generator[Any, None, None]:
            data = FormData()
            data.add_field("file",
                           file,
                           filename="report.xls",
                           content_type="application/")  # fmt: skip

            r = yield from aiohttp.request("post", url, data=data)
            r.release()

        await go()
        assert server.fields == [Field("file", "report.xls", b"\xd0\xcf\x11\xe0")]
        assert b"Content-Type: application/\r\n" in server.requests[0].body
