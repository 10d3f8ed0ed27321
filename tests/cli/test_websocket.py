"""`aiohttpx ws`: what is sent and printed, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aiohttpx import WSMsgType
from aiohttpx.cli.exits import Exit
from aiohttpx.testing import LoopbackServer

from ..session.websocket_peer import Talk, close_frame, echo, websocket_in_thread
from .command import Captured, Said, command, piped, start

Run = Callable[..., Said]


@pytest.fixture
def run(capsysbinary: Captured) -> Run:
    return command(capsysbinary)


def test_sends_lines_and_prints_messages(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with websocket_in_thread(echo) as url, piped("one\r\n\ntw\u00f6".encode(), monkeypatch):
        assert run("ws", url, "--wait", "0.2") == (0, "one\n\ntw\u00f6\n".encode(), b"")


def test_is_binary_when_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with websocket_in_thread(echo) as url, piped(b"\xff\n\x00", monkeypatch):
        assert run("ws", url, "--binary", "-n", "1", "--wait", "inf") == (0, b"\xff\n\x00", b"")
    with websocket_in_thread(echo) as url, piped(b"\xff\n", monkeypatch):
        status, _, err = run("ws", url)
        assert (status, b"--binary" in err) == (Exit.USAGE, True)


def test_says_what_it_is_told_to_say(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str | None] = []

    async def server(talk: Talk) -> None:
        await talk.open(more=b"Sec-WebSocket-Protocol: b\r\n")
        heard.extend(talk.field(name) for name in ("Sec-WebSocket-Protocol", "Origin", "X-A", "Authorization", "Cookie"))
        heard.append(talk.field("Sec-WebSocket-Extensions"))
        await talk.say(WSMsgType.PING, b"?")
        assert (await talk.hear())[:2] == (WSMsgType.PONG, b"?")
        await talk.write(close_frame(1001))
        await talk.hear_end()

    options = ["-s", "a", "-s", "b", "--origin", "http://o", "-H", "X-A: 1", "-u", "joe:pw", "--cookie", "c=1", "--compress"]
    with websocket_in_thread(server) as url, piped(b"", monkeypatch):
        assert run("ws", url, *options, "--heartbeat", "9", "--wait", "inf") == (0, b"", b"")
    assert heard[:-1] == ["a,b", "http://o", "1", "Basic am9lOnB3", "c=1"]
    assert heard[-1] is not None
    assert "permessage-deflate" in heard[-1]


async def lost(talk: Talk) -> None:
    await talk.open()
    talk.reset()


async def broken(talk: Talk) -> None:
    await talk.open()
    await talk.write(b"\xff\xff")
    await talk.hear_end()


async def angry(talk: Talk) -> None:
    await talk.open()
    await talk.write(close_frame(1011, "so it is"))
    await talk.hear_end()


@pytest.mark.parametrize(
    ("server", "status", "said"),
    [
        (lost, Exit.CONNECTION, b"aiohttpx: the connection was lost\n"),
        (broken, Exit.FAILED, b"aiohttpx: WebSocketError: "),
        (angry, Exit.FAILED, b"aiohttpx: closed by the server with 1011: so it is\n"),
    ],
)
def test_tells_bad_ends_apart(
    server: Callable[..., None], status: Exit, said: bytes, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with websocket_in_thread(server) as url, piped(b"a\n", monkeypatch):  # type: ignore[arg-type]
        ended, _, err = run("ws", url, "--wait", "inf")
    assert (ended, err[: len(said)]) == (status, said)


def test_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackServer().in_thread() as server, piped(b"", monkeypatch):
        url = server.url
        assert run("ws", f"{url}/anything") == (
            Exit.REFUSED,
            b"",
            b"aiohttpx: WSServerHandshakeError: 200 Invalid response status\n",
        )
    with piped(b"", monkeypatch):
        assert run("ws", url)[0] == Exit.CONNECTION


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs terminals")
@pytest.mark.parametrize("end", [b"/close 1000 bye\n", b"\x04"], ids=["command", "Ctrl-D"])
def test_obeys_who_sits_at_a_terminal(end: bytes, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    async def server(talk: Talk) -> None:
        await talk.open()
        while (message := await talk.hear()).type != WSMsgType.CLOSE:
            if message.type == WSMsgType.PING:
                await talk.say(WSMsgType.PONG, message.data)
                os.write(keyboard, b"//x\n/what\n/close 1\n")
            else:
                await talk.say(WSMsgType.TEXT, message.data)
                os.write(keyboard, end)
        closed.append((message.data, message.extra))
        await talk.write(close_frame())
        await talk.hear_end()

    keyboard, terminal = os.openpty()
    os.write(keyboard, b"/ping\n")
    with open(terminal) as file, monkeypatch.context() as patch, websocket_in_thread(server) as url:
        patch.setattr(sys, "stdin", file)
        status, out, err = run("ws", url, "--wait", "0.2")
    os.close(keyboard)
    assert (status, out) == (0, b"/x\n")
    first, pong, what, code = err.splitlines()
    assert first == b"aiohttpx: open"
    assert pong.startswith(b"aiohttpx: pong after ")
    assert b"commands are /ping" in what
    assert b"1" in code
    assert closed == [(1000, "bye" if b"bye" in end else "")]


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_is_interrupted_quietly_while_nobody_types() -> None:
    with websocket_in_thread(echo) as url, start("ws", url, "--wait", "inf") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"hello\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == b""
        assert process.wait(20) == Exit.INTERRUPTED
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_keeps_cookies_of_the_handshake(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def server(talk: Talk) -> None:
        await talk.open(more=b"Set-Cookie: a=1; Max-Age=100\r\n")
        await talk.hear()
        await talk.write(close_frame())
        await talk.hear_end()

    jar = tmp_path / "jar.json"
    with websocket_in_thread(server) as url, piped(b"", monkeypatch):
        assert run("ws", url, "--wait", "0", "--cookie-jar", str(jar))[0] == 0
    assert '"a"' in jar.read_text()
