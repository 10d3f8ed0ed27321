"""session/retry.py: what is tried again, when, and how often."""

from __future__ import annotations

import asyncio
import gc
import io
import ssl
import weakref
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from aiohttpx import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientResponse,
    ClientSession,
    RetryMiddleware,
    ServerDisconnectedError,
    ServerTimeoutError,
    TCPConnector,
)
from aiohttpx.session import retry
from aiohttpx.session.retry import retry_after
from aiohttpx.testing import ExpectRequest, Request, Reset, Response, ScriptedPeer

from .site import Site, lines

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LONG = bytes(200_000)


class Failing:
    """Answers with one status after the other, and with 200 from then on."""

    def __init__(self, *statuses: int, **fields: str) -> None:
        self._statuses = list(statuses)
        self._fields = [(name.replace("_", "-"), value) for name, value in fields.items()]

    def __call__(self, request: Request) -> Response:
        return Response(self._statuses.pop(0), self._fields, LONG) if self._statuses else Response.text("done")


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, in no time."""
    made: list[float] = []

    async def sleep(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr(retry, "asyncio", SimpleNamespace(sleep=sleep, get_running_loop=asyncio.get_running_loop))
    return made


async def get(client: ClientSession, url: str, **kwargs: Any) -> ClientResponse:
    async with asyncio.timeout(10), client.get(url, **kwargs) as response:
        await response.read()
    return response


def session(*arguments: Any, **kwargs: Any) -> ClientSession:
    return ClientSession(middlewares=(RetryMiddleware(*arguments, **kwargs),), connector=TCPConnector(limit=1))


# -- when


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_status_that_says_not_now_is_tried_again(status: int) -> None:
    async with Site(failing=Failing(status, status)) as site, session() as client:
        response = await get(client, f"{site.url}/failing")
        assert await response.text() == "done"
    assert [attempt.status for attempt in response.attempts] == [status, status, 200]
    assert all(attempt.error is None and attempt.seconds > 0 for attempt in response.attempts)


@pytest.mark.parametrize("status", [200, 204, 304, 400, 401, 404, 501])
async def test_other_ones_are_not(status: int) -> None:
    async with Site(failing=Failing(status)) as site, session() as client, client.get(f"{site.url}/failing") as response:
        assert response.status == status
    assert len(response.attempts) == len(site.asked) == 1


async def test_what_the_last_attempt_gave_is_the_response(pauses: list[float]) -> None:
    async with Site(failing=Failing(*[503] * 9)) as site, session(3) as client, client.get(f"{site.url}/failing") as response:
        assert (response.status, await response.read()) == (503, LONG)
    assert len(site.asked) == 3
    assert [attempt.pause for attempt in response.attempts] == [*pauses, 0]
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("method", "times"), [("GET", 2), ("HEAD", 2), ("OPTIONS", 2), ("PUT", 2), ("DELETE", 2), ("POST", 1), ("PATCH", 1)]
)
async def test_only_what_is_idempotent_is_sent_twice(method: str, times: int) -> None:
    async with Site(failing=Failing(503)) as site, session() as client:
        await client.request(method, f"{site.url}/failing")
    assert lines(site) == [f"{method} /failing"] * times


async def test_others_are_if_the_caller_says_so() -> None:
    async with Site(failing=Failing(503)) as site, session(methods=("post",)) as client:
        await client.post(f"{site.url}/failing", data=b"body")
        await client.get(f"{site.url}/failing")
    async with Site(failing=Failing(503, 503)) as another, session() as client:
        await client.post(f"{another.url}/failing", headers={"idempotency-key": "1"})
    async with Site(failing=Failing(503)) as third, session(methods=None) as client:
        await client.patch(f"{third.url}/failing")
    assert [len(each.asked) for each in (site, another, third)] == [3, 3, 2]


@pytest.mark.parametrize("data", [b"bytes", "text", {"a": "b"}, {"file": b"in a form"}, io.BytesIO(LONG)])
async def test_the_body_is_sent_again(data: Any) -> None:
    async with Site(failing=Failing(503, 503)) as site, session() as client:
        await client.put(f"{site.url}/failing", data=data)
    assert len(site.asked) == 3
    assert site.asked[0].body
    assert len({request.body for request in site.asked}) == 1


async def test_a_body_that_was_consumed_is_not() -> None:
    async def once() -> AsyncIterator[bytes]:
        yield b"x"

    async with (
        Site(failing=Failing(503)) as site,
        session() as client,
        client.put(f"{site.url}/failing", data=once()) as response,
    ):
        assert response.status == 503
    assert len(site.asked) == 1


# -- errors


@pytest.mark.every_loop
async def test_a_connection_that_fails_is_tried_again() -> None:
    async with ScriptedPeer([ExpectRequest(), Reset()], [ExpectRequest(), Reset()], OK) as peer, session() as client:
        response = await get(client, peer.url)
        assert await response.text() == "ok"
    first, second, third = response.attempts
    assert isinstance(first.error, ServerDisconnectedError | OSError)
    assert (first.status, second.status, third.status, third.error) == (None, None, 200, None)


async def test_an_error_has_notes_of_the_attempts_before() -> None:
    refusal = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
    async with ScriptedPeer([ExpectRequest(), refusal, ExpectRequest(), Reset()], [ExpectRequest(), Reset()]) as peer:
        with pytest.raises((ServerDisconnectedError, OSError)) as caught:
            async with session(3) as client:
                await client.get(peer.url)
    notes = caught.value.__notes__
    assert notes[0] == "Attempt 1: 503"
    assert len(notes) == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_was_not_sent_is_tried_again_whatever_its_method(method: str, pauses: list[float]) -> None:
    async with session(3) as client:
        with pytest.raises(ClientConnectorError):
            await client.request(method, "http://127.0.0.1:9/", data=b"body" if method == "POST" else None)
    assert len(pauses) == 2


async def test_a_post_that_may_have_been_sent_is_not() -> None:
    async with ScriptedPeer([ExpectRequest(), Reset()]) as peer, session() as client:
        with pytest.raises((ServerDisconnectedError, OSError)):
            await client.post(peer.url)
        assert len(peer.connections) == 1


async def test_what_a_certificate_says_is_final(pauses: list[float]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with Site(context) as site, session() as client:
        with pytest.raises(ClientConnectorCertificateError):
            await client.get(site.url)
    assert not pauses


async def test_errors_can_be_chosen(pauses: list[float]) -> None:
    async with session(errors=(ServerDisconnectedError,)) as client:
        with pytest.raises(ClientConnectorError):
            await client.get("http://127.0.0.1:9/")
    assert not pauses


async def test_the_log_holds_no_response(here: Site) -> None:
    async with ScriptedPeer([ExpectRequest(), Reset()], OK) as peer, session() as client:
        response = await client.get(peer.url)
        assert response.attempts[0].error is not None
        gc.collect()
        gc.disable()
        try:
            gone = weakref.ref(response)
            del response
            assert gone() is None
        finally:
            gc.enable()


async def test_a_session_that_was_closed_is_not_tried(pauses: list[float]) -> None:
    async def close(request: Any, handler: Callable[..., Any]) -> Any:
        await client.close()
        return await handler(request)

    client = session()
    with pytest.raises((RuntimeError, OSError, Exception), match="closed"):
        await client.get("http://127.0.0.1:9/", middlewares=(RetryMiddleware(), close))
    assert not pauses


# -- pauses


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_obeyed(pauses: list[float], status: int) -> None:
    async with Site(failing=Failing(status, Retry_After="7")) as site, session(backoff=0) as client:
        await client.get(f"{site.url}/failing")
    assert pauses == [7]


async def test_retry_after_can_be_a_date(pauses: list[float]) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    async with Site(failing=Failing(503, Retry_After=date)) as site, session(backoff=0) as client:
        await client.get(f"{site.url}/failing")
    assert 0 < pauses[0] <= 20


async def test_a_server_that_wants_a_longer_pause_is_not_asked_again(pauses: list[float]) -> None:
    async with (
        Site(failing=Failing(503, Retry_After="31")) as site,
        session() as client,
        client.get(f"{site.url}/failing") as response,
    ):
        assert response.status == 503
    assert (len(site.asked), pauses) == (1, [])


async def test_pauses_grow_up_to_a_limit(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    monkeypatch.setattr(retry.random, "uniform", lambda low, high: high)
    async with Site(failing=Failing(*[500] * 6)) as site, session(7, backoff=0.5, max_pause=4) as client:
        await client.get(f"{site.url}/failing")
    assert pauses == [0.5, 1, 2, 4, 4, 4]


async def test_pauses_are_random(pauses: list[float]) -> None:
    async with Site(failing=Failing(*[500] * 20)) as site, session(21, backoff=1, max_pause=1) as client:
        await client.get(f"{site.url}/failing")
    assert len(set(pauses)) > 10
    assert all(0 <= pause <= 1 for pause in pauses)


async def test_no_pause_reaches_beyond_the_total(pauses: list[float]) -> None:
    async with Site(failing=Failing(503, Retry_After="5")) as site, session(total=4) as client:
        assert (await get(client, f"{site.url}/failing")).status == 503
    assert not pauses


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("9" * 5000, float("inf")),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20),
        ("Thursday, 01-Jan-70 00:02:00 GMT", 20),
        ("Thu, 01 Jan 1970 00:02:00 -0000", 20),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Thu, 99 Jan 1970 00:00:00 GMT", None),
    ],
)
def test_retry_after_in_both_forms(field: str | None, seconds: float | None) -> None:
    assert retry_after(field, 100.0) == seconds


# -- the budget


async def test_when_the_budget_is_spent_nothing_is_tried_again() -> None:
    middleware = RetryMiddleware(2, budget=2)
    async with Site(failing=Failing(*[500] * 100)) as site, ClientSession(middlewares=(middleware,)) as client:
        for _ in range(4):
            await client.get(f"{site.url}/failing")
        assert len(site.asked) == 4 + 2
        assert middleware.budget_left == 0
        for _ in range(10):
            await client.get(site.url)
        assert middleware.budget_left == pytest.approx(1)
        for _ in range(30):
            await client.get(site.url)
        assert middleware.budget_left == 2


async def test_without_a_budget_there_is_no_end() -> None:
    middleware = RetryMiddleware(100, budget=None)
    async with Site(failing=Failing(*[500] * 80)) as site, ClientSession(middlewares=(middleware,)) as client:
        await client.get(f"{site.url}/failing")
        assert len(site.asked) == 81
        assert middleware.budget_left is None


# -- together with the rest


async def test_each_hop_is_tried_by_itself() -> None:
    async with Site(failing=Failing(503)) as site, session() as client, client.get(site.to("/failing")) as response:
        assert response.status == 200
        assert [len(each.attempts) for each in (*response.history, response)] == [1, 2]
    assert len(site.asked) == 3


async def test_the_limit_of_the_request_is_for_all_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "asyncio", asyncio)
    async with Site(failing=Failing(*[503] * 100, Retry_After="25")) as site, session() as client, asyncio.timeout(10):
        with pytest.raises(ServerTimeoutError, match=r"\(total\)"):
            await client.get(f"{site.url}/failing", timeout=0.1)
    assert len(site.asked) == 1


@pytest.mark.parametrize("arguments", [{"attempts": 0}, {"backoff": -1}, {"max_pause": -1}])
def test_what_makes_no_sense_is_a_value_error(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"attempts|negative"):
        RetryMiddleware(**arguments)
