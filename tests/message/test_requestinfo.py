"""`RequestInfo`: what aiohttp's is, and the command that asks the same."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from aiohttpx import ClientSession, FormData, RequestInfo
from aiohttpx.testing import LoopbackServer, Request, Response

HEADERS = CIMultiDictProxy(CIMultiDict({"X-A": "1"}))


def info(url: str = "http://name.test/", method: str = "GET", **headers: str) -> RequestInfo:
    fields = CIMultiDict((name.replace("_", "-"), value) for name, value in headers.items())
    return RequestInfo(URL(url, encoded=True), method, CIMultiDictProxy(fields), URL(url, encoded=True))


def test_it_is_a_tuple_of_four() -> None:
    url = URL("http://name.test/#part")
    made = RequestInfo(URL("http://name.test/"), "GET", HEADERS, url)
    assert made == (made.url, made.method, made.headers, made.real_url) == (URL("http://name.test/"), "GET", HEADERS, url)
    assert RequestInfo(url=url, method="GET", headers=HEADERS).real_url is url
    assert made._replace(method="PUT").method == "PUT"


@pytest.mark.parametrize(
    ("request_info", "command"),
    [
        (info(), "curl http://name.test/"),
        (info(method="HEAD"), "curl --head http://name.test/"),
        (info(method="DELETE", Content_Length="0"), "curl --request DELETE --header 'Content-Length: 0' http://name.test/"),
        (info("http://name.test/a?b='$x'&c=[1]"), """curl --globoff 'http://name.test/a?b='"'"'$x'"'"'&c=[1]'"""),
        (info("http://name.test/../a"), "curl --path-as-is http://name.test/../a"),
        (info("http://name.test:81/", Host="name.test:81"), "curl http://name.test:81/"),
        (info(Host="other.test"), "curl --header 'Host: other.test' http://name.test/"),
        (info(Accept_Encoding="gzip, br", Accept="*/*"), "curl --compressed --header 'Accept: */*' http://name.test/"),
        (info(X_Empty=""), "curl --header 'X-Empty;' http://name.test/"),
        (
            info(method="PUT", Content_Length="9"),
            "curl --request PUT http://name.test/ # without its body",
        ),
        (
            info(method="POST", Transfer_Encoding="chunked"),
            "curl --request POST --header 'Transfer-Encoding: chunked' http://name.test/ # without its body",
        ),
    ],
    ids=str,
)
def test_a_command(request_info: RequestInfo, command: str) -> None:
    assert request_info.as_curl() == command


def test_secrets_are_shown_only_when_it_is_asked_for() -> None:
    secret = info("http://me:pass@name.test/", authorization="Basic hush", Cookie="a=hush", Proxy_Authorization="hush")
    shown = secret.as_curl()
    assert "hush" not in shown
    assert "pass" not in shown
    assert "--header 'Cookie: [redacted]'" in shown
    everything = secret.as_curl(show_secrets=True)
    assert everything.count("hush") == 3
    assert everything.endswith(" http://me:pass@name.test/")


# -- what curl makes of it


class Asked:
    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return Response.text("ok")


@pytest.fixture
async def asked() -> AsyncIterator[tuple[Asked, str]]:
    handler = Asked()
    async with LoopbackServer({"/": handler}) as server:
        yield handler, server.url


def form() -> FormData:
    form = FormData({"text": "grüße"})
    form.add_field("file", b"\x00\xff\r\n", filename="a.bin")
    return form


BODIES: dict[str, dict[str, Any]] = {
    "none": {},
    "text": {"data": 'it\'s "here"\n$HOME `id` \\n @file ü'},
    "at": {"data": "@/etc/passwd"},
    "empty": {"data": b""},
    "json": {"json": {"a": [1, None]}},
    "form": {"data": {"a": "b c&d"}},
    "binary": {"data": bytes(range(256))},
    "multipart": {"data": form},
    "compressed": {"data": b"a" * 100, "compress": "gzip"},
    "chunked": {"data": b"abc", "chunked": True},
    "no-type": {"data": b"abc", "skip_auto_headers": ["Content-Type"]},
}


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("sh"), reason="needs curl and a POSIX shell")
@pytest.mark.parametrize("name", BODIES)
async def test_the_command_asks_what_was_asked(asked: tuple[Asked, str], name: str) -> None:
    handler, url = asked
    given = {key: value() if callable(value) else value for key, value in BODIES[name].items()}
    headers = {"X-Quoted": "a'b\"c", "Cookie": "d=e"}
    async with ClientSession() as session, session.post(f"{url}/a%20b?c=%27", headers=headers, **given) as response:
        command = response.request_info.as_curl(show_secrets=True)
    process = await asyncio.create_subprocess_exec("sh", "-c", command, stdout=-1, stderr=-1)
    out, _ = await process.communicate()
    assert (process.returncode, out) == (0, b"ok")
    first, again = handler.requests
    left = {"accept-encoding"}
    assert (again.method, again.target) == (first.method, first.target)
    if "compress" in given:
        assert again.body == given["data"]
        left |= {"content-encoding", "content-length", "transfer-encoding"}
    else:
        assert again.body == first.body
    wanted, got = ({key: value for key, value in each.headers.items() if key not in left} for each in (first, again))
    assert {key: got.get(key) for key in wanted} == wanted
    if name == "no-type":
        assert "content-type" not in got


async def test_a_large_body_or_one_from_a_file_is_left_out(asked: tuple[Asked, str], tmp_path: Path) -> None:
    _, url = asked
    path = tmp_path / "file"
    path.write_bytes(b"x")
    async with ClientSession() as session:
        for data in (b"x" * 65537, path.open("rb"), {"a": path.open("rb")}, iter([b"x"])):
            async with session.post(url, data=data) as response:
                command = response.request_info.as_curl()
            assert command.endswith("# without its body")
            assert shlex.split(command, comments=True)[:3] == ["curl", "--request", "POST"]
        async with session.post(url, data=b"x" * 65536) as response:
            assert "--data-raw" in response.request_info.as_curl()
