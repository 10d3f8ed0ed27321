"""A session against a real nginx: methods, framings, codings, TLS, kept connections, and a server that goes away."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from aiohttpx import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientPayloadError,
    ClientSession,
    ClientTimeout,
    Fingerprint,
    ServerFingerprintMismatch,
    ServerTimeoutError,
    TCPConnector,
)

from .servers import LARGE, MEBIBYTE, SMALL, Nginx, run_nginx

#: Where the numbers are in the large file.
NUMBERED = range(0, LARGE, MEBIBYTE)


class Sockets:
    """Makes the sockets of a connector, and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, addr_info: Any) -> socket.socket:
        self.made += 1
        return socket.socket(*addr_info[:3])

    def session(self, **kwargs: Any) -> ClientSession:
        # "localhost" may be an IPv6 address too, where the server does not listen.
        return ClientSession(connector=TCPConnector(socket_factory=self, family=socket.AF_INET, **kwargs))


@pytest.fixture
def context(nginx: Nginx) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(nginx.ca))


@pytest.fixture
def own_nginx(nginx_program: str, tmp_path: Path) -> Iterator[Nginx]:
    """One that the test may reload and stop."""
    with run_nginx(nginx_program, tmp_path) as server:
        yield server


def tell(server: Nginx, what: signal.Signals) -> None:
    os.kill(int(server.files.with_name("nginx.pid").read_text(encoding="ascii")), what)


