"""message/response.py: what a response says, and its life.

Its content: test_response_content.py. Made by hand: test_response_by_hand.py.
"""

from __future__ import annotations

import asyncio
import gc
import gzip
import warnings
from http.cookies import SimpleCookie

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from aiohttpx import (
    ClientConnectionError,
    ClientResponseError,
    ClientSession,
    HttpVersion,
    HttpVersion10,
    HttpVersion11,
    RequestInfo,
    TCPConnector,
)
from aiohttpx.testing import Close, ExpectRequest, Script, ScriptedPeer, StallForever

from .answering import Gate, answer, both_ways, head

CLOSED = r"^Connection closed$"

# -- what the head says


@both_ways
async def test_the_head_is_there_at_once(streamed: bool) -> None:
    fields = ("Server: x", "X-Twice: 1", "x-twice:2 ")
    async with answer(b"body", *fields, status="201 Made It", streamed=streamed, method="POST", path="/a?b=c#d") as response:
        assert response.status == 201
        assert response.reason == "Made It"
        assert response.version == HttpVersion11
        assert isinstance(response.version, HttpVersion)
        assert response.ok
        assert response.method == "POST"
        assert response.url.relative() == URL("/a?b=c")
        assert response.real_url.relative() == URL("/a?b=c#d")
        assert response.host == "127.0.0.1"
        assert response.history == ()
        assert response.raw_headers == ((b"Server", b"x"), (b"X-Twice", b"1"), (b"x-twice", b"2"), (b"Content-Length", b"4"))
        assert isinstance(response.headers, CIMultiDictProxy)
        assert list(response.headers.items()) == [(name.decode(), value.decode()) for name, value in response.raw_headers]
        assert response.headers["SERVER"] == "x"
        assert response.headers.getall("X-Twice") == ["1", "2"]


@pytest.mark.parametrize("status", ["200 ", "200"])
async def test_a_reason_may_be_empty(status: str) -> None:
    async with answer(status=status) as response:
        assert (response.status, response.reason) == (200, "")


async def test_a_status_of_no_known_meaning_is_handed_on() -> None:
    async with answer(status="299 Whatever") as response:
        assert response.status == 299
        assert response.ok


async def test_http_1_0() -> None:
    script: Script = [ExpectRequest(), b"HTTP/1.0 200 OK\r\n\r\nto the end", Close()]
    async with ScriptedPeer(script) as peer, ClientSession() as client, client.get(peer.url) as response:
        assert response.version == HttpVersion10
        assert await response.read() == b"to the end"
        assert response.content_length is None


async def test_no_byte_of_a_field_is_lost() -> None:
    async with answer(b"", "X-New: Käse", "X-Old: K\udce4se") as response:
        assert response.headers["X-New"] == "Käse"
        assert response.headers["X-Old"].encode("utf-8", "surrogateescape") == b"K\xe4se"


async def test_headers_can_not_be_changed() -> None:
    async with answer() as response:
        with pytest.raises(TypeError):
            response.headers["X"] = "1"  # type: ignore[index]


@pytest.mark.parametrize("look_first", [False, True], ids=["from the head", "from the headers"])
@pytest.mark.parametrize(
    ("fields", "content_type", "charset"),
    [
        ([], "application/octet-stream", None),
        (["Content-Type: text/html"], "text/html", None),
        (["content-type: Text/HTML ; Charset=UTF-8"], "text/html", "UTF-8"),
        (['Content-Type: text/plain; charset="latin-1"; x=y'], "text/plain", "latin-1"),
        (["Content-Type: nonsense"], "application/octet-stream", None),
        (["Content-Type:"], "application/octet-stream", None),
        (["Content-Type: text/plain", "Content-Type: text/html"], "text/plain", None),
    ],
)
async def test_content_type(fields: list[str], content_type: str, charset: str | None, look_first: bool) -> None:
    async with answer(b"x", *fields) as response:
        if look_first:
            assert "Content-Length" in response.headers
        assert response.content_type == content_type
        assert response.charset == charset


async def test_content_length_and_disposition() -> None:
    async with answer(b"12345", 'Content-Disposition: attachment; filename="a b.txt"; x=y') as response:
        assert response.content_length == 5
        disposition = response.content_disposition
        assert disposition is not None
        assert (disposition.type, disposition.filename) == ("attachment", "a b.txt")
        assert dict(disposition.parameters) == {"filename": "a b.txt", "x": "y"}
    async with answer() as response:
        assert response.content_length == 0
        assert response.content_disposition is None


