"""Redirects through real sockets: what each origin gets to see, and what becomes of the connections."""

from __future__ import annotations

import asyncio
import gzip
import io
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme
from multidict import CIMultiDict
from yarl import URL

import aiohttpx
from aiohttpx import (
    ClientConnectorError,
    ClientPayloadError,
    ClientSession,
    ClientTimeout,
    CookieJar,
    InvalidUrlRedirectClientError,
    NonHttpUrlRedirectClientError,
    ServerTimeoutError,
    TooManyRedirects,
)
from aiohttpx.testing import Expect, ExpectRequest, Pause, Reset, Response, ScriptedPeer, StallForever

from .site import Site, lines

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


# -- following


@pytest.mark.every_loop
async def test_a_chain_leaves_a_history_and_one_connection(here: Site, session: ClientSession) -> None:
    async with session.get(here.to("/to/307?/to/303?/end")) as response:
        assert await response.text() == "/end"
        assert [(each.status, each.url.path) for each in response.history] == [
            (302, "/to/302"),
            (307, "/to/307"),
            (303, "/to/303"),
        ]
        assert response.url == URL(f"{here.url}/end")
        assert response.method == "GET"
    assert here.connections == 1
    with pytest.raises(aiohttpx.ClientConnectionError):  # it was let go of
        await response.history[0].read()


async def test_what_is_not_redirected_has_no_history(here: Site, session: ClientSession) -> None:
    async with session.get(f"{here.url}/plain") as response:
        assert response.history == ()


async def test_fragments_are_inherited_and_params_are_not(here: Site, session: ClientSession) -> None:
    async with session.get(here.to("/end").partition("?")[0] + "#part", params="/end?x") as response:
        assert response.real_url == URL(f"{here.url}/end?x#part")
        assert response.url == URL(f"{here.url}/end?x")
    assert lines(here) == ["GET /to/302?/end?x", "GET /end?x"]


@pytest.mark.parametrize("requote", [True, False])
async def test_targets_are_requoted_unless_it_is_turned_off(here: Site, requote: bool) -> None:
    async with ClientSession(requote_redirect_url=requote) as session:
        assert session.requote_redirect_url is requote
        async with session.get(URL(here.to("/%7e?%31"), encoded=True)):
            pass
    assert lines(here)[1] == ("GET /~?1" if requote else "GET /%7e?%31")


async def test_turning_requoting_off_later_is_deprecated(here: Site, session: ClientSession) -> None:
    with pytest.warns(DeprecationWarning, match="requote_redirect_url"):
        session.requote_redirect_url = False
    async with session.get(URL(here.to("/%7e"), encoded=True)):
        pass
    assert lines(here)[1] == "GET /%7e"


@pytest.mark.parametrize("verb", ["get", "options", "post", "put", "patch", "delete", "query"])
async def test_redirects_can_be_left_alone(here: Site, session: ClientSession, verb: str) -> None:
    async with getattr(session, verb)(here.to("/end"), allow_redirects=False) as response:
        assert response.status == 302
        assert response.headers["Location"] == "/end"
        assert await response.text() == "Moved."
    assert len(here.asked) == 1


async def test_head_follows_only_if_it_is_told_to(here: Site, session: ClientSession) -> None:
    async with session.head(here.to("/end")) as response:
        assert response.status == 302
    async with session.head(here.to("/end"), allow_redirects=True) as response:
        assert (response.status, response.method) == (200, "HEAD")
    async with session.request("HEAD", here.to("/end")) as response:
        assert response.status == 200
    first, end = "HEAD /to/302?/end", "HEAD /end"
    assert lines(here) == [first, first, end, first, end]


async def test_a_callable_says_which_redirects_are_followed(here: Site, there: Site, session: ClientSession) -> None:
    asked: list[tuple[int, str]] = []

    def only_here(response: aiohttpx.ClientResponse, url: URL) -> bool:
        asked.append((response.status, str(url)))
        return str(url).startswith(here.url)

    async with session.get(here.to("/to/301?" + there.url), allow_redirects=only_here) as response:
        assert response.status == 301
        assert await response.text() == "Moved."
        assert len(response.history) == 1
    assert asked == [(302, f"{here.url}/to/301?{there.url}"), (301, there.url)]
    assert there.asked == []


async def test_what_a_callable_raises_comes_out(here: Site, session: ClientSession) -> None:
    def refuse(response: aiohttpx.ClientResponse, url: URL) -> bool:
        raise LookupError(url)

    with pytest.raises(LookupError):
        await session.get(here.to("/end"), allow_redirects=refuse)
    async with session.get(f"{here.url}/after"):
        pass
    assert here.connections == 1


