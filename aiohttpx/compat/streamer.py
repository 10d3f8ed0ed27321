"""Bodies that a coroutine function writes, as they were before there were asynchronous generators."""

from __future__ import annotations

import types
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from ..message.payload import Payload, payload_type
from ..message.sources import Writer


class _Streaming:
    """A call of a streamer that is yet to be made."""

    def __init__(self, function: Callable[..., Awaitable[None]], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._function = types.coroutine(function)
        self._args = args
        self._kwargs = kwargs

    async def write_to(self, writer: Writer) -> None:
        await self._function(writer, *self._args, **self._kwargs)


class streamer:
    """Decorates `async def function(writer, ...)`; what a call of it gives can be sent as `data=`. An asynchronous generator does
    the same, and is not deprecated."""

    def __init__(self, function: Callable[..., Awaitable[None]]) -> None:
        warnings.warn("@streamer is deprecated, use async generators instead", DeprecationWarning, stacklevel=2)
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> _Streaming:
        return _Streaming(self._function, args, kwargs)


@payload_type(_Streaming)
class StreamWrapperPayload(Payload):
    """A body that is written by calling."""

    async def write(self, writer: Writer) -> None:
        await self._value.write_to(writer)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("Unable to decode.")


@payload_type(streamer)
class StreamPayload(StreamWrapperPayload):
    """A streamer that was not called: it needs no arguments."""

    def __init__(self, value: Callable[[], Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(value(), *args, **kwargs)
