"""Test a client of an API without that API.

    python examples/mocked.py

`Stock` is what is to be tested; the tests are plain coroutines here, and would be tests of pytest elsewhere.
"""

from __future__ import annotations

import asyncio

import aiohttpx
from aiohttpx.testing import ASGIConnector, Mock, NotMocked


class Stock:
    def __init__(self, session: aiohttpx.ClientSession) -> None:
        self._session = session

    async def left(self, article: str) -> int:
        """How many there are; a server that is busy is asked again."""
        for _ in range(3):
            async with self._session.get("https://stock.example/articles", params={"name": article}) as response:
                if response.status != 503:
                    return int((await response.json())["left"])
        raise RuntimeError("the stock does not answer")


async def test_a_busy_server_is_asked_again() -> None:
    mock = Mock()
    route = mock.get("https://stock.example/articles", params={"name": "tea"}).reply(503).reply(json={"left": 7})
    async with aiohttpx.ClientSession(connector=mock.connector()) as session:
        assert await Stock(session).left("tea") == 7
    route.assert_called(times=2)


async def test_what_was_forgotten_is_named() -> None:
    mock = Mock()
    mock.get("https://stock.example/articles", params={"name": "tea"})
    async with aiohttpx.ClientSession(connector=mock.connector()) as session:
        try:
            await Stock(session).left("coffee")
        except NotMocked as error:
            print(error)


async def test_against_an_application() -> None:
    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b'{"left": %d}' % len(scope["query_string"])})

    async with aiohttpx.ClientSession(connector=ASGIConnector(app)) as session:
        assert await Stock(session).left("tea") == len("name=tea")


async def main() -> None:
    for test in (test_a_busy_server_is_asked_again, test_what_was_forgotten_is_named, test_against_an_application):
        await test()
        print(f"{test.__name__}: passed")


if __name__ == "__main__":
    asyncio.run(main())
