"""Options that several commands have: the request's fields, credentials, connections, TLS, limits; and the session they make."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import logging
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

from .. import (
    BasicAuth,
    BearerAuthMiddleware,
    ClientMiddlewareType,
    ClientSession,
    ClientTimeout,
    CookieJar,
    DigestAuthMiddleware,
    TCPConnector,
)
from .arguments import Parser, count, header, pair, seconds

#: Seconds until there is a connection, and of silence.
_CONNECT: Final = 30
_SILENCE: Final = 300


def add_request_options(parser: Parser) -> None:
    parser.add_argument("url", metavar="URL", help="http:// or https://")
    parser.add_argument("-X", "--method", metavar="METHOD", help="the method; by default GET, with content POST")
    parser.add_argument("--no-follow", action="store_true", help="do not follow redirects")
    parser.add_argument("--max-redirects", metavar="N", type=count, help="follow so many at most (10)")
    parser.add_argument("--no-decompress", action="store_true", help="leave the content of responses in its coding")


def add_session_options(parser: Parser) -> None:
    parser.add_argument(
        "-H", "--header", dest="headers", metavar="'NAME: VALUE'", action="append", default=[], type=header,
        help="a header; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "-p", "--param", dest="params", metavar="NAME=VALUE", action="append", default=[], type=pair,
        help="added to the query of the URL; repeatable",
    )  # fmt: skip
    parser.add_argument("-v", "--verbose", action="store_true", help="what goes over the wire, on standard error; no credentials")
    who = parser.add_argument_group("credentials (for the origin of the URL only, and never shown)")
    known = who.add_mutually_exclusive_group()
    known.add_argument(
        "-u", "--user", metavar="USER[:PASSWORD]", help="Basic; the terminal asks for a password that is not there"
    )
    known.add_argument("--bearer", metavar="TOKEN", help="a bearer token; @FILE: what is in the file")
    who.add_argument("--digest", action="store_true", help="Digest, with -u")
    who.add_argument(
        "--cookie", dest="cookies", metavar="NAME=VALUE", action="append", default=[], type=pair, help="a cookie; repeatable"
    )
    who.add_argument(
        "--cookie-jar", metavar="FILE", type=Path,
        help="take cookies from FILE if it is there, and keep them in it; .json: as JSON, else as cookies.txt",
    )  # fmt: skip
    way = parser.add_argument_group("connection")
    way.add_argument("--proxy", metavar="URL", help="an http, https or socks5 proxy")
    way.add_argument("--proxy-user", metavar="USER:PASSWORD", help="credentials for it")
    way.add_argument("--trust-env", action="store_true", help="proxies from HTTP_PROXY and its kin, credentials from ~/.netrc")
    way.add_argument("--timeout", metavar="SECONDS", type=seconds, help="for the whole request; by default there is none")
    way.add_argument(
        "--connect-timeout", metavar="SECONDS", type=seconds, default=_CONNECT, help=f"for the connection ({_CONNECT})"
    )
    way.add_argument("-k", "--insecure", action="store_true", help="do not verify certificates: anyone may read and change all")
    way.add_argument("--ca", metavar="FILE", help="verify by the authorities in this file (PEM) only")
    way.add_argument("--cert", metavar="FILE", help="the client's certificate (PEM)")
    way.add_argument("--key", metavar="FILE", help="its private key, unless that is in the same file")


def request_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Arguments of `ClientSession.request` but for the content."""
    arguments = fields_of(options)
    if options.max_redirects is not None:
        arguments["max_redirects"] = options.max_redirects
    decompress = False if options.no_decompress else None
    return {**arguments, "allow_redirects": not options.no_follow, "auto_decompress": decompress}


def fields_of(options: argparse.Namespace) -> dict[str, Any]:
    """The same of `ClientSession.ws_connect`. Given to the request, they go no further than they may when it is redirected."""
    headers = [*options.headers]
    if options.cookies:
        headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in options.cookies)))
    return {"params": options.params or None, "headers": headers}


@contextlib.asynccontextmanager
async def opened(
    options: argparse.Namespace, *, limit: int = 1, innermost: ClientMiddlewareType | None = None
) -> AsyncIterator[ClientSession]:
    """A session as `options` say, with up to `limit` connections. Cookies are kept when the block ends well.

    Raises `OSError` for a file that cannot be read, `ValueError` for one that is not what it should be.
    """
    auth, middlewares = _credentials(options)
    if innermost is not None:
        middlewares.append(innermost)
    jar = _jar(options.cookie_jar)
    async with ClientSession(
        connector=TCPConnector(limit=limit, ssl=_tls(options)),
        cookie_jar=jar,
        auth=auth,
        middlewares=middlewares,
        timeout=ClientTimeout(total=options.timeout, connect=options.connect_timeout, sock_read=_SILENCE),
        trust_env=options.trust_env,
        proxy=options.proxy,
        proxy_auth=None if options.proxy_user is None else BasicAuth(*_login(options.proxy_user), "utf-8"),
    ) as session:
        with _wire_log(options.verbose):
            yield session
    if options.cookie_jar is not None:
        (jar.save if _is_json(options.cookie_jar) else jar.save_cookies_txt)(options.cookie_jar)


def _credentials(options: argparse.Namespace) -> tuple[BasicAuth | None, list[ClientMiddlewareType]]:
    if options.digest and options.user is None:
        raise ValueError("--digest needs -u")
    if options.bearer is not None:
        token = options.bearer
        return None, [BearerAuthMiddleware(Path(token[1:]).read_text("utf-8").strip() if token.startswith("@") else token)]
    if options.user is None:
        return None, []
    login, password = _login(options.user)
    return (None, [DigestAuthMiddleware(login, password)]) if options.digest else (BasicAuth(login, password, "utf-8"), [])


def _login(text: str) -> tuple[str, str]:
    login, colon, password = text.partition(":")
    return login, password if colon or not sys.stdin.isatty() else getpass.getpass(f"Password of {login}: ")


def _jar(path: Path | None) -> CookieJar:
    jar = CookieJar(unsafe=True)  # a person who names an address means it
    if path is not None and path.exists():
        (jar.load if _is_json(path) else jar.load_cookies_txt)(path)
    return jar


def _is_json(path: Path) -> bool:
    return path.suffix == ".json"


def _tls(options: argparse.Namespace) -> ssl.SSLContext | bool:
    if options.key is not None and options.cert is None:
        raise ValueError("--key needs --cert")
    if options.ca is None and options.cert is None:
        return not options.insecure
    context = ssl.create_default_context(cafile=options.ca)
    if options.cert is not None:
        context.load_cert_chain(options.cert, options.key)
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@contextlib.contextmanager
def _wire_log(wanted: bool) -> Iterator[None]:
    """The wire log on standard error, while the block runs."""
    if not wanted:
        yield
        return
    logger, handler = logging.getLogger("aiohttpx.wire"), logging.StreamHandler(sys.stderr)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
