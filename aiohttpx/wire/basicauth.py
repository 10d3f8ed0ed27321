"""Basic credentials (RFC 7617): what a field and a URL say of them."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import Self

from yarl import URL

from ..records import NamedTuple

__all__ = ("BasicAuth", "credentials", "encode_basic_auth", "split_credentials")


def encode_basic_auth(login: str, password: str = "", encoding: str = "utf-8") -> str:
    """The value of an Authorization or Proxy-Authorization field.

    Raises `ValueError` when there is a colon in `login`, or `encoding` has no such characters.
    """
    if ":" in login:
        raise ValueError('A ":" is not allowed in login (RFC 7617#section-2)')
    try:
        octets = f"{login}:{password}".encode(encoding)
    except UnicodeEncodeError:  # whose text would show them
        raise ValueError(f"Login or password cannot be encoded in {encoding}; give another encoding") from None
    return "Basic " + b64encode(octets).decode("ascii")


class _Credentials(NamedTuple):
    login: str
    password: str = ""
    encoding: str = "latin1"


class BasicAuth(_Credentials):
    """Login and password, and the charset they are sent in.

    Raises `ValueError` for None, and for a login with a colon.
    """

    __slots__ = ()

    def __new__(cls, login: str, password: str = "", encoding: str = "latin1") -> Self:
        if login is None:
            raise ValueError("None is not allowed as login value")
        if password is None:
            raise ValueError("None is not allowed as password value")
        if ":" in login:
            raise ValueError('A ":" is not allowed in login (RFC 1945#section-11.1)')
        return super().__new__(cls, login, password, encoding)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(login={self.login!r}, password=..., encoding={self.encoding!r})"

    @classmethod
    def decode(cls, auth_header: str, encoding: str = "latin1") -> Self:
        """The credentials in the value of a field. Raises `ValueError` when there are none."""
        scheme, space, encoded = auth_header.partition(" ")
        if not space:
            raise ValueError("Could not parse authorization header.")
        if scheme.lower() != "basic":
            raise ValueError(f"Unknown authorization method {scheme}")
        try:
            login, colon, password = b64decode(encoded.encode("ascii"), validate=True).decode(encoding).partition(":")
        except (binascii.Error, UnicodeError):  # a text of the latter would show them
            raise ValueError("Invalid base64 encoding.") from None
        if not colon:
            raise ValueError("Invalid credentials.")
        return cls(login, password, encoding)

    @classmethod
    def from_url(cls, url: URL, *, encoding: str = "latin1") -> Self | None:
        """The user and password of `url`, None when it has none. Raises `TypeError` for what is not a `URL`."""
        if not isinstance(url, URL):
            raise TypeError("url should be yarl.URL instance")
        if url.raw_user is None and url.raw_password is None:
            return None
        return cls(url.user or "", url.password or "", encoding)

    def encode(self) -> str:
        """The value of an Authorization or Proxy-Authorization field. Raises what `encode_basic_auth` raises."""
        return encode_basic_auth(*self)


def split_credentials(url: URL) -> tuple[URL, BasicAuth | None]:
    """`url` without its user and password, and these, if it has some. They are sent as UTF-8 if Latin-1 is not enough.

    Raises `ValueError` when there is a colon in the user's name.
    """
    if url.raw_user is None and url.raw_password is None:
        return url, None
    return url.with_user(None), credentials(url.user or "", url.password or "")


def credentials(login: str, password: str) -> BasicAuth:
    """Credentials that come from where no charset is named."""
    return BasicAuth(login, password, "latin1" if max(login + password, default="") <= "\xff" else "utf-8")
