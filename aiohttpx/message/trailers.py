"""Fields that follow a body: the trailer section of a request (RFC 9110, section 6.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from .. import hdrs
from .._impl import serialize_head
from .form import payload_of
from .payload import Payload
from .sources import Writer

#: Names, and values or what gives them when the body was sent.
Trailers: TypeAlias = Mapping[str, str | Callable[[], str]]

#: What has to be known before the body (RFC 9110, section 6.5.1): framing, routing, conditions, credentials, its form.
_NOT_IN_TRAILERS: Final = frozenset(
    {
        "authorization",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "cookie",
        "expect",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "keep-alive",
        "max-forwards",
        "pragma",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class TrailedPayload(Payload):
    """A body with trailers, which makes it go in chunks. It is sent again as far as the body is.

    :param data: what `data=` takes.
    :param trailers: names and values; a callable is asked for the value when the body was sent, for each time it is sent.

    Raises `ValueError` for a name that is no token or cannot be a trailer, and for a value that cannot be sent.
    """

    has_trailers = True

    def __init__(self, data: Any, trailers: Trailers) -> None:
        if data is None:
            raise ValueError("Trailers follow a body, and there is none")
        for name in trailers:
            if name.lower() in _NOT_IN_TRAILERS:
                raise ValueError(f"{name} cannot be a trailer (RFC 9110, section 6.5.1)")
        _serialize((name, "" if callable(value) else value) for name, value in trailers.items())
        self._body = payload_of(data)
        self._trailers = dict(trailers)
        super().__init__(None, self._body.headers, self._body.content_type, self._body.filename, self._body.encoding)
        self.headers[hdrs.TRAILER] = ", ".join(trailers)

    def trailers(self) -> bytes:
        """The field lines. Raises `ValueError` for a value that cannot be sent, and what the callables raise."""
        return _serialize((name, value() if callable(value) else value) for name, value in self._trailers.items())

    @property
    def consumed(self) -> bool:
        return self._body.consumed

    @property
    def replayable(self) -> bool:
        return self._body.replayable

    @property
    def autoclose(self) -> bool:
        return self._body.autoclose

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._body.decode(encoding, errors)

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return await self._body.as_bytes(encoding, errors)

    async def write(self, writer: Writer) -> None:
        await self._body.write(writer)

    async def close(self) -> None:
        await self._body.close()


def _serialize(fields: Iterable[tuple[str, str]]) -> bytes:
    # A head without its request line and its empty line.
    return serialize_head("GET", "/", fields).partition(b"\r\n")[2][:-2]
