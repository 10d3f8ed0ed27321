"""The Cookie field of a request, and a body that is handed on."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest
from multidict import CIMultiDict
from yarl import URL

from aiohttpx import ClientRequest
from aiohttpx.message.defaults import RequestDefaults
from aiohttpx.message.payload import AsyncIterablePayload, BytesPayload
from aiohttpx.wire.setcookie import parse_set_cookies

URL_HERE = URL("http://example.org/")


@pytest.mark.parametrize(
    ("cookies", "field"),
    [
        ("a=1; b=2", "a=1; b=2"),
        ({"a": "1", "b": "x y"}, 'a=1; b="x y"'),
        ([("a", "1")], "a=1"),
        (SimpleCookie("a=1; b=2"), "a=1; b=2"),
        (parse_set_cookies(["a=x/y=="]), "a=x/y=="),
    ],
)
async def test_cookies_in_any_form(cookies: Any, field: str) -> None:
    for headers in (None, {"X-Own": "1"}):
        request = ClientRequest("GET", URL_HERE, cookies=cookies, headers=headers)
        assert request.headers["Cookie"] == field
        assert list(request.headers)[-1] == "Cookie"


@pytest.mark.parametrize("cookies", [None, "", {}, []])
async def test_no_cookies(cookies: Any) -> None:
    assert "Cookie" not in ClientRequest("GET", URL_HERE, cookies=cookies).headers
    fields = {"Cookie": "odd;;"}
    assert ClientRequest("GET", URL_HERE, cookies=cookies, headers=fields).headers["Cookie"] == "odd;;"


async def test_cookies_join_those_of_the_headers() -> None:
    headers = [("Cookie", "a=1; b=1"), ("X-Own", "1"), ("cookie", "c=1")]
    request = ClientRequest("POST", URL_HERE, headers=headers, cookies={"b": "2"}, data=b"body")
    assert request.headers.getall("Cookie") == ["a=1; c=1; b=2"]
    names = list(request.headers)
    assert names.index("User-Agent") < names.index("Cookie") < names.index("Content-Length")


@pytest.mark.parametrize("looked_at", [True, False])
async def test_cookies_can_be_added_later(looked_at: bool) -> None:
    request = ClientRequest("GET", URL_HERE, cookies={"a": "1", "b": "1"})
    if looked_at:
        assert request.headers["Cookie"] == "a=1; b=1"
    request.update_cookies({"b": "2"})
    request.update_cookies("c=3")
    assert request.headers["Cookie"] == "a=1; b=2; c=3"
    with pytest.raises(ValueError, match="cannot be sent"):
        request.update_cookies({"a\n": "1"})


async def test_headers_that_are_given_empty_are_empty() -> None:
    """Not those of the session: whoever took credentials out meant it."""
    defaults = RequestDefaults(CIMultiDict({"Authorization": "secret"}))
    assert "Authorization" in ClientRequest("GET", URL_HERE, defaults=defaults).headers
    assert "Authorization" not in ClientRequest("GET", URL_HERE, headers=CIMultiDict(), defaults=defaults).headers


async def test_a_body_that_another_request_has_is_left_open() -> None:
    closed: list[bytes] = []

    class Closing(BytesPayload):
        async def close(self) -> None:
            closed.append(bytes(self.value))

    first = ClientRequest("POST", URL_HERE, data=Closing(b"body"))
    second = ClientRequest("POST", URL_HERE, data=first.body)
    first.disown_body()
    await first.close()
    assert (first.body, closed) == (b"", [])
    await second.close()
    assert closed == [b"body"]


async def test_a_consumed_body() -> None:
    async def once() -> Any:
        yield b"body"

    class Sink:
        async def write(self, chunk: Any, /) -> None: ...

    payload = AsyncIterablePayload(once())
    request = ClientRequest("POST", URL_HERE, data=payload)
    assert not request.consumed
    await payload.write(Sink())
    assert request.consumed
    assert not ClientRequest("POST", URL_HERE).consumed
