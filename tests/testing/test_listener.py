"""testing/listener.py: it ends in the middle of whatever arrives, and nothing of that stays."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from aiohttpx.testing import ScriptedPeer, StallForever
from aiohttpx.testing.listener import AcceptedConnection, Listener

pytestmark = [pytest.mark.every_loop, pytest.mark.skipif(sys.platform != "linux", reason="counts file descriptors")]

CLIENTS = 20


@pytest.fixture(scope="module")
def context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_it_ends_while_clients_come_in(context: ssl.SSLContext, secure: bool) -> None:
    before = None
    for turns in (20, 0, 1, 2, 3, 5, 8, 20):
        async with ScriptedPeer([StallForever()], ssl_context=context if secure else None) as peer:
            with ExitStack() as stack:
                for _ in range(CLIENTS):
                    stack.enter_context(socket.create_connection((peer.host, peer.port)))
                for _ in range(turns):
                    await asyncio.sleep(0)
        before = before or open_files()  # with what a loop keeps once it has served
        for _ in range(100):
            if open_files() == before:
                break
            await asyncio.sleep(0.01)
        assert open_files() == before
        assert len(asyncio.all_tasks()) == 1


async def test_it_ends_while_clients_go(context: ssl.SSLContext) -> None:
    for turns in range(8):
        async with ScriptedPeer([StallForever()], ssl_context=context) as peer:
            for _ in range(CLIENTS):
                socket.create_connection((peer.host, peer.port)).close()
            for _ in range(turns):
                await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1


async def test_who_is_at_the_door_comes_in_before_it_is_closed(tmp_path: Path) -> None:
    listener = Listener(AcceptedConnection, unix_path=str(tmp_path / "name"))
    for expected in (1, 2):
        listener.open()
        with socket.socket(socket.AF_UNIX) as client:
            await asyncio.sleep(0)
            client.connect(str(tmp_path / "name"))
            await asyncio.sleep(0.01)
            await listener.close()
            assert client.recv(1) == b""
        assert listener.accepted == expected
        await listener.close()
