"""What the demonstration's server serves. As a program: serves until its standard input ends, so as not to outlive its parent."""

from __future__ import annotations

import signal
import sys

from ..testing import DEFAULT_ROUTES, LoopbackServer, Request, Response

PAGES = "/pages/"
_LINES = 40


def page(number: int) -> bytes:
    """Page `number`: text of about one kilobyte that no other page has."""
    return b"<!doctype html>\n<title>Page %d</title>\n" % number + b"<p>A line of page %d.</p>\n" % number * _LINES


def _serve_page(request: Request) -> Response:
    number = request.path.removeprefix(PAGES)
    if not number.isdecimal():
        return Response.text("a page has a number\n", 404)
    return Response(200, [("Content-Type", "text/html; charset=utf-8")], page(int(number)))


def main() -> None:
    """Prints the server's URL, and serves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when this ends
    with LoopbackServer({**DEFAULT_ROUTES, PAGES: _serve_page}).in_thread() as server:
        print(server.url, flush=True)
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