async def test_a_redirect_without_a_location_is_the_response(session: ClientSession) -> None:
    async with ScriptedPeer(b"HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nok") as peer, session.get(peer.url) as response:
        assert (response.status, response.history, await response.text()) == (302, (), "ok")


async def test_one_request_without_a_session_follows_too(here: Site, there: Site) -> None:
    async with aiohttpx.request("GET", here.to(there.url + "/end"), cookies={"a": "1"}) as response:
        assert await response.text() == "/end"
    assert here.asked[0].headers["cookie"] == "a=1"
    assert "cookie" not in there.asked[0].headers


# -- errors


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_too_many(here: Site, session: ClientSession, limit: int) -> None:
    circle = Site(around=lambda request: Response(302, [("Location", "/around")]))
    async with circle:
        with pytest.raises(TooManyRedirects) as caught:
            await session.get(f"{circle.url}/around#x", max_redirects=limit)
        assert len(caught.value.history) == len(circle.asked) == limit
        assert caught.value.request_info.real_url == URL(f"{circle.url}/around#x")
        async with session.get(f"{circle.url}/after") as response:
            assert response.status == 200
        assert circle.connections == 1


async def test_ten_are_too_many_by_default(session: ClientSession) -> None:
    async with Site(around=lambda request: Response(302, [("Location", "/around")])) as circle:
        with pytest.raises(TooManyRedirects):
            await session.get(f"{circle.url}/around")
        assert len(circle.asked) == 10


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("http://:/", InvalidUrlRedirectClientError),
        ("http://example.org:port/", InvalidUrlRedirectClientError),
        ("https:", InvalidUrlRedirectClientError),
        ("ftp://example.org/", NonHttpUrlRedirectClientError),
        ("skype:handle", NonHttpUrlRedirectClientError),
        ("http://127.0.0.1:1/", ClientConnectorError),
    ],
)
async def test_a_redirect_into_the_void_leaves_the_pool_intact(
    here: Site, session: ClientSession, location: str, error: type[Exception]
) -> None:
    file = io.BufferedReader(io.BytesIO(b"body"))  # type: ignore[arg-type]
    with pytest.raises(error):
        await session.post(here.to(location, 307), data=file)
    async with asyncio.timeout(5):
        while not file.closed:  # noqa: ASYNC110  # a thread closes it
            await asyncio.sleep(0)
    async with session.get(f"{here.url}/after") as response:
        assert response.status == 200
    assert here.connections == 1


# -- bodies


class Body:
    """What a body is made of, and whether it can be sent twice."""

    def __init__(self, make: Callable[[Path], Any], again: bool) -> None:
        self.make = make
        self.again = again


async def chunks() -> AsyncIterator[bytes]:
    yield b"bo"
    yield b"dy"


def file_at(folder: Path) -> Any:
    (folder / "file").write_bytes(b"body")
    return (folder / "file").open("rb")


BODIES = {
    "bytes": Body(lambda folder: b"body", True),
    "str": Body(lambda folder: "body", True),
    "file": Body(file_at, True),
    "BytesIO": Body(lambda folder: io.BytesIO(b"body"), True),
    "async generator": Body(lambda folder: chunks(), False),
    "generator": Body(lambda folder: iter([b"bo", b"dy"]), False),
}


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_goes_along_where_it_can_be_sent_again(
    here: Site, there: Site, session: ClientSession, tmp_path: Path, body: Body, status: int
) -> None:
    data = body.make(tmp_path)
    asking = session.post(here.to(there.to("/end", status), status), data=data)
    if body.again:
        async with asking as response:
            assert await response.text() == "/end"
        sent = [*here.asked, *there.asked]
        assert [(request.method, request.body) for request in sent] == [("POST", b"body")] * 3
        assert len({request.headers["content-type"] for request in sent}) == 1
    else:
        with pytest.raises(ClientPayloadError, match="consumed request body"):
            await asking
        assert there.asked == []
        assert here.asked[0].body == b"body"


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_post_becomes_a_get_without_its_body(here: Site, session: ClientSession, status: int) -> None:
    headers = {"Content-Type": "text/x", "Content-Language": "en", "X-Own": "1"}
    async with session.post(here.to("/end", status), data=b"body", headers=headers, chunked=True, compress=True, expect100=True):
        pass
    first, second = here.asked
    assert (first.method, first.headers["content-type"]) == ("POST", "text/x")
    assert (second.method, second.body) == ("GET", b"")
    assert second.headers["x-own"] == "1"
    assert [name for name in second.headers if name.startswith("content-") or name in ("transfer-encoding", "expect")] == []


