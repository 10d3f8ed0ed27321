from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import trustme

from aiohttpx.errors import ServerFingerprintMismatch
from aiohttpx.net.key import ConnectionKey
from aiohttpx.net.tls import Fingerprint, TLSSessions, context_for, merge_ssl_settings

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PIN = Fingerprint(bytes(32))
KEY = ConnectionKey("localhost", 443, True, False, None, None, None, None)


class Transport:
    """As much of a transport as is looked at."""

    def __init__(self, **extra: Any) -> None:
        self.get_extra_info = extra.get


class Certificate:
    def __init__(self, certificate: bytes | None) -> None:
        self.certificate = certificate

    def getpeercert(self, binary_form: bool) -> bytes | None:
        return self.certificate


class TestFingerprint:
    @pytest.mark.parametrize("length", [0, 15, 17, 31, 33, 64])
    def test_other_lengths_are_refused(self, length: int) -> None:
        with pytest.raises(ValueError, match="fingerprint has invalid length"):
            Fingerprint(bytes(length))

    def test_text_is_refused(self) -> None:
        with pytest.raises(TypeError, match="fingerprint should be bytes"):
            Fingerprint("0123456789abcdef0123456789abcdef")  # type: ignore[arg-type]

    @pytest.mark.parametrize("algorithm", ["md5", "sha1"])
    def test_weak_digests_are_deprecated_and_still_checked(self, algorithm: str) -> None:
        with pytest.warns(DeprecationWarning, match=f"{algorithm} fingerprints are insecure") as caught:
            pin = Fingerprint(hashlib.new(algorithm, b"certificate").digest())
        assert caught[0].filename == __file__
        pin.check(Transport(ssl_object=Certificate(b"certificate")))  # type: ignore[arg-type]
        with pytest.raises(ServerFingerprintMismatch):
            pin.check(Transport(ssl_object=Certificate(b"another")))  # type: ignore[arg-type]

    def test_a_mismatch_says_everything(self) -> None:
        expected, got = hashlib.sha256(b"certificate").digest(), hashlib.sha256(b"another").digest()
        transport = Transport(ssl_object=Certificate(b"another"), peername=("192.0.2.7", 443))
        with pytest.raises(ServerFingerprintMismatch) as caught:
            Fingerprint(expected).check(transport)  # type: ignore[arg-type]
        assert (caught.value.expected, caught.value.got) == (expected, got)
        assert (caught.value.host, caught.value.port) == ("192.0.2.7", 443)

    def test_no_certificate_is_a_mismatch(self) -> None:
        with pytest.raises(ServerFingerprintMismatch):
            PIN.check(Transport(ssl_object=Certificate(None)))  # type: ignore[arg-type]

    def test_without_tls_there_is_nothing_to_check(self) -> None:
        assert PIN.check(Transport()) is None  # type: ignore[arg-type, func-returns-value]

    def test_equal_pins_are_equal_settings(self) -> None:
        assert Fingerprint(bytearray(32)) == PIN
        assert {PIN: 1}[Fingerprint(bytes(32))] == 1
        assert Fingerprint(b"x" * 32) != PIN
        assert bytes(32) != PIN
        assert PIN.fingerprint == bytes(32)


