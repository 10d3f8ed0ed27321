"""A URL into a file, going on where it was cut (RFC 9110, sections 13.1.5 and 14)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from multidict import CIMultiDict

from .. import hdrs
from ..errors import BodyTooLarge, ClientOSError, ClientPayloadError, ClientResponseError, ServerDisconnectedError
from ..message.response import ClientResponse
from ..typedefs import LooseHeaders
from ..wire.ranges import parse_content_range, strong_validator
from .partialfile import PartialFile

#: Is called with the bytes that are here, and the bytes of the whole (None: not known).
Progress: TypeAlias = Callable[[int, int | None], object]
#: Sends the request with these fields.
Ask: TypeAlias = Callable[[CIMultiDict[str]], Awaitable[ClientResponse]]

_R = TypeVar("_R")

#: Bytes that are written at a time.
_CHUNK: Final = 2**20
#: What may be tried again where it was cut, if there was something new before that.
_CUT: Final = (ClientPayloadError, ClientOSError, ServerDisconnectedError)


class Download(NamedTuple):
    """A file that was downloaded."""

    path: Path
    #: Bytes in all, and how many of them were here before.
    size: int
    resumed_from: int
    #: The last response, which is over.
    response: ClientResponse


class _Mismatch(ClientPayloadError):
    """A part that does not belong to what is here."""


async def download(
    ask: Ask, part: PartialFile, headers: LooseHeaders | None, resume: bool, progress: Progress | None
) -> Download:
    """See `Resuming.download`."""
    done = False
    try:
        await _off_loop(part.open, resume)
        mismatches = 0
        while True:
            before = part.size
            try:
                response = await ask(_fields(headers, part))
                async with response:
                    await _receive(response, part, progress)
                break
            except _Mismatch:
                mismatches += 1
                if mismatches > 1:
                    raise
                await _off_loop(part.restart, None, None)
            except _CUT as error:
                if isinstance(error, BodyTooLarge) or not resume or part.validator is None or part.size <= before:
                    raise
        await _off_loop(part.finish)
        done = True
        return Download(part.path, part.size, part.kept, response)
    finally:
        if not done:
            await _off_loop(part.close, resume)


def _fields(headers: LooseHeaders | None, part: PartialFile) -> CIMultiDict[str]:
    fields: CIMultiDict[str] = CIMultiDict(headers or ())
    fields.setdefault(hdrs.ACCEPT_ENCODING, "identity")  # ranges count the bytes of a coding, if there is one
    if part.size and part.validator is not None:
        fields[hdrs.RANGE] = f"bytes={part.size}-"
        fields[hdrs.IF_RANGE] = part.validator
    return fields


async def _receive(response: ClientResponse, part: PartialFile, progress: Progress | None) -> None:
    """Write what `response` brings behind what is here, or instead of it."""
    if response.status == 416 and part.size:
        known = parse_content_range(response.headers.get(hdrs.CONTENT_RANGE))
        if known is None or known.size != part.size:
            raise _Mismatch(f"The range from byte {part.size} on is not to be had")
        part.total = known.size
        _tell(progress, part)
        return
    end = part.total
    if response.status == 206:
        end = _end_of_range(response, part)
    else:
        response.raise_for_status()
        if response.status != 200:
            raise ClientResponseError(
                response.request_info, response.history, status=response.status, message="Not a file", headers=response.headers
            )
        coded = response.headers.get(hdrs.CONTENT_ENCODING)
        end = None if coded else response.content_length
        await _off_loop(part.restart, None if coded else strong_validator(response.headers), end)
    await _write(response, part, progress)
    if end is not None and part.size != end:
        raise _Mismatch(f"There are {part.size} bytes of what should be {end}")
    if part.total is not None and part.size < part.total:
        raise ClientPayloadError(f"The response ended with byte {part.size} of {part.total}")


def _end_of_range(response: ClientResponse, part: PartialFile) -> int:
    """How much is here when this 206 (Partial Content) has come. Raises `_Mismatch` if it does not fit behind what is here."""
    found = parse_content_range(response.headers.get(hdrs.CONTENT_RANGE))
    etag = response.headers.get(hdrs.ETAG)
    if (
        found is None
        or found.first != part.size
        or found.last is None
        or not part.size
        or (None not in (part.total, found.size) and part.total != found.size)
        or (etag is not None and part.validator is not None and part.validator.startswith('"') and etag != part.validator)
        or hdrs.CONTENT_ENCODING in response.headers
    ):
        said = response.headers.get(hdrs.CONTENT_RANGE)
        raise _Mismatch(f"The response does not go on at byte {part.size}: Content-Range is {said!r}")
    part.total = found.size if part.total is None else part.total
    return found.last + 1


async def _write(response: ClientResponse, part: PartialFile, progress: Progress | None) -> None:
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in response.content.iter_any():
            pieces.append(piece)
            size += len(piece)
            if size >= _CHUNK:
                await _off_loop(part.write, pieces)
                pieces, size = [], 0
                _tell(progress, part)
    except _CUT:
        await _off_loop(part.write, pieces)
        raise
    await _off_loop(part.write, pieces)
    _tell(progress, part)


def _tell(progress: Progress | None, part: PartialFile) -> None:
    if progress is not None:
        progress(part.size, part.total)


async def _off_loop(function: Callable[..., _R], *args: Any) -> _R:
    """Call `function` in another thread. When this is over, so is that: also when it is cancelled."""
    future = asyncio.get_running_loop().run_in_executor(None, partial(function, *args))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            try:
                await asyncio.wait((future,))
            except asyncio.CancelledError:
                continue
        if not future.cancelled():
            future.exception()  # nobody is here to hear it
        raise
