"""Seed 000, "File Uploads": the example as it stands, with a URL that exists."""

from __future__ import annotations

from pathlib import Path

import pytest

import aiohttpx as aiohttp

from ..session.form_server import Field, FormServer


@pytest.fixture(autouse=True)
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("report.pdf").write_bytes(b"%PDF-1.7 ...")


async def test_files() -> None:
    async with FormServer() as server:
        files = {"upload_file": open("report.pdf", "rb")}  # noqa: ASYNC230, SIM115

        async with aiohttp.ClientSession() as session, session.post(server.url, files=files) as response:
            assert response.status == 200

        assert server.fields == [Field("upload_file", "report.pdf", b"%PDF-1.7 ...")]
        assert b"Content-Type: application/pdf\r\n" in server.requests[0].body
