"""Cookie jars: what they take from a response, and what they give to a request (RFC 6265bis, sections 5.7 and 5.8)."""

from __future__ import annotations

import asyncio
import logging
import time
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from http.cookies import BaseCookie, Morsel, SimpleCookie
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from yarl import URL

from ..typedefs import LooseCookies, PathLike, StrOrURL
from ..wire.cookies import can_be_sent, code_value, named_cookies, unsendable
from ..wire.setcookie import expiry, parse_morsels, parse_set_cookie
from .cookiefile import of_cookies_txt, of_json, to_cookies_txt, to_json, write_private
from .cookiestore import CookieStore, StoredCookie, is_within
from .publicsuffix import is_public_suffix

ClearCookiePredicate: TypeAlias = Callable[["Morsel[str]"], bool]

_log = logging.getLogger("aiohttpx.client")

_SECURE_SCHEMES: Final = frozenset({"https", "wss"})
_NOWHERE: Final = URL()


class AbstractCookieJar(Sized, Iterable["Morsel[str]"]):
    """What a session keeps its cookies in. A jar of your own has the six abstract methods; the rest follows from them.

    :param loop: accepted and not needed.
    """

    def __init__(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop

    @property
    def unsafe(self) -> bool:
        """Hosts that are IP addresses have cookies too."""
        return False

    @property
    def quote_cookie(self) -> bool:
        """Values that need it are quoted; never those that a server has set."""
        return True

    @property
    def treat_as_secure_origin(self) -> frozenset[URL]:
        """Origins that get Secure cookies, though the connection to them is not."""
        return frozenset()

    @property
    def cookies(self) -> MappingProxyType[tuple[str, str], SimpleCookie]:
        """What is in the jar now, by domain and path (without its last slash)."""
        cookies: dict[tuple[str, str], SimpleCookie] = {}
        for morsel in self:
            place = morsel["domain"], morsel["path"].rstrip("/")
            cookies.setdefault(place, SimpleCookie())[morsel.key] = morsel
        return MappingProxyType(cookies)

    @property
    def host_only_cookies(self) -> frozenset[tuple[str, str, str]]:
        """Domain, path (without its last slash) and name of the cookies that do not go to subdomains."""
        return frozenset()

    @abstractmethod
    def clear(self, predicate: ClearCookiePredicate | None = None) -> None:
        """Forget all cookies, or those that `predicate` says True to."""

    @abstractmethod
    def clear_domain(self, domain: str) -> None:
        """Forget the cookies of `domain` and of its subdomains."""

    @abstractmethod
    def update_cookies(self, cookies: LooseCookies, response_url: URL = _NOWHERE) -> None:
        """Take in `cookies` that came from `response_url`, or from nowhere: then they go to every host, if they do not say
        otherwise."""

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        """Take in the Set-Cookie fields of a response."""
        if cookies := parse_morsels(headers):
            self.update_cookies(cookies, response_url)

    def takes_from(self, host: str) -> bool:
        """Whether it looks at cookies from there at all: if not, nobody need read them."""
        return True

    def gives_to(self, host: str) -> bool:
        """Whether it could have a cookie for that host: if not, nobody need ask it further."""
        return True

    @abstractmethod
    def filter_cookies(self, request_url: URL) -> BaseCookie[str]:
        """The cookies that a request to `request_url` gets."""

    def cookie_header(self, request_url: URL) -> str:
        """The same as the value of a Cookie field; "" when there are none."""
        return "; ".join([f"{morsel.key}={morsel.coded_value}" for morsel in self.filter_cookies(request_url).values()])


#: Methods of `AbstractCookieJar`, and what `CookieJar` has for the same in quicker.
_QUICKER: Final = (
    ("filter_cookies", "cookie_header"),
    ("filter_cookies", "gives_to"),
    ("cookie_header", "gives_to"),
    ("update_cookies_from_headers", "takes_from"),
)


class CookieJar(AbstractCookieJar):
    """Keeps cookies as browsers do: by domain and path, Secure, host-only, until they end.

    Cookies that cannot be accepted are left out without a word, as RFC 6265bis asks. Cookies for a whole public suffix are among
    them: for every domain without a dot, and for all of publicsuffix.org's list when the `psl` extra is installed.

    :param unsafe: hosts that are IP addresses have cookies too.
    :param quote_cookie: quote values that need it; those that a server has set are sent back as they came in any case.
    :param treat_as_secure_origin: origins that get Secure cookies, though the connection to them is not.
    :param loop: accepted and not needed.
    """

    def __init__(
        self,
        *,
        unsafe: bool = False,
        quote_cookie: bool = True,
        treat_as_secure_origin: StrOrURL | Iterable[StrOrURL] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(loop=loop)
        self._unsafe = unsafe
        self._quote_cookie = quote_cookie
        origins = treat_as_secure_origin or ()
        self._secure_origins = frozenset(
            URL(origin).origin() for origin in ((origins,) if isinstance(origins, (str, URL)) else origins)
        )
        self._store = CookieStore()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # What a subclass has made its own shall be asked, and not what is quicker here.
        for own, quicker in _QUICKER:
            if own in cls.__dict__ and quicker not in cls.__dict__:
                setattr(cls, quicker, getattr(AbstractCookieJar, quicker))

    def __len__(self) -> int:
        """How many there are; some may have ended since anyone looked."""
        return len(self._store)

    def __iter__(self) -> Iterator[Morsel[str]]:
        self._store.expire(time.time())
        return filter(None, [cookie.morsel() for cookie in self._store])

    @property
    def unsafe(self) -> bool:
        return self._unsafe

    @property
    def quote_cookie(self) -> bool:
        return self._quote_cookie

    @property
    def treat_as_secure_origin(self) -> frozenset[URL]:
        return self._secure_origins

    @property
    def _cookies(self) -> MappingProxyType[tuple[str, str], SimpleCookie]:
        """Consumers of aiohttp read it under this name."""
        return self.cookies

    @property
    def host_only_cookies(self) -> frozenset[tuple[str, str, str]]:
        return frozenset((cookie.domain, cookie.path.rstrip("/"), cookie.name) for cookie in self._store if cookie.host_only)

    # -- forgetting

    def clear(self, predicate: ClearCookiePredicate | None = None) -> None:
        if predicate is None:
            self._store = CookieStore()
            return
        self._store.expire(time.time())
        self._store.remove_where(lambda cookie: (morsel := cookie.morsel()) is None or predicate(morsel))

    def clear_domain(self, domain: str) -> None:
        domain = domain.lower().removeprefix(".")
        self._store.remove_where(lambda cookie: cookie.domain and is_within(cookie.domain, domain))

    # -- giving

    def filter_cookies(self, request_url: URL = _NOWHERE) -> BaseCookie[str]:
        """The cookies that a request to `request_url` gets, by name: of several with one name, the one of the closest domain and
        longest path."""
        if not isinstance(request_url, URL):
            warnings.warn("filter_cookies takes a yarl.URL", DeprecationWarning, stacklevel=2)
            request_url = URL(request_url)
        self._store.expire(time.time())
        filtered: BaseCookie[str] = BaseCookie()
        for cookie in sorted(self._matching(request_url), key=lambda cookie: (len(cookie.domain), len(cookie.path))):
            if (morsel := cookie.bare_morsel()) is not None:
                filtered[cookie.name] = morsel
        return filtered

    def cookie_header(self, request_url: URL) -> str:
        """The Cookie field that a request to `request_url` gets, "" for none: all that match, the longest path first, then the
        oldest."""
        return "; ".join([cookie.pair for cookie in self._matching(request_url)]) if self._store else ""

    def _matching(self, url: URL) -> list[StoredCookie]:
        return self._store.matching((url.raw_host or "").lower(), url.raw_path or "/", self._is_secure(url), time.time())

    def _is_secure(self, url: URL) -> bool:
        if url.scheme in _SECURE_SCHEMES:
            return True
        return bool(self._secure_origins) and url.absolute and url.origin() in self._secure_origins

    # -- taking

    def update_cookies(self, cookies: LooseCookies, response_url: URL = _NOWHERE) -> None:
        """Take in `cookies`. What is given as plain text must be one that can be sent, or it is a `ValueError`."""
        host = (response_url.raw_host or "").lower()
        if self._refuses(host):
            return
        for name, cookie in named_cookies(cookies):
            coded = code_value(cookie, self._quote_cookie)
            attributes: dict[str, Any] = {}
            if isinstance(cookie, Morsel):
                attributes = {key: value for key, value in cookie.items() if value}
            elif not can_be_sent(name, coded):
                raise unsendable(name)
            self._take(name, coded, attributes, host, response_url)

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        host = (response_url.raw_host or "").lower()
        if self._refuses(host):
            return
        for field in headers:
            cookie = parse_set_cookie(field)
            if cookie is None:
                name = field.partition(";")[0].partition("=")[0].strip()
                if "," in name:  # the value may be a secret, and is not shown
                    _log.warning("Can not load cookies: Illegal cookie name %r", name)
            elif self._may_be_set(*cookie, host, response_url):
                self._take(*cookie, host, response_url)

    def takes_from(self, host: str) -> bool:
        return not self._refuses(host)

    def gives_to(self, host: str) -> bool:
        return self._store.knows(host)

    def _refuses(self, host: str) -> bool:
        return not self._unsafe and _is_ip_address(host)

    def _may_be_set(self, name: str, coded: str, attributes: Mapping[str, str], host: str, url: URL) -> bool:
        """What servers may not do to each other by cookies (RFC 6265bis, section 5.7, steps 16 to 20)."""
        is_secure = self._is_secure(url)
        prefix = name[:9].lower()
        if prefix.startswith("__host-") and (attributes.get("domain") or attributes.get("path") != "/"):
            return False
        if prefix.startswith(("__host-", "__secure-")) and not ("secure" in attributes and is_secure):
            return False
        return is_secure or not self._store.guards(name, _domain(attributes) or host, _path(attributes, url))

    def _take(self, name: str, coded: str, attributes: Mapping[str, Any], host: str, url: URL) -> None:
        scope = self._scope(_domain(attributes), host)
        if scope is None or not can_be_sent(name, coded):
            return
        domain, host_only = scope
        now = time.time()
        cookie = StoredCookie(
            name,
            coded,
            domain,
            _path(attributes, url),
            host_only=host_only,
            secure="secure" in attributes,
            expires=expiry(attributes, now),
            guarded="secure" in attributes and (not host or self._is_secure(url)),
            attributes=attributes,
        )
        store = self._store
        if cookie.ended(now):
            store.discard(domain, cookie.identity)
            return
        if host == domain:
            # The host itself has changed its mind about its subdomains; none of those could do that for it.
            store.discard(domain, (name, cookie.path, not host_only))
        store.put(cookie, now)

    def _scope(self, domain: str, host: str) -> tuple[str, bool] | None:
        """Where a cookie belongs, and whether to that host only; None when `host` may not set it (RFC 6265bis, section 5.7,
        steps 8 to 10). `host` is "" when it is the user who sets it."""
        if not domain:
            return host, bool(host)
        if host in ("", domain):
            return None if self._refuses(domain) else (domain, _is_ip_address(domain) or is_public_suffix(domain))
        if _is_ip_address(host) or not is_within(host, domain) or is_public_suffix(domain):
            return None
        return domain, False

    # -- files

    def save(self, file_path: PathLike) -> None:
        """Write all cookies to a file, as JSON in aiohttp's form. It takes the place of what was there at once or not at all, and
        a new one can be read by its owner only. Raises `OSError`."""
        self._store.expire(time.time())
        write_private(Path(file_path), to_json(self._store))

    def load(self, file_path: PathLike) -> None:
        """Take the cookies of a file that `save` wrote, instead of those that are here.

        Raises `OSError`, and `ValueError` or `TypeError` for a file of another form; then the jar stays as it was. Pickles of old
        aiohttp raise `pickle.UnpicklingError`: to load one is to run it.
        """
        self._replace_by(of_json(Path(file_path).read_bytes(), time.time()))

    def save_cookies_txt(self, file_path: PathLike) -> None:
        """Write all cookies to a file in the form of Netscape's cookies.txt, as `save` does. Those for every host are left out:
        it has no place for them."""
        self._store.expire(time.time())
        write_private(Path(file_path), to_cookies_txt(self._store))

    def load_cookies_txt(self, file_path: PathLike) -> None:
        """Take the cookies of a cookies.txt, instead of those that are here. Raises as `load` does."""
        self._replace_by(of_cookies_txt(Path(file_path).read_text(encoding="utf-8")))

    def _replace_by(self, cookies: Iterable[StoredCookie]) -> None:
        store = CookieStore()
        now = time.time()
        for cookie in cookies:
            if cookie.ended(now):
                store.discard(cookie.domain, cookie.identity)
            elif can_be_sent(cookie.name, cookie.coded_value) and not self._refuses(cookie.domain):
                store.put(cookie, now)
        self._store = store


class RequestCookies(CookieJar):
    """The cookies of one request, which the settings of the session's jar are for, and no bounds."""

    def __init__(self, jar: AbstractCookieJar, cookies: LooseCookies) -> None:
        super().__init__(unsafe=jar.unsafe, quote_cookie=jar.quote_cookie, treat_as_secure_origin=jar.treat_as_secure_origin)
        self._store = CookieStore(bounded=False)
        self.update_cookies(cookies)


class DummyCookieJar(AbstractCookieJar):
    """Keeps no cookies."""

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Morsel[str]]:
        return iter(())

    def clear(self, predicate: ClearCookiePredicate | None = None) -> None: ...

    def clear_domain(self, domain: str) -> None: ...

    def update_cookies(self, cookies: LooseCookies, response_url: URL = _NOWHERE) -> None: ...

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None: ...

    def takes_from(self, host: str) -> bool:
        return False

    def gives_to(self, host: str) -> bool:
        return False

    def filter_cookies(self, request_url: URL = _NOWHERE) -> BaseCookie[str]:
        return SimpleCookie()

    def cookie_header(self, request_url: URL) -> str:
        return ""


def _domain(attributes: Mapping[str, Any]) -> str:
    """The Domain attribute in the form of `URL.raw_host`. A dot at its end makes it none, as in aiohttp."""
    domain = str(attributes.get("domain") or "").strip('"').lower().removeprefix(".")
    if domain.endswith("."):
        return ""
    try:
        return domain if domain.isascii() else URL.build(scheme="http", host=domain).raw_host or ""
    except ValueError:
        return domain  # which is no host's


def _path(attributes: Mapping[str, Any], url: URL) -> str:
    """The Path attribute, or else the directory of `url` (RFC 6265bis, section 5.1.4)."""
    path = str(attributes.get("path") or "").strip('"')
    return path if path.startswith("/") else url.raw_path.rpartition("/")[0] or "/"


def _is_ip_address(host: str) -> bool:
    """As browsers see it: a last label of digits is no top-level domain (WHATWG URL, section 3.5)."""
    last = host.rpartition(".")[2]
    return ":" in host or last.isdigit() or last.startswith("0x")
