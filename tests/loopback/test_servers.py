"""The servers serve: seen with urllib, so that a failure here is theirs and not aiohttpx's."""

from __future__ import annotations

import gzip
import http.client
import json
import ssl
import urllib.request
from urllib.parse import urlsplit

import pytest

from .servers import LARGE, MEBIBYTE, SMALL, Httpbin, Nginx


def ask(url: str, method: str = "GET", body: bytes | None = None, **fields: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request(method, urlsplit(url).path, body, {name.replace("_", "-"): value for name, value in fields.items()})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_nginx_serves_files(nginx: Nginx) -> None:
    response, body = ask(f"{nginx.http}/small.txt")
    assert (response.status, response.getheader("Content-Type"), body) == (200, "text/plain", SMALL)
    response, body = ask(f"{nginx.http}/data.json")
    assert response.getheader("Content-Type") == "application/json"
    assert len(json.loads(body)) == 128
    assert 9_000 < len(body) < 11_000


def test_nginx_serves_a_large_file(nginx: Nginx) -> None:
    _, body = ask(f"{nginx.http}/large")
    assert len(body) == LARGE
    assert [int.from_bytes(body[at : at + 8], "big") for at in range(0, LARGE, MEBIBYTE)] == list(range(LARGE // MEBIBYTE))


def test_nginx_speaks_tls(nginx: Nginx) -> None:
    context = ssl.create_default_context(cafile=str(nginx.ca))
    with urllib.request.urlopen(f"{nginx.https}/small.txt", context=context, timeout=30) as response:
        assert response.read() == SMALL


@pytest.mark.parametrize(
    ("prefix", "coding", "fields"),
    [
        ("chunked", None, {"Transfer-Encoding": "chunked", "Content-Length": None}),
        ("gzip", "gzip", {"Transfer-Encoding": "chunked", "Content-Encoding": "gzip"}),
        ("eof", None, {"Transfer-Encoding": None, "Content-Length": None, "Connection": "close"}),
        ("once", None, {"Connection": "close"}),
        ("brief", None, {"Connection": "keep-alive", "Keep-Alive": "timeout=1"}),
        ("slow", None, {}),
    ],
)
def test_nginx_serves_in_many_ways(nginx: Nginx, prefix: str, coding: str | None, fields: dict[str, str | None]) -> None:
    response, body = ask(f"{nginx.http}/{prefix}/data.json", Accept_Encoding=coding or "identity")
    assert {name: response.getheader(name) for name in fields} == fields
    assert (gzip.decompress(body) if coding else body) == (nginx.files / "data.json").read_bytes()


def test_nginx_takes_bodies(nginx: Nginx) -> None:
    url, content = f"{nginx.http}/upload/some/thing", bytes(range(256)) * 4096
    assert ask(url, "PUT", content)[0].status == 201
    assert (nginx.files / "upload/some/thing").read_bytes() == content
    assert ask(url)[1] == content
    assert ask(url, "DELETE")[0].status == 204
    assert ask(f"{nginx.http}/sink", "POST", content)[1] == b"gone"


def test_nginx_sends_many_fields(nginx: Nginx) -> None:
    response, body = ask(f"{nginx.http}/fields")
    assert body == SMALL
    assert len(response.headers.get_all("Set-Cookie", [])) == 3
    assert response.getheader("X-Field-19") == "value 19"
    assert ask(f"{nginx.http}/empty")[0].status == 204


def test_httpbin_answers_and_keeps_the_connection(httpbin: Httpbin) -> None:
    connection = http.client.HTTPConnection(urlsplit(httpbin.url).netloc, timeout=30)
    try:
        for number in range(2):
            connection.request("POST", f"/post?n={number}", b'{"x": 1}', {"Content-Type": "application/json"})
            said = json.loads(connection.getresponse().read())
            assert (said["json"], said["args"]) == ({"x": 1}, {"n": str(number)})
        assert connection.sock is not None
    finally:
        connection.close()
