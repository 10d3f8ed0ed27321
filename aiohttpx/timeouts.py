"""Time limits of a request and of a WebSocket, in seconds (seed 003, Timeouts)."""

from __future__ import annotations

import warnings
from typing import Any

from .frozen import Frozen


class ClientTimeout(Frozen):
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

    def __init__(
        self,
        total: float | None = None,
        connect: float | None = None,
        sock_read: float | None = None,
        sock_connect: float | None = None,
        ceil_threshold: float = 5,
        pool: float | None = None,
        dns: float | None = None,
        tls: float | None = None,
        headers: float | None = None,
        write: float | None = None,
    ) -> None:
        self.__dict__.update(
            total=total,
            connect=connect,
            sock_read=sock_read,
            sock_connect=sock_connect,
            ceil_threshold=ceil_threshold,
            pool=pool,
            dns=dns,
            tls=tls,
            headers=headers,
            write=write,
        )


class ClientWSTimeout(Frozen):
    """How long a WebSocket waits, in seconds; None or 0 sets no limit.

    :param ws_receive: for a message, in each `receive`.
    :param ws_close: for the whole of the closing handshake.
    """

    ws_receive: float | None = None
    ws_close: float | None = 10.0

    def __init__(self, ws_receive: float | None = None, ws_close: float | None = 10.0) -> None:
        self.__dict__.update(ws_receive=ws_receive, ws_close=ws_close)


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
        limits = limits.__replace__(**{"total" if name == "read_timeout" else "connect": seconds})
    return limits