@contextlib.contextmanager
def at_most(size: int) -> Iterator[None]:
    """What is done inside takes no more memory than so many bytes."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
        assert peak < size
    finally:
        tracemalloc.stop()


# -- methods and statuses


@pytest.mark.every_loop
async def test_a_file_by_get_and_head(nginx: Nginx) -> None:
    async with ClientSession(nginx.http) as session:
        async with session.get("/small.txt") as response:
            assert (response.status, response.reason) == (200, "OK")
            assert response.content_type == "text/plain"
            assert response.content_length == len(SMALL)
            assert response.headers["Server"].startswith("nginx")
            assert await response.read() == SMALL
            assert await response.text() == SMALL.decode()
        async with session.head("/small.txt") as response:
            assert response.content_length == len(SMALL)
            assert await response.read() == b""
        async with session.head("/large") as response:
            assert response.content_length == LARGE
        async with session.get("/data.json") as response:
            assert [person["id"] for person in await response.json()] == list(range(128))


@pytest.mark.every_loop
async def test_a_file_is_put_and_got_and_deleted(nginx: Nginx) -> None:
    content = bytes(range(256)) * 4096
    async with ClientSession(nginx.http) as session:
        async with session.put("/upload/here/it is", data=content) as response:
            assert response.status == 201
        async with session.get("/upload/here/it is") as response:
            assert await response.read() == content
        async with session.delete("/upload/here/it is") as response:
            assert response.status == 204
            assert await response.read() == b""
        async with session.get("/upload/here/it is") as response:
            assert response.status == 404
            assert "404 Not Found" in await response.text()


@pytest.mark.parametrize(
    ("method", "path", "fields", "status", "body"),
    [
        ("GET", "/empty", {}, 204, b""),
        ("POST", "/small.txt", {}, 405, None),
        ("GET", "/nowhere", {}, 404, None),
        ("GET", "/small.txt", {"Range": "bytes=7-"}, 206, SMALL[7:]),
        ("GET", "/small.txt", {"Range": "bytes=99-"}, 416, None),
        ("GET", "/small.txt", {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412, None),
        ("GET", "/small.txt", {"Expect": "the impossible"}, 200, SMALL),
        ("POST", "/sink", {}, 200, b"gone"),
    ],
)
async def test_statuses(nginx: Nginx, method: str, path: str, fields: dict[str, str], status: int, body: bytes | None) -> None:
    async with ClientSession(nginx.http) as session:
        for _ in range(2):  # the connection is where it should be
            async with session.request(method, path, headers=fields) as response:
                assert response.status == status
                assert response.ok is (status < 400)
                content = await response.read()
                assert content == body if body is not None else content


async def test_not_modified(nginx: Nginx) -> None:
    sockets = Sockets()
    async with sockets.session() as session:
        async with session.get(f"{nginx.http}/small.txt") as response:
            tag = response.headers["ETag"]
        for _ in range(3):
            async with session.get(f"{nginx.http}/small.txt", headers={"If-None-Match": tag}) as response:
                assert response.status == 304
                assert await response.read() == b""
    assert sockets.made == 1


async def test_many_fields(nginx: Nginx) -> None:
    async with ClientSession() as session, session.get(f"{nginx.http}/fields") as response:
        assert [response.headers[f"X-Field-{number}"] for number in range(20)] == [f"value {number}" for number in range(20)]
        assert [response.cookies[f"cookie-{number}"].value for number in range(3)] == ["value-0", "value-1", "value-2"]
        assert len([name for name, _ in response.raw_headers if name == b"Set-Cookie"]) == 3
        assert await response.read() == SMALL


# -- framings and codings


@pytest.mark.every_loop
@pytest.mark.parametrize("way", ["", "chunked/", "eof/", "gzip/", "once/", "brief/", "slow/"])
async def test_a_file_in_many_ways(nginx: Nginx, way: str) -> None:
    content = (nginx.files / "data.json").read_bytes()
    async with ClientSession(nginx.http) as session:
        for _ in range(2):
            async with session.get(f"/{way}data.json") as response:
                assert await response.read() == content
                assert (response.headers.get("Content-Encoding") == "gzip") is (way == "gzip/")
                assert (response.headers.get("Transfer-Encoding") == "chunked") is (way in ("chunked/", "gzip/"))
        async with session.get(f"/{way}data.json") as response:
            assert b"".join([piece async for piece in response.content.iter_chunked(1000)]) == content
        async with session.get(f"/{way}data.json", auto_decompress=False) as response:
            assert (await response.read() == content) is (way != "gzip/")


@pytest.mark.every_loop
@pytest.mark.parametrize("way", ["", "chunked/", "gzip/"])
async def test_a_large_file_in_one_piece(nginx: Nginx, way: str) -> None:
    async with ClientSession(nginx.http) as session, session.get(f"/{way}large") as response:
        body = await response.read()
    assert len(body) == LARGE
    assert [int.from_bytes(body[at : at + 8], "big") for at in NUMBERED] == list(range(len(NUMBERED)))


@pytest.mark.every_loop
@pytest.mark.parametrize("size", [1000, 65_536, 10_000_000])
@pytest.mark.parametrize("way", ["", "chunked/"])
async def test_a_large_file_in_small_pieces(nginx: Nginx, way: str, size: int) -> None:
    wanted = 20 * MEBIBYTE
    async with ClientSession(nginx.http) as session, session.get(f"/{way}large") as response:
        body = bytearray()
        async for piece in response.content.iter_chunked(size):
            assert 0 < len(piece) <= size
            body += piece
            if len(body) >= wanted:
                break
    assert [int.from_bytes(body[at : at + 8], "big") for at in range(0, wanted, MEBIBYTE)] == list(range(20))


@pytest.mark.every_loop
async def test_a_large_file_by_lengths(nginx: Nginx) -> None:
    async with ClientSession(nginx.http) as session, session.get("/large") as response:
        for number in range(5):
            assert await response.content.readexactly(8) == number.to_bytes(8, "big")
            rest = await response.content.readexactly(MEBIBYTE - 8)
            assert not any(rest)


@pytest.mark.every_loop
@pytest.mark.parametrize("way", ["", "chunked/", "gzip/"])
async def test_a_large_file_takes_little_memory(nginx: Nginx, way: str) -> None:
    async with ClientSession(nginx.http) as session:
        async with session.get("/small.txt") as response:
            await response.read()
        with at_most(12 * MEBIBYTE):
            async with session.get(f"/{way}large") as response:
                got = 0
                async for piece in response.content.iter_any():
                    got += len(piece)
        assert got == LARGE


@pytest.mark.every_loop
async def test_who_reads_slowly_is_not_given_more_than_he_takes(nginx: Nginx) -> None:
    async with ClientSession(nginx.http) as session, session.get("/large") as response:
        got = len(await response.content.read(100))
        for _ in range(20):
            await asyncio.sleep(0.005)
            got += len(await response.content.read(1000))
            assert response.content.total_bytes - got < 2 * MEBIBYTE
        async with session.get("/small.txt") as other:  # nobody waits for who is slow
            assert await other.read() == SMALL


async def test_who_wants_no_more_gives_the_connection_up(nginx: Nginx) -> None:
    sockets = Sockets()
    async with sockets.session(limit=1) as session:
        for _ in range(3):
            async with session.get(f"{nginx.http}/large") as response:
                await response.content.read(10)
    assert sockets.made == 3


# -- kept connections


@pytest.mark.every_loop
async def test_one_connection_serves_many_requests(nginx: Nginx) -> None:
    sockets = Sockets()
    async with sockets.session() as session:
        for path in ["/small.txt", "/data.json", "/chunked/data.json", "/gzip/data.json", "/empty", "/fields", "/nowhere"] * 20:
            async with session.get(nginx.http + path) as response:
                await response.read()
    assert sockets.made == 1


@pytest.mark.every_loop
async def test_a_server_that_keeps_no_connection(nginx: Nginx) -> None:
    sockets = Sockets()
    async with sockets.session() as session:
        for _ in range(10):
            async with session.get(f"{nginx.http}/once/small.txt") as response:
                assert await response.read() == SMALL
    assert sockets.made == 10


@pytest.mark.every_loop
async def test_a_server_that_keeps_a_connection_for_some_requests(nginx: Nginx) -> None:
    sockets = Sockets()
    async with sockets.session() as session:
        for _ in range(21):
            async with session.get(f"{nginx.http}/seven/small.txt") as response:
                assert await response.read() == SMALL
        assert sockets.made == 3

        async def one() -> None:
            async with session.get(f"{nginx.http}/seven/small.txt") as response:
                assert await response.read() == SMALL

        for _ in range(10):
            await asyncio.gather(*(one() for _ in range(20)))


async def test_a_connection_is_not_used_after_the_server_ended_it(nginx: Nginx) -> None:
    sockets = Sockets()
    async with sockets.session() as session:
        for _ in range(2):
            async with session.post(f"{nginx.http}/brief/small.txt") as response:  # one that must not be sent twice
                assert response.status == 405
            await asyncio.sleep(1.1)
    assert sockets.made == 2


@pytest.mark.every_loop
async def test_a_thousand_requests_at_once(nginx: Nginx) -> None:
    sockets = Sockets()
    async with sockets.session(limit=100) as session:

        async def one(number: int) -> bytes:
            async with session.get(f"{nginx.http}/small.txt?{number}") as response:
                return await response.read()

        assert await asyncio.gather(*map(one, range(1000))) == [SMALL] * 1000
    assert sockets.made <= 100


async def test_a_thousand_requests_of_all_kinds_at_once(nginx: Nginx) -> None:
    content = (nginx.files / "data.json").read_bytes()
    wanted = {"/data.json": content, "/gzip/data.json": content, "/chunked/data.json": content, "/once/data.json": content}
    async with ClientSession(connector=TCPConnector(limit=50, limit_per_host=30)) as session:

        async def one(path: str) -> tuple[str, bytes]:
            async with session.get(nginx.http + path) as response:
                return path, await response.read()

        results = await asyncio.gather(*(one(path) for path in [*wanted] * 250))
    assert all(body == wanted[path] for path, body in results)


# -- uploads


async def generated(size: int, piece: int = 64 * 1024) -> AsyncIterator[bytes]:
    for number in range(size // piece):
        yield number.to_bytes(8, "big") * (piece // 8)


@pytest.mark.every_loop
async def test_a_large_upload_takes_little_memory(nginx: Nginx) -> None:
    size = 64 * MEBIBYTE
    async with ClientSession(nginx.http) as session:
        async with session.get("/small.txt") as response:
            await response.read()
        with at_most(12 * MEBIBYTE):
            async with session.put("/upload/large", data=generated(size)) as response:
                assert response.status in (201, 204)
    body = (nginx.files / "upload/large").read_bytes()
    assert len(body) == size
    assert [int.from_bytes(body[at : at + 8], "big") for at in range(0, size, 64 * 1024)] == list(range(size // 65_536))
    (nginx.files / "upload/large").unlink()


@pytest.mark.every_loop
async def test_a_file_is_uploaded(nginx: Nginx) -> None:
    async with ClientSession(nginx.http) as session:
        for _ in range(2):
            with (nginx.files / "large").open("rb") as file:
                file.seek(LARGE - 10 * MEBIBYTE)
                async with session.put("/upload/file", data=file) as response:
                    assert response.status in (201, 204)
                    assert response.request_info.headers["Content-Length"] == str(10 * MEBIBYTE)
    body = (nginx.files / "upload/file").read_bytes()
    assert [int.from_bytes(body[at : at + 8], "big") for at in range(0, len(body), MEBIBYTE)] == list(range(90, 100))
    (nginx.files / "upload/file").unlink()


@pytest.mark.every_loop
async def test_an_answer_that_does_not_wait_for_the_upload_ends_it(nginx: Nginx) -> None:
    async with ClientSession(nginx.http) as session:
        for _ in range(5):
            async with session.post("/sink", data=generated(64 * MEBIBYTE)) as response:
                assert await response.text() == "gone"
            async with session.get("/small.txt") as response:
                assert await response.read() == SMALL


# -- TLS


@pytest.mark.every_loop
async def test_tls(nginx: Nginx, context: ssl.SSLContext) -> None:
    sockets = Sockets()
    async with sockets.session() as session:
        for _ in range(5):
            async with session.get(f"{nginx.https}/small.txt", ssl=context) as response:
                assert await response.read() == SMALL
        async with session.get(f"{nginx.https}/large", ssl=context) as response:
            body = await response.read()
            assert [int.from_bytes(body[at : at + 8], "big") for at in NUMBERED] == list(range(len(NUMBERED)))
        async with session.put(f"{nginx.https}/upload/tls", data=generated(8 * MEBIBYTE), ssl=context) as response:
            assert response.status in (201, 204)
    assert (nginx.files / "upload/tls").stat().st_size == 8 * MEBIBYTE
    assert sockets.made == 1
    (nginx.files / "upload/tls").unlink()


@pytest.mark.every_loop
async def test_tls_many_at_once(nginx: Nginx, context: ssl.SSLContext) -> None:
    sockets = Sockets()
    async with sockets.session(limit=20, ssl=context) as session:

        async def one(number: int) -> bytes:
            async with session.get(f"{nginx.https}/small.txt?{number}") as response:
                return await response.read()

        assert await asyncio.gather(*map(one, range(200))) == [SMALL] * 200
    assert sockets.made <= 20


async def test_a_certificate_of_an_unknown_authority_is_refused(nginx: Nginx) -> None:
    async with Sockets().session() as session:
        with pytest.raises(ClientConnectorCertificateError, match="certificate verify failed") as caught:
            await session.get(f"{nginx.https}/small.txt")
        error = caught.value
        assert isinstance(error, ssl.CertificateError)
        assert isinstance(error.certificate_error, ssl.SSLCertVerificationError)
        assert (error.host, f":{error.port}") == ("localhost", nginx.https[len("https://localhost") :])


async def test_a_certificate_for_another_name_is_refused(nginx: Nginx, context: ssl.SSLContext) -> None:
    async with Sockets().session() as session:
        with pytest.raises(ClientConnectorCertificateError, match=r"example\.org"):
            await session.get(f"{nginx.https}/small.txt", ssl=context, server_hostname="example.org")
        async with session.get(f"{nginx.https}/small.txt", ssl=context, server_hostname="127.0.0.1") as response:
            assert response.status == 200


async def test_certificates_need_not_be_verified(nginx: Nginx) -> None:
    async with Sockets().session() as session:
        async with session.get(f"{nginx.https}/small.txt", ssl=False, server_hostname="example.org") as response:
            assert await response.read() == SMALL
        with pytest.raises(ClientConnectorCertificateError):  # and that one connection serves nobody who is strict
            await session.get(f"{nginx.https}/small.txt", server_hostname="example.org")
    async with Sockets().session(ssl=False) as session, session.get(f"{nginx.https}/small.txt") as response:
        assert await response.read() == SMALL


async def test_a_certificate_may_be_pinned(nginx: Nginx) -> None:
    port = int(nginx.https.rpartition(":")[2])
    pem = await asyncio.to_thread(ssl.get_server_certificate, ("localhost", port))
    digest = sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()
    async with Sockets().session() as session:
        async with session.get(f"{nginx.https}/small.txt", ssl=Fingerprint(digest)) as response:
            assert await response.read() == SMALL
        with pytest.raises(ServerFingerprintMismatch) as caught:
            await session.get(f"{nginx.https}/small.txt", ssl=Fingerprint(bytes(32)))
        assert (caught.value.expected, caught.value.got) == (bytes(32), digest)
        assert (caught.value.host, caught.value.port) == ("127.0.0.1", port)


async def test_tls_with_who_speaks_none(nginx: Nginx, context: ssl.SSLContext) -> None:
    async with ClientSession() as session:
        with pytest.raises(ClientConnectorSSLError) as caught:
            await session.get(nginx.http.replace("http:", "https:"), ssl=context)
        assert isinstance(caught.value, ssl.SSLError)
        async with session.get(nginx.https.replace("https:", "http:")) as response:
            assert response.status == 400


# -- limits in time


@pytest.mark.every_loop
async def test_a_file_that_comes_too_slowly(nginx: Nginx) -> None:
    async with ClientSession(nginx.http) as session:
        async with session.get("/slow/large", timeout=ClientTimeout(total=0.3)) as response:
            with pytest.raises(ServerTimeoutError, match="reading the body"):
                await response.read()
        async with session.get("/small.txt") as response:
            assert await response.read() == SMALL


# -- a server that goes


@pytest.mark.every_loop
async def test_a_server_that_is_reloaded_meanwhile_is_not_noticed(own_nginx: Nginx) -> None:
    async with ClientSession(own_nginx.http, connector=TCPConnector(limit=10)) as session, session.get("/large") as large:

        async def ask(reloads: bool) -> None:
            for number in range(100):
                async with session.get("/small.txt") as response:
                    assert await response.read() == SMALL
                if reloads and number % 30 == 20:
                    tell(own_nginx, signal.SIGHUP)

        await asyncio.gather(*(ask(number == 0) for number in range(9)))
        assert len(await large.read()) == LARGE


@pytest.mark.every_loop
async def test_a_server_that_stops(own_nginx: Nginx) -> None:
    async with ClientSession(own_nginx.http) as session:
        async with session.get("/small.txt") as response:
            assert await response.read() == SMALL
        async with session.get("/slow/large") as response:
            await response.content.readany()
            tell(own_nginx, signal.SIGTERM)
            with pytest.raises(ClientPayloadError, match="cut short"):
                await response.read()
        refusal: ClientError | None = None
        while not isinstance(refusal, ClientConnectorError):  # others are those of a server on its way out
            await asyncio.sleep(0.01)
            try:
                await session.get("/small.txt")
            except ClientError as error:
                refusal = error
        assert refusal.errno == errno.ECONNREFUSED
        assert own_nginx.http.removeprefix("http://") in str(refusal)
