"""The wire log: what is logged, what is not, and that nobody pays who does not look."""

from __future__ import annotations

import logging
import re

import pytest

import aiohttpx
from aiohttpx import ClientSession
from aiohttpx.net.handler import ResponseHandler
from aiohttpx.net.wirelog import LoggedConnection
from aiohttpx.testing import DEFAULT_ROUTES, Close, ExpectRequest, LoopbackServer, Pause, ScriptedPeer

SECRET = {"Authorization": "Bearer hush", "Cookie": "a=hush", "Proxy-Authorization": "Basic hush"}


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines, without the number of the connection and its peer."""
    return [re.sub(r"^#\d+ \S+ ", "", record.getMessage()) for record in caplog.records if record.name == "aiohttpx.wire"]


@pytest.mark.every_loop
async def test_an_exchange_is_logged_without_its_secrets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "aiohttpx.wire")
    secrets = b"Set-Cookie: s=hush-hush\r\nLocation: http://me:hush@there/\r\n"
    head = b"HTTP/1.1 200 OK\r\n" + secrets + b"X-Odd: \xc3\xbc\xff\r\nContent-Length: 4\r\n\r\nhush"
    cut = head.index(b"sh-hu")  # a read ends in the middle of a secret
    peer = ScriptedPeer([ExpectRequest(), head[:cut], Pause(0.02), head[cut:]])
    async with peer, ClientSession() as session, session.post(f"{peer.url}/a?b", data=b"hush", headers=SECRET) as response:
        assert await response.read() == b"hush"
    lines = said(caplog)
    assert lines[0].startswith("* connected to ('127.0.0.1', ")
    assert lines[1] == "> POST /a?b HTTP/1.1"
    assert {f"> {name}: [redacted]" for name in SECRET} < set(lines)
    assert lines[lines.index("< HTTP/1.1 200 OK") - 1 :] == [
        "> (4 bytes of content)",
        "< HTTP/1.1 200 OK",
        "< Set-Cookie: [redacted]",
        "< Location: http://...@there/",
        "< X-Odd: ü\\xff",
        "< Content-Length: 4",
        "< (4 bytes of content)",
        "* closed",
    ]
    assert "hush" not in caplog.text
    numbers = {record.getMessage().split()[0] for record in caplog.records if record.name == "aiohttpx.wire"}
    assert len(numbers) == 1
    assert f" 127.0.0.1:{peer.port} > POST" in caplog.text


async def test_content_is_logged_by_its_size(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "aiohttpx.wire")
    async with LoopbackServer(DEFAULT_ROUTES) as server, ClientSession() as session:
        for path, size in (("/bytes/3000000", 3_000_000), ("/bytes/70000?chunked", 70_000)):
            caplog.clear()
            async with session.get(server.url + path) as response:
                assert len(await response.read()) == size
            sizes = [re.fullmatch(r"< \((\d+) bytes of content\)", line) for line in said(caplog)]
            assert sum(int(match[1]) for match in sizes if match) == size
        caplog.clear()
        async with session.post(server.url + "/count", data=iter([b"hush", b"hush"])) as response:
            assert await response.text() == "8"
    assert "hush" not in caplog.text
    assert "> (9 bytes of content)" in said(caplog)  # a chunk is a line longer


async def test_failures_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "aiohttpx.wire")
    peer = ScriptedPeer([ExpectRequest(), b"HTTP/1.1 200 OK\r\nSet-Cookie: hush\x00\r\n\r\n", Close()])
    async with peer, ClientSession() as session:
        with pytest.raises(aiohttpx.ClientResponseError):
            await session.get(peer.url)
    lines = said(caplog)
    assert any(line.startswith("* fails: ") for line in lines)
    assert "hush" not in caplog.text


async def test_controls_do_not_reach_the_terminal(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "aiohttpx.wire")
    peer = ScriptedPeer([ExpectRequest(), b"HTTP/1.1 200 \tOK\r\nX: a\tb\r\nContent-Length: 0\r\n\r\n"])
    async with peer, ClientSession() as session, session.get(peer.url):
        pass
    assert "< X: a\\x09b" in said(caplog)


async def test_what_is_not_logged_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    async with LoopbackServer(DEFAULT_ROUTES) as server, ClientSession() as session:
        connector = session.connector
        assert connector is not None
        for level, kind in ((logging.INFO, ResponseHandler), (logging.DEBUG, LoggedConnection)):
            caplog.set_level(level, "aiohttpx.wire")
            await session.get(server.url + "/anything", headers={"Connection": "close"})
            assert type(connector._factory()) is kind
            assert bool(said(caplog)) is (level == logging.DEBUG)
