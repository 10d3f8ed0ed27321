"""What a connection that failed means to whoever waits for something from it."""

from __future__ import annotations

from ..errors import ClientConnectionError, ClientOSError, ClientPayloadError, HttpProcessingError, ServerDisconnectedError


def because(exc: BaseException | None) -> str:
    if exc is None:
        return ""
    return f": {exc.message}" if isinstance(exc, HttpProcessingError) else f": {exc}"


def disconnected(exc: BaseException | None, peer: str) -> BaseException:
    """The error of a request whose connection was lost before the head of its answer."""
    error: BaseException
    if exc is None or isinstance(exc, HttpProcessingError):
        error = ServerDisconnectedError(f"Server disconnected ({peer}){because(exc)}")
    elif isinstance(exc, OSError):
        error = ClientOSError(exc.errno, f"{exc.strerror or exc} ({peer})")
    else:
        error = ClientConnectionError(f"{exc} ({peer})")
    error.__cause__ = exc
    return error


def payload_error(error: BaseException) -> BaseException:
    """The error of a reader whose connection failed."""
    if not isinstance(error, HttpProcessingError):
        return error
    broken = ClientPayloadError(f"Response payload is malformed: {error.message}")
    broken.__cause__ = error
    return broken
