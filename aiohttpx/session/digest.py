"""Digest access authentication (RFC 7616). Nothing is sent or awaited here."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple
from urllib.parse import quote

from yarl import URL

from ..errors import ClientError
from ..wire.challenges import Challenge, parse_challenges, quoted
from .redirects import origin_of

#: The names of algorithms, those with -sess left out, and what hashlib calls them. The RFC has MD5, SHA-256 and SHA-512-256.
_ALGORITHMS: Final = {
    "MD5": "md5",
    "SHA": "sha1",
    "SHA256": "sha256",
    "SHA-256": "sha256",
    "SHA512": "sha512",
    "SHA-512": "sha512",
    "SHA-512-256": "sha512_256",
}

#: A scheme, host and port, and the path below which a protection space lies.
Space = tuple[tuple[str, str, int | None], str]


class DigestChallenge(NamedTuple):
    """What a server says of how to authenticate (section 3.3)."""

    realm: str
    nonce: str
    #: As the server writes it.
    algorithm: str = "MD5"
    #: What the server takes of "auth" and "auth-int"; empty for the form of RFC 2069.
    qop: frozenset[str] = frozenset()
    opaque: str | None = None
    domain: str = ""
    #: The credentials were right, and their nonce too old.
    stale: bool = False
    #: The user's name is wanted as a hash.
    userhash: bool = False
    utf8: bool = False


def find_challenge(fields: Iterable[str]) -> DigestChallenge | None:
    """The first challenge in WWW-Authenticate fields that can be met; None when none of them is for Digest.

    Raises `ClientError` when one is, and cannot be met.
    """
    refusal = None
    for challenge in (each for field in fields for each in parse_challenges(field)):
        if challenge.scheme == "digest" and challenge.parameters:
            try:
                return _understand(challenge)
            except ClientError as error:
                refusal = refusal or error
    if refusal is not None:
        raise refusal
    return None


def _understand(challenge: Challenge) -> DigestChallenge:
    said = challenge.parameters
    for name in ("realm", "nonce"):
        if name not in said:
            raise ClientError(f"Malformed Digest auth challenge: Missing '{name}' parameter")
    if not said["nonce"]:
        raise ClientError("Security issue: Digest auth challenge contains empty 'nonce' value")
    algorithm = said.get("algorithm", "MD5")
    if _hash_name(algorithm) is None:
        known = ", ".join(sorted(_ALGORITHMS))
        raise ClientError(f"Digest auth error: Unsupported hash algorithm: {algorithm}. Supported algorithms: {known}")
    offered = {name.strip().lower() for name in said.get("qop", "").split(",")} - {""}
    if offered and not offered & {"auth", "auth-int"}:
        raise ClientError(f"Digest auth error: Unsupported Quality of Protection (qop) value(s): {said['qop']}")
    return DigestChallenge(
        said["realm"],
        said["nonce"],
        algorithm,
        frozenset(offered & {"auth", "auth-int"}),
        said.get("opaque"),
        said.get("domain", ""),
        stale=said.get("stale", "").lower() == "true",
        userhash=said.get("userhash", "").lower() == "true",
        utf8=said.get("charset", "").upper() == "UTF-8",
    )


def _hash_name(algorithm: str) -> str | None:
    name = _ALGORITHMS.get(algorithm.upper().removesuffix("-SESS"))
    return name if name in hashlib.algorithms_available else None


class DigestSession:
    """A challenge, and the count of how often it was met (section 3.4: the nonce count and the client nonce)."""

    def __init__(self, challenge: DigestChallenge, spaces: tuple[Space, ...]) -> None:
        self.challenge = challenge
        self.spaces = spaces
        self._count = 0
        # Always the same one: the key of a -sess algorithm is made of the first one (section 3.4.2).
        self._cnonce = secrets.token_hex(16)

    def authorize(self, login: str, password: str, method: str, target: str, body: bytes | None) -> str:
        """The value of an Authorization field for a request to `target`; `body` as for `authorization`."""
        self._count += 1
        return authorization(self.challenge, login, password, method, target, cnonce=self._cnonce, count=self._count, body=body)


def authorization(
    challenge: DigestChallenge,
    login: str,
    password: str,
    method: str,
    target: str,
    *,
    cnonce: str,
    count: int = 1,
    body: bytes | None = None,
) -> str:
    """The value of an Authorization field that meets `challenge` (section 3.4).

    :param target: the request target.
    :param cnonce, count: the client nonce, and the how manieth request this is with the nonce of the challenge.
    :param body: None for "auth", the content of the request for "auth-int".
    """
    name = _hash_name(challenge.algorithm)
    if name is None:
        raise ClientError(f"Digest auth error: Unsupported hash algorithm: {challenge.algorithm}")

    def hashed(data: bytes) -> str:
        return hashlib.new(name, data, usedforsecurity=False).hexdigest()

    key = hashed(f"{login}:{challenge.realm}:{password}".encode())
    in_session = challenge.algorithm.upper().endswith("-SESS")
    if in_session:
        key = hashed(f"{key}:{challenge.nonce}:{cnonce}".encode())
    asked = f"{method}:{target}" if body is None else f"{method}:{target}:{hashed(body)}"
    qop = "" if not challenge.qop else "auth" if body is None else "auth-int"
    counted = f"{count:08x}:{cnonce}:{qop}:" if qop else ""
    response = hashed(f"{key}:{challenge.nonce}:{counted}{hashed(asked.encode())}".encode())

    fields = [_username(challenge, login, hashed)]
    fields += [f"realm={quoted(challenge.realm)}", f"nonce={quoted(challenge.nonce)}", f"uri={quoted(target)}"]
    fields += [f'response="{response}"', f"algorithm={challenge.algorithm}"]
    if challenge.opaque is not None:
        fields.append(f"opaque={quoted(challenge.opaque)}")
    if qop:
        fields += [f"qop={qop}", f"nc={count:08x}"]
    if qop or in_session:
        fields.append(f'cnonce="{cnonce}"')
    if challenge.userhash:
        fields.append("userhash=true")
    return "Digest " + ", ".join(fields)


def _username(challenge: DigestChallenge, login: str, hashed: Callable[[bytes], str]) -> str:
    """Section 3.4.4: in the form that shows it to nobody, if that is asked for, and in ASCII, if the server reads that."""
    if challenge.userhash:
        return f'username="{hashed(f"{login}:{challenge.realm}".encode())}"'
    if challenge.utf8 and not login.isascii():
        return f"username*=UTF-8''{quote(login, safe='')}"
    return f"username={quoted(login)}"


def protection_spaces(domain: str, url: URL, *, others: bool) -> tuple[Space, ...]:
    """Where credentials for a challenge of `url` are taken, by its `domain` (section 3.3): all over its origin by default.

    :param others: other origins count too, but none that is less secure.
    """
    own = origin_of(url)
    spaces = []
    for reference in domain.split():
        try:
            target = url.origin().join(URL(reference.strip('"')))
            origin = origin_of(target)
        except ValueError:
            continue
        if reference.strip('"') and (origin == own or (others and origin[0] in ("https", url.scheme) and origin[1])):
            spaces.append((origin, target.raw_path))
    return tuple(spaces) or ((own, "/"),)


def covers(space: Space, url: URL) -> bool:
    """Whether `url` is in the protection space."""
    origin, path = space
    asked = url.raw_path
    return origin == origin_of(url) and (asked == path or asked.startswith(path if path.endswith("/") else path + "/"))
