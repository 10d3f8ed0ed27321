"""A request goes the short way or the long one by what is said of it: what is sent and what comes back is the same."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from yarl import URL

from aiohttpx import ClientRequest, ClientResponse, ClientSession, ClientTimeout, CookieJar, RequestOptions, UploadTracker
from aiohttpx.testing import ScriptedPeer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: b=2\r\n\r\nok"

ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("GET", {}),
    "a method of no table": ("purge", {}),
    "no body": ("POST", {}),
    "DELETE": ("DELETE", {}),
    "bytes": ("PUT", {"data": b"abc"}),
    "an empty body": ("POST", {"data": b""}),
    "a form": ("POST", {"data": {"a": "b c"}}),
    "a form and fields": ("POST", {"data": {"a": "b"}, "headers": {"X-A": "1"}}),
    "json": ("POST", {"json": {"a": [1, None]}}),
    "json and fields": ("POST", {"json": 0, "headers": {"Content-Type": "text/json", "X-A": "1"}}),
    "fields": ("GET", {"headers": {"accept": "text/html", "Cookie": "own=1"}}),
    "params": ("GET", {"params": {"a": "b"}}),
    "a limit": ("GET", {"timeout": ClientTimeout(total=9)}),
    "another limit": ("GET", {"timeout": ClientTimeout(sock_read=9)}),
    "seconds": ("POST", {"timeout": 9, "json": 1}),
    "no redirects": ("GET", {"allow_redirects": False}),
    "redirects that are asked about": ("GET", {"allow_redirects": lambda response, url: True}),
    "a status that is checked": ("GET", {"raise_for_status": True, "headers": {"Host": "other"}}),
}


class Own(ClientRequest):
    """Not made the short way."""


@pytest.mark.parametrize(("method", "said"), ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("by", [str, URL])
async def test_both_ways_send_the_same(by: Any, method: str, said: dict[str, Any]) -> None:
    sent: list[bytes] = []
    for kind, more in ((ClientRequest, {}), (ClientRequest, {"max_redirects": 9}), (Own, {})):
        jar = CookieJar(unsafe=True)
        async with ScriptedPeer(OK, OK) as peer:
            async with ClientSession(request_class=kind, cookie_jar=jar, headers={"X-S": "s"}) as session:
                for _ in range(2):  # the first one makes the origin known
                    async with session.request(method, by(f"{peer.url}/a?b=c#d"), **said, **more) as response:
                        assert await response.text() == "ok"
                        assert response.url == URL(f"{peer.url}/a?b=c").update_query(said.get("params", {}))
                        assert response.request_info.headers["X-S"] == "s"
            sent.append(peer.received.replace(str(URL(peer.url).port).encode(), b"PORT"))
            assert jar.filter_cookies(URL(peer.url))["b"].value == "2"
    assert b"b=2" in sent[0]
    assert sent[0] == sent[1] == sent[2]


@pytest.mark.parametrize("more", [{}, {"max_redirects": 9}])
async def test_both_ways_end_alike(more: dict[str, Any]) -> None:
    session = ClientSession(raise_for_status=True)
    with pytest.raises(ValueError, match="data and json"):
        await session.post("http://example.org/", data=b"", json=1, **more)
    with pytest.raises(ValueError, match="non-token"):
        await session.request("GET /", "http://example.org/", **more)
    await session.close()
    with pytest.raises(RuntimeError, match="Session is closed"):
        await session.get("http://example.org/", **more)


async def test_a_tracker_is_told_of_a_request_that_cannot_be_made() -> None:
    tracker = UploadTracker()
    async with ClientSession() as session:
        with pytest.raises(ValueError, match="data and json"):
            await session.post("http://example.org/", data=b"", json=1, upload_tracker=tracker)
        assert tracker.upload_complete.done()
        with pytest.raises(RuntimeError, match="already bound"):
            await session.post("http://example.org/", data=b"", upload_tracker=tracker)


def test_the_signature_and_the_typed_dict_say_the_same() -> None:
    parameters = inspect.signature(ClientSession._request).parameters
    assert list(parameters)[:3] == ["self", "method", "str_or_url"]
    assert set(list(parameters)[3:]) == RequestOptions.__optional_keys__
    assert parameters["allow_redirects"].default is True
    assert inspect.signature(ClientSession()._request).return_annotation == ClientResponse.__name__


async def test_a_response_that_was_looked_at_before_its_head_came_has_one_all_the_same() -> None:
    class Looking(ClientRequest):
        async def send(self, conn: Any) -> ClientResponse:
            response = await super().send(conn)
            assert (response.reason, response.version) == (None, None)
            return response

    async with ScriptedPeer(OK) as peer, ClientSession(request_class=Looking) as session, session.get(peer.url) as response:
        assert (response.reason, response.version) == ("OK", (1, 1))
        response.reason = "Fine"
        assert response.reason == "Fine"


async def test_a_session_that_builds_urls_of_its_own_builds_each() -> None:
    class Building(ClientSession):
        def _build_url(self, str_or_url: Any) -> URL:
            return super()._build_url(str_or_url).with_query(built="yes")

    async with ScriptedPeer(OK, OK) as peer, Building() as session:
        for _ in range(2):
            async with session.get(f"{peer.url}/") as response:
                assert response.url.query == {"built": "yes"}
