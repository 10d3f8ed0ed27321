"""What a request method gives: something to await, to enter, or to make a task of."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, TypeVar

from ..protocols import Protocol


class Closeable(Protocol):
    """What a request leads to."""

    async def __aenter__(self) -> Any: ...
    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None: ...


T = TypeVar("T", bound=Closeable)


class RequestContextManager(Coroutine[Any, Any, T], Generic[T]):
    """A request that starts when it is awaited, entered by `async with`, or scheduled as a task."""

    __slots__ = ("_coroutine", "_response")

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine

    def send(self, value: Any) -> Any:
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._coroutine.__await__()

    __iter__ = __await__  # `yield from`, as seed 002 writes it

    async def __aenter__(self) -> T:
        self._response = response = await self._coroutine
        await response.__aenter__()
        return response

    def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> Awaitable[None]:
        return self._response.__aexit__(exc_type, exc_val, exc_tb)
