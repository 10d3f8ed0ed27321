from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from aiohttpx import (
    BodyTooLarge,
    ChecksumMismatch,
    ClientConnectorError,
    ClientPayloadError,
    ClientResponseError,
    ClientSession,
    ServerTimeoutError,
    StreamReader,
)
from aiohttpx.session.partialfile import PartialFile
from aiohttpx.testing import LoopbackServer, Request, Response, payload
from aiohttpx.testing.resumable import with_ranges

CONTENT = payload(3_000_000)
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
ETAG = '"one"'

Answer = Callable[[Request, Response], Response]


class Origin:
    """Serves CONTENT in ranges. `cuts`: where each response in turn is cut off, None: not. `change` makes another of each."""

    def __init__(self, *cuts: int | None, etag: str = ETAG, change: Answer | None = None) -> None:
        self.asked: list[Request] = []
        self.content = CONTENT
        self.etag = etag
        self.fields: tuple[tuple[str, str], ...] = ()
        self.cuts = list(cuts)
        self.change = change
        self.taken = 0
        self.patched = pytest.MonkeyPatch()
        self.server = LoopbackServer({"/file": self._serve})

    @property
    def url(self) -> str:
        return f"{self.server.url}/file"

    @property
    def ranges(self) -> list[str | None]:
        return [request.headers.get("range") for request in self.asked]

    async def __aenter__(self) -> Origin:
        readany = StreamReader.readany

        async def counted(reader: StreamReader) -> bytes:
            piece = await readany(reader)
            self.taken = reader.total_raw_bytes
            return piece

        self.patched.setattr(StreamReader, "readany", counted)
        await self.server.__aenter__()
        return self

    async def __aexit__(self, *args: Any) -> None:
        self.patched.undo()
        await self.server.__aexit__(*args)

    def _serve(self, request: Request) -> Response:
        self.asked.append(request)
        response = with_ranges(request, self.content, self.etag, self.fields)
        if self.change is not None:
            response = self.change(request, response)
        cut = self.cuts.pop(0) if self.cuts else None
        if cut is not None:
            whole = response.body
            assert isinstance(whole, bytes)
            response.length, response.body = len(whole), self._cut(whole, cut)
        return response

    async def _cut(self, whole: bytes, at: int) -> AsyncIterator[bytes]:
        self.taken = 0
        yield whole[:at]
        async with asyncio.timeout(20):
            while self.taken < at:  # noqa: ASYNC110  # the rest would be lost with the connection
                await asyncio.sleep(0.001)
        raise ConnectionResetError


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.every_loop
async def test_a_file_is_there_when_all_of_it_is(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []

    def progress(here: int, total: int | None) -> None:
        told.append((here, total))
        assert left(tmp_path) == ["file.bin.part", "file.bin.part.json"]

    async with Origin() as origin, ClientSession() as session:
        done = await session.download(origin.url, tmp_path / "file.bin", checksum=SHA256, progress=progress)
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert left(tmp_path) == ["file.bin"]
    assert (done.path, done.size, done.resumed_from) == (tmp_path / "file.bin", len(CONTENT), 0)
    assert (done.response.status, done.response.closed) == (200, True)
    assert told == sorted(told)
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert len(told) >= 2
    assert origin.asked[0].headers["accept-encoding"] == "identity"


async def test_an_existing_file_is_replaced_at_the_end_only(tmp_path: Path, session: ClientSession) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    async with Origin(1000, 0) as origin:
        with pytest.raises(ClientPayloadError):
            await session.download(origin.url, str(path))
        assert path.read_bytes() == b"old"
        await session.download(origin.url, str(path))
    assert path.read_bytes() == CONTENT


async def test_what_is_cut_is_gone_on_with_at_once(tmp_path: Path, session: ClientSession) -> None:
    async with Origin(1_000_000, 1_500_000) as origin:
        done = await session.download(origin.url, tmp_path / "file", checksum=SHA256)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert origin.ranges == [None, "bytes=1000000-", "bytes=2500000-"]
    assert [request.headers.get("if-range") for request in origin.asked] == [None, ETAG, ETAG]
    assert done.resumed_from == 0
    assert done.response.status == 206


async def test_and_by_another_call(tmp_path: Path, session: ClientSession) -> None:
    async with Origin(1_000_000, 0) as origin:
        with pytest.raises(ClientPayloadError):  # the second attempt brought nothing new
            await session.download(origin.url, tmp_path / "file")
        assert left(tmp_path) == ["file.part", "file.part.json"]
        assert json.loads((tmp_path / "file.part.json").read_text()) == {"validator": ETAG, "total": len(CONTENT)}
        done = await session.download(origin.url, tmp_path / "file", checksum=SHA256)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert left(tmp_path) == ["file"]
    assert origin.ranges == [None, "bytes=1000000-", "bytes=1000000-"]
    assert done.resumed_from == 1_000_000


async def test_without_resume_nothing_is_left_nor_used(tmp_path: Path, session: ClientSession) -> None:
    async with Origin(1_000_000, 1_000_000) as origin:
        with pytest.raises(ClientPayloadError):
            await session.download(origin.url, tmp_path / "file", resume=False)
        assert left(tmp_path) == []
        (tmp_path / "file.part").write_bytes(b"left by another")
        (tmp_path / "file.part.json").write_text(json.dumps({"validator": ETAG, "total": None}))
        origin.cuts.clear()
        await session.download(origin.url, tmp_path / "file", resume=False)
    assert origin.ranges == [None, None]
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert left(tmp_path) == ["file"]


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
async def test_without_a_strong_validator_it_is_begun_anew(tmp_path: Path, session: ClientSession, etag: str) -> None:
    async with Origin(1000, etag=etag) as origin:
        with pytest.raises(ClientPayloadError):
            await session.download(origin.url, tmp_path / "file")
        assert left(tmp_path) == []
        await session.download(origin.url, tmp_path / "file")
    assert origin.ranges == [None, None]


async def test_a_date_serves_if_it_is_old(tmp_path: Path, session: ClientSession) -> None:
    modified = "Sat, 21 Nov 2020 12:00:00 GMT"
    async with Origin(1000, 0, etag="") as origin:
        origin.fields = (("Last-Modified", modified), ("Date", "Sat, 21 Nov 2026 12:00:00 GMT"))
        with pytest.raises(ClientPayloadError):
            await session.download(origin.url, tmp_path / "file")
    assert origin.asked[1].headers["if-range"] == modified


async def test_a_file_that_has_changed_is_begun_anew(tmp_path: Path, session: ClientSession) -> None:
    async with Origin(1000, 0) as origin:
        with pytest.raises(ClientPayloadError):
            await session.download(origin.url, tmp_path / "file")
        origin.content, origin.etag = b"something else", '"two"'
        done = await session.download(origin.url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"something else"
    assert done.resumed_from == 0


async def cut_at_1000(session: ClientSession, origin: Origin, path: Path) -> None:
    origin.cuts = [1000, 0]
    with pytest.raises(ClientPayloadError):
        await session.download(origin.url, path)
    assert path.with_name(f"{path.name}.part").stat().st_size == 1000
    origin.asked.clear()


def content_range(value: str | None) -> Answer:
    def change(request: Request, response: Response) -> Response:
        if response.status == 206:
            fields = [field for field in dict(response.headers).items() if field[0] != "Content-Range"]
            response.headers = [*fields, *([("Content-Range", value)] if value else [])]
        return response

    return change


def other_etag(request: Request, response: Response) -> Response:
    if response.status == 206:
        response.headers = {**dict(response.headers), "ETag": '"other"'}
    return response


def coded(request: Request, response: Response) -> Response:
    if response.status == 206 and isinstance(response.body, bytes):
        response.headers = {**dict(response.headers), "Content-Encoding": "gzip"}
        response.body = gzip.compress(response.body, 1)
    return response


@pytest.mark.parametrize(
    "change",
    [
        content_range("bytes 0-2999999/3000000"),
        content_range("bytes 999-2999999/3000000"),
        content_range("bytes 1000-2999999/3000001"),
        content_range("bytes 1000-1999999/3000000"),
        content_range("nonsense"),
        content_range(None),
        other_etag,
        coded,
    ],
)
async def test_a_range_that_does_not_fit_is_not_taken(tmp_path: Path, session: ClientSession, change: Answer) -> None:
    async with Origin() as origin:
        await cut_at_1000(session, origin, tmp_path / "file")
        origin.change = change
        done = await session.download(origin.url, tmp_path / "file", checksum=SHA256)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert origin.ranges == ["bytes=1000-", None]
    assert done.resumed_from == 0


async def test_a_range_may_be_shorter_than_what_was_asked_for(tmp_path: Path, session: ClientSession) -> None:
    def shorter(request: Request, response: Response) -> Response:
        if response.status == 206 and isinstance(response.body, bytes):
            start = len(CONTENT) - len(response.body)
            response.body = response.body[:1_000_000]
            end = start + len(response.body) - 1
            response.headers = {**dict(response.headers), "Content-Range": f"bytes {start}-{end}/{len(CONTENT)}"}
        return response

    async with Origin() as origin:
        await cut_at_1000(session, origin, tmp_path / "file")
        origin.change = shorter
        await session.download(origin.url, tmp_path / "file", checksum=SHA256)
    assert origin.ranges == ["bytes=1000-", "bytes=1001000-", "bytes=2001000-"]


async def test_a_range_that_was_not_asked_for_is_an_error(tmp_path: Path, session: ClientSession) -> None:
    def always(request: Request, response: Response) -> Response:
        return Response(206, [("Content-Range", "bytes 0-9/10")], b"0123456789")

    async with Origin(change=always) as origin:
        with pytest.raises(ClientPayloadError, match="does not go on at byte 0"):
            await session.download(origin.url, tmp_path / "file")
    assert len(origin.asked) == 2
    assert left(tmp_path) == []


async def test_all_of_it_was_here_already(tmp_path: Path, session: ClientSession) -> None:
    async with Origin() as origin:
        (tmp_path / "file.part").write_bytes(CONTENT)
        (tmp_path / "file.part.json").write_text(json.dumps({"validator": ETAG, "total": len(CONTENT)}))
        done = await session.download(origin.url, tmp_path / "file", checksum=SHA256)
    assert done.response.status == 416
    assert done.size == done.resumed_from == len(CONTENT)
    assert left(tmp_path) == ["file"]


async def test_more_than_all_of_it_was_here(tmp_path: Path) -> None:
    async with Origin() as origin, ClientSession(raise_for_status=True) as session:
        (tmp_path / "file.part").write_bytes(CONTENT + b"more")
        (tmp_path / "file.part.json").write_text(json.dumps({"validator": ETAG, "total": len(CONTENT)}))
        await session.download(origin.url, tmp_path / "file", checksum=SHA256)
    assert origin.ranges == ["bytes=3000004-", None]


@pytest.mark.parametrize(
    "notes", ["", "{", "[]", '{"validator": 1, "total": 2}', '{"validator": "a\\r\\nb", "total": 2}', '{"validator": "\\"a\\""}']
)
async def test_notes_that_are_none(tmp_path: Path, session: ClientSession, notes: str) -> None:
    async with Origin() as origin:
        (tmp_path / "file.part").write_bytes(b"what is this?")
        (tmp_path / "file.part.json").write_text(notes)
        await session.download(origin.url, tmp_path / "file", checksum=SHA256)
    assert origin.ranges == [None]


async def test_a_wrong_checksum(tmp_path: Path, session: ClientSession) -> None:
    async with Origin(1_000_000) as origin:
        with pytest.raises(ChecksumMismatch, match="sha256 digest of what was downloaded") as caught:
            await session.download(origin.url, tmp_path / "file", checksum="sha256:" + "0" * 64)
    assert caught.value.got == SHA256[7:]
    assert caught.value.expected == "0" * 64
    assert left(tmp_path) == []


@pytest.mark.parametrize("checksum", ["", "sha256", "sha256:", "sha256:00", "sha256:" + "x" * 64, "nonsense:00", "shake_128:00"])
async def test_a_checksum_that_is_none(tmp_path: Path, session: ClientSession, checksum: str) -> None:
    with pytest.raises(ValueError, match="checksum must be 'algorithm:hexadecimal digest'"):
        await session.download("http://127.0.0.1:9/", tmp_path / "file", checksum=checksum)
    assert left(tmp_path) == []


async def test_other_digests(tmp_path: Path, session: ClientSession) -> None:
    async with Origin() as origin:
        await session.download(origin.url, tmp_path / "file", checksum="MD5: " + hashlib.md5(CONTENT).hexdigest().upper())
    assert left(tmp_path) == ["file"]


async def test_a_coded_response_is_decoded_and_cannot_be_gone_on_with(tmp_path: Path, session: ClientSession) -> None:
    def compressed(request: Request, response: Response) -> Response:
        return Response(200, [("ETag", ETAG), ("Content-Encoding", "gzip")], gzip.compress(CONTENT, 1))

    async with Origin(change=compressed) as origin:
        await session.download(origin.url, tmp_path / "file", checksum=SHA256)
        origin.cuts = [1000]
        with pytest.raises(ClientPayloadError):
            await session.download(origin.url, tmp_path / "file")
    assert left(tmp_path) == ["file"]


async def test_statuses_that_are_no_file(tmp_path: Path, session: ClientSession) -> None:
    async with LoopbackServer() as server:
        for status in (404, 500, 204, 304):
            with pytest.raises(ClientResponseError) as caught:
                await session.download(f"{server.url}/status/{status}", tmp_path / "file")
            assert caught.value.status == status
        assert left(tmp_path) == []
    async with Origin() as origin:
        await cut_at_1000(session, origin, tmp_path / "file")
        origin.change = lambda request, response: Response(503)
        with pytest.raises(ClientResponseError):
            await session.download(origin.url, tmp_path / "file")
        assert left(tmp_path) == ["file.part", "file.part.json"]  # there may be a better day


async def test_files_that_cannot_be_written(tmp_path: Path, session: ClientSession) -> None:
    async with Origin() as origin:
        with pytest.raises(IsADirectoryError):
            await session.download(origin.url, tmp_path)
        with pytest.raises(FileNotFoundError):
            await session.download(origin.url, tmp_path / "nowhere" / "file")
        assert origin.asked == []
    assert left(tmp_path) == []


async def test_a_disk_that_is_full(tmp_path: Path, session: ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: PartialFile, pieces: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PartialFile, "write", full)
    async with Origin() as origin:
        with pytest.raises(OSError, match="No space left"):
            await session.download(origin.url, tmp_path / "file")
    assert left(tmp_path) == []


async def test_other_errors(tmp_path: Path, session: ClientSession) -> None:
    with pytest.raises(ClientConnectorError):
        await session.download("http://127.0.0.1:9/", tmp_path / "file")
    async with Origin() as origin:
        with pytest.raises(BodyTooLarge):
            await session.download(origin.url, tmp_path / "file", max_body_size=1_000_000)
        origin.change = lambda request, response: Response(200, response.headers, slowly(), length=1000)
        with pytest.raises(ServerTimeoutError):
            await session.download(origin.url, tmp_path / "file", timeout=0.1)
        assert len(origin.asked) == 2


async def slowly() -> AsyncIterator[bytes]:
    yield b"x"
    await asyncio.sleep(10)


async def test_what_progress_raises_ends_it(tmp_path: Path, session: ClientSession) -> None:
    def enough(here: int, total: int | None) -> None:
        raise LookupError("enough")

    async with Origin() as origin:
        with pytest.raises(LookupError, match="enough"):
            await session.download(origin.url, tmp_path / "file", progress=enough)
        assert left(tmp_path) == ["file.part", "file.part.json"]
        assert (await session.download(origin.url, tmp_path / "file", checksum=SHA256)).resumed_from > 0


async def test_cancelling_waits_for_the_disk_and_keeps_what_is_here(
    tmp_path: Path, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, go_on = threading.Event(), threading.Event()
    write = PartialFile.write

    def slow(self: PartialFile, pieces: Any) -> None:
        writing.set()
        go_on.wait()
        write(self, pieces)

    monkeypatch.setattr(PartialFile, "write", slow)
    async with Origin() as origin:
        task = asyncio.ensure_future(session.download(origin.url, tmp_path / "file"))
        await asyncio.to_thread(writing.wait)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # once more
        await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert left(tmp_path) == ["file.part", "file.part.json"]
        done = await session.download(origin.url, tmp_path / "file", checksum=SHA256)
    assert done.resumed_from > 0
    assert len(origin.asked) == 2