class TestSettings:
    @pytest.mark.parametrize("setting", [True, False, CONTEXT, PIN], ids=["True", "False", "context", "pin"])
    def test_the_modern_form_is_taken_as_it_is(self, setting: Any) -> None:
        assert merge_ssl_settings(setting) is setting

    def test_nothing_given_means_verified(self) -> None:
        assert merge_ssl_settings(None) is True
        assert merge_ssl_settings(None, True) is True

    @pytest.mark.parametrize(
        ("old", "setting"),
        [({"verify_ssl": False}, False), ({"ssl_context": CONTEXT}, CONTEXT), ({"fingerprint": bytes(32)}, PIN)],
        ids=["verify_ssl", "ssl_context", "fingerprint"],
    )
    def test_an_old_form_is_deprecated(self, old: dict[str, Any], setting: Any) -> None:
        def api() -> Any:
            return merge_ssl_settings(True, **old)

        with pytest.warns(DeprecationWarning, match=f"{next(iter(old))} is deprecated, use ssl=") as caught:
            assert api() == setting
        assert caught[0].filename == __file__

    @pytest.mark.parametrize(
        ("given", "named"),
        [
            ((False, False, None, None), "ssl and verify_ssl"),
            ((CONTEXT, None, CONTEXT, None), "ssl and ssl_context"),
            ((True, False, CONTEXT, bytes(32)), "verify_ssl and ssl_context and fingerprint"),
        ],
    )
    def test_more_than_one_is_refused(self, given: Any, named: str) -> None:
        with pytest.raises(ValueError, match=f"{named} can not be used at the same time"):
            merge_ssl_settings(*given)

    @pytest.mark.parametrize("setting", [0, 1, "no", b"x" * 32, object])
    def test_other_types_are_refused_by_name(self, setting: Any) -> None:
        with pytest.raises(TypeError, match="ssl should be SSLContext, bool, Fingerprint or None, got"):
            merge_ssl_settings(setting)
        with pytest.raises(TypeError, match="ssl_context should be SSLContext or None, got"):
            merge_ssl_settings(True, None, setting)


class TestContexts:
    async def test_the_users_context_is_taken_as_it_is(self) -> None:
        assert await context_for(CONTEXT) is CONTEXT

    async def test_the_default_verifies(self) -> None:
        context = await context_for(True)
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert await context_for(True) is context

    async def test_a_pin_takes_the_place_of_verification(self) -> None:
        context = await context_for(PIN)
        assert context.verify_mode is ssl.CERT_NONE
        assert not context.check_hostname
        assert await context_for(False) is context
        assert await context_for(True) is not context

    async def test_the_default_is_that_of_the_standard_library(self) -> None:
        ours, theirs = await context_for(True), ssl.create_default_context()
        assert isinstance(ours, ssl.SSLContext)
        for setting in ("options", "verify_flags", "minimum_version", "maximum_version"):
            assert getattr(ours, setting) == getattr(theirs, setting)

    def test_it_is_read_once_in_a_thread_and_not_at_import(self) -> None:
        """All who ask at the same time wait for one reading, in any loop, and one who leaves does not stop it."""
        script = """
            import asyncio, ssl, threading
            from concurrent.futures import ThreadPoolExecutor
            read = []
            original = ssl.create_default_context
            def create_default_context():
                read.append(threading.current_thread())
                return original()
            ssl.create_default_context = create_default_context
            from aiohttpx.net.tls import context_for
            import aiohttpx.net.dial
            assert read == [], "read at import"

            async def main():
                tasks = [asyncio.create_task(context_for(True)) for _ in range(9)]
                await asyncio.sleep(0)
                tasks[0].cancel()
                found = await asyncio.gather(*tasks, return_exceptions=True)
                assert isinstance(found[0], asyncio.CancelledError)
                return found[1:]

            with ThreadPoolExecutor(2) as pool:
                found = sum(pool.map(asyncio.run, [main(), main()]), [])
            assert len(found) == 16 and len(set(found)) == 1, found
            assert len(read) == 1 and read[0] is not threading.main_thread(), read
        """
        run_alone(script)

    def test_a_failure_is_not_kept(self) -> None:
        script = """
            import asyncio, ssl
            from aiohttpx.net.tls import context_for
            original = ssl.create_default_context

            def create_default_context():
                ssl.create_default_context = original
                raise OSError("no CAs")

            async def main():
                ssl.create_default_context = create_default_context
                try:
                    await context_for(True)
                except OSError as error:
                    assert str(error) == "no CAs"
                else:
                    raise SystemExit("no error")
                assert isinstance(await context_for(True), ssl.SSLContext)

            asyncio.run(main())
        """
        run_alone(script)


def run_alone(script: str, **environment: str) -> str:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


