"""Time limits of a request and of a WebSocket, in seconds (seed 003, Timeouts)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields, replace
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

    #: What `attrs.evolve` looks for: consumers of aiohttp's attrs class use it on ours (aiodocker does).
    __attrs_attrs__: ClassVar[tuple[Any, ...]] = ()


@dataclass(frozen=True)
class ClientWSTimeout:
    """How long a WebSocket waits, in seconds; None or 0 sets no limit.

    :param ws_receive: for a message, in each `receive`.
    :param ws_close: for the whole of the closing handshake.
    """

    ws_receive: float | None = None
    ws_close: float | None = 10.0

    __attrs_attrs__: ClassVar[tuple[Any, ...]] = ()


for _limits in (ClientTimeout, ClientWSTimeout):
    _limits.__attrs_attrs__ = tuple(SimpleNamespace(name=field.name, alias=field.name, init=True) for field in fields(_limits))


class _NotGiven:
    def __repr__(self) -> str:
        return "<not given>"


#: The default of a limit for which None means something: no limit.
NOT_GIVEN: Any = _NotGiven()

DEFAULT_TIMEOUT = ClientTimeout(total=5 * 60, sock_connect=30)
DEFAULT_WS_CLIENT_TIMEOUT = ClientWSTimeout()


def as_timeout(timeout: ClientTimeout | float | None) -> ClientTimeout:
    """A `ClientTimeout`, from whatever may be given as one. Raises `ValueError` naming anything else."""
    if isinstance(timeout, ClientTimeout):
        return timeout
    if timeout is None or (isinstance(timeout, (int, float)) and not isinstance(timeout, bool)):
        return ClientTimeout(total=timeout)
    raise ValueError(f"timeout parameter cannot be of {type(timeout)} type, please use 'timeout=ClientTimeout(...)'")


def session_timeout(timeout: Any, read_timeout: Any, conn_timeout: float | None) -> ClientTimeout:
    """A session's limits, by `timeout=` or by its older forms."""
    older = {} if read_timeout is NOT_GIVEN else {"read_timeout": read_timeout}
    if conn_timeout is not None:
        older["conn_timeout"] = conn_timeout
    if timeout is not NOT_GIVEN and timeout is not None:
        if older:
            raise ValueError(f"{' and '.join(older)} and timeout parameters conflict, give ClientTimeout(total=, connect=)")
        return as_timeout(timeout)
    limits = DEFAULT_TIMEOUT
    for name, seconds in older.items():
        warnings.warn(f"{name} is deprecated, use timeout=ClientTimeout(...)", DeprecationWarning, stacklevel=3)
        limits = replace(limits, **{"total" if name == "read_timeout" else "connect": seconds})
    return limits
