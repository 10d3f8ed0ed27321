"""Cookies by the host they belong to, and which of them a request gets (RFC 6265bis, sections 5.7 and 5.8). No I/O, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from http.cookies import Morsel
from typing import Any, Final, TypeAlias

from ..wire.setcookie import make_morsel

Identity: TypeAlias = tuple[str, str, bool]

#: What a host may keep; when a new one makes it more, the oldest go until so many are left. As browsers do.
MAX_PER_HOST: Final = 180
KEPT_PER_HOST: Final = 150
#: The same for the whole store.
MAX_COOKIES: Final = 50_000
KEPT_COOKIES: Final = 45_000
#: What one request carries at most: cookies, and octets of the whole field.
MAX_PER_REQUEST: Final = 150
MAX_FIELD: Final = 8190


class StoredCookie:
    """A cookie with what decides where it goes.

    :param coded_value: the value as it is sent.
    :param domain: the host it belongs to, in lower case; "" for one that goes to every host.
    :param path: starts with "/".
    :param host_only: it does not go to the subdomains of `domain`.
    :param expires: when it ends, in seconds since 1970; None when it does not.
    :param guarded: it is Secure, and came over a secure connection: none that came over another may pass for it.
    :param attributes: those of its Morsel, besides Domain and Path.
    """

    __slots__ = (
        "attributes",
        "coded_value",
        "created",
        "domain",
        "expires",
        "guarded",
        "host_only",
        "name",
        "octets",
        "pair",
        "path",
        "prefix",
        "secure",
        "updated",
    )

    def __init__(
        self,
        name: str,
        coded_value: str,
        domain: str,
        path: str,
        *,
        host_only: bool = False,
        secure: bool = False,
        expires: float | None = None,
        guarded: bool = False,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.coded_value = coded_value
        self.domain = domain
        self.path = path
        self.host_only = host_only
        self.secure = secure
        self.expires = expires
        self.guarded = guarded
        self.attributes = attributes or {}
        self.pair = f"{name}={coded_value}"
        #: What it adds to a Cookie field, with what parts it from the one before.
        self.octets = 2 + len(self.pair.encode(errors="surrogatepass"))
        self.prefix = path if path.endswith("/") else f"{path}/"
        # When it was first set, and last, in the count of a store.
        self.created = self.updated = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.domain}{self.path}>"  # the value may be a secret

    @property
    def identity(self) -> Identity:
        """What two cookies of one domain cannot share. Host-only is part of it: a subdomain cannot set what only the host can."""
        return self.name, self.path, self.host_only

    def covers(self, path: str) -> bool:
        """RFC 6265bis, section 5.1.4."""
        return path.startswith(self.prefix) or path == self.path

    def ended(self, now: float) -> bool:
        return self.expires is not None and self.expires <= now

    def morsel(self) -> Morsel[str] | None:
        """It with all its attributes; None when a Morsel cannot hold it."""
        return make_morsel(self.name, self.coded_value, {**self.attributes, "domain": self.domain, "path": self.path})

    def bare_morsel(self) -> Morsel[str] | None:
        """It as a request carries it, without attributes."""
        return make_morsel(self.name, self.coded_value, {})


class CookieStore:
    """Cookies by host. Looking for those of a host takes as many steps as its name has parts, however many cookies there are."""

    def __init__(self, *, bounded: bool = True) -> None:
        self._bounded = bounded
        self._hosts: dict[str, dict[Identity, StoredCookie]] = {}
        self._count = 0
        self._clock = 0
        self._until_sweep = MAX_PER_HOST
        #: How many cookies of a name are guarded.
        self._guarded_names: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many there are, those included that have ended and were not looked at since."""
        return self._count

    def __iter__(self) -> Iterator[StoredCookie]:
        for cookies in self._hosts.values():
            yield from cookies.values()

    # -- in and out

    def put(self, cookie: StoredCookie, now: float) -> None:
        """Keep `cookie`, in the place of the one with its identity. Others may have to go for it: those that have ended, and the
        oldest."""
        self._clock += 1
        cookie.created = cookie.updated = self._clock
        cookies = self._hosts.setdefault(cookie.domain, {})
        if (earlier := cookies.get(cookie.identity)) is None:
            self._count += 1
        else:
            cookie.created = earlier.created
            self._unguard(earlier)
        cookies[cookie.identity] = cookie
        if cookie.guarded:
            self._guarded_names[cookie.name] += 1
        if not self._bounded:
            return
        if cookie.domain and len(cookies) > MAX_PER_HOST:
            self._make_room(list(cookies.values()), KEPT_PER_HOST, now)
        self._until_sweep -= 1
        if self._until_sweep <= 0:
            self.expire(now)
            if self._count > MAX_COOKIES:
                self._make_room([each for each in self if each.domain], KEPT_COOKIES, now)
            self._until_sweep = min(self._count + MAX_PER_HOST, MAX_COOKIES - KEPT_COOKIES)

    def discard(self, domain: str, identity: Identity) -> None:
        """Forget the cookie with this identity, if there is one."""
        found = self._hosts.get(domain, {}).get(identity)
        if found is not None:
            self.remove(found)

    def remove(self, cookie: StoredCookie) -> None:
        """Forget `cookie`, which is in the store."""
        cookies = self._hosts[cookie.domain]
        del cookies[cookie.identity]
        if not cookies:
            del self._hosts[cookie.domain]
        self._count -= 1
        self._unguard(cookie)

    def _unguard(self, cookie: StoredCookie) -> None:
        if cookie.guarded:
            self._guarded_names[cookie.name] -= 1
            if not self._guarded_names[cookie.name]:
                del self._guarded_names[cookie.name]

    def remove_where(self, predicate: Callable[[StoredCookie], object]) -> None:
        for cookie in [cookie for cookie in self if predicate(cookie)]:
            self.remove(cookie)

    def expire(self, now: float) -> None:
        """Forget those that have ended."""
        self.remove_where(lambda cookie: cookie.ended(now))

    def _make_room(self, cookies: list[StoredCookie], kept: int, now: float) -> None:
        """Those that have ended go first, then those that are not Secure, then the rest; the oldest first."""
        cookies.sort(key=lambda cookie: (not cookie.ended(now), cookie.secure, cookie.updated))
        for cookie in cookies[: len(cookies) - kept]:
            self.remove(cookie)

    # -- what goes where

    def knows(self, host: str) -> bool:
        """There are cookies of `host`, of a domain it is in, or for every host."""
        hosts = self._hosts
        if not hosts or host in hosts or "" in hosts:
            return bool(hosts)
        dot = host.find(".")
        while dot >= 0:
            if host[dot + 1 :] in hosts:
                return True
            dot = host.find(".", dot + 1)
        return False

    def matching(self, host: str, path: str, secure: bool, now: float) -> list[StoredCookie]:
        """The cookies for a request to `path` (percent-encoded) at `host`, over a `secure` connection or not, in the order in
        which they are sent: longest path first, then the oldest. A bounded store gives no more than a request may carry."""
        hosts = self._hosts
        candidates: list[StoredCookie] = []
        if host in hosts and host:
            candidates += hosts[host].values()
        dot = host.find(".")
        while dot >= 0:
            parent = host[dot + 1 :]
            if parent in hosts and parent:
                candidates += (cookie for cookie in hosts[parent].values() if not cookie.host_only)
            dot = host.find(".", dot + 1)
        for_every_host = hosts.get("")
        if for_every_host:
            candidates += for_every_host.values()
        if not candidates:
            return candidates
        found = [
            cookie for cookie in candidates if cookie.covers(path) and (secure or not cookie.secure) and not cookie.ended(now)
        ]
        if for_every_host:  # they step back behind a host's own
            names = {cookie.name for cookie in found if cookie.domain}
            found = [cookie for cookie in found if cookie.domain or cookie.name not in names]
        if self._bounded:
            found = _within_limits(found)
        found.sort(key=lambda cookie: (-len(cookie.path), cookie.created))
        return found

    def guards(self, name: str, domain: str, path: str) -> bool:
        """There is a guarded cookie that one of this name, for `domain` and `path`, could pass for (RFC 6265bis, section 5.7,
        step 16)."""
        return name in self._guarded_names and any(
            cookie.guarded
            and cookie.name == name
            and (is_within(domain, cookie.domain) or is_within(cookie.domain, domain))
            and cookie.covers(path)
            for cookie in self
        )


def is_within(host: str, domain: str) -> bool:
    """`host` is `domain` or one of its subdomains (RFC 6265bis, section 5.1.3). Neither is an IP address."""
    return host == domain or host.endswith(f".{domain}")


def _within_limits(cookies: list[StoredCookie]) -> list[StoredCookie]:
    """Those that one request may carry: a host's own go before those of the domains it is in, which others can set too, longer
    paths before shorter ones, and the latest before the oldest."""
    left = MAX_FIELD - len("Cookie: ") + len("; ")
    if len(cookies) <= MAX_PER_REQUEST and sum(cookie.octets for cookie in cookies) <= left:
        return cookies
    chosen: list[StoredCookie] = []
    for cookie in sorted(cookies, key=lambda cookie: (len(cookie.domain), len(cookie.path), cookie.created), reverse=True):
        if cookie.octets <= left and len(chosen) < MAX_PER_REQUEST:
            chosen.append(cookie)
            left -= cookie.octets
    return chosen