class Peers:
    """Both ends of TLS connections, in memory."""

    def __init__(self, version: ssl.TLSVersion) -> None:
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.maximum_version = version
        trustme.CA().issue_cert("localhost").configure_cert(self.server)
        self.sessions = TLSSessions(max_size=3)

    async def connect(self, key: ConnectionKey = KEY, setting: Any = False) -> tuple[Transport, bool]:
        """A connection for `key`, not yet kept, and whether it resumed a session."""
        context = await context_for(setting)
        with self.sessions.offered(key, context):
            client = self.handshake(context)
        return Transport(ssl_object=client), bool(client.session_reused)

    def handshake(self, context: ssl.SSLContext) -> ssl.SSLObject:
        """The client's end."""
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(down, up, server_hostname="localhost")
        server = self.server.wrap_bio(up, down, server_side=True)
        ends = [client, server]
        while ends:
            end = ends.pop(0)
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                ends.append(end)
        server.write(b"x")
        client.read(1)
        assert client.session_reused == server.session_reused
        return client

    async def resumes(self, key: ConnectionKey = KEY) -> bool:
        """Connect, keep the connection for the next one, and say whether it resumed a session."""
        transport, resumed = await self.connect(key)
        self.sessions.keep(key, transport)  # type: ignore[arg-type]
        return resumed


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
class TestSessions:
    @pytest.fixture
    def peers(self, version: ssl.TLSVersion) -> Peers:
        return Peers(version)

    async def test_each_connection_resumes_the_one_before(self, peers: Peers) -> None:
        assert [await peers.resumes() for _ in range(4)] == [False, True, True, True]

    @pytest.mark.parametrize("field", ConnectionKey._fields)
    async def test_no_session_is_shown_to_another_key(self, peers: Peers, field: str) -> None:
        other = KEY._replace(**{field: "another"})  # type: ignore[arg-type]
        assert not await peers.resumes()
        assert not await peers.resumes(other)
        assert await peers.resumes()
        assert await peers.resumes(other)

    async def test_a_session_is_used_once(self, peers: Peers) -> None:
        await peers.resumes()
        assert [(await peers.connect())[1] for _ in range(2)] == [True, False]

    async def test_only_the_last_few_are_kept(self, peers: Peers) -> None:
        for port in range(5):
            await peers.resumes(KEY._replace(port=port))
        assert [(await peers.connect(KEY._replace(port=port)))[1] for port in range(5)] == [False, False, True, True, True]

    async def test_an_offer_ends_with_its_block(self, peers: Peers) -> None:
        await peers.resumes()
        context = await context_for(False)
        with peers.sessions.offered(KEY, context):
            pass
        assert not peers.handshake(context).session_reused

    async def test_an_offer_is_taken_up_once(self, peers: Peers) -> None:
        await peers.resumes()
        context = await context_for(False)
        with peers.sessions.offered(KEY, context):
            assert [peers.handshake(context).session_reused for _ in range(2)] == [True, False]

    async def test_an_offer_is_seen_by_its_task_only(self, peers: Peers) -> None:
        await peers.resumes()
        context = await context_for(False)

        async def other() -> bool | None:
            return peers.handshake(context).session_reused

        task = asyncio.create_task(other())
        with peers.sessions.offered(KEY, context):
            assert not await task

    async def test_a_context_of_the_users_resumes_its_own_sessions(self, peers: Peers) -> None:
        mine = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        mine.check_hostname = False
        mine.verify_mode = ssl.CERT_NONE
        key = KEY._replace(ssl=mine)
        for expected in (False, True, True):
            transport, resumed = await peers.connect(key, setting=mine)
            peers.sessions.keep(key, transport)  # type: ignore[arg-type]
            assert resumed is expected

    @pytest.mark.parametrize("own", ["wrap_bio", "sslobject_class"])
    async def test_a_context_with_ways_of_its_own_resumes_nothing(self, peers: Peers, own: str) -> None:
        class Context(ssl.SSLContext):
            def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
                return super().wrap_bio(*args, **kwargs)

        class End(ssl.SSLObject):
            """It may look at the certificate in a way of its own."""

        mine = (Context if own == "wrap_bio" else ssl.SSLContext)(ssl.PROTOCOL_TLS_CLIENT)
        if own == "sslobject_class":
            mine.sslobject_class = End
        mine.check_hostname = False
        mine.verify_mode = ssl.CERT_NONE
        for _ in range(2):
            transport, resumed = await peers.connect(setting=mine)
            peers.sessions.keep(KEY, transport)  # type: ignore[arg-type]
            assert not resumed

    async def test_a_pin_is_checked_on_a_resumed_connection(self, peers: Peers) -> None:
        await peers.resumes()
        transport, resumed = await peers.connect()
        assert resumed
        certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        Fingerprint(hashlib.sha256(certificate).digest()).check(transport)  # type: ignore[arg-type]
        with pytest.raises(ServerFingerprintMismatch):
            PIN.check(transport)  # type: ignore[arg-type]