async def test_an_answer_to_head_has_a_length_and_no_content() -> None:
    async with ScriptedPeer(head(length=1234)) as peer, ClientSession() as client, client.head(peer.url) as response:
        assert response.content_length == 1234
        assert await response.read() == b""


async def test_cookies() -> None:
    fields = ("Set-Cookie: a=1; Path=/; HttpOnly", 'set-cookie: b="2 3"; Max-Age=5', "Set-Cookie: nonsense")
    async with answer(b"", *fields) as response:
        assert isinstance(response.cookies, SimpleCookie)
        assert set(response.cookies) == {"a", "b"}
        assert response.cookies["a"].value == "1"
        assert response.cookies["a"]["path"] == "/"
        assert response.cookies["a"]["httponly"] is True
        assert response.cookies["b"].value == "2 3"
        assert response.cookies["b"].coded_value == '"2 3"'  # as it goes back
        assert response.cookies is response.cookies
        response.cookies = SimpleCookie({"c": "3"})
        assert response.cookies["c"].value == "3"


async def test_no_cookies() -> None:
    async with answer() as response:
        assert isinstance(response.cookies, SimpleCookie)
        assert not response.cookies


async def test_links() -> None:
    fields = ('Link: <?page=2>; rel="next"; title="Two", <http://example.org/>; rel=help', "Link: </a>")
    async with answer(b"", *fields, path="/list?page=1") as response:
        assert list(response.links) == ["next", "help", "/a"]
        assert response.links["next"]["url"] == response.url.with_query("page=2")
        assert response.links["next"]["title"] == "Two"
        assert response.links["help"]["url"] == URL("http://example.org/")
        assert response.links["/a"]["url"] == response.url.join(URL("/a"))
    async with answer() as response:
        assert not response.links


async def test_request_info() -> None:
    async with answer(method="DELETE", path="/a#b", headers={"X-A": "1"}) as response:
        info = response.request_info
        assert isinstance(info, RequestInfo)
        assert info.method == "DELETE"
        assert (info.url, info.real_url) == (response.url, response.real_url)
        assert info.headers["X-A"] == "1"
        assert info.headers["Host"] == response.url.authority
        assert response.request_info is info


async def test_the_request_info_may_be_asked_for_after_the_response_was_released() -> None:
    async with answer() as response:
        pass
    assert response.request_info.method == "GET"


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ("200 OK", "<ClientResponse(http://127.0.0.1:{port}/%C3%A9) [200 OK]>"),
        ("404 Not Found", "<ClientResponse(http://127.0.0.1:{port}/%C3%A9) [404 Not Found]>"),
    ],
)
async def test_repr(status: str, line: str) -> None:
    async with answer(b"", "Server: x", status=status, path="/é") as response:
        first, second, rest = repr(response).split("\n", 2)
        assert first == line.format(port=response.url.port)
        assert second == repr(response.headers)
        assert "'Server': 'x'" in second
        assert rest == ""


# -- its life


async def test_a_response_whose_body_came_along_has_given_its_connection_back() -> None:
    async with answer(b"body") as response:
        assert response.connection is None
        assert response.closed
        assert await response.read() == b"body"


async def test_a_response_has_a_connection_until_its_body_was_read() -> None:
    async with answer(b"body", streamed=True) as response:
        connection = response.connection
        assert connection is not None
        assert connection.protocol is not None
        assert connection.protocol.transport is not None
        assert not response.closed
        assert await response.read() == b"body"
        assert response.connection is None
        assert response.closed


@both_ways
async def test_what_was_released_can_not_be_read_any_more(streamed: bool) -> None:
    async with answer(b"body", streamed=streamed) as response:
        response.release()
        assert response.closed
        assert response.connection is None
        for _ in range(2):
            with pytest.raises(ClientConnectionError, match=CLOSED):
                await response.read()
        with pytest.raises(ClientConnectionError, match=CLOSED):
            await response.content.read()
        with pytest.raises(ClientConnectionError, match=CLOSED):
            await response.text()


@both_ways
async def test_what_was_left_unread_in_a_context_can_not_be_read_behind_it(streamed: bool) -> None:
    async with answer(b"body", streamed=streamed) as response:
        pass
    assert response.closed
    for read in (response.read, response.text, response.json, response.content.read):
        with pytest.raises(ClientConnectionError, match=CLOSED):
            await read()


