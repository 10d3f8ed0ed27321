"""How a command ends: its exit status, and one line on standard error when something went wrong."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine
from enum import IntEnum
from typing import Any, Final

from .. import (
    ClientConnectionError,
    ClientError,
    ClientResponseError,
    ClientSSLError,
    InvalidURL,
    RedirectClientError,
    ServerFingerprintMismatch,
    WebSocketError,
)
from ..errors import HttpProcessingError


class Exit(IntEnum):
    """What an exit status means."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONNECTION = 3
    TIME_LIMIT = 4
    TLS = 5
    REFUSED = 6
    INTERRUPTED = 130


EXIT_STATUSES: Final = """\
exit status:
  0  all went well; a status such as 404 counts as such, too, unless --fail is given
  1  something else failed: a response that is no HTTP or is cut short, a wrong checksum, a file
  2  the arguments cannot be used
  3  the connection: no such host, nobody there, lost
  4  a time limit
  5  TLS: the certificate or the handshake
  6  refused: a status from 400 on (with --fail or -o), no WebSocket, a proxy that says no, redirects without end
  130  interrupted
"""

#: The first that fits counts.
_MEANING: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], Exit], ...]] = (
    ((ClientResponseError, RedirectClientError), Exit.REFUSED),
    (InvalidURL, Exit.USAGE),
    ((ClientSSLError, ServerFingerprintMismatch), Exit.TLS),
    (TimeoutError, Exit.TIME_LIMIT),
    (ClientConnectionError, Exit.CONNECTION),
    ((ClientError, OSError, WebSocketError), Exit.FAILED),
    (ValueError, Exit.USAGE),  # a method or a header that cannot be sent
)
_KNOWN: Final = (ClientError, OSError, WebSocketError, ValueError)


def meaning(error: BaseException) -> Exit:
    """The exit status for an error."""
    if isinstance(error.__cause__, HttpProcessingError):  # a ClientResponseError, too, but nobody refused anything
        return Exit.FAILED
    return next((status for kind, status in _MEANING if isinstance(error, kind)), Exit.FAILED)


def run(parser: argparse.ArgumentParser, work: Coroutine[Any, Any, int]) -> int:
    """Do `work` and give its exit status, or that of what it raises, which is told on standard error.

    :raises SystemExit: with status 2, by `parser`.
    """
    try:
        status = asyncio.run(work)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has seen enough. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED
    except _KNOWN as error:
        status = meaning(error)
        if status is Exit.USAGE:
            parser.error(("this URL cannot be used: " if isinstance(error, InvalidURL) else "") + told(error))
        complain(f"{type(error).__name__}: {told(error)}")
    return status


def complain(text: str) -> None:
    """One line on standard error."""
    print(f"aiohttpx: {text}", file=sys.stderr)


def told(error: BaseException) -> str:
    """What an error says, in one line. Content is left out: a server may repeat what it was sent, credentials too."""
    text = f"{error.status} {error.message}" if isinstance(error, ClientResponseError) else str(error)
    return " ".join(text.split())
