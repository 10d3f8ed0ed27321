"""From one response to the next request: redirects are followed here, and cookies travel along."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from yarl import URL

from .. import hdrs
from ..message.defaults import CutURL
from ..message.request import ClientRequest
from ..message.response import ClientResponse
from ..typedefs import LooseCookies
from .redirects import MAX_REDIRECTS, REDIRECT_STATUSES, Redirect, next_request
from .traces import NO_TRACES, Traces

if TYPE_CHECKING:
    from .cookiejar import AbstractCookieJar

#: Whether a redirect is followed: the response that redirects, and where to.
AllowRedirects: TypeAlias = bool | Callable[[ClientResponse, URL], object]
Send: TypeAlias = Callable[[ClientRequest], Awaitable[ClientResponse]]


class Hops:
    """How a request is led on by redirects.

    :param options: what its `ClientRequest` was made with by keyword, besides `params`, `data`, `cookies` and `session`.
    :param cookies: its own cookies, which stay with the origin it first went to.
    :param limit: with so many redirects it is an error.
    :param allow: asked about each redirect.
    """

    __slots__ = ("_allow", "_cookies", "_limit", "_options")

    def __init__(
        self,
        options: Mapping[str, Any],
        cookies: LooseCookies | None = None,
        limit: int | None = MAX_REDIRECTS,
        allow: AllowRedirects = True,
    ) -> None:
        self._options = options
        self._cookies = cookies
        self._limit = limit
        self._allow = allow

    async def follow(self, request: ClientRequest, response: ClientResponse, send: Send) -> ClientResponse:
        """The response that redirects lead to, from `response` to `request`: sent by `send`, the others in its history.

        Raises what `next_request` and `send` raise.
        """
        session = request.session
        options, cookies = dict(self._options), self._cookies
        history: list[ClientResponse] = []
        traces: Traces = options.get("traces", NO_TRACES)
        try:
            while response.status in REDIRECT_STATUSES:
                if response.sets_cookies:
                    store_cookies(session.cookie_jar, response, request.origin.key.host)
                if traces:
                    await traces.redirect(response)
                redirect = self._redirect(request, response, history)
                if redirect is None:
                    break
                response.release()
                history.append(response)
                if not redirect.same_origin:
                    cookies = None
                url = _carry(options, redirect, request)
                field = cookie_field(session.cookie_jar, url, cookies)
                body = (request.body or None) if redirect.keeps_body else None
                following = type(request)(redirect.method, url, data=body, cookies=field, session=session, **options)
                if body is not None:
                    request.disown_body()
                await request.close()
                request = following
                if traces:
                    traces.go_on(request, options["headers"])
                response = await send(request)
                response.history = tuple(history)
        except BaseException:
            response.release()
            raise
        finally:
            await request.close()
        return response

    def _redirect(self, request: ClientRequest, response: ClientResponse, history: list[ClientResponse]) -> Redirect | None:
        redirect = next_request(
            request.method,
            request.original_url,
            response,
            history=history,
            limit=self._limit,
            consumed=request.consumed,
            requote=request.session.requote_redirect_url,
        )
        if redirect is not None and callable(self._allow) and not self._allow(response, redirect.url):
            return None
        return redirect


def _carry(options: dict[str, Any], redirect: Redirect, request: ClientRequest) -> URL:
    """Leave in `options` what may go from `request` along with `redirect`. Returns where to.

    Credentials go no further than their origin, those of a session neither; a target may have some of its own, but they do not
    take the place of a field that the caller wrote.
    """
    url = redirect.url
    own = options.get("headers")
    fields = request.session.headers if own is None else own
    kept = redirect.fields(fields)
    if own is not None or len(kept) < len(fields):
        options["headers"] = kept
    options["auth"] = request.auth if redirect.same_origin else None
    if url.raw_user is not None or url.raw_password is not None:
        options["auth"] = None
        if hdrs.AUTHORIZATION in kept:
            url = url.with_user(None)
    if not redirect.same_origin:
        options.pop("server_hostname", None)
    if not redirect.keeps_body:
        for name in ("compress", "chunked", "expect100"):
            options.pop(name, None)
    return url


def may_have_cookies(jar: AbstractCookieJar, url: URL | CutURL) -> bool:
    """Whether it is worth asking `jar` for a Cookie field to `url`."""
    return jar.gives_to(url[1].key.host if isinstance(url, tuple) else url.raw_host or "")


def cookie_field(jar: AbstractCookieJar, url: URL, cookies: LooseCookies | None) -> str:
    """The Cookie field of a request to `url`, "" for none: what `jar` has, and a request's own `cookies`, which win."""
    field = jar.cookie_header(url)
    if not cookies:
        return field
    from ..wire.cookies import merge_cookies
    from .cookiejar import RequestCookies

    own = RequestCookies(jar, cookies).cookie_header(url)
    return merge_cookies((field,), own) if own else field


def store_cookies(jar: AbstractCookieJar, response: ClientResponse, host: str) -> None:
    """Put the cookies that `response`, from `host`, sets into `jar`. The response is closed if the jar raises."""
    try:
        if jar.takes_from(host):
            jar.update_cookies_from_headers(response.set_cookie_fields(), response.url)
    except BaseException:
        response.close()
        raise
