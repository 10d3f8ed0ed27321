"""`aiohttpx ws URL`: lines of standard input are sent, and messages are printed."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import aclosing, suppress
from typing import Any, Final

from .. import ClientConnectionResetError, ClientWebSocketResponse, WSCloseCode, WSMsgType
from .arguments import Parser, count, seconds
from .exits import Exit, complain, run
from .options import add_session_options, fields_of, opened
from .stdin import lines_of, standard_input

_DESCRIPTION: Final = """\
Open a WebSocket. Each line of standard input is sent as a text message, and what comes is printed: texts as lines, and
binary messages as they are.

In a terminal, a line may also be a command: /ping, /close [CODE [REASON]]; //TEXT sends /TEXT. Its end (Ctrl-D) closes.
"""
#: Seconds of silence after the input has ended.
_WAIT: Final = 1.0
_FINE: Final = (WSCloseCode.OK, WSCloseCode.GOING_AWAY, 0)


def main(argv: Sequence[str]) -> int:
    """Talks as `argv` says; gives the exit status."""
    parser = Parser("ws", _DESCRIPTION)
    parser.add_argument("url", metavar="URL", help="ws://, wss://, http:// or https://")
    parser.add_argument("-s", "--subprotocol", metavar="NAME", action="append", default=[], help="offer this one; repeatable")
    parser.add_argument("--origin", metavar="ORIGIN", help="the Origin field")
    parser.add_argument("--binary", action="store_true", help="send standard input as binary messages, in the pieces it comes in")
    parser.add_argument("--compress", action="store_true", help="offer permessage-deflate")
    parser.add_argument("--heartbeat", metavar="SECONDS", type=seconds, help="ping after so much silence, and expect an answer")
    parser.add_argument("-n", "--count", metavar="N", type=count, help="close after so many messages")
    parser.add_argument(
        "--wait", metavar="SECONDS", type=float,
        help=f"when the input has ended, close after so much silence; inf: never (a pipe or a file {_WAIT:g}, a terminal 0)",
    )  # fmt: skip
    add_session_options(parser)
    options = parser.understand(argv)
    return run(parser, _talk(options))


async def _talk(options: argparse.Namespace) -> int:
    interactive = sys.stdin.isatty()
    wait = options.wait if options.wait is not None else 0 if interactive else _WAIT
    async with (
        opened(options) as session,
        session.ws_connect(
            options.url, protocols=options.subprotocol, origin=options.origin, compress=15 if options.compress else 0,
            heartbeat=options.heartbeat, autoping=False, **fields_of(options),
        ) as ws,
    ):  # fmt: skip
        if interactive:
            complain(f"open, subprotocol {ws.protocol}" if ws.protocol else "open")
        talk = _Talk(ws, interactive)
        receiving = asyncio.create_task(talk.receive(options.count))
        sending = asyncio.create_task(talk.send_binary() if options.binary else talk.send_lines())
        try:
            await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
                await _silence(talk, receiving, wait)
                await ws.close()
            return await receiving
        finally:
            sending.cancel()
            receiving.cancel()
            await asyncio.wait((sending, receiving))


async def _silence(talk: _Talk, receiving: asyncio.Task[int], wait: float) -> None:
    """Wait until nothing has come for `wait` seconds, or nothing more comes."""
    received = -1
    while received != talk.received and not receiving.done():
        received = talk.received
        await asyncio.wait((receiving,), timeout=None if wait == float("inf") else wait)


class _Talk:
    """Both directions of a WebSocket."""

    def __init__(self, ws: ClientWebSocketResponse[Any], interactive: bool) -> None:
        self._ws = ws
        self._interactive = interactive
        self._pings = 0
        self.received = 0

    async def receive(self, limit: int | None) -> int:
        """Print what comes, up to `limit` messages; gives the exit status."""
        while self.received != limit:
            message = await self._ws.receive()
            match message.type:
                case WSMsgType.TEXT:
                    self._print(message.data.encode() + b"\n")
                case WSMsgType.BINARY:
                    self._print(message.data)
                case WSMsgType.PING:
                    await self._ws.pong(message.data)
                case WSMsgType.PONG:
                    self._tell_latency()
                case WSMsgType.ERROR:
                    raise message.data
                case WSMsgType.CLOSE:
                    return self._closed(message.data, message.extra)
                case WSMsgType.CLOSED if self._ws.close_code == WSCloseCode.ABNORMAL_CLOSURE:
                    complain("the connection was lost")
                    return Exit.CONNECTION
                case WSMsgType.CLOSED | WSMsgType.CLOSING:
                    return Exit.OK
        return Exit.OK

    def _print(self, data: bytes) -> None:
        self.received += 1
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def _tell_latency(self) -> None:
        if self._pings and self._ws.latency is not None:
            self._pings -= 1
            complain(f"pong after {self._ws.latency * 1000:.1f} ms")

    def _closed(self, code: int | None, reason: str | None) -> int:
        fine = (code or 0) in _FINE
        if self._interactive or not fine:
            complain(f"closed by the server with {code or 'no code'}" + (f": {reason}" if reason else ""))
        return Exit.OK if fine else Exit.FAILED

    async def send_lines(self) -> None:
        """Send what is typed or piped."""
        async with aclosing(lines_of(standard_input())) as lines:
            async for line in lines:
                try:
                    text = line.decode()
                except UnicodeDecodeError:
                    raise ValueError("standard input is not UTF-8; --binary sends it as it is") from None
                if self._interactive and text.startswith("/"):
                    await self._obey(text)
                else:
                    await self._send(text)

    async def send_binary(self) -> None:
        async with aclosing(standard_input()) as pieces:
            async for piece in pieces:
                await self._send(piece)

    async def _send(self, message: str | bytes) -> None:
        with suppress(ClientConnectionResetError):  # whoever receives knows why
            await (self._ws.send_str(message) if isinstance(message, str) else self._ws.send_bytes(message))

    async def _obey(self, line: str) -> None:
        """Do what a line that begins with a slash says."""
        match line.split(maxsplit=2):
            case [text, *_] if text.startswith("//"):
                await self._send(line[1:])
            case ["/ping"]:
                self._pings += 1
                await self._ws.ping()
            case ["/close", *how] if not how or how[0].isdecimal():
                try:
                    await self._ws.close(code=int(how[0]) if how else WSCloseCode.OK, message="".join(how[1:]))
                except ValueError as error:
                    complain(str(error))
            case _:
                complain("commands are /ping and /close [CODE [REASON]]; //TEXT sends /TEXT")
