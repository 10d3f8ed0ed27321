"""Seed 002, its connectors from "tweek or change transport layer" to "Unix domain sockets", and its timeout: the examples as they
stand, in coroutines of old, with URLs and files that exist."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import types
from binascii import unhexlify
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from pathlib import Path
from typing import Any

import pytest
import trustme

import aiohttpx as aiohttp
from aiohttpx import FingerprintMismatch
from aiohttpx.testing import LoopbackServer, Request, Response

Old = Callable[[], Generator[Any, None, Any]]


def run(coroutine: Old) -> Coroutine[Any, Any, Any]:
    return types.coroutine(coroutine)()  # type: ignore[return-value]


class Hall:
    """A handler that counts how many are in it at once."""

    def __init__(self) -> None:
        self.inside = self.most = 0

    async def __call__(self, request: Request) -> Response:
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.sleep(0.02)
        self.inside -= 1
        return Response.text("done")


@pytest.fixture
def certificate(tmp_path: Path) -> trustme.LeafCert:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca-bundle.crt"))
    return ca.issue_cert("127.0.0.1")


@pytest.fixture
async def secure(certificate: trustme.LeafCert) -> AsyncIterator[LoopbackServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    async with LoopbackServer(ssl_context=context) as server:
        yield server


# -- Connectors


async def test_a_connector_of_ones_own() -> None:
    async with LoopbackServer() as server:

        def example() -> Generator[Any, None, None]:
            conn = aiohttp.TCPConnector()
            r = yield from aiohttp.request("get", f"{server.url}/anything", connector=conn)

            assert (yield from r.json())["method"] == "GET"
            assert not conn.closed
            yield from conn.close().__await__()

        await run(example)


async def test_limiting_connection_pool_size() -> None:
    """To the same endpoint, the (host, port, is_ssl) triple."""
    hall = Hall()
    async with LoopbackServer({"/": hall}) as server:
        conn = aiohttp.TCPConnector(limit=30)
        async with aiohttp.ClientSession(connector=conn) as session:
            responses = await asyncio.gather(*(session.get(server.url) for _ in range(90)))
            assert [await response.text() for response in responses] == ["done"] * 90
        assert hall.most <= server.connections <= 30
        assert hall.most > 15


# -- SSL control for TCP sockets


@pytest.mark.filterwarnings("ignore:.* is deprecated, use ssl=:DeprecationWarning")
def test_verify_ssl_and_ssl_context_are_mutually_exclusive() -> None:
    with pytest.raises(ValueError, match="verify_ssl and ssl_context can not be used at the same time"):
        aiohttp.TCPConnector(verify_ssl=False, ssl_context=ssl.create_default_context())


@pytest.mark.filterwarnings("ignore:.* is deprecated, use ssl=:DeprecationWarning")
async def test_certification_checks(secure: LoopbackServer) -> None:
    async with aiohttp.ClientSession() as strict:  # by default
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await strict.get(secure.url)

    def example() -> Generator[Any, None, None]:
        conn = aiohttp.TCPConnector(verify_ssl=False)
        session = aiohttp.ClientSession(connector=conn)
        r = yield from session.get(f"{secure.url}/anything")

        assert r.status == 200
        r.release()
        yield from session.close().__await__()

    await run(example)


@pytest.mark.filterwarnings("ignore:.* is deprecated, use ssl=:DeprecationWarning")
async def test_custom_ssl_parameters(secure: LoopbackServer, tmp_path: Path) -> None:
    def example() -> Generator[Any, None, None]:
        sslcontext = ssl.create_default_context(cafile=str(tmp_path / "ca-bundle.crt"))
        conn = aiohttp.TCPConnector(ssl_context=sslcontext)
        session = aiohttp.ClientSession(connector=conn)
        r = yield from session.get(f"{secure.url}/anything")

        assert r.status == 200
        r.release()
        yield from session.close().__await__()

    await run(example)


@pytest.mark.filterwarnings("ignore:fingerprint is deprecated, use ssl=:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:(md5|sha1) fingerprints are insecure:DeprecationWarning")
@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
async def test_fingerprints(secure: LoopbackServer, certificate: trustme.LeafCert, algorithm: str) -> None:
    actual = hashlib.new(algorithm, ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())).hexdigest()

    def example() -> Generator[Any, None, None]:
        # Attempt to connect with a pin to a bogus certificate:
        bad = b"\xa2\x06G\xad\xaa\xf5\xd8\\J\x99^by;\x06="
        bad = (bad * 2)[: hashlib.new(algorithm).digest_size]
        conn = aiohttp.TCPConnector(fingerprint=bad)
        session = aiohttp.ClientSession(connector=conn)
        exc = None
        try:
            yield from session.get(secure.url)
        except FingerprintMismatch as e:
            exc = e
        assert exc is not None
        assert exc.expected == bad
        assert exc.got == unhexlify(actual)  # cert's actual digest
        yield from session.close().__await__()

        # and with the right one, though nobody has signed it that is known
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(fingerprint=unhexlify(actual)))
        r = yield from session.get(f"{secure.url}/anything")
        assert r.status == 200
        r.release()
        yield from session.close().__await__()

    await run(example)


# -- Unix domain sockets


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
async def test_unix_domain_sockets(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    async with LoopbackServer(unix_path=path):

        def example() -> Generator[Any, None, None]:
            conn = aiohttp.UnixConnector(path=path)
            r = yield from aiohttp.request("get", "http://server.example/anything", connector=conn)

            assert (yield from r.json())["headers"]["host"] == "server.example"
            yield from conn.close().__await__()

        await run(example)


# -- the time to wait for a response


async def test_the_time_to_wait_for_a_response() -> None:
    async with LoopbackServer() as server:

        def example() -> Generator[Any, None, None]:
            yield from asyncio.wait_for(aiohttp.request("get", f"{server.url}/delay/5"), 0.001).__await__()

        with pytest.raises(TimeoutError):
            await run(example)
