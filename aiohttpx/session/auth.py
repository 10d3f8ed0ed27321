"""Middlewares that authenticate: Digest (RFC 7616) and Bearer (RFC 6750). Credentials stay with the origin that they are for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final

from yarl import URL

from .. import hdrs
from ..errors import ClientError
from ..message.payload import Payload
from ..message.request import ClientRequest
from ..message.response import ClientResponse
from ..typedefs import StrOrURL
from .digest import DigestChallenge, DigestSession, covers, find_challenge, protection_spaces
from .middlewares import ClientHandlerType
from .redirects import origin_of

#: So many protection spaces are remembered at once.
_SESSIONS_KEPT: Final = 16

_SENDABLE: Final = re.compile(r"[!-~]+")


class DigestAuthMiddleware:
    """Answers Digest challenges. Requests that were refused are sent again, if their body can be.

    The credentials are for the origin of the first request, and for those that it names in the `domain` of its challenge. No
    other origin gets an answer to its challenges, and no other scheme than Digest is ever answered.

    :param login: the user's name, without a colon.
    :param password: it is not sent.
    :param preemptive: answer a challenge that is known already with every request to its protection space.

    A challenge that is malformed, or of no known algorithm, makes a request raise `ClientError`.
    """

    def __init__(self, login: str, password: str, preemptive: bool = True) -> None:
        if login is None:
            raise ValueError("None is not allowed as login value")
        if password is None:
            raise ValueError("None is not allowed as password value")
        if ":" in login:
            raise ValueError('A ":" is not allowed in username (RFC 1945#section-11.1)')
        self._login = login
        self._password = password
        self._preemptive = preemptive
        self._origin: tuple[str, str, int | None] | None = None
        self._sessions: list[DigestSession] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self._login!r}>"

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        self._origin = self._origin or origin_of(request.url)
        session = self._session_of(request.url)
        if session is None and origin_of(request.url) != self._origin:
            return await handler(request)
        if session is not None and self._preemptive:
            await self._authorize(request, session)
        response = await handler(request)
        for only_if_stale in (False, True):
            if response.status != 401 or request.consumed:
                break
            challenge = find_challenge(response.headers.getall(hdrs.WWW_AUTHENTICATE, ()))
            if challenge is None or (only_if_stale and not challenge.stale):
                break
            await self._authorize(request, self._begin(challenge, response.url))
            response.release()
            response = await handler(request)
        return response

    def _begin(self, challenge: DigestChallenge, url: URL) -> DigestSession:
        spaces = protection_spaces(challenge.domain, url, others=origin_of(url) == self._origin)
        session = DigestSession(challenge, spaces)
        self._sessions = [session, *(each for each in self._sessions if each.spaces != spaces)][:_SESSIONS_KEPT]
        return session

    def _session_of(self, url: URL) -> DigestSession | None:
        return next((each for each in self._sessions if any(covers(space, url) for space in each.spaces)), None)

    async def _authorize(self, request: ClientRequest, session: DigestSession) -> None:
        qop = session.challenge.qop
        body = None
        if "auth-int" in qop and ("auth" not in qop or (request.replayable and not request.compress)):
            if request.compress:
                raise ClientError("Digest auth error: qop=auth-int needs a body that is not compressed on its way")
            body = await request.body.as_bytes() if isinstance(request.body, Payload) else b""
        request.headers[hdrs.AUTHORIZATION] = session.authorize(
            self._login, self._password, request.method, request.url.raw_path_qs, body
        )


class BearerAuthMiddleware:
    """Sends a bearer token; when it is refused, it is renewed, and the request sent again, if its body can be.

    However many requests are refused at the same time, one of them renews the token and the others wait for it.

    :param token: the token, or an async callable that gives one: it is asked at first, and each time a token is refused.
    :param origin: whose token it is: a URL; by default the origin of the first request. No other one gets to see it.

    Raises `ValueError` for a token that cannot be sent. What the callable raises, the requests that wait for it raise.
    """

    def __init__(self, token: str | Callable[[], Awaitable[str]], *, origin: StrOrURL | None = None) -> None:
        self._token = _checked(token) if isinstance(token, str) else None
        self._renew = None if isinstance(token, str) else token
        self._origin = None if origin is None else origin_of(URL(origin))
        self._renewing: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self._origin}>"

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        origin = origin_of(request.url)
        self._origin = self._origin or origin
        if origin != self._origin:
            return await handler(request)
        token = self._token or await self._renewed(None)
        request.headers[hdrs.AUTHORIZATION] = f"Bearer {token}"
        response = await handler(request)
        if response.status == 401 and self._renew is not None and not request.consumed:
            response.release()
            request.headers[hdrs.AUTHORIZATION] = f"Bearer {await self._renewed(token)}"
            response = await handler(request)
        return response

    async def _renewed(self, refused: str | None) -> str:
        """A token that is newer than `refused`."""
        while self._token is None or self._token == refused:
            if self._renewing is None:
                return await self._lead()
            renewing = self._renewing
            await asyncio.wait((renewing,))
            if not renewing.cancelled():  # else it is to be tried by someone else
                renewing.result()
                break
        return str(self._token)

    async def _lead(self) -> str:
        """Renew the token, for all who wait."""
        self._renewing = renewing = asyncio.get_running_loop().create_future()
        try:
            self._token = token = _checked(await self._renew())  # type: ignore[misc]  # a str has been there from the beginning
            renewing.set_result(None)
            return token
        except Exception as error:
            renewing.set_exception(error)
            renewing.exception()  # nobody may have waited
            raise
        finally:
            renewing.cancel()  # unless it is done
            self._renewing = None


def _checked(token: str) -> str:
    if not isinstance(token, str):
        raise TypeError(f"A bearer token must be a str, not {type(token).__name__}")
    if not _SENDABLE.fullmatch(token):
        raise ValueError("The bearer token is empty, or has characters that cannot be sent")
    return token
