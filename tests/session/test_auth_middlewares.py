"""session/auth.py: Digest and Bearer against servers that check what they are sent."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aiohttpx import BearerAuthMiddleware, ClientError, ClientSession, DigestAuthMiddleware, TCPConnector
from aiohttpx.testing import Request, Response

from .site import Site

LONG = bytes(200_000)
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


def sent(site: Site) -> list[str | None]:
    return [request.headers.get("authorization") for request in site.asked]


class Checking:
    """Lets in whoever knows the secret, by a nonce that counts up with every `stale_after` requests."""

    def __init__(self, parameters: str = 'qop="auth", algorithm=SHA-256', *, stale_after: int = 1000) -> None:
        self.parameters = parameters
        self.stale_after = stale_after
        self.let_in = 0
        self.counts: list[str] = []

    @property
    def nonce(self) -> str:
        return f"nonce-{self.let_in // self.stale_after}"

    def __call__(self, request: Request) -> Response:
        field = request.headers.get("authorization") or ""
        said = {name: quoted or plain for name, quoted, plain in _FIELD.findall(field)}
        if not field.startswith("Digest ") or said["response"] != self.expected(request, said):
            return self.refusal("")
        if said["nonce"] != self.nonce:
            return self.refusal(", stale=true")
        self.let_in += 1
        self.counts.append(said.get("nc", ""))
        return Response.text(f"welcome {said['username']} {said.get('qop')}")

    def refusal(self, more: str) -> Response:
        field = f'Digest realm="r", nonce="{self.nonce}", opaque="o"{more}, {self.parameters}'
        return Response(401, [("WWW-Authenticate", 'Basic realm="r"'), ("WWW-Authenticate", field)], LONG)

    def expected(self, request: Request, said: dict[str, str]) -> str:
        algorithm = said["algorithm"].lower()
        in_session = algorithm.endswith("-sess")
        name = algorithm.removesuffix("-sess").replace("-", "", 1).replace("-", "_")

        def hashed(*parts: str | bytes) -> str:
            data = b":".join(part.encode() if isinstance(part, str) else part for part in parts)
            return hashlib.new(name, data).hexdigest()

        key = hashed(said["username"], said["realm"], "secret")
        if in_session:
            key = hashed(key, said["nonce"], said["cnonce"])
        asked = [request.method, request.target]
        if said.get("qop") == "auth-int":
            asked.append(hashed(request.body))
        counted = [said["nc"], said["cnonce"], said["qop"]] if "qop" in said else []
        return hashed(key, said["nonce"], *counted, hashed(*asked))


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """One that answers Digest challenges."""
    async with ClientSession(middlewares=(DigestAuthMiddleware("me", "secret"),), connector=TCPConnector(limit=1)) as session:
        yield session


async def status(session: ClientSession, url: str, **kwargs: Any) -> int:
    async with asyncio.timeout(10), session.get(url, **kwargs) as response:
        return response.status


@pytest.mark.parametrize("algorithm", ["", "MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"])
@pytest.mark.parametrize(
    ("offered", "qop"), [("", None), ("auth", "auth"), ("auth-int", "auth-int"), ("auth,auth-int", "auth-int")]
)
async def test_who_knows_the_secret_is_let_in(session: ClientSession, algorithm: str, offered: str, qop: str | None) -> None:
    parameters = {"algorithm": algorithm, "qop": f'"{offered}"' if offered else ""}
    checking = Checking(", ".join(["x=y", *(f"{name}={value}" for name, value in parameters.items() if value)]))
    async with Site(private=checking) as site, asyncio.timeout(10):
        for data in (None, b"body", io.BytesIO(b"file")):
            async with session.post(f"{site.url}/private/a%20b?c=%22d%22", data=data) as response:
                assert await response.text() == f"welcome me {qop}"
    assert len(site.asked) == 4  # one refusal
    assert checking.counts == (["00000001", "00000002", "00000003"] if qop else ["", "", ""])


async def test_it_answers_each_challenge_anew_if_it_is_told_to() -> None:
    checking = Checking()
    digest = DigestAuthMiddleware("me", "secret", preemptive=False)
    async with Site(private=checking) as site, ClientSession(middlewares=(digest,)) as session:
        for _ in range(2):
            async with session.get(f"{site.url}/private") as response:
                assert response.status == 200
    assert [field is None for field in sent(site)] == [True, False, True, False]


async def test_a_wrong_password_is_told_once_and_the_refusal_is_the_response() -> None:
    wrong = DigestAuthMiddleware("me", "wrong")
    async with Site(private=Checking()) as site, ClientSession(f"{site.url}/", middlewares=(wrong,)) as session:
        response = await session.get("private")
        assert (response.status, await response.read()) == (401, LONG)
    assert len(site.asked) == 2


async def test_a_nonce_that_has_become_stale_is_renewed(session: ClientSession) -> None:
    checking = Checking(stale_after=2)
    async with Site(private=checking) as site:
        assert [await status(session, f"{site.url}/private") for _ in range(6)] == [200] * 6
    assert len(site.asked) == 6 + 3
    assert checking.counts == ["00000001", "00000002"] * 3


async def test_nothing_but_digest_is_answered(session: ClientSession) -> None:
    basic = Response(401, [("WWW-Authenticate", 'Basic realm="r"')], b"")
    async with Site(private=lambda request: basic) as site:
        assert await status(session, f"{site.url}/private") == 401
    assert sent(site) == [None]


@pytest.mark.parametrize("parameters", ["algorithm=ROT13", "qop=auth-conf"])
async def test_a_challenge_that_cannot_be_met_is_an_error_and_no_connection_is_lost(
    session: ClientSession, parameters: str
) -> None:
    async with Site(private=Checking(parameters)) as site:
        for _ in range(2):
            with pytest.raises(ClientError, match="Unsupported"):
                await status(session, f"{site.url}/private")


async def test_integrity_of_what_is_compressed_on_its_way_is_not_known(session: ClientSession) -> None:
    async with Site(private=Checking("qop=auth-int")) as site:
        with pytest.raises(ClientError, match="compressed"):
            await session.put(f"{site.url}/private", data=b"body", compress="gzip")


async def test_a_body_that_was_consumed_is_not_sent_again(session: ClientSession) -> None:
    async def once() -> AsyncIterator[bytes]:
        yield b"x"

    async with Site(private=Checking()) as site:
        assert await status(session, f"{site.url}/private", data=once()) == 401
    assert len(site.asked) == 1


# -- origins


@pytest.mark.parametrize("warm", [False, True])
async def test_no_other_origin_gets_an_answer(session: ClientSession, warm: bool) -> None:
    async with Site(private=Checking()) as first, Site(private=Checking()) as second:
        if warm:
            assert await status(session, f"{first.url}/private") == 200
        assert await status(session, first.to(f"{second.url}/private")) == 401
        assert await status(session, f"{second.url}/private") == 401
    assert sent(second) == [None, None]


async def test_another_origin_gets_one_if_the_first_one_names_it(session: ClientSession) -> None:
    async with Site(private=Checking()) as second, Site(private=Checking(f'domain="{second.url}/private /private"')) as first:
        for url in (f"{first.url}/private", f"{second.url}/private", f"{second.url}/else"):
            assert await status(session, url) == 200
    assert [field is None for field in sent(second)] == [False, True]


async def test_one_that_is_named_names_no_further_ones(session: ClientSession) -> None:
    async with Site(private=Checking()) as third:
        naming = Checking(f'algorithm=SHA-256, qop="auth", domain="{third.url}/"')
        async with Site(private=naming) as second, Site(private=Checking(f'domain="{second.url}/"')) as first:
            assert [await status(session, f"{site.url}/private") for site in (first, second, third)] == [200, 200, 401]
        assert sent(third) == [None]


async def test_paths_outside_of_the_protection_space_are_left_alone(session: ClientSession) -> None:
    async with Site(private=Checking('domain="/private"')) as site:
        for path in ("private", "public", "private/deep", "privateer"):
            await status(session, f"{site.url}/{path}")
    assert [field is None for field in sent(site)] == [True, False, True, False, True]


@pytest.mark.parametrize("arguments", [(None, "x"), ("x", None), ("a:b", "x")])
def test_what_cannot_be_credentials_is_a_value_error(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        DigestAuthMiddleware(*arguments)


def test_no_repr_shows_a_secret() -> None:
    assert "secret" not in repr(DigestAuthMiddleware("me", "secret"))
    assert "secret" not in repr(BearerAuthMiddleware("secret"))


# -- bearer


class Tokens:
    """Gives tokens that count up; a site takes the one that is `valid`."""

    def __init__(self) -> None:
        self.given = 0
        self.valid = 1
        self.errors: list[BaseException] = []

    async def __call__(self) -> str:
        await asyncio.sleep(0.01)
        if self.errors:
            raise self.errors.pop()
        self.given += 1
        return f"token-{self.given}"

    def check(self, request: Request) -> Response:
        welcome = request.headers.get("authorization") == f"Bearer token-{self.valid}"
        return Response.text("welcome") if welcome else Response(401, [], LONG)


async def test_a_token_that_does_not_change(here: Site, there: Site) -> None:
    async with ClientSession(middlewares=(BearerAuthMiddleware("abc"),)) as session:
        await session.get(here.to(there.url))
        await session.get(there.url)
        await session.get(here.to("/end"))
    assert (sent(here), sent(there)) == (["Bearer abc"] * 3, [None, None])


async def test_the_owner_of_a_token_can_be_named(here: Site, there: Site) -> None:
    async with ClientSession(middlewares=(BearerAuthMiddleware("abc", origin=there.url + "/path"),)) as session:
        await session.get(here.url)
        await session.get(there.url)
    assert (sent(here), sent(there)) == ([None], ["Bearer abc"])


async def test_a_refused_token_that_does_not_change_is_the_callers_concern() -> None:
    async with Site(private=Tokens().check) as site, ClientSession(middlewares=(BearerAuthMiddleware("abc"),)) as session:
        response = await session.get(f"{site.url}/private")
        assert (response.status, await response.read()) == (401, LONG)
    assert len(site.asked) == 1


@pytest.mark.every_loop
async def test_many_refusals_renew_a_token_once() -> None:
    tokens = Tokens()
    async with Site(private=tokens.check) as site, ClientSession(middlewares=(BearerAuthMiddleware(tokens),)) as session:

        async def ask() -> int:
            async with session.post(f"{site.url}/private", data=b"body") as response:
                return response.status

        assert await asyncio.gather(*(ask() for _ in range(20))) == [200] * 20
        assert tokens.given == 1
        tokens.valid = 2
        assert await asyncio.gather(*(ask() for _ in range(20))) == [200] * 20
        assert tokens.given == 2


async def test_a_new_token_that_is_refused_too_is_the_callers_concern() -> None:
    tokens = Tokens()
    tokens.valid = 99
    async with Site(private=tokens.check) as site, ClientSession(middlewares=(BearerAuthMiddleware(tokens),)) as session:
        assert await status(session, f"{site.url}/private") == 401
    assert sent(site) == ["Bearer token-1", "Bearer token-2"]


async def test_all_who_wait_for_a_token_learn_that_there_is_none(here: Site) -> None:
    tokens = Tokens()
    tokens.errors.append(LookupError("no token"))
    async with ClientSession(middlewares=(BearerAuthMiddleware(tokens),)) as session:
        results = await asyncio.gather(*(session.get(here.url) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in results] == [LookupError] * 3
        async with session.get(here.url) as response:
            assert response.status == 200
    assert sent(here) == ["Bearer token-1"]


async def test_who_gives_up_leaves_the_renewal_to_the_others(here: Site) -> None:
    tokens = Tokens()
    async with ClientSession(middlewares=(BearerAuthMiddleware(tokens),)) as session:
        first, second, third = (asyncio.ensure_future(session.get(here.url)) for _ in range(3))
        await asyncio.sleep(0)
        first.cancel()
        async with asyncio.timeout(10):
            await asyncio.wait((first, second, third))
        assert first.cancelled()
        assert (await second).status == (await third).status == 200
    assert sent(here) == ["Bearer token-1"] * 2
    assert tokens.given == 1


@pytest.mark.parametrize(
    ("token", "error"), [("", ValueError), ("a secret", ValueError), ("secret\n", ValueError), (b"secret", TypeError)]
)
async def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(here: Site, token: Any, error: type[Exception]) -> None:
    async def give() -> Any:
        return token

    async with ClientSession() as session:
        with pytest.raises(error) as caught:
            await session.get(here.url, middlewares=(BearerAuthMiddleware(give),))
    assert "secret" not in str(caught.value)
    assert not here.asked
    if isinstance(token, str):
        with pytest.raises(ValueError, match="cannot be sent"):
            BearerAuthMiddleware(token)