@both_ways
async def test_text_and_json_of_what_was_read_are_there_behind_the_context(streamed: bool) -> None:
    async with answer(b"[1]", "Content-Type: application/json", streamed=streamed) as response:
        await response.read()
    assert await response.text() == "[1]"
    assert await response.json() == [1]
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/json"
    with pytest.raises(ClientConnectionError, match=CLOSED):  # as aiohttp does
        await response.read()


@both_ways
async def test_release_and_close_may_be_called_again(streamed: bool) -> None:
    async with answer(b"body", streamed=streamed) as response:
        for _ in range(2):
            response.release()
            response.close()
        assert response.closed


async def test_release_may_be_awaited_as_old_code_does() -> None:
    async with answer(b"body", streamed=True) as response:
        assert await response.release() is None  # type: ignore[func-returns-value]
        assert response.closed


async def test_wait_for_close_releases() -> None:
    async with answer(b"body", streamed=True) as response:
        await response.wait_for_close()
        assert response.closed
        assert response.connection is None


async def test_releasing_reads_a_short_rest_so_that_the_connection_lives() -> None:
    gate = Gate()
    script: Script = [ExpectRequest(), head(length=4), gate, b"body", ExpectRequest(), head(length=2) + b"ok"]
    async with ScriptedPeer(script) as peer, ClientSession(connector=TCPConnector(limit=1)) as client:
        async with client.get(peer.url):
            pass
        gate.open()
        async with client.get(peer.url) as response:
            assert await response.read() == b"ok"
        assert len(peer.connections) == 1


async def test_releasing_inflates_nothing() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    async with answer(bomb, "Content-Encoding: gzip", streamed=True) as response:
        content = response.content
        response.release()
        assert content.total_bytes == 0
    assert content.total_bytes == 0


async def test_closing_ends_the_connection() -> None:
    script: Script = [ExpectRequest(), head(length=4), StallForever()]
    async with ScriptedPeer(script, head(length=2) + b"ok") as peer, ClientSession() as client:
        response = await client.get(peer.url)
        response.close()
        assert response.closed
        async with client.get(peer.url) as response:
            assert await response.read() == b"ok"
        assert len(peer.connections) == 2


async def test_closing_the_session_ends_who_reads_a_body() -> None:
    script: Script = [ExpectRequest(), head(length=4), b"bo", StallForever()]
    async with ScriptedPeer(script) as peer, ClientSession() as client, client.get(peer.url) as response:
        reading = asyncio.create_task(response.read())
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(ClientConnectionError, match="Connection closed"):
            await reading


async def test_a_read_that_fails_closes_the_response() -> None:
    script: Script = [ExpectRequest(), head(length=4), Gate()]
    async with ScriptedPeer(script) as peer, ClientSession() as client:
        response = await client.get(peer.url)
        reading = asyncio.create_task(response.read())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert response.closed
        assert response.connection is None
        with pytest.raises(ClientConnectionError, match="Connection closed"):
            await response.read()


@pytest.mark.parametrize("debug", [False, True])
async def test_a_response_that_nobody_closed_gives_its_connection_back(debug: bool) -> None:
    asyncio.get_running_loop().set_debug(debug)
    gate = Gate()
    script: Script = [ExpectRequest(), head(length=4), gate, b"body", ExpectRequest(), head(length=2) + b"ok"]
    async with ScriptedPeer(script) as peer, ClientSession(connector=TCPConnector(limit=1)) as client:
        response = await client.get(peer.url)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            del response
            gc.collect()
        assert [str(each.message).split("\n")[0] for each in said] == [f"Unclosed response GET {peer.url} [200]"] * debug
        assert all(each.category is ResourceWarning and "test_response.py" in str(each.message) for each in said)
        gate.open()
        async with client.get(peer.url) as response:
            assert await response.read() == b"ok"
        assert len(peer.connections) == 1


async def test_a_response_whose_content_is_kept_can_be_read_to_its_end() -> None:
    async with ScriptedPeer([ExpectRequest(), head(length=4), gate := Gate(), b"body"]) as peer, ClientSession() as client:
        content = (await client.get(peer.url)).content
        gc.collect()
        gate.open()
        assert await content.read() == b"body"


async def test_a_response_that_was_read_need_not_be_closed() -> None:
    asyncio.get_running_loop().set_debug(True)
    async with ScriptedPeer(head(length=4) + b"body") as peer, ClientSession() as client:
        response = await client.get(peer.url)
        assert await response.read() == b"body"
        del response
        gc.collect()  # and says nothing: warnings are errors


# -- raise_for_status