async def test_a_body_keeps_its_coding_and_chunks(here: Site, session: ClientSession) -> None:
    async with session.put(here.to("/end", 302), data=b"body" * 100, compress="gzip", headers={"X-Own": "1"}):
        pass
    first, second = here.asked
    assert first.headers == second.headers
    assert gzip.decompress(second.body) == b"body" * 100


async def test_a_file_is_closed_when_it_is_all_over(here: Site, session: ClientSession, tmp_path: Path) -> None:
    for status in (303, 307):
        file = file_at(tmp_path)
        async with session.post(here.to("/end", status), data=file):
            pass
        async with asyncio.timeout(5):
            while not file.closed:  # noqa: ASYNC110  # a thread closes it
                await asyncio.sleep(0)
        assert here.asked[-1].path == "/end"


async def test_an_upload_that_is_redirected_before_its_end(there: Site, session: ClientSession, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 3_000_000)
    moved = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {there.url}/end\r\nContent-Length: 0\r\n\r\n".encode()
    file = (tmp_path / "file").open("rb")
    async with ScriptedPeer([Expect(), moved, StallForever()]) as peer, session.put(peer.url, data=file) as response:
        assert await response.text() == "/end"
    assert there.asked[0].body == b"x" * 3_000_000


# -- responses on the way


@pytest.mark.parametrize(
    "framed",
    [
        b"Content-Length: 5\r\n\r\n" + b"Moved",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nMoved\r\n0\r\n\r\n",
        b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nMoved",  # it is no gzip, and nobody looks
    ],
)
@pytest.mark.parametrize("limit", [0, 1])
async def test_the_body_of_a_redirect_is_drained_and_its_connection_used_again(framed: bytes, limit: int) -> None:
    head, _, rest = framed.partition(b"\r\n\r\n")
    moved = [b"HTTP/1.1 302 Found\r\nLocation: /end\r\n" + head + b"\r\n\r\n", Pause(0.05), rest]
    script = [ExpectRequest(), *moved, ExpectRequest(), OK, ExpectRequest(), OK]
    async with ScriptedPeer(script) as peer, ClientSession(connector=aiohttpx.TCPConnector(limit=limit or 1)) as session:
        for _ in range(2):
            async with session.get(peer.url) as response:
                assert await response.text() == "ok"
        assert len(peer.connections) == 1


async def test_an_endless_body_of_a_redirect_does_not_hold_it_up(there: Site, session: ClientSession) -> None:
    moved = f"HTTP/1.1 302 Found\r\nLocation: {there.url}/end\r\nContent-Length: 1000000000\r\n\r\n".encode()
    async with ScriptedPeer([ExpectRequest(), moved, StallForever()]) as peer, session.get(peer.url) as response:
        assert await response.text() == "/end"


# -- time


@pytest.mark.parametrize(
    ("limit", "pause"),
    [(ClientTimeout(total=0.3), 0.2), (ClientTimeout(total=0.3, ceil_threshold=0.1), 0.8)],
    ids=["exact", "rounded"],
)
async def test_the_total_is_for_all_hops_together(session: ClientSession, limit: ClientTimeout, pause: float) -> None:
    async with ScriptedPeer([ExpectRequest(), Pause(pause), OK]) as last:
        moved = f"HTTP/1.1 302 Found\r\nLocation: {last.url}\r\nContent-Length: 0\r\n\r\n".encode()
        async with ScriptedPeer([ExpectRequest(), Pause(pause), moved]) as first:
            with pytest.raises(ServerTimeoutError, match=r"Timeout of 0.3 s \(total\) on 127.0.0.1:\d+ while waiting"):
                await session.get(first.url, timeout=limit)


async def test_the_total_strikes_while_a_hop_waits_for_a_slot(here: Site) -> None:
    connector = aiohttpx.TCPConnector(limit_per_host=1)
    stalling = [ExpectRequest(), StallForever()]
    async with ScriptedPeer(stalling) as peer, ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        holder = group.create_task(session.get(peer.url))
        await asyncio.sleep(0.05)
        with pytest.raises(ServerTimeoutError, match=f"on 127.0.0.1:{peer.port} while connecting"):
            await session.get(here.to(peer.url), timeout=0.2)
        holder.cancel()


async def test_the_total_ends_the_body_of_the_last_response(here: Site, session: ClientSession) -> None:
    partial = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok"
    async with ScriptedPeer([ExpectRequest(), partial, StallForever()]) as peer:
        response = await session.get(here.to(peer.url), timeout=0.3)
        with pytest.raises(ServerTimeoutError, match="while reading the body"):
            await response.read()


