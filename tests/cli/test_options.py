"""What `fetch` can be told: content, credentials, TLS, cookies, where the answer goes."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import trustme

from aiohttpx.cli.exits import Exit
from aiohttpx.testing import DEFAULT_ROUTES, LoopbackServer, Request, Response, ScriptedPeer, payload
from aiohttpx.testing.resumable import with_ranges

from .command import Captured, Said, command, piped, start

Run = Callable[..., Said]


def set_cookie(asked: Request) -> Response:
    return Response(200, [("Set-Cookie", "taste=sweet; Max-Age=1000")], asked.headers.get("cookie", "none").encode())


def away(asked: Request) -> Response:
    return Response(302, [("Location", "/anything")], b"over there")


def challenge(asked: Request) -> Response:
    said = asked.headers.get("authorization", "")
    if said.startswith("Digest ") and 'username="joe"' in said:
        return Response.text("welcome")
    return Response(401, [("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256')], b"who?")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    routes = {**DEFAULT_ROUTES, "/cookie": set_cookie, "/away": away, "/digest": challenge}
    with LoopbackServer(routes).in_thread() as server:
        yield server.url


@pytest.fixture
def run(capsysbinary: Captured) -> Run:
    return command(capsysbinary)


def echoed(said: Said) -> dict[str, object]:
    status, out, err = said
    assert (status, err) == (0, b"")
    answer: dict[str, object] = json.loads(out)
    return answer


def test_prints_content_only_or_what_is_asked_for(run: Run, url: str) -> None:
    assert run("fetch", f"{url}/bytes/3") == (0, payload(3), b"")
    head = b"HTTP/1.1 200 OK\nContent-Type: application/octet-stream\nContent-Length: 3\n\n"
    assert run("fetch", f"{url}/bytes/3", "-i") == (0, head + payload(3), b"")
    assert run("fetch", f"{url}/bytes/3", "--head-only") == (0, head, b"")
    assert run("fetch", f"{url}/bytes/3", "-X", "head") == (0, head, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize("source", ["content", "standard input"])
def test_is_interrupted_quietly(source: str, url: str) -> None:
    options = [f"{url}/bytes/100000000000"] if source == "content" else [f"{url}/anything", "-v", "-d", "@-"]
    with start("fetch", *options) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        if source == "content":
            process.stdout.read(1)
            said = b""
        else:
            said = process.stderr.readline()  # it is connected, and waits for what is typed
        process.send_signal(signal.SIGINT)
        while process.stdout.read(1 << 20):
            pass
        assert process.wait(20) == Exit.INTERRUPTED
        assert b"Traceback" not in said + process.stderr.read()


def test_sends_params_and_a_form(run: Run, url: str) -> None:
    said = echoed(run("fetch", f"{url}/anything?a=0", "-p", "b=1 &", "-F", "c=2", "-F", "c=\u00e4=", "-X", "PUT"))
    assert (said["method"], said["args"], said["form"]) == ("PUT", {"a": "0", "b": "1 &"}, {"c": ["2", "\u00e4="]})


def test_sends_files(run: Run, url: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"1;2")
    data = str(echoed(run("fetch", f"{url}/anything", "-F", "a=1", "--file", f"f={tmp_path / 'x.csv'}"))["data"])
    assert 'name="f"; filename="x.csv"' in data
    assert "\r\n\r\n1;2\r\n" in data
    assert 'name="a"' in data


def test_sends_what_is_in_a_file(run: Run, url: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": 1}')
    for option in ("--json", "-d"):
        said = echoed(run("fetch", f"{url}/anything", option, f"@{tmp_path / 'x.json'}"))
        assert said["json"] == {"a": 1}
        assert said["headers"]["content-type"] == "application/json"  # type: ignore[index]
    status, _, err = run("fetch", f"{url}/anything", "-d", f"@{tmp_path / 'gone'}")
    assert (status, b"No such file" in err) == (Exit.FAILED, True)


def test_sends_standard_input(run: Run, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with piped(b'{"a": 1}', monkeypatch):
        said = echoed(run("fetch", f"{url}/anything", "--json", "@-"))
    assert (said["json"], said["headers"]["transfer-encoding"]) == ({"a": 1}, "chunked")  # type: ignore[index]
    (tmp_path / "x").write_bytes(b"12345")
    with open(tmp_path / "x") as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", file)
        said = echoed(run("fetch", f"{url}/anything", "-d", "@-"))
    assert (said["data"], said["headers"]["content-length"]) == ("12345", "5")  # type: ignore[index]


def test_compresses(run: Run, url: str) -> None:
    said = echoed(run("fetch", f"{url}/anything", "-d", "a" * 1000, "--compress", "gzip"))
    assert said["headers"]["content-encoding"] == "gzip"  # type: ignore[index]
    status, _, err = run("fetch", f"{url}/anything", "-d", "a", "--compress", "rot13")
    assert (status, b"rot13" in err) == (Exit.USAGE, True)


def test_authenticates(run: Run, url: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0k\n")
    for arguments, expected in (
        (["-u", "joe:s:\u00e4"], "Basic am9lOnM6w6Q="),
        (["--bearer", "t0k"], "Bearer t0k"),
        (["--bearer", f"@{tmp_path / 'token'}"], "Bearer t0k"),
    ):
        assert echoed(run("fetch", f"{url}/anything", *arguments))["headers"]["authorization"] == expected  # type: ignore[index]
    assert run("fetch", f"{url}/digest", "--digest", "-u", "joe:secret") == (0, b"welcome", b"")


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("status", "arguments"),
    [
        (Exit.OK, ["-u", f"joe:{SECRET}", "-v"]),
        (Exit.OK, ["--bearer", SECRET, "--curl"]),
        (Exit.OK, ["--cookie", f"a={SECRET}", "--curl"]),
        (Exit.USAGE, ["--beare", SECRET]),
        (Exit.USAGE, [f"--beare={SECRET}"]),
        (Exit.USAGE, ["--bearer", f"{SECRET}\n"]),
        (Exit.USAGE, ["-H", f"Authorization {SECRET}"]),
        (Exit.USAGE, ["-H", f"Authorization: {SECRET}\r\nX: y"]),
        (Exit.USAGE, ["--cookie", SECRET]),
        (Exit.USAGE, ["-u", f"joe:{SECRET}", "-H", "Authorization: x"]),
        (Exit.CONNECTION, ["--proxy", f"http://joe:{SECRET}@127.0.0.1:9"]),
        (Exit.CONNECTION, ["--proxy", "http://127.0.0.1:9", "--proxy-user", f"joe:{SECRET}"]),
        (Exit.USAGE, ["--proxy", f"gopher://joe:{SECRET}@127.0.0.1:9"]),
    ],
)
def test_shows_no_secret(status: Exit, arguments: list[str], run: Run, url: str) -> None:
    ended, out, err = run("fetch", f"{url}/bytes/3", *arguments)
    assert ended == status
    assert SECRET.encode() not in out + err


def test_no_password_of_a_url_is_shown(run: Run) -> None:
    for place in ("127.0.0.1:9", "h:x", "", "[::1"):
        ended, out, err = run("fetch", f"http://joe:{SECRET}@{place}/")
        assert ended in (Exit.USAGE, Exit.CONNECTION)
        assert SECRET.encode() not in out + err


def test_keeps_cookies(run: Run, url: str, tmp_path: Path) -> None:
    for name in ("jar.json", "jar.txt"):
        jar = ["--cookie-jar", str(tmp_path / name)]
        assert run("fetch", f"{url}/cookie", *jar) == (0, b"none", b"")
        assert run("fetch", f"{url}/cookie", *jar) == (0, b"taste=sweet", b"")
    assert json.loads((tmp_path / "jar.json").read_text())
    assert "# Netscape" in (tmp_path / "jar.txt").read_text()
    assert run("fetch", f"{url}/cookie", "--cookie", "a=1", "--cookie", "b=2") == (0, b"a=1; b=2", b"")
    (tmp_path / "jar.json").write_text("[")
    assert run("fetch", f"{url}/cookie", "--cookie-jar", str(tmp_path / "jar.json"))[0] == Exit.USAGE


def test_follows_redirects_or_not(run: Run, url: str) -> None:
    assert echoed(run("fetch", f"{url}/away"))["path"] == "/anything"
    assert run("fetch", f"{url}/away", "--no-follow") == (0, b"over there", b"")


def test_fails_by_status_when_told(run: Run, url: str) -> None:
    assert run("fetch", f"{url}/status/404")[0] == 0
    status, _, err = run("fetch", f"{url}/status/404", "--fail")
    assert (status, err) == (Exit.REFUSED, b"aiohttpx: 404 Not Found\n")


def test_downloads(run: Run, url: str, tmp_path: Path) -> None:
    path, digest = tmp_path / "body", hashlib.sha256(payload(100_000)).hexdigest()
    arguments = ["fetch", f"{url}/range/100000", "-o", str(path)]
    assert run(*arguments, "--checksum", f"sha256:{digest}") == (0, b"", b"")
    assert path.read_bytes() == payload(100_000)
    status, _, err = run(*arguments, "--checksum", f"sha256:{'0' * 64}")
    assert (status, b"ChecksumMismatch" in err) == (Exit.FAILED, True)
    assert run(*arguments, "--checksum", "sha256:0")[0] == Exit.USAGE
    path.unlink()
    status, _, err = run("fetch", f"{url}/status/404", "-o", str(path))
    assert (status, err, path.exists()) == (Exit.REFUSED, b"aiohttpx: ClientResponseError: 404 Not Found\n", False)
    assert run(*arguments, "--head-only")[0] == Exit.USAGE
    assert run("fetch", f"{url}/range/9", "--checksum", f"sha256:{digest}")[0] == Exit.USAGE


def test_goes_on_where_it_was_cut(run: Run, tmp_path: Path) -> None:
    whole = payload(100_000)
    asked: list[str | None] = []

    async def cut() -> AsyncIterator[bytes]:
        yield whole[:40_000]
        await asyncio.sleep(0.1)  # so that it is not lost with the connection
        raise OSError

    def served(request: Request) -> Response:
        asked.append(request.headers.get("range"))
        if len(asked) < 3:
            return Response(200, [("ETag", '"1"')], cut(), length=100_000)
        return with_ranges(request, whole, '"1"')

    path = tmp_path / "body"
    with LoopbackServer({"/": served}).in_thread() as server:
        status, _, err = run("fetch", server.url, "-o", str(path), "--no-resume")
        assert (status, err.startswith(b"aiohttpx: ClientPayloadError: "), [*tmp_path.iterdir()]) == (Exit.FAILED, True, [])
        assert run("fetch", server.url, "-o", str(path)) == (0, b"", b"")
    assert path.read_bytes() == whole
    assert asked == [None, None, "bytes=40000-"]


def test_writes_what_a_post_gives_to_a_file(run: Run, url: str, tmp_path: Path) -> None:
    path = tmp_path / "body"
    assert run("fetch", f"{url}/anything", "-d", "a=1", "-o", str(path)) == (0, b"", b"")
    assert json.loads(path.read_bytes())["form"] == {"a": "1"}
    assert run("fetch", f"{url}/status/500", "-X", "POST", "-o", str(tmp_path / "none"))[0] == Exit.REFUSED
    assert not (tmp_path / "none").exists()


def test_shows_a_bar_in_a_terminal(run: Run, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for rich in (True, False):
        with monkeypatch.context() as patch:
            if not rich:
                patch.setitem(sys.modules, "rich.console", None)
            patch.setattr(sys.stderr, "isatty", lambda: True)
            for method in ("GET", "POST"):
                status, out, err = run("fetch", f"{url}/bytes/1000000", "-X", method, "-o", str(tmp_path / "body"))
                assert (status, out) == (0, b"")
                assert (b"100%" if rich else b"1,000 of 1,000") in err


def test_tells_how_long_it_took(run: Run, url: str) -> None:
    status, out, err = run("fetch", f"{url}/bytes/3", "--timings")
    assert (status, out) == (0, payload(3))
    rows = {line[:12].strip(): line[12:].strip() for line in err.decode().splitlines()}
    assert [*rows] == ["pool", "dns", "connect", "tls", "send", "first byte", "total"]
    assert rows["tls"] == "-"
    assert rows["total"].endswith(" ms")


def test_exports_a_command_for_curl(run: Run) -> None:
    status, out, err = run("fetch", "http://gone.invalid/x", "--curl", "--json", '{"a": 1}', "-X", "PUT")
    assert (status, err) == (0, b"")
    assert out.startswith(b"curl --request PUT ")
    assert b"""--data-raw '{"a": 1}'""" in out
    assert out.endswith(b" http://gone.invalid/x\n")


def test_logs_the_wire(run: Run, url: str) -> None:
    status, out, err = run("fetch", f"{url}/bytes/3", "-v")
    assert (status, out) == (0, payload(3))
    assert b"> GET /bytes/3 HTTP/1.1\n" in err
    assert b"< HTTP/1.1 200 OK\n" in err
    assert not logging.getLogger("aiohttpx.wire").handlers


def test_asks_the_terminal_for_a_password(run: Run, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: SECRET)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    said = echoed(run("fetch", f"{url}/anything", "-u", "joe"))
    assert said["headers"]["authorization"] == "Basic am9lOmh1bnRlcjI="  # type: ignore[index]


def test_verifies_as_told(run: Run, tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ca.issue_cert("client.example").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "client.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    client = ["--cert", str(tmp_path / "client.pem")]
    with LoopbackServer(ssl_context=context).in_thread() as server:
        target = f"{server.url}/bytes/3"
        assert run("fetch", target, "--ca", str(tmp_path / "ca.pem"), *client) == (0, payload(3), b"")
        assert run("fetch", target, "--insecure", *client) == (0, payload(3), b"")
        status, _, err = run("fetch", target, *client)
        assert (status, b"ClientConnectorCertificateError" in err) == (Exit.TLS, True)
    assert run("fetch", target, "--key", "x")[0] == Exit.USAGE
    assert run("fetch", target, "--cert", str(tmp_path / "gone.pem"))[0] == Exit.FAILED
    assert run("fetch", target, "--digest")[0] == Exit.USAGE


def test_goes_through_a_proxy(run: Run, url: str) -> None:
    said = echoed(run("fetch", "http://gone.invalid/anything", "--proxy", url, "--proxy-user", "joe:pw"))
    assert said["headers"]["proxy-authorization"] == "Basic am9lOnB3"  # type: ignore[index]
    assert run("fetch", "https://gone.invalid/", "--proxy", url)[0] == Exit.REFUSED


async def test_what_is_no_http_is_no_refusal(run: Run) -> None:
    async with ScriptedPeer(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n") as peer:
        status, out, err = await asyncio.to_thread(run, "fetch", peer.url)
    assert (status, out) == (Exit.FAILED, b"")
    assert b"Content-Length" in err


@pytest.mark.parametrize(("command", "others"), [("fetch", {"websocket", "bench"}), ("ws", {"fetch", "bench", "content"})])
def test_imports_only_what_it_needs(command: str, others: set[str]) -> None:
    program = f"import sys; from aiohttpx.__main__ import main; main([{command!r}, 'gopher://h/'])"
    program = f"import atexit, sys; atexit.register(lambda: print(*sys.modules)); {program}"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    modules = said.stdout.decode().split()
    assert said.returncode == Exit.USAGE
    assert "aiohttpx.cli.options" in modules
    assert not {f"aiohttpx.cli.{name}" for name in others | {"demo", "pages"}} & {*modules}
    assert not {"rich", "aiohttpx.testing", "aiohttpx.compat.runner"} & {*modules}
