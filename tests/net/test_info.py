"""What a connection says about itself."""

from __future__ import annotations

import ssl

import pytest
import trustme

from aiohttpx.net.info import ConnectionInfo, info_of


def test_tls_that_has_failed_tells_no_more() -> None:
    authority = trustme.CA()
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(serving)
    authority.configure_trust(trusting)
    down, up = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = trusting.wrap_bio(down, up, server_hostname="localhost")
    theirs = serving.wrap_bio(up, down, server_side=True)
    for end in (ours, theirs):
        with pytest.raises(ssl.SSLWantReadError):
            end.do_handshake()
    ours.do_handshake()
    info = info_of(("peer", "local", ours))
    assert info.tls_version == ours.version()
    assert info.certificate
    down.write(b"\x17\x03\x03\x00\x20" + bytes(32))
    with pytest.raises(ssl.SSLError, match=r"(?i)bad.record.mac"):
        ours.read()
    assert info_of(("peer", "local", ours)) == ConnectionInfo("peer", "local")
