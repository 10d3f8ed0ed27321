from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from aiohttpx import __version__
from aiohttpx.__main__ import main
from aiohttpx.cli.exits import Exit
from aiohttpx.testing import DEFAULT_ROUTES, LoopbackServer, Request, Response, payload

Captured = pytest.CaptureFixture[bytes]


def binary(asked: Request) -> Response:
    return Response(200, [("X-First", "1"), ("x-second", "zwei \u00e4")], b"\x00\xff\r\n", reason="As Ever")


def cut(asked: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"begun"
        raise OSError

    return Response(body=pieces(), length=100)


def around(asked: Request) -> Response:
    return Response(302, [("Location", "/redirect")], b"")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with LoopbackServer({**DEFAULT_ROUTES, "/binary": binary, "/cut": cut, "/redirect": around}).in_thread() as server:
        yield server.url


def echoed(captured: Captured) -> Any:
    head, _, body = captured.readouterr().out.partition(b"\n\n")
    assert head.startswith(b"HTTP/1.1 200 OK\n")
    return json.loads(body)


def test_prints_status_line_headers_and_body(url: str, capsysbinary: Captured) -> None:
    assert main([f"{url}/binary"]) == 0
    out, err = capsysbinary.readouterr()
    assert out == b"HTTP/1.1 200 As Ever\nX-First: 1\nx-second: zwei \xc3\xa4\nContent-Length: 4\n\n\x00\xff\r\n"
    assert err == b""


def test_a_status_is_no_failure(url: str, capsysbinary: Captured) -> None:
    assert main([f"{url}/status/503"]) == 0
    assert capsysbinary.readouterr().out.startswith(b"HTTP/1.1 503 Service Unavailable\n")


def test_gets_with_method_and_headers(url: str, capsysbinary: Captured) -> None:
    assert main([f"{url}/anything?a=1", "-X", "DELETE", "-H", "X-A:  1 ", "-H", "X-A: 2"]) == 0
    said = echoed(capsysbinary)
    assert (said["method"], said["args"], said["headers"]["x-a"]) == ("DELETE", {"a": "1"}, "1, 2")


def test_posts_json(url: str, capsysbinary: Captured) -> None:
    assert main([f"{url}/anything", "--json", '{"a": "\u00e4"}']) == 0
    said = echoed(capsysbinary)
    assert (said["method"], said["json"], said["headers"]["content-type"]) == ("POST", {"a": "\u00e4"}, "application/json")


def test_posts_data(url: str, capsysbinary: Captured) -> None:
    assert main([f"{url}/anything", "-d", "a=1&b=2", "-X", "PUT"]) == 0
    said = echoed(capsysbinary)
    assert (said["method"], said["form"]) == ("PUT", {"a": "1", "b": "2"})
    assert main([f"{url}/anything", "-d", "a=1", "-H", "content-type: text/x"]) == 0
    assert echoed(capsysbinary)["headers"]["content-type"] == "text/x"


def test_writes_the_body_to_a_file(url: str, capsysbinary: Captured, tmp_path: Path) -> None:
    path = tmp_path / "body"
    assert main([f"{url}/bytes/1000000", "-o", str(path)]) == 0
    assert path.read_bytes() == payload(1_000_000)
    assert capsysbinary.readouterr().out.endswith(b"Content-Length: 1000000\n\n")


def failure(arguments: list[str], captured: Captured, status: Exit) -> bytes:
    """The one line on standard error with which `arguments` fail."""
    assert main(arguments) == status
    err = captured.readouterr().err
    assert err.count(b"\n") == 1
    return err


def test_says_why_it_failed(url: str, capsysbinary: Captured, tmp_path: Path) -> None:
    with LoopbackServer().in_thread() as server:
        gone = server.url
    refused = failure([gone], capsysbinary, Exit.CONNECTION)
    assert refused.startswith(b"aiohttpx: ClientConnectorError: Cannot connect to host 127.0.0.1:")
    assert b"Timeout" in failure([f"{url}/delay/60", "--timeout", "0.05"], capsysbinary, Exit.TIME_LIMIT)
    nowhere = [f"{url}/binary", "-o", str(tmp_path / "no" / "body")]
    assert b"No such file or directory" in failure(nowhere, capsysbinary, Exit.FAILED)
    assert b"No such file or directory" in failure([*nowhere, "-X", "POST"], capsysbinary, Exit.FAILED)
    assert b"TooManyRedirects" in failure([f"{url}/redirect"], capsysbinary, Exit.REFUSED)


def test_a_body_cut_short_is_a_failure(url: str, capsysbinary: Captured) -> None:
    assert main([f"{url}/cut"]) == 1
    out, err = capsysbinary.readouterr()
    assert out.endswith(b"\n\nbegun")
    assert err.startswith(b"aiohttpx: ClientPayloadError: ")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], b"required: URL"),
        (["ftp://example.org/"], b"this URL cannot be used: ftp://example.org/"),
        (["http://"], b"this URL cannot be used: http:"),
        (["http://h/", "-H", "X"], b"'Name: value' is needed"),
        (["http://h/", "-X", "G T"], b"G T"),
        (["http://h/", "--json", "{"], b"not JSON"),
        (["http://h/", "--json", "{}", "-d", "a"], b"not allowed with"),
        (["http://h/", "--timeout", "0"], b"a time above 0"),
        (["http://h/", "--timeout", "soon"], b"invalid"),
        (["demo", "--pages", "0"], b"a number above 0"),
        (["demo", "http://h/"], b"unrecognized"),
    ],
)
def test_refuses_arguments_that_cannot_be_used(arguments: list[str], complaint: bytes, capsysbinary: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert complaint in capsysbinary.readouterr().err


def test_refuses_a_header_that_cannot_be_sent(url: str, capsysbinary: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main([url, "-H", "X Y: 1"])
    assert caught.value.code == 2
    assert b"X Y" in capsysbinary.readouterr().err


def test_helps(capsysbinary: Captured) -> None:
    for command, expected in (("fetch", b"--no-resume"), ("ws", b"/ping"), ("bench", b"closed\nloop"), ("demo", b"--pages")):
        with pytest.raises(SystemExit) as caught:
            main([command, "--help"])
        assert caught.value.code == 0
        assert expected in capsysbinary.readouterr().out
        assert main(["--help"]) == 0
        assert command.encode() in capsysbinary.readouterr().out
    assert main(["--version"]) == 0
    assert capsysbinary.readouterr().out == f"aiohttpx {__version__}\n".encode()


def test_ends_quietly_when_nobody_reads_on(url: str) -> None:
    command = [sys.executable, "-m", "aiohttpx", f"{url}/bytes/100000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(9) == b"HTTP/1.1 "
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
