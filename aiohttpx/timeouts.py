"""Time limits of a request, in seconds (seed 003, Timeouts)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any, ClassVar


@dataclass(frozen=True)
class ClientTimeout:
    """How long the phases of a request may take, in seconds; None or 0 sets no limit.

    :param total: the whole operation: connecting, sending and reading the response.
    :param connect: getting a connection: waiting for a free one, or opening a new one.
    :param sock_read: between two portions of data from the peer.
    :param sock_connect: connecting a new socket to the peer.
    :param ceil_threshold: limits of at least so many seconds end on a whole second of the loop's clock, so that many can share a
        timer.
    :param pool: waiting for a free slot in the pool.
    :param dns: resolving the host.
    :param tls: the TLS handshake.
    :param headers: from the request sent to the head of the response.
    :param write: sending the body.
    """

    total: float | None = None
    connect: float | None = None
    sock_read: float | None = None
    sock_connect: float | None = None
    ceil_threshold: float = 5
    pool: float | None = None
    dns: float | None = None
    tls: float | None = None
    headers: float | None = None
    write: float | None = None

    #: What `attrs.evolve` looks for: consumers of aiohttp's attrs class use it on ours (SURFACE: aiodocker).
    __attrs_attrs__: ClassVar[tuple[Any, ...]] = ()


ClientTimeout.__attrs_attrs__ = tuple(
    SimpleNamespace(name=field.name, alias=field.name, init=True) for field in fields(ClientTimeout)
)


class _NotGiven:
    def __repr__(self) -> str:
        return "<not given>"


#: The default of a limit for which None means something: no limit.
NOT_GIVEN: Any = _NotGiven()

DEFAULT_TIMEOUT = ClientTimeout(total=5 * 60, sock_connect=30)