@pytest.mark.parametrize(
    ("status", "ok"), [(200, True), (204, True), (304, True), (399, True), (400, False), (404, False), (599, False)]
)
async def test_ok_is_what_is_below_400(status: int, ok: bool) -> None:
    async with answer(status=f"{status} X") as response:
        assert response.ok is ok
        if ok:
            response.raise_for_status()
        else:
            with pytest.raises(ClientResponseError):
                response.raise_for_status()


async def test_the_error_says_what_was_asked_and_what_came() -> None:
    async with answer(b"no such thing", "X-A: 1", status="404 Not Found", path="/x#y") as response:
        with pytest.raises(ClientResponseError) as caught:
            response.raise_for_status()
        error = caught.value
        assert error.status == 404
        assert error.message == "Not Found"
        assert error.headers == response.headers
        assert error.request_info == response.request_info
        assert error.history == ()
        assert error.body == b"no such thing"
        assert str(error) == f"404, message='Not Found', url='{response.real_url}', method='GET', body='no such thing'"


async def test_in_a_context_the_body_can_still_be_read() -> None:
    async with answer(b"reason", status="400 Bad Request") as response:
        with pytest.raises(ClientResponseError):
            response.raise_for_status()
        assert await response.content.read() == b"reason"
        assert await response.read() == b""
    async with answer(b"reason", status="400 Bad Request") as response:
        with pytest.raises(ClientResponseError):
            response.raise_for_status()
        assert await response.read() == b"reason"
        assert await response.text() == "reason"


@both_ways
async def test_outside_of_a_context_it_releases(streamed: bool) -> None:
    script: Script = (
        [ExpectRequest(), head("500 No", length=4), StallForever()] if streamed else head("500 No", length=4) + b"body"
    )
    async with ScriptedPeer(script) as peer, ClientSession() as client:
        response = await client.get(peer.url)
        with pytest.raises(ClientResponseError):
            response.raise_for_status()
        assert response.connection is None
        assert response.closed
        with pytest.raises(ClientConnectionError, match="Connection closed"):
            await response.read()


async def test_the_error_carries_no_more_than_4_KiB() -> None:
    async with answer(b"x" * 10_000, status="400 Bad Request") as response:
        with pytest.raises(ClientResponseError) as caught:
            response.raise_for_status()
        assert caught.value.body == b"x" * 4096
        assert len(str(caught.value)) < 500
        assert await response.read() == b"x" * 10_000


@pytest.mark.parametrize("body", [b"reason", b"reason" * 500_000], ids=["small", "large"])
async def test_the_error_carries_the_body_decoded(body: bytes) -> None:
    async with answer(gzip.compress(body), "Content-Encoding: gzip", status="400 Bad Request") as response:
        with pytest.raises(ClientResponseError) as caught:
            response.raise_for_status()
        assert caught.value.body == body[:4096]
        assert await response.read() == body


async def test_a_body_that_can_not_be_decoded_does_not_hide_the_status() -> None:
    async with answer(b"nonsense", "Content-Encoding: gzip", status="400 Bad Request") as response:
        with pytest.raises(ClientResponseError) as caught:
            response.raise_for_status()
        assert caught.value.body is None


async def test_the_error_carries_what_is_here_of_a_body_that_is_on_its_way() -> None:
    script: Script = [ExpectRequest(), head("503 Busy", length=8) + b"half", StallForever()]
    async with ScriptedPeer(script) as peer, ClientSession() as client, client.get(peer.url) as response:
        with pytest.raises(ClientResponseError) as caught:
            response.raise_for_status()
        assert caught.value.body == b"half"
        assert await response.content.read(100) == b"half"


async def test_the_error_does_not_wait_for_a_body() -> None:
    script: Script = [ExpectRequest(), head("503 Busy", length=8), StallForever()]
    async with ScriptedPeer(script) as peer, ClientSession() as client, client.get(peer.url) as response:
        with pytest.raises(ClientResponseError) as caught:
            response.raise_for_status()
        assert caught.value.body is None


def test_an_error_shows_the_fields_as_what_they_are() -> None:
    info = RequestInfo(URL("http://a.example/"), "GET", CIMultiDict(), URL("http://a.example/"))
    for headers in CIMultiDict({"Cookie": "a=b"}), CIMultiDictProxy(CIMultiDict({"Cookie": "a=b"})):
        shown = type(headers)(CIMultiDict({"Cookie": "[redacted]"}))
        assert f"headers={shown!r}" in repr(ClientResponseError(info, (), headers=headers))
