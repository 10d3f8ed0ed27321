"""TLS from a session's side: what is verified, what is shown, what is resumed, on real servers."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import warnings
from typing import Any

import pytest
import trustme

from aiohttpx import (
    ClientConnectorCertificateError,
    ClientConnectorSSLError,
    ClientError,
    ClientSession,
    Fingerprint,
    ServerFingerprintMismatch,
    TCPConnector,
)
from aiohttpx.testing import LoopbackServer, Response
from aiohttpx.testing.resolver import OneAddressResolver

pytestmark = pytest.mark.every_loop

#: Both the name of the server and a digest of its certificate.
HOST = "server.example"


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(ca: trustme.CA) -> trustme.LeafCert:
    return ca.issue_cert(HOST, "other.example")


@pytest.fixture
def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """The server's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture
def trusting(ca: trustme.CA) -> ssl.SSLContext:
    """A context of the user's that trusts the server's authority."""
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


def digest(certificate: trustme.LeafCert, algorithm: str = "sha256") -> bytes:
    return hashlib.new(algorithm, ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())).digest()


def connector_to(server: LoopbackServer, **options: Any) -> TCPConnector:
    return TCPConnector(resolver=OneAddressResolver(server.host, server.port), **options)


async def asked(session: ClientSession, url: str = f"https://{HOST}/anything", **options: Any) -> int:
    async with session.get(url, **options) as response:
        await response.read()
        return response.status


