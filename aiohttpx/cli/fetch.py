"""`aiohttpx fetch URL`: one request, and its answer on standard output or in a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Any, BinaryIO, Final

from .. import ClientHandlerType, ClientRequest, ClientResponse, ClientSession, Timings
from .arguments import Parser
from .content import add_content_options, content_of, has_content
from .exits import Exit, complain, run
from .options import add_request_options, add_session_options, opened, request_arguments
from .progress import watched

_KILOBYTE: Final = 1000


def main(argv: Sequence[str]) -> int:
    """Fetches as `argv` says; gives the exit status."""
    parser = _parser()
    options = parser.understand(argv)
    options.method = (options.method or ("POST" if has_content(options) else "GET")).upper()
    if options.checksum is not None and not _downloads(options):
        parser.error("--checksum is for GET with -o and without content")
    return run(parser, _fetch(options))


def _parser() -> Parser:
    parser = Parser("fetch", "Fetch a URL; print the content of the response. `aiohttpx URL` is `aiohttpx fetch -i URL`.")
    add_request_options(parser)
    add_content_options(parser)
    out = parser.add_argument_group("output")
    out.add_argument("-i", "--include", action="store_true", help="print the status line and the headers, too")
    where = out.add_mutually_exclusive_group()
    where.add_argument("--head-only", action="store_true", help="print nothing else, and do not read the content")
    where.add_argument(
        "-o", "--output", metavar="FILE",
        help="write the content to FILE, with a bar; that of a GET is there when it is whole, and a cut one is gone on with",
    )  # fmt: skip
    out.add_argument("--no-resume", action="store_true", help="do not go on where an earlier one was cut: begin anew")
    out.add_argument("--checksum", metavar="sha256:HEX", help="the digest that FILE must have")
    out.add_argument("--fail", action="store_true", help="end with status 6 when the response has a status from 400 on")
    out.add_argument("--timings", action="store_true", help="how long the parts of the (last) request took, on standard error")
    out.add_argument("--curl", action="store_true", help="send nothing; print the request as a command for curl, without secrets")
    add_session_options(parser)
    return parser


def _downloads(options: argparse.Namespace) -> bool:
    return bool(options.output) and options.method == "GET" and not has_content(options)


class _NotSent(Exception):
    """The request as it would have been sent."""


async def _do_not_send(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    raise _NotSent(request.request_info.as_curl())


async def _fetch(options: argparse.Namespace) -> int:
    async with opened(options, innermost=_do_not_send if options.curl else None) as session:
        try:
            response = await (_download if _downloads(options) and not options.curl else _receive)(session, options)
        except _NotSent as request:
            print(request)
            return Exit.OK
    if options.timings:
        _tell_timings(response.timings)
    if (options.fail or options.output) and not response.ok:
        complain(f"{response.status} {response.reason}")
        return Exit.REFUSED
    return Exit.OK


async def _download(session: ClientSession, options: argparse.Namespace) -> ClientResponse:
    """Into a file, which is there when all of it is."""
    async with _bar() as show:
        arguments = request_arguments(options)
        done = await session.download(
            options.url, options.output, resume=not options.no_resume, checksum=options.checksum, progress=show,
            timings=options.timings, **arguments,
        )  # fmt: skip
    if options.include:
        _write(_head(done.response))
    return done.response


async def _receive(session: ClientSession, options: argparse.Namespace) -> ClientResponse:
    """Onto standard output, or into a file as far as it comes."""
    with ExitStack() as files:
        arguments: dict[str, Any] = {**request_arguments(options), **content_of(options, files), "timings": options.timings}
        async with session.request(options.method, options.url, **arguments) as response:
            if options.include or options.head_only or options.method == "HEAD":
                _write(_head(response))
            if options.head_only:
                response.close()
            elif options.output and response.ok:
                await _save(response, options.output)
            elif not options.output:
                async for piece in response.content.iter_any():
                    _write(piece)
    return response


async def _save(response: ClientResponse, path: str) -> None:
    size, total = 0, None if "Content-Encoding" in response.headers else response.content_length
    with _created(path) as file:
        async with _bar() as show:
            async for piece in response.content.iter_any():
                file.write(piece)
                size += len(piece)
                show(size, total)


def _created(path: str) -> BinaryIO:
    return open(path, "wb")


class _Seen:
    """How far it is, in kilobytes."""

    done: tuple[int, int | None] = (0, None)

    def __call__(self, size: int, total: int | None) -> None:
        self.done = (size // _KILOBYTE, None if total is None else total // _KILOBYTE)


@asynccontextmanager
async def _bar() -> AsyncIterator[_Seen]:
    """Shows on a terminal what it is told."""
    seen = _Seen()
    if sys.stderr.isatty():
        async with watched("download", "kB", lambda: seen.done, sys.stderr):
            yield seen
    else:
        yield seen


def _write(data: bytes) -> None:
    """At once: a stream may never end."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _head(response: ClientResponse) -> bytes:
    """Status line and headers as they came, and the empty line."""
    version = "HTTP/{}.{}".format(*response.version) if response.version else "HTTP/1.1"
    lines = [f"{version} {response.status} {response.reason}".encode("utf-8", "surrogateescape")]
    lines += [name + b": " + value for name, value in response.raw_headers]
    return b"\n".join((*lines, b"", b""))


def _tell_timings(timings: Timings) -> None:
    for name, took in zip(timings._fields, timings, strict=True):
        shown = "-" if took is None else f"{took * 1000:,.1f} ms"
        print(f"{name.replace('_', ' '):<12}{shown:>12}", file=sys.stderr)
