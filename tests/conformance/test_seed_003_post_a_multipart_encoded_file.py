"""Seed 003, "POST a Multipart-Encoded File": the examples as they stand, with a URL that exists."""

from __future__ import annotations

from pathlib import Path

import pytest

import aiohttpx as aiohttp

from ..session.form_server import Field, FormServer


@pytest.fixture(autouse=True)
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("report.xls").write_bytes(b"\xd0\xcf\x11\xe0")


async def test_upload() -> None:
    async with FormServer() as server, aiohttp.ClientSession() as session:
        url = server.url
        files = {"file": open("report.xls", "rb")}  # noqa: ASYNC230, SIM115

        await session.post(url, data=files)

        assert server.fields == [Field("file", "report.xls", b"\xd0\xcf\x11\xe0")]


async def test_filename_and_content_type() -> None:
    async with FormServer() as server, aiohttp.ClientSession() as session:
        url = server.url
        file = open("report.xls", "rb")  # noqa: ASYNC230, SIM115
        data = aiohttp.FormData()
        data.add_field("file",
                       file,
                       filename="report.xls",
                       content_type="application/vnd.ms-excel")  # fmt: skip

        await session.post(url, data=data)

        assert server.fields == [Field("file", "report.xls", b"\xd0\xcf\x11\xe0")]
        assert b"Content-Type: application/vnd.ms-excel\r\n" in server.requests[0].body
