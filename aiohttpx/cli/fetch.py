"""`python -m aiohttpx URL`: one request, and its answer on standard output."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from .. import ClientError, ClientResponse, ClientSession, ClientTimeout, InvalidURL

_CHUNK = 1 << 16
_EPILOG = """\
The exit status is 0 when a whole response was received and written, whatever its own status; 1 when not, and one line on
standard error says why; 2 when the arguments cannot be used.

python -m aiohttpx demo starts a server of its own and shows the client at work; see python -m aiohttpx demo --help.
"""


def main(argv: Sequence[str]) -> int:
    """Fetches as `argv` says; gives the exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        asyncio.run(_fetch(options))
    except InvalidURL as error:
        parser.error(f"this URL cannot be used: {error}")
    except (ClientError, TimeoutError) as error:
        return _failed(error)
    except ValueError as error:  # a method or a header that cannot be sent
        parser.error(_one_line(error))
    except BrokenPipeError:
        # Whoever read the output has seen enough. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _failed(error)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m aiohttpx",
        description="Fetch a URL; print its status line, its headers and its body.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", metavar="URL", help="http:// or https://")
    parser.add_argument("-X", dest="method", metavar="METHOD", help="the method; by default GET, with a body POST")
    parser.add_argument(
        "-H", dest="headers", metavar="'NAME: VALUE'", action="append", default=[], type=_header, help="a header; may be repeated"
    )
    body = parser.add_mutually_exclusive_group()
    body.add_argument("--json", metavar="TEXT", type=_json, help="send this JSON")
    body.add_argument("-d", dest="data", metavar="DATA", help="send this as application/x-www-form-urlencoded")
    parser.add_argument("-o", dest="output", metavar="FILE", help="write the body to FILE")
    parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, help="for the whole request; by default 300")
    return parser


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"'Name: value' is needed, not {text!r}")
    return name.strip(), value.strip()


def _json(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from error
    return text


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds > 0:
        raise argparse.ArgumentTypeError("a time above 0 is needed")
    return seconds


async def _fetch(options: argparse.Namespace) -> None:
    headers: list[tuple[str, str]] = options.headers
    text, content_type = options.json, "application/json"
    if text is None:
        text, content_type = options.data, "application/x-www-form-urlencoded"
    body = None if text is None else os.fsencode(text)
    if body is not None and not any(name.lower() == "content-type" for name, _ in headers):
        headers = [*headers, ("Content-Type", content_type)]
    settings: dict[str, Any] = {} if options.timeout is None else {"timeout": ClientTimeout(total=options.timeout)}
    method = options.method or ("GET" if body is None else "POST")
    async with (
        ClientSession(**settings) as session,
        session.request(method, options.url, headers=headers, data=body) as response,
    ):
        out = sys.stdout.buffer
        out.write(_head(response))
        with _destination(options.output, out) as destination:
            async for chunk in response.content.iter_chunked(_CHUNK):
                destination.write(chunk)
        out.flush()


def _head(response: ClientResponse) -> bytes:
    """Status line and headers as they came, and the empty line."""
    version = "HTTP/{}.{}".format(*response.version) if response.version else "HTTP/1.1"
    lines = [f"{version} {response.status} {response.reason}".encode("utf-8", "surrogateescape")]
    lines += [name + b": " + value for name, value in response.raw_headers]
    return b"\n".join((*lines, b"", b""))


@contextlib.contextmanager
def _destination(path: str | None, otherwise: BinaryIO) -> Iterator[BinaryIO]:
    if path is None:
        yield otherwise
    else:
        with open(path, "wb") as file:
            yield file


def _failed(error: BaseException) -> int:
    print(f"aiohttpx: {type(error).__name__}: {_one_line(error)}", file=sys.stderr)
    return 1


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
