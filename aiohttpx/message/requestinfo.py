"""What a response answers, to look at and to try again by hand."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from multidict import CIMultiDictProxy
from yarl import URL

from ..records import NamedTuple
from ..secrets import shown, without_secrets

if TYPE_CHECKING:
    from .payload import Payload

#: A body up to this size, in bytes, is a part of the command.
_SMALL: Final = 64 * 1024


class _RequestInfo(NamedTuple):
    url: URL
    method: str
    headers: CIMultiDictProxy[str]
    real_url: URL


class RequestInfo(_RequestInfo):
    """What a response answers: `url` without its fragment, `real_url` with it."""

    _body: Payload | None = None
    _compressed = False

    def __new__(cls, url: URL, method: str, headers: CIMultiDictProxy[str], real_url: URL | None = None) -> RequestInfo:
        return tuple.__new__(cls, (url, method, headers, url if real_url is None else real_url))

    def __repr__(self) -> str:
        return super(RequestInfo, self._replace(headers=without_secrets(self.headers))).__repr__()

    def with_body(self, body: Payload, compressed: bool) -> RequestInfo:
        """Know the body too, if it is small; `compressed`: it was sent in the content coding that `headers` name."""
        if body.size is not None and body.size <= _SMALL:
            self._body = body
            self._compressed = compressed
        return self

    def as_curl(self, *, show_secrets: bool = False) -> str:
        """The request as a command for a POSIX shell with curl.

        A body of up to 64 KiB is a part of it, if it is in memory; otherwise a comment says that it is left out.

        :param show_secrets: show the values of Authorization, Proxy-Authorization, Cookie and Set-Cookie, which else read
            `[redacted]`, and user and password in the URL, which else are left out.
        """
        import shlex

        body = None if self._body is None else self._body.in_memory()
        text = None if body is None else _text(body)
        method = self.method.upper()
        url = str(self.url if show_secrets else self.url.with_user(None))
        command = ["curl"]
        if method == "HEAD":
            command.append("--head")
        elif method != ("GET" if body is None else "POST"):
            command += ["--request", method]
        if any(mark in url for mark in "[]{}"):
            command.append("--globoff")
        if "/." in url:
            command.append("--path-as-is")
        command += self._header_options(body is not None, show_secrets)
        if text is not None:
            command += ["--data-raw", text]
        elif body is not None:
            command += ["--data-binary", "@-"]
        line = shlex.join([*command, url])
        if body is not None and text is None:
            return f"echo {b64encode(body).decode()} | base64 -d | {line}"
        return line + " # without its body" if body is None and self._has_body() else line

    def _has_body(self) -> bool:
        return "Transfer-Encoding" in self.headers or self.headers.get("Content-Length", "0") != "0"

    def _header_options(self, has_body: bool, show_secrets: bool) -> Iterator[str]:
        for name, value in self.headers.items():
            lower = name.lower()
            if lower == "host" and value == self.url.host_port_subcomponent:
                continue
            if (lower == "content-length" and value != "0") or (lower == "content-encoding" and has_body and self._compressed):
                continue
            if lower == "accept-encoding":
                yield "--compressed"
            else:
                yield "--header"
                value = value if show_secrets else shown(name, value)
                yield f"{name}: {value}" if value else f"{name};"
        if has_body and "Content-Type" not in self.headers:
            yield from ("--header", "Content-Type:")  # or curl would say that it is a form


def _text(body: bytes) -> str | None:
    """The body as text that can stand in a command; None if it is none."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return text if all(letter.isprintable() or letter in "\n\t" for letter in text) else None
