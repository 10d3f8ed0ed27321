"""Basic credentials of a session, a request and a URL: where they go, and where not."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator
from typing import Any

import pytest
from multidict import CIMultiDict
from yarl import URL

from aiohttpx import (
    BasicAuth,
    ClientRequest,
    ClientResponseError,
    ClientSession,
    InvalidUrlClientError,
    InvalidUrlRedirectClientError,
    NonHttpUrlRedirectClientError,
    encode_basic_auth,
)
from aiohttpx.testing import Response

from .site import Site

ME = BasicAuth("me", "secret")
FIELD = ME.encode()


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


def sent(site: Site) -> list[str | None]:
    return [request.headers.get("authorization") for request in site.asked]


def with_credentials(url: str, who: str = "me:secret") -> str:
    return url.replace("//", f"//{who}@", 1)


@pytest.mark.parametrize("verb", ["get", "head", "options", "post", "put", "patch", "delete", "query"])
async def test_a_request_has_its_own(here: Site, session: ClientSession, verb: str) -> None:
    async with getattr(session, verb)(here.url, auth=ME):
        pass
    assert sent(here) == [FIELD]


async def test_a_session_has_some_for_all_requests(here: Site) -> None:
    async with ClientSession(auth=ME) as session:
        assert session.auth == ME
        await session.get(here.url)
        await session.post(here.url, data=b"body")
        await session.get(here.url, auth=BasicAuth("other"))
        await session.get(with_credentials(here.url, "third:one"))
    assert sent(here) == [FIELD, FIELD, encode_basic_auth("other"), encode_basic_auth("third", "one")]


async def test_those_of_a_url_are_not_part_of_it(here: Site, session: ClientSession) -> None:
    async with session.get(with_credentials(here.url, "a%40b:p%3Ad") + "/path?q#f") as response:
        assert response.url == URL(here.url + "/path?q")
        assert response.real_url == URL(here.url + "/path?q#f")
    assert sent(here) == [encode_basic_auth("a@b", "p:d")]
    assert here.asked[0].headers["host"] == here.url.removeprefix("http://")
    assert "p:d" not in repr(response)


async def test_a_url_with_credentials_shares_connections(here: Site, session: ClientSession) -> None:
    for url in (here.url, with_credentials(here.url), here.url):
        await session.get(url)
    assert here.connections == 1
    assert sent(here) == [None, FIELD, None]


async def test_the_credentials_of_a_base_url_are_used(here: Site) -> None:
    async with ClientSession(with_credentials(here.url)) as session:
        await session.get("/path")
    assert sent(here) == [FIELD]


async def test_with_a_base_url_a_session_has_them_for_its_origin_only(here: Site, there: Site) -> None:
    async with ClientSession(here.url, auth=ME) as session:
        await session.get("/")
        await session.get(here.url)
        await session.get(there.url)
    assert (sent(here), sent(there)) == ([FIELD, FIELD], [None])


# -- redirects


async def test_they_go_along_to_the_same_origin(here: Site, session: ClientSession) -> None:
    await session.get(here.to("/to/307?/end"), auth=ME)
    await session.get(with_credentials(here.to("/to/307?/end")))
    async with ClientSession(auth=ME) as with_auth:
        await with_auth.get(here.to("/to/307?/end"))
    assert sent(here) == [FIELD] * 9


@pytest.mark.parametrize("given", ["by the request", "by the URL", "by the session"])
async def test_they_go_to_no_other_origin_and_are_not_taken_up_again(here: Site, there: Site, given: str) -> None:
    url = here.to(there.to(here.url + "/back"))
    async with ClientSession(auth=ME if given == "by the session" else None) as session:
        if given == "by the request":
            await session.get(url, auth=ME)
        else:
            await session.get(with_credentials(url) if given == "by the URL" else url)
    assert (sent(here), sent(there)) == ([FIELD, None], [None])


async def test_the_target_of_a_redirect_may_have_some_of_its_own(here: Site, there: Site, session: ClientSession) -> None:
    await session.get(here.to(with_credentials(there.to("/end"), "a:b")), auth=ME)
    await session.get(here.to(with_credentials(here.url, "a:b")), auth=ME)
    theirs = encode_basic_auth("a", "b")
    assert (sent(here), sent(there)) == ([FIELD, FIELD, theirs], [theirs, theirs])


async def test_a_target_does_not_take_the_place_of_a_field_that_was_given(here: Site, session: ClientSession) -> None:
    await session.get(here.to(with_credentials(here.url, "a:b")), headers={"Authorization": "Bearer mine"})
    assert sent(here) == ["Bearer mine", "Bearer mine"]


# -- bad input


@pytest.mark.parametrize(
    ("by_session", "by_request", "url"),
    [
        ({}, {"auth": ME, "headers": {"authorization": "x"}}, ""),
        ({"headers": {"Authorization": "x"}}, {"auth": ME}, ""),
        ({"headers": {"Authorization": "x"}, "auth": ME}, {}, ""),
        ({"auth": ME}, {"headers": {"Authorization": "x"}}, ""),
        ({}, {"headers": {"Authorization": "x"}}, "me:secret"),
        ({}, {"auth": ME}, "me:secret"),
    ],
)
async def test_there_can_be_only_one(here: Site, by_session: dict[str, Any], by_request: dict[str, Any], url: str) -> None:
    async with ClientSession(**by_session) as session:
        with pytest.raises(ValueError, match="Cannot combine AUTH") as caught:
            await session.get(with_credentials(here.url, url) if url else here.url, **by_request)
    assert "secret" not in str(caught.value)
    assert not here.asked


async def test_what_is_no_basic_auth_is_a_type_error(here: Site, session: ClientSession) -> None:
    with pytest.raises(TypeError, match="must be a BasicAuth, not tuple") as caught:
        await session.get(here.url, auth=("me", "secret"))
    assert "secret" not in str(caught.value)
    assert not here.asked


@pytest.mark.parametrize(
    "url",
    [
        "http://a%3Ab:secret@example.org/",
        "http://me:secret@:80/",
        "http://me:secret@example.org:x/",
        "http://me:sec/ret?secret@example.org/",
        "http://me:secret@\u2100.example/",  # which the reason why it is none would quote
    ],
)
async def test_a_url_that_cannot_be_used_is_told_without_its_secret(session: ClientSession, url: str) -> None:
    with pytest.raises(InvalidUrlClientError) as caught:
        await session.get(url)
    assert "secret" not in "".join(traceback.format_exception_only(caught.value)) + f"{caught.value!r} {caught.value.__cause__}"
    assert "http://...@" in str(caught.value)


@pytest.mark.parametrize(
    "base_url", ["http://me:secret@example.org/a", "me:secret@example.org/", "http://me:secret@\u2100.example/"]
)
def test_a_base_url_that_cannot_be_used_is_told_without_its_secret(base_url: str) -> None:
    with pytest.raises(ValueError, match="example") as caught:
        ClientSession(base_url)
    assert "secret" not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http:\\\\me:secret@example.org", "http:\\\\...@example.org"),
        ("http:me:secret@example.org", "http:...@example.org"),
        ("me:secret@example.org/", "me:...@example.org/"),
        ("//me:sec@ret@example.org/a@b", "//...@example.org/a@b"),
        ("http://example.org:80/a@b?c@d", "http://example.org:80/a@b?c@d"),
        ("a@b", "a@b"),
        ("http://" + ":x" * 30_000, "http://" + ":x" * 30_000),
    ],
)
def test_how_a_url_is_told(url: str, shown: str) -> None:
    assert str(InvalidUrlClientError(url)) == shown


@pytest.mark.parametrize(
    ("target", "error"),
    [("ftp://me:secret@example.org/", NonHttpUrlRedirectClientError), ("http://me:secret@:1/", InvalidUrlRedirectClientError)],
)
async def test_a_redirect_that_leads_nowhere_is_told_without_its_secret(
    here: Site, session: ClientSession, target: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        await session.get(here.to(target))
    assert "secret" not in f"{caught.value} {caught.value!r}"


async def test_credentials_that_the_charset_lacks_are_a_value_error(here: Site, session: ClientSession) -> None:
    with pytest.raises(ValueError, match="latin1"):
        await session.get(here.url, auth=BasicAuth("me", "пароль"))
    await session.get(with_credentials(here.url, "me:пароль"))
    assert sent(here) == [encode_basic_auth("me", "пароль")]


# -- requests by hand


async def test_a_request_by_hand_takes_credentials_too() -> None:
    request = ClientRequest("GET", URL("http://example.org/"), auth=ME)
    assert request.auth == ME
    assert request.headers["Authorization"] == FIELD
    request = ClientRequest("GET", URL("http://me:secret@example.org/"), headers=CIMultiDict({"X": "1"}))
    assert (request.auth, request.url) == (ME, URL("http://example.org/"))
    assert "secret" not in repr(request)
    assert ClientRequest("GET", URL("http://example.org/")).auth is None


async def test_a_session_field_with_credentials_is_serialized_once(here: Site) -> None:
    async with ClientSession(headers={"Authorization": "Bearer mine"}) as session:
        await session.get(here.url)
        await session.get(here.to("/end"))
        session.headers["Authorization"] = "Bearer new"
        await session.get(here.url)
    assert sent(here) == ["Bearer mine"] * 3 + ["Bearer new"]


async def test_the_other_end_of_the_wire_sees_what_was_given() -> None:
    def check(request: Any) -> Response:
        asked = request.headers.get("authorization")
        return Response.text("welcome") if asked == FIELD else Response(401, [("WWW-Authenticate", 'Basic realm="x"')], b"")

    async with Site(private=check) as site, ClientSession() as session:
        async with session.get(site.url + "/private") as response:
            assert response.status == 401
        async with session.get(site.url + "/private", auth=ME) as response:
            assert await response.text() == "welcome"


async def test_no_repr_of_a_response_or_an_error_shows_secrets(here: Site) -> None:
    def refuse(request: Any) -> Response:
        return Response(401, [("Set-Cookie", "a=secret"), ("X-Shown", "this"), ("Location", "//me:secret@there/")], b"")

    fields = {"Cookie": "b=secret", "Proxy-Authorization": "secret", "X-Own": "that"}
    async with Site(private=refuse) as site, ClientSession(auth=ME, headers=fields) as session:
        response = await session.get(site.url + "/private", cookies={"c": "secret"})
        with pytest.raises(ClientResponseError) as caught:
            response.raise_for_status()
    for text in (repr(response), repr(response.request_info), repr(caught.value), str(caught.value)):
        assert "secret" not in text
        assert FIELD.split()[1] not in text
    assert "'Set-Cookie': '[redacted]', 'X-Shown': 'this', 'Location': '//...@there/'" in repr(response)
    assert "'X-Own': 'that'" in repr(caught.value)
    assert response.headers["Set-Cookie"] == "a=secret"
    assert response.request_info.headers["Authorization"] == FIELD


async def test_a_secret_with_a_line_break_is_not_shown(here: Site, session: ClientSession) -> None:
    with pytest.raises(ValueError, match="Bad field value of 'Authorization'") as caught:
        await session.get(here.url, headers={"Authorization": "Bearer secret\n"})
    assert "secret" not in str(caught.value)
    assert not here.asked