async def test_without_a_total(here: Site, session: ClientSession) -> None:
    async with session.get(here.to("/end"), timeout=None) as response:
        assert await response.text() == "/end"


async def test_a_hop_is_sent_again_when_its_connection_has_died(here: Site, session: ClientSession) -> None:
    one = [ExpectRequest(), OK, ExpectRequest(), Reset()]
    async with ScriptedPeer(one, OK) as peer:
        async with session.get(peer.url):
            pass
        async with session.get(here.to(peer.url)) as response:
            assert await response.text() == "ok"
        assert len(peer.connections) == 2


# -- credentials

CREDENTIALS = CIMultiDict(
    [
        ("Authorization", "Bearer secret-1"),
        ("authorization", "Bearer secret-2"),
        ("Proxy-Authorization", "Basic secret-3"),
        ("Cookie", "own=secret-4"),
        ("COOKIE", "other=secret-5"),
        ("X-Own", "harmless"),
    ]
)


async def sites(stack: AsyncExitStack, kind: str) -> tuple[Site, str, Site]:
    """Two origins: that which is asked, and a URL of another one, with where that one is."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    first = await stack.enter_async_context(Site(context if kind == "https to http" else None))
    if kind == "another host":
        return first, first.url.replace("127.0.0.1", "localhost"), first
    second = await stack.enter_async_context(Site(context if kind == "http to https" else None))
    return first, second.url, second


@pytest.mark.parametrize("kind", ["another port", "another host", "http to https", "https to http"])
@pytest.mark.parametrize("status", [302, 303, 307])
@pytest.mark.parametrize("given", ["by the request", "by the session"])
async def test_no_secret_reaches_another_origin(kind: str, status: int, given: str) -> None:
    async with AsyncExitStack() as stack:
        first, url, second = await sites(stack, kind)
        by_session = {"headers": CREDENTIALS} if given == "by the session" else {}
        by_request = {"headers": CREDENTIALS} if given == "by the request" else {}
        session = await stack.enter_async_context(ClientSession(**by_session))
        # There, and on to another page there, and back: what was dropped stays dropped.
        path = f"{url}/to/{status}?{url}/to/{status}?{first.url}/back"
        async with session.post(first.to(path, status), data=b"body", cookies={"mine": "secret-6"}, ssl=False, **by_request):
            pass
        start, *others = [*first.asked, *second.asked] if second is not first else first.asked
        assert sum("secret" in value for _, value in start.fields) == 4
        assert "own=secret-4; other=secret-5; mine=secret-6" in start.headers["cookie"]
        assert len(others) == 3
        for request in others:
            assert [value for _, value in request.fields if "secret" in value] == []
            assert request.headers["x-own"] == "harmless"


async def test_within_an_origin_credentials_go_along(here: Site, session: ClientSession) -> None:
    async with session.get(here.to("/to/307?/end"), headers=CREDENTIALS, cookies={"mine": "secret-6"}):
        pass
    assert len(here.asked) == 3
    for request in here.asked:
        assert sum("secret" in value for _, value in request.fields) == 4
        assert request.headers["cookie"] == "own=secret-4; other=secret-5; mine=secret-6"


async def test_a_host_of_ones_own_stays_with_its_origin(here: Site, there: Site, session: ClientSession) -> None:
    async with session.get(here.to(f"/to/302?{there.url}"), headers={"Host": "example.org"}):
        pass
    assert [request.headers["host"] for request in here.asked] == ["example.org"] * 2
    assert there.asked[0].headers["host"] == there.url.removeprefix("http://")


async def test_a_server_hostname_stays_with_its_origin() -> None:
    async with AsyncExitStack() as stack:
        authority = trustme.CA()
        client = ssl.create_default_context()
        authority.configure_trust(client)
        names = [ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(2)]
        authority.issue_cert("inner.example").configure_cert(names[0])
        authority.issue_cert("127.0.0.1").configure_cert(names[1])
        first, second = [await stack.enter_async_context(Site(context)) for context in names]
        session = await stack.enter_async_context(ClientSession())
        async with session.get(first.to(second.url), ssl=client, server_hostname="inner.example") as response:
            assert response.status == 200


async def test_raise_for_status_looks_at_the_last_response_only(here: Site) -> None:
    asking: list[int] = []

    async def check(response: aiohttpx.ClientResponse) -> None:
        asking.append(response.status)

    async with ClientSession(raise_for_status=check) as session, session.get(here.to("/end")):
        pass
    assert asking == [200]