def test_a_verified_session_is_resumed_and_never_without_verification(tmp_path: Path) -> None:
    """The default context reads the CAs that the environment names, so it needs a process of its own."""
    ca, other = trustme.CA(), trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ca.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "good.pem"))
    other.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "bad.pem"))
    script = """
        import asyncio, ssl, sys
        from aiohttpx.errors import ClientConnectorCertificateError
        from aiohttpx.net.dial import Dialer, addr_infos
        from aiohttpx.net.tls import context_for
        from aiohttpx.net.key import ConnectionKey
        from aiohttpx.net.resolver import literal_address
        from aiohttpx.timeouts import ClientTimeout

        class Reading(asyncio.Protocol):
            def __init__(self):
                self.read = asyncio.get_running_loop().create_future()
            def connection_made(self, transport):
                transport.write(b"x")
            def data_received(self, data):
                self.read.set_result(data)

        class Echo(asyncio.Protocol):
            def connection_made(self, transport):
                self.transport = transport
            def data_received(self, data):
                self.transport.write(data)

        async def main(folder):
            loop = asyncio.get_running_loop()
            dialer = Dialer()
            async def serve(name):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(f"{folder}/{name}.pem")
                server = await loop.create_server(Echo, "127.0.0.1", 0, ssl=context)
                return server, server.sockets[0].getsockname()[1]
            async def dial(port, setting):
                key = ConnectionKey("localhost", port, True, setting, None, None, None, None)
                infos = addr_infos([literal_address("127.0.0.1", port)])
                context = await context_for(setting)
                transport, protocol = await dialer.dial(Reading, key, infos, context, ClientTimeout(sock_connect=30))
                await protocol.read
                tls = transport.get_extra_info("ssl_object")
                transport.abort()
                return tls.session_reused
            good, good_port = await serve("good")
            bad, bad_port = await serve("bad")
            print([await dial(good_port, setting) for setting in (True, True, False, True)])
            print([await dial(bad_port, False) for _ in range(2)])
            try:
                await dial(bad_port, True)
            except ClientConnectorCertificateError as error:
                print("refused")
            good.close()
            bad.close()

        asyncio.run(main(sys.argv[-1]))
    """
    script = textwrap.dedent(script).replace("sys.argv[-1]", repr(str(tmp_path)))
    said = run_alone(script, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    assert said.splitlines() == ["[False, True, False, True]", "[False, True]", "refused"]


def test_where_the_system_verifies(tmp_path: Path) -> None:
    """On Windows and macOS; what verifies there is asked here to read the CAs as OpenSSL does."""
    pytest.importorskip("truststore")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    script = """
        import asyncio, types, truststore
        from aiohttpx.net import tls
        tls.sys = types.SimpleNamespace(platform="darwin")

        async def main():
            context = await tls.context_for(True)
            assert await tls.context_for(True) is context
            assert isinstance(context, truststore.SSLContext), context
            with tls.TLSSessions().offered("peer", context):  # and leaves it as it is
                pass
            assert "sslobject_class" not in vars(context)

        asyncio.run(main())
    """
    run_alone(script, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
