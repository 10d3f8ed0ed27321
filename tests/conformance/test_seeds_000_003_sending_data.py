"""Seeds 000 (all but "File Uploads"), 001 ("Make a Request"), 002 and 003 ("Custom Headers", "Custom Cookies", "More complicated
POST requests"): the examples as they stand, with URLs that exist."""

from __future__ import annotations

import json
import types
from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest

import aiohttpx as aiohttp
from aiohttpx.testing import DEFAULT_ROUTES, LoopbackServer, Request, Response


def cookies(request: Request) -> Response:
    return Response.json({"cookies": request.headers.get("cookie")})


@pytest.fixture
async def site() -> AsyncIterator[str]:
    echo = DEFAULT_ROUTES["/anything"]
    paths = dict.fromkeys(("/get", "/post", "/put", "/delete", "/patch"), echo)
    async with LoopbackServer({**DEFAULT_ROUTES, **paths, "/cookies": cookies}) as server:
        yield server.url


async def told(response: Any) -> dict[str, Any]:
    told: dict[str, Any] = await response.json()
    return told


# -- seed 000


async def test_json(site: str) -> None:
    data = {"key1": "value1", "key2": "value2"}

    async with aiohttp.ClientSession() as session, session.post(f"{site}/post", json=data) as response:
        sent = await told(response)
    assert sent["json"] == data
    assert sent["headers"]["content-type"] == "application/json"


async def test_form_data(site: str) -> None:
    data = {"username": "john", "password": "1234"}

    async with aiohttp.ClientSession() as session, session.post(f"{site}/post", data=data) as response:
        print(await response.text())
        sent = await told(response)
    assert sent["form"] == data
    assert sent["headers"]["content-type"] == "application/x-www-form-urlencoded"


async def test_custom_headers(site: str) -> None:
    headers = {"X-Auth-Token": "secret-token"}
    async with aiohttp.ClientSession() as session, session.get(f"{site}/get", headers=headers) as response:
        print(await response.json())
        assert (await told(response))["headers"]["x-auth-token"] == "secret-token"


async def test_handling_errors(site: str) -> None:
    data = {"key": "value"}
    caught = None
    async with aiohttp.ClientSession() as session:
        try:
            async with session.post(f"{site}/status/503", json=data) as response:
                response.raise_for_status()
        except aiohttp.ClientResponseError as e:
            caught = e
    assert caught is not None
    assert caught.status == 503


# -- seed 001


async def test_other_methods(site: str) -> None:
    async with aiohttp.ClientSession(site) as session:
        for request, method, data in (
            (session.post("/post", data=b"data"), "POST", "data"),
            (session.put("/put", data=b"data"), "PUT", "data"),
            (session.delete("/delete"), "DELETE", ""),
            (session.head("/get"), None, None),
            (session.options("/get"), "OPTIONS", ""),
            (session.patch("/patch", data=b"data"), "PATCH", "data"),
        ):
            async with request as resp:
                assert resp.status == 200
                if method is not None:
                    sent = await told(resp)
                    assert (sent["method"], sent["data"]) == (method, data)


# -- seed 002


async def test_coroutines_of_old(site: str) -> None:
    @types.coroutine
    def go() -> Generator[Any, None, None]:
        url = f"{site}/post"
        payload = {"some": "data"}
        headers = {"content-type": "application/json"}
        r = yield from aiohttp.request("post", url, data=json.dumps(payload), headers=headers)
        sent = yield from r.json()
        assert (sent["json"], sent["headers"]["content-type"]) == (payload, "application/json")

        url = f"{site}/cookies"
        cookies = dict(cookies_are="working")  # noqa: C408
        r = yield from aiohttp.request("get", url, cookies=cookies)
        assert (yield from r.text()) == '{"cookies": "cookies_are=working"}'

        payload = {"key1": "value1", "key2": "value2"}
        r = yield from aiohttp.request("post", f"{site}/post", data=payload)
        yield from r.text()
        assert (yield from r.json())["form"] == payload

        payload = {"some": "data"}
        r = yield from aiohttp.request("post", f"{site}/post", data=json.dumps(payload))
        assert (yield from r.json())["data"] == '{"some": "data"}'

    await go()


# -- seed 003


async def test_more_complicated_post_requests(site: str) -> None:
    url = f"{site}/post"
    async with aiohttp.ClientSession() as session:
        payload = {"key1": "value1", "key2": "value2"}
        async with session.post(url, data=payload) as resp:
            print(await resp.text())
            assert (await told(resp))["form"] == payload

        async with session.post(url, data=b"\x00Binary-data\x00") as resp:
            sent = await told(resp)
            assert (sent["data"], sent["headers"]["content-type"]) == ("\x00Binary-data\x00", "application/octet-stream")

        async with session.post(url, json={"example": "test"}) as resp:
            sent = await told(resp)
            assert (sent["json"], sent["headers"]["content-type"]) == ({"example": "test"}, "application/json")

        async with session.post(url, data="Тест") as resp:
            sent = await told(resp)
            assert (sent["data"], sent["headers"]["content-type"]) == ("Тест", "text/plain; charset=utf-8")
