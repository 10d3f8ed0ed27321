"""What a session writes, to the byte (BEHAVIOUR: requests on the wire, URLs and params)."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict, MultiDict
from yarl import URL

import aiohttpx
from aiohttpx import ClientSession, HttpVersion10
from aiohttpx.message.payload import BytesPayload
from aiohttpx.testing import ScriptedPeer
from aiohttpx.wire.codings import ACCEPT_ENCODING

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
USER_AGENT = f"Python/{sys.version_info[0]}.{sys.version_info[1]} aiohttpx/{aiohttpx.__version__}"
GENERATED = [("Accept", "*/*"), ("Accept-Encoding", ACCEPT_ENCODING), ("User-Agent", USER_AGENT)]

Fields = list[tuple[str, str]]


class Sent:
    """A request as the peer received it."""

    def __init__(self, received: bytes) -> None:
        head, _, self.body = received.partition(b"\r\n\r\n")
        self.line, *lines = head.decode().split("\r\n")
        self.fields: Fields = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]

    def own(self, peer: ScriptedPeer) -> Fields:
        """The fields besides Host and the generated ones, which are where they should be."""
        assert self.fields[0] == ("Host", f"{peer.host}:{peer.port}")
        return [field for field in self.fields[1:] if field not in GENERATED]

    def __getitem__(self, name: str) -> str:
        (value,) = [value for field, value in self.fields if field.lower() == name.lower()]
        return value


async def send(method: str, path: str = "/", session: dict[str, Any] | None = None, **kwargs: Any) -> tuple[Sent, ScriptedPeer]:
    async with ScriptedPeer(OK) as peer, ClientSession(**session or {}) as client:
        async with client.request(method, f"{peer.url}{path}", **kwargs) as response:
            assert await response.text() == ("" if method == "HEAD" else "ok")
        return Sent(peer.received), peer


async def test_a_plain_get_is_a_line_a_host_and_three_generated_fields() -> None:
    sent, peer = await send("GET", "/path?query=1")
    assert sent.line == "GET /path?query=1 HTTP/1.1"
    assert sent.fields == [("Host", f"{peer.host}:{peer.port}"), *GENERATED]
    assert sent.body == b""


async def test_own_fields_come_after_host_in_their_order_and_spelling() -> None:
    sent, peer = await send("GET", headers=[("x-Second", "2"), ("X-First", "1"), ("x-second", "3")])
    assert sent.fields == [
        ("Host", f"{peer.host}:{peer.port}"),
        ("x-Second", "2"),
        ("X-First", "1"),
        ("x-second", "3"),
        *GENERATED,
    ]


@pytest.mark.parametrize("kind", [dict, CIMultiDict, lambda pairs: list(pairs), lambda pairs: CIMultiDict(pairs).copy()])
async def test_headers_may_be_any_mapping_or_pairs(kind: Callable[[Fields], Any]) -> None:
    sent, peer = await send("GET", headers=kind([("X-One", "1"), ("X-Two", "zwei ö")]))
    assert sent.own(peer) == [("X-One", "1"), ("X-Two", "zwei ö")]


async def test_the_sessions_fields_are_overridden_by_name() -> None:
    session = {"headers": {"X-Session": "s", "X-Both": "session", "Accept": "text/html"}}
    sent, _peer = await send("GET", session=session, headers={"x-both": "request"})
    assert [value for name, value in sent.fields if name.lower() == "x-both"] == ["request"]
    assert sent["X-Session"] == "s"
    assert sent["Accept"] == "text/html"


async def test_the_sessions_fields_can_change_between_requests() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession(headers={"X-A": "1"}) as client:
        for value in ("1", "2", "3"):
            client.headers["X-A"] = value
            async with client.get(peer.url):
                pass
        assert peer.received.count(b"X-A: 1") == peer.received.count(b"X-A: 2") == peer.received.count(b"X-A: 3") == 1


async def test_skip_auto_headers_drops_the_named_ones() -> None:
    sent, peer = await send("GET", session={"skip_auto_headers": ["user-agent"]}, skip_auto_headers=["Accept"])
    assert sent.fields[1:] == [("Accept-Encoding", ACCEPT_ENCODING)]
    sent, peer = await send("POST", skip_auto_headers=["Content-Type"], data=b"x")
    assert sent.own(peer) == [("Content-Length", "1")]
    sent, peer = await send("POST", session={"skip_auto_headers": ["Content-Type"]}, data=b"x")
    assert sent.own(peer) == [("Content-Length", "1")]


async def test_an_own_host_takes_the_place_of_the_generated_one() -> None:
    sent, _peer = await send("GET", headers={"X-A": "1", "host": "example.org"})
    assert sent.fields[0] == ("Host", "example.org")
    assert [name for name, _ in sent.fields].count("Host") == 1


NOTHING: Fields = []
EMPTY = [("Content-Length", "0")]
EMPTY_OCTETS = [*EMPTY, ("Content-Type", "application/octet-stream")]


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("GET", NOTHING),
        ("HEAD", NOTHING),
        ("OPTIONS", NOTHING),
        ("DELETE", EMPTY),
        ("POST", EMPTY_OCTETS),
        ("PUT", EMPTY_OCTETS),
        ("PATCH", EMPTY_OCTETS),
        ("QUERY", EMPTY),
        ("PROPFIND", EMPTY),
    ],
)
@pytest.mark.parametrize("own", [{}, {"X-A": "1"}], ids=["plain", "with a field"])
async def test_without_a_body(method: str, fields: Fields, own: dict[str, str]) -> None:
    sent, peer = await send(method, headers=own or None)
    assert sent.line == f"{method} / HTTP/1.1"
    assert sent.own(peer) == [*own.items(), *fields]


async def test_every_verb_has_a_method_of_its_own() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession() as client:
        for verb in ("get", "head", "options", "post", "put", "patch", "delete", "query"):
            async with getattr(client, verb)(f"{peer.url}/{verb}") as response:
                assert response.method == verb.upper()
        lines = [line for line in peer.received.decode().split("\r\n") if line.endswith("HTTP/1.1")]
        assert lines == [
            f"{verb.upper()} /{verb} HTTP/1.1" for verb in ("get", "head", "options", "post", "put", "patch", "delete", "query")
        ]


class Octets(io.BytesIO):
    pass


BODIES: dict[str, tuple[Any, str, bytes]] = {
    "bytes": (b"\x00data", "application/octet-stream", b"\x00data"),
    "bytearray": (bytearray(b"data"), "application/octet-stream", b"data"),
    "memoryview": (memoryview(b"data"), "application/octet-stream", b"data"),
    "BytesIO": (io.BytesIO(b"data"), "application/octet-stream", b"data"),
    "no bytes": (b"", "application/octet-stream", b""),
    "str": ("Тест", "text/plain; charset=utf-8", "Тест".encode()),
    "StringIO": (io.StringIO("Тест"), "text/plain; charset=utf-8", "Тест".encode()),
    "mapping": ({"key 1": "välue", "b": "x+y"}, "application/x-www-form-urlencoded", b"key+1=v%C3%A4lue&b=x%2By"),
    "pairs": ([("a", "1"), ("a", "2")], "application/x-www-form-urlencoded", b"a=1&a=2"),
    "MultiDict": (MultiDict([("a", "1"), ("a", "2")]), "application/x-www-form-urlencoded", b"a=1&a=2"),
    "empty mapping": ({}, "application/x-www-form-urlencoded", b""),
}


@pytest.mark.parametrize(("data", "content_type", "body"), BODIES.values(), ids=BODIES)
async def test_a_body_of_known_length(data: Any, content_type: str, body: bytes) -> None:
    sent, peer = await send("POST", data=data)
    assert sent.own(peer) == [("Content-Length", str(len(body))), ("Content-Type", content_type)]
    assert sent.body == body


async def test_the_fields_of_a_payload_go_with_it() -> None:
    body = BytesPayload(b"data", {"X-Of-Body": "1", "X-Both": "body"}, content_type="text/x")
    sent, _ = await send("POST", data=body, headers={"x-both": "request"})
    assert sent["X-Of-Body"] == "1"
    assert sent["X-Both"] == "request"
    assert sent["Content-Type"] == "text/x"


async def test_json() -> None:
    value = {"test": ["object", None, "ö"]}
    sent, peer = await send("POST", json=value)
    assert sent.own(peer) == [("Content-Length", str(len(sent.body))), ("Content-Type", "application/json")]
    assert sent.body == json.dumps(value).encode()
    sent, _ = await send("POST", json=value, session={"json_serialize": lambda value: json.dumps(value, separators=(",", ":"))})
    assert sent.body == b'{"test":["object",null,"\\u00f6"]}'
    sent, _ = await send("POST", json=value, session={"json_serialize_bytes": lambda value: b"bytes"})
    assert sent.body == b"bytes"


async def test_json_and_data_together_are_refused() -> None:
    async with ClientSession() as client:
        with pytest.raises(ValueError, match="data and json parameters can not be used at the same time"):
            await client.post("http://localhost", json={}, data=b"")


@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
async def test_an_own_content_type_wins(name: str) -> None:
    sent, _ = await send("POST", json={}, headers={name: "application/vnd.api+json"})
    assert sent["Content-Type"] == "application/vnd.api+json"
    sent, _ = await send("POST", json={}, session={"headers": {name: "application/vnd.api+json"}})
    assert sent["Content-Type"] == "application/vnd.api+json"


async def test_a_file_is_named_and_measured(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(b"1;2\n" * 100_000)
    file = path.open("rb")
    file.seek(4)
    sent, peer = await send("PUT", data=file)
    assert sent.own(peer) == [("Content-Length", str(400_000 - 4)), ("Content-Type", "text/csv")]
    assert sent.body == b"1;2\n" * 99_999
    async with asyncio.timeout(5):  # a thread closes it, after the response
        while not file.closed:  # noqa: ASYNC110  # and says so to nobody
            await asyncio.sleep(0)


async def chunks() -> AsyncIterator[bytes]:
    yield b"abc"
    await asyncio.sleep(0)
    yield b"" + bytes(bytearray(b"defg"))
    yield b""


def plain_chunks() -> Iterator[bytes]:
    yield b"abc"
    yield b"defg"


@pytest.mark.parametrize("make", [chunks, plain_chunks])
async def test_a_body_of_unknown_length_goes_in_chunks(make: Callable[[], Any]) -> None:
    sent, peer = await send("POST", data=make())
    assert sent.own(peer) == [("Transfer-Encoding", "chunked"), ("Content-Type", "application/octet-stream")]
    assert sent.body == b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"


async def test_chunked_forces_chunks() -> None:
    sent, peer = await send("POST", data=b"abc", chunked=True)
    assert sent.own(peer) == [("Transfer-Encoding", "chunked"), ("Content-Type", "application/octet-stream")]
    assert sent.body == b"3\r\nabc\r\n0\r\n\r\n"


async def test_an_explicit_content_length_cuts_a_longer_body() -> None:
    sent, _ = await send("POST", data=b"abcdef", headers={"Content-Length": "4"})
    assert sent.body == b"abcd"
    sent, _ = await send("POST", data=chunks(), headers={"Content-Length": "7"})
    assert sent["Content-Length"] == "7"
    assert sent.body == b"abcdefg"


async def test_a_body_shorter_than_its_content_length_is_an_error_and_is_not_taken_for_whole() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession() as client:
        with pytest.raises(aiohttpx.ClientPayloadError, match="3 bytes shorter than its Content-Length"):
            await client.post(peer.url, data=b"abc", headers={"Content-Length": "6"})
        assert len(peer.connections) == 1


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "X-A"),
        ({"headers": {"X-A": "a\x00"}}, "X-A"),
        ({"headers": {"X A": "a"}}, "X A"),
        ({"headers": {"X-A\n": "a"}}, "X-A"),
        ({"headers": {"Content-Length": "-1"}, "data": b"x"}, "-1"),
        ({"headers": {"Content-Length": "٣"}, "data": b"xyz"}, "٣"),
        ({"headers": {"Content-Length": "3"}}, "no body"),
        ({"headers": {"Content-Length": "3"}, "data": b"abc", "chunked": True}, "Content-Length"),
        ({"headers": {"Transfer-Encoding": "chunked"}, "data": b"abc", "chunked": True}, "chunked"),
        ({"headers": {"Content-Encoding": "gzip"}, "data": b"abc", "compress": True}, "Content-Encoding"),
        ({"data": b"abc", "compress": "rot13"}, "rot13"),
        ({"timeout": "5"}, "timeout"),
    ],
)
async def test_what_cannot_be_sent_is_a_value_error_that_names_it(kwargs: dict[str, Any], said: str) -> None:
    async with ScriptedPeer(OK) as peer, ClientSession() as client:
        with pytest.raises(ValueError, match=said):
            await client.post(peer.url, **kwargs)
        assert peer.received == b""
        assert client.connector is not None
        async with client.get(peer.url) as response:
            assert response.status == 200


@pytest.mark.parametrize("method", ["GET /x HTTP/1.1\r\nX: ", "GE T", "", "GÉT"])
async def test_a_method_is_a_token(method: str) -> None:
    async with ClientSession() as client:
        with pytest.raises(ValueError, match="Method"):
            await client.request(method, "http://localhost")


async def test_a_lower_case_method_is_sent_in_upper_case() -> None:
    sent, _ = await send("post")
    assert sent.line == "POST / HTTP/1.1"


async def test_http_1_0() -> None:
    sent, _ = await send("GET", session={"version": HttpVersion10})
    assert sent.line == "GET / HTTP/1.0"
    assert sent["Connection"] == "keep-alive"


@pytest.mark.parametrize(("given", "coding"), [(True, "deflate"), ("deflate", "deflate"), ("gzip", "gzip")])
async def test_compress(given: str | bool, coding: str) -> None:
    import zlib

    sent, _peer = await send("POST", data=b"abc" * 100, compress=given)
    assert sent["Content-Encoding"] == coding
    assert sent["Transfer-Encoding"] == "chunked"
    chunks = sent.body.split(b"\r\n")  # none of these few coded bytes is a CR and an LF
    assert zlib.decompress(b"".join(chunks[1:-3:2]), 47) == b"abc" * 100


async def test_compress_without_a_body_does_nothing() -> None:
    sent, peer = await send("POST", compress=True)
    assert sent.own(peer) == EMPTY_OCTETS
    sent, peer = await send("POST", data=b"", compress=True)
    assert sent.own(peer) == EMPTY_OCTETS


PARAMS: dict[str, tuple[Any, str]] = {
    "mapping": ({"key1": "value1", "key2": "value2"}, "key1=value1&key2=value2"),
    "pairs": ([("key", "value1"), ("key", "value2")], "key=value1&key=value2"),
    "MultiDict": (MultiDict([("key", "value1"), ("key", "value2")]), "key=value1&key=value2"),
    "sequences": ({"key": ["value1", "value2"]}, "key=value1&key=value2"),
    "str": ("key=value+1", "key=value+1"),
    "numbers": ({"int": 1, "float": 1.5}, "int=1&float=1.5"),
    "words": ({"yes": True, "no": False, "none": None}, "yes=true&no=false"),
    "words in sequences": ([("a", [True, None, "x"])], "a=true&a=x"),
    "text": ({"q": "a b&c=d/é"}, "q=a+b%26c%3Dd/%C3%A9"),
}


@pytest.mark.parametrize(("params", "query"), PARAMS.values(), ids=PARAMS)
async def test_params(params: Any, query: str) -> None:
    sent, _ = await send("GET", "/get", params=params)
    assert sent.line == f"GET /get?{query} HTTP/1.1"
    sent, _ = await send("GET", "/get?a=b", params=params)
    assert sent.line == f"GET /get?a=b&{query} HTTP/1.1"


@pytest.mark.parametrize("params", [None, {}, [], "", {"none": None}])
async def test_no_params(params: Any) -> None:
    sent, _ = await send("GET", "/get", params=params)
    assert sent.line == "GET /get HTTP/1.1"


async def test_params_of_other_types_are_a_type_error() -> None:
    async with ClientSession() as client:
        with pytest.raises(TypeError):
            await client.get("http://localhost", params={"a": object()})


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("", "/"),
        ("/путь/%30?a=%31", "/%D0%BF%D1%83%D1%82%D1%8C/0?a=1"),
        ("/%7Euser", "/~user"),
        ("/a%2fb", "/a%2Fb"),
        ("/a b?c d", "/a%20b?c+d"),
        ("/a/../b", "/b"),
        ("/a#fragment", "/a"),
        ("?q", "/?q"),
    ],
)
async def test_urls_are_sent_in_canonical_form(path: str, target: str) -> None:
    sent, _ = await send("GET", path)
    assert sent.line == f"GET {target} HTTP/1.1"


async def test_an_encoded_url_is_sent_as_given() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession() as client:
        async with client.get(URL(f"{peer.url}/%30?a=%31", encoded=True)):
            pass
        assert peer.received.startswith(b"GET /%30?a=%31 HTTP/1.1\r\n")


async def test_base_url() -> None:
    async with ScriptedPeer(OK) as peer:
        for base, path, target in [
            ("", "/get", "/get"),
            ("/api/", "get", "/api/get"),
            ("/api/", "/get", "/get"),
            ("/api/", "../get", "/get"),
        ]:
            async with ClientSession(peer.url + base) as client, client.get(path) as response:
                assert str(response.url) == peer.url + target
        async with ClientSession("http://nowhere.invalid") as client, client.get(f"{peer.url}/absolute") as response:
            assert response.status == 200


@pytest.mark.parametrize("base", ["http://example.org/api", "/relative/"])
def test_a_base_url_is_absolute_and_ends_in_a_slash(base: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        ClientSession(base)


async def test_the_url_of_the_response_has_no_fragment_and_the_real_one_has() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession() as client, client.get(f"{peer.url}/a#b") as response:
        assert response.url == URL(f"{peer.url}/a")
        assert response.real_url == URL(f"{peer.url}/a#b")
        assert response.request_info.real_url == response.real_url
        assert response.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("ftp://example.org/", aiohttpx.NonHttpUrlClientError),
        ("javascript:1", aiohttpx.NonHttpUrlClientError),
        ("http:///path", aiohttpx.InvalidUrlClientError),
        ("http://", aiohttpx.InvalidUrlClientError),
        ("/path", aiohttpx.InvalidUrlClientError),
        ("http://[::1", aiohttpx.InvalidUrlClientError),
        ("http://host:port/", aiohttpx.InvalidUrlClientError),
    ],
)
async def test_urls_that_cannot_be_asked(url: str, error: type[Exception]) -> None:
    async with ClientSession() as client:
        with pytest.raises(error) as caught:
            await client.get(url)
    assert isinstance(caught.value, aiohttpx.ClientError)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, aiohttpx.InvalidURL)
    assert url in str(caught.value)


async def test_expect_100_waits_for_the_server() -> None:
    from aiohttpx.testing import Expect

    async with ScriptedPeer([Expect(), b"HTTP/1.1 100 Continue\r\n\r\n", Expect(b"body"), OK]) as peer, ClientSession() as client:
        async with client.post(peer.url, data=b"body", expect100=True) as response:
            assert response.status == 200
        assert b"Expect: 100-continue\r\n" in peer.received


async def test_a_final_status_ends_an_upload_that_waits_for_100() -> None:
    from aiohttpx.testing import Expect, StallForever

    final = b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"
    async with ScriptedPeer([Expect(), final, StallForever()]) as peer, ClientSession() as client:
        async with client.post(peer.url, data=b"body", expect100=True) as response:
            assert response.status == 417
        assert b"body" not in peer.received


async def test_the_request_info_says_what_was_sent() -> None:
    async with ScriptedPeer(OK) as peer, ClientSession(headers={"X-A": "1"}) as client:
        async with client.post(peer.url, json={"a": 1}) as response:
            info = response.request_info
        sent = Sent(peer.received)
        assert info.method == "POST"
        assert info.url == URL(peer.url)
        assert sorted(info.headers.items()) == sorted(sent.fields)