@pytest.mark.every_loop
async def test_who_has_an_answer_asks_again_and_closes(serving: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    async with LoopbackServer({"/echo": lambda request: Response(200, body=request.body)}, ssl_context=serving) as server:
        session = ClientSession(connector=connector_to(server, ssl=trusting, limit=4))

        async def ask() -> list[bytes]:
            bodies = []
            for size in (0, 1, 2**10, 2**17) * 5:
                async with session.post(f"https://{HOST}/echo", data=bytes(size)) as response:
                    bodies.append(await response.read())
            return bodies

        assert await asyncio.gather(*(ask() for _ in range(8))) == [[bytes(size) for size in (0, 1, 2**10, 2**17) * 5]] * 8
        async with session.get(f"https://{HOST}/echo"):
            await session.close()
        assert session.closed


# -- what is verified


def settings(trusting: ssl.SSLContext, certificate: trustme.LeafCert) -> dict[str, dict[str, Any]]:
    pin = digest(certificate)
    return {
        "ssl=False": {"ssl": False},
        "ssl=context": {"ssl": trusting},
        "ssl=Fingerprint": {"ssl": Fingerprint(pin)},
        "verify_ssl=False": {"verify_ssl": False},
        "ssl_context": {"ssl_context": trusting},
        "fingerprint": {"fingerprint": pin},
        "fingerprint, md5": {"fingerprint": digest(certificate, "md5")},
    }


@pytest.mark.parametrize("of", ["request", "connector"])
@pytest.mark.parametrize("form", settings(ssl.create_default_context(), trustme.CA().issue_cert("a")))
async def test_every_form_of_the_setting(
    serving: ssl.SSLContext, trusting: ssl.SSLContext, certificate: trustme.LeafCert, of: str, form: str
) -> None:
    setting = settings(trusting, certificate)[form]
    async with LoopbackServer(ssl_context=serving) as server:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            connector = connector_to(server, **(setting if of == "connector" else {}))
            async with ClientSession(connector=connector) as session:
                assert await asked(session, **(setting if of == "request" else {})) == 200
        modern = form.startswith("ssl=")
        assert modern or "is deprecated, use ssl=" in str(caught[-1].message)
        assert {warning.category for warning in caught} <= {DeprecationWarning}
        assert not (modern and caught)


@pytest.mark.parametrize("setting", [{}, {"ssl": True}, {"ssl": None}, {"verify_ssl": True}], ids=str)
async def test_by_default_the_authority_must_be_known(serving: ssl.SSLContext, setting: dict[str, Any]) -> None:
    async with LoopbackServer(ssl_context=serving) as server, ClientSession(connector=connector_to(server)) as session:
        with pytest.raises(ClientConnectorCertificateError, match=f"Cannot connect to host {HOST}:443 ssl:True") as caught:
            await asked(session, **setting)
        assert isinstance(caught.value, ssl.CertificateError)
        assert isinstance(caught.value.certificate_error, ssl.SSLCertVerificationError)
        assert "<Pool lent=0 idle=0 waiting=0" in repr(session.connector)
        assert await asked(session, ssl=False) == 200


async def test_the_request_says_more_than_the_connector(serving: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    async with LoopbackServer(ssl_context=serving) as server, ClientSession(connector=connector_to(server, ssl=False)) as session:
        assert await asked(session) == 200
        with pytest.raises(ServerFingerprintMismatch) as caught:
            await asked(session, ssl=Fingerprint(bytes(32)))
        assert (caught.value.host, caught.value.port) == (server.host, server.port)
        assert await asked(session, ssl=trusting) == 200


async def test_the_wrong_name(serving: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    async with (
        LoopbackServer(ssl_context=serving) as server,
        ClientSession(connector=connector_to(server, ssl=trusting)) as session,
    ):
        with pytest.raises(ClientConnectorCertificateError, match=r"wrong\.example:443 .*Hostname mismatch"):
            await asked(session, "https://wrong.example/anything")
        assert await asked(session, "https://wrong.example/anything", server_hostname="other.example") == 200
        assert await asked(session) == 200
        with pytest.raises(ClientConnectorCertificateError, match="Hostname mismatch"):
            await asked(session, server_hostname="wrong.example")


# -- what is shown


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
async def test_client_certificates(
    ca: trustme.CA, serving: ssl.SSLContext, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    serving.maximum_version = version
    serving.verify_mode = ssl.CERT_REQUIRED
    ca.configure_trust(serving)
    async with LoopbackServer(ssl_context=serving) as server, ClientSession(connector=connector_to(server)) as session:
        with pytest.raises(ClientError, match=rf"disconnected \({HOST}:443\)|{HOST}:443 .*\[.+\]"):
            await asked(session, ssl=trusting)
        known = ssl.create_default_context()
        ca.configure_trust(known)
        ca.issue_cert("client@example.org").configure_cert(known)
        assert await asked(session, ssl=known) == 200


@pytest.mark.parametrize(
    ("offered", "spoken", "chosen"),
    [
        (None, ["h2", "http/1.1"], None),
        (["http/1.1"], ["h2", "http/1.1"], "http/1.1"),
        (["h2", "http/1.1"], ["http/1.1"], "http/1.1"),
        (["own/1", "http/1.1"], ["own/1"], "own/1"),
    ],
)
async def test_the_protocols_that_a_users_context_offers(
    serving: ssl.SSLContext, trusting: ssl.SSLContext, offered: list[str] | None, spoken: list[str], chosen: str | None
) -> None:
    serving.set_alpn_protocols(spoken)
    if offered is not None:
        trusting.set_alpn_protocols(offered)
    async with (
        LoopbackServer(ssl_context=serving) as server,
        ClientSession(connector=connector_to(server, ssl=trusting)) as session,
        session.get(f"https://{HOST}/bytes/300000") as response,
    ):
        assert response.connection is not None
        assert response.connection.transport is not None
        assert response.connection.transport.get_extra_info("ssl_object").selected_alpn_protocol() == chosen
        assert len(await response.read()) == 300_000


async def test_http_2_by_mistake(serving: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    serving.set_alpn_protocols(["h2", "http/1.1"])
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    async with LoopbackServer(ssl_context=serving) as server, ClientSession(connector=connector_to(server)) as session:
        with pytest.raises(ClientConnectorSSLError, match=rf"{HOST}:443 .*chose HTTP/2 \(h2\).*set_alpn_protocols"):
            await asked(session, ssl=trusting)
        assert "<Pool lent=0 idle=0 waiting=0" in repr(session.connector)
        assert await asked(session, ssl=False) == 200


# -- what is resumed


@pytest.mark.parametrize("form", ["ssl=False", "ssl=context", "ssl=Fingerprint"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
async def test_the_second_connection_resumes_the_session_of_the_first(
    serving: ssl.SSLContext, trusting: ssl.SSLContext, certificate: trustme.LeafCert, form: str, version: ssl.TLSVersion
) -> None:
    serving.maximum_version = version
    setting = settings(trusting, certificate)[form]["ssl"]
    async with LoopbackServer(ssl_context=serving) as server:
        for _ in range(2):  # a connector knows nothing of another's sessions
            async with ClientSession(connector=connector_to(server, force_close=True)) as session:
                assert await asked(session, ssl=setting) == 200
                assert await asked(session, ssl=setting) == 200
        statistics = serving.session_stats()
        assert (server.connections, statistics["accept_good"], statistics["hits"]) == (4, 4, 2)


async def test_no_session_of_another_host_or_setting_is_resumed(
    serving: ssl.SSLContext, trusting: ssl.SSLContext, certificate: trustme.LeafCert
) -> None:
    async with LoopbackServer(ssl_context=serving) as server:
        async with ClientSession(connector=connector_to(server, force_close=True)) as session:
            for setting in (False, trusting, Fingerprint(digest(certificate))):
                assert await asked(session, ssl=setting) == 200
            assert await asked(session, "https://other.example/anything", ssl=trusting) == 200
            assert await asked(session, server_hostname="other.example", ssl=trusting) == 200
        assert serving.session_stats()["hits"] == 0


async def test_what_was_not_verified_is_not_resumed_by_a_context_that_verifies_by_now(serving: ssl.SSLContext) -> None:
    mine = ssl.create_default_context()
    mine.check_hostname = False
    mine.verify_mode = ssl.CERT_NONE
    async with (
        LoopbackServer(ssl_context=serving) as server,
        ClientSession(connector=connector_to(server, force_close=True)) as session,
    ):
        assert await asked(session, ssl=mine) == 200
        mine.verify_mode = ssl.CERT_REQUIRED
        with pytest.raises(ClientConnectorCertificateError):
            await asked(session, ssl=mine)


async def test_a_large_body_goes_both_ways_over_a_resumed_connection(serving: ssl.SSLContext) -> None:
    async with LoopbackServer(ssl_context=serving) as server:
        async with ClientSession(connector=connector_to(server, force_close=True, ssl=False)) as session:
            for _ in range(2):
                async with session.post(f"https://{HOST}/anything", data=b"x" * 1_000_000) as response:
                    assert (await response.json())["size"] == 1_000_000
        assert serving.session_stats()["hits"] == 1
