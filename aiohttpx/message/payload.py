"""Bodies of requests: anything a caller may give as `data=`, made into something that can be written.

    BytesPayload             bytes, bytearray, memoryview   in memory: size known, sent again at will
    ├── StringPayload        str
    │   └── StringIOPayload  io.StringIO
    ├── JsonPayload          json=, encoded to str
    └── JsonBytesPayload     json=, encoded to bytes
    IOBasePayload            files                          read in an executor; if they can seek, again from where they stood
    ├── BufferedReaderPayload
    ├── TextIOPayload
    └── BytesIOPayload       io.BytesIO                     in memory
    AsyncIterablePayload     async iterables                sent once, size unknown
    ├── StreamReaderPayload  the content of a response
    └── IteratorPayload      iterators and generators

Who sends a payload closes it when the request is over, whatever its outcome. That closes a file, though the caller opened it; it
leaves an io.BytesIO or io.StringIO open. `autoclose` is True where closing does nothing.
"""

from __future__ import annotations

import asyncio
import builtins
import enum
import io
import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable, Iterator, Mapping
from itertools import chain
from typing import IO, Any, ClassVar, Final, TextIO, TypeAlias, TypeVar

from multidict import CIMultiDict

from .. import hdrs
from ..errors import ClientPayloadError
from ..net.reader import StreamReader
from ..net.writer import StreamWriter
from ..typedefs import Byteish, JSONBytesEncoder, JSONEncoder
from ..wire.fields import OCTET_STREAM, content_disposition_header, parse_mimetype
from .sources import (
    CHUNK_SIZE,
    FileSource,
    Limited,
    Writer,
    drive,
    filename_of,
    guessed_type,
    octets,
    read_here,
    read_in_executor,
    text_source,
    unchanging,
    write_pieces,
)

#: Bytes beyond which a body held in memory is worth a warning.
TOO_LARGE_BYTES_BODY: Final = 2**20

#: What is given as a form as a rule.
_FORMS: Final = frozenset({dict, list, tuple})

_Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]] | None


class Payload(ABC):
    """The body of a request, or of a part of a multipart body.

    :param value: what it is made of.
    :param headers: fields that describe it, besides Content-Type.
    :param content_type: its media type; None: guessed from `filename`, if there is one.
    :param filename: the name of the file it comes from.
    :param encoding: the charset of a text.

    Other keyword arguments are ignored: one call of the registry fits every kind of payload.
    """

    _default_content_type: ClassVar[str] = OCTET_STREAM
    _size: int | None = None
    _consumed = False
    _autoclose = False
    #: Field lines follow it.
    has_trailers: ClassVar[bool] = False

    def __init__(
        self,
        value: Any,
        headers: _Headers = None,
        content_type: str | None = None,
        filename: str | None = None,
        encoding: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._value = value
        self._filename = filename
        self._encoding = encoding
        if content_type is None:
            content_type = (filename and guessed_type(filename)) or self._default_content_type
        self._content_type = content_type
        self._fields: CIMultiDict[str] | None = None
        if headers:
            self.headers.update(headers)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.content_type} size={self.size}>"

    @property
    def value(self) -> Any:
        return self._value

    @property
    def size(self) -> int | None:
        """How many bytes will be written; None when that is not known."""
        return self._size

    @property
    def filename(self) -> str | None:
        return self._filename

    @property
    def headers(self) -> CIMultiDict[str]:
        """The fields that describe the payload; they may be changed."""
        if self._fields is None:
            self._fields = CIMultiDict({hdrs.CONTENT_TYPE: self._content_type})
        return self._fields

    _headers = headers  # under which name payloads written for aiohttp read them

    @property
    def other_fields(self) -> Iterable[tuple[str, str]]:
        """What `headers` has besides Content-Type. Costs nothing when nobody asked for `headers`."""
        fields = self._fields
        return () if fields is None else [field for field in fields.items() if field[0].lower() != "content-type"]

    @property
    def encoding(self) -> str | None:
        return self._encoding

    @property
    def content_type(self) -> str:
        # The fields are made when someone asks for them; for most bodies no one does.
        return self._content_type if self._fields is None else self._fields[hdrs.CONTENT_TYPE]

    @property
    def consumed(self) -> bool:
        """It was written and cannot be written again."""
        return self._consumed

    @property
    def replayable(self) -> bool:
        """It can be written more than once. Known before the first time."""
        return not self._consumed

    @property
    def autoclose(self) -> bool:
        """There is nothing to close."""
        return self._autoclose

    def set_content_disposition(self, disptype: str, quote_fields: bool = True, _charset: str = "utf-8", **params: str) -> None:
        """Say in `headers` what this is as a part of a multipart body. See `wire.fields.content_disposition_header`."""
        self.headers[hdrs.CONTENT_DISPOSITION] = content_disposition_header(disptype, quote_fields, _charset, **params)

    @abstractmethod
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The payload as text. May block: a file is read."""

    def trailers(self) -> bytes:
        """The field lines that follow it, asked for when it was sent."""
        return b""

    def in_memory(self) -> bytes | None:
        """The bytes it writes, if they are at hand without reading anything."""
        return None

    @abstractmethod
    async def write(self, writer: Writer) -> None:
        """Write it all.

        Raises `ClientPayloadError` when it was written and cannot be written again, `TypeError` when it is not made of bytes.
        """

    async def write_with_length(self, writer: Writer, content_length: int | None) -> None:
        """Write it, at most `content_length` bytes of it; None for no limit. Raises as `write` does."""
        await self.write(writer if content_length is None or content_length == self.size else Limited(writer, content_length))

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """The payload as bytes; texts in their own encoding, or in `encoding` if they have none."""
        encoding = self._encoding or encoding
        return self.decode(encoding, errors).encode(encoding, errors)

    async def close(self) -> None:
        """Let go of what the payload holds. Waits for nothing, so that it can be used while a task is being cancelled."""
        return None


# -- in memory


class BytesPayload(Payload):
    """Bytes. Raises `TypeError` for anything else."""

    _autoclose = True
    _size: int

    def __init__(
        self,
        value: Byteish,
        headers: _Headers = None,
        content_type: str | None = OCTET_STREAM,
        filename: str | None = None,
        encoding: str | None = None,
        **kwargs: Any,
    ) -> None:
        if type(value) is not bytes:
            value = unchanging(value)
        super().__init__(value, headers, content_type, filename, encoding)
        self._size = size = len(value)  # pyright: ignore[reportIncompatibleVariableOverride]  # never None here
        if size > TOO_LARGE_BYTES_BODY:
            self._warn()

    def _warn(self) -> None:
        text = f"A body of {self._size} bytes is held in memory as a whole until it is sent; a file is read in pieces"
        warnings.warn(text, ResourceWarning, stacklevel=3, source=self)

    @property
    def value(self) -> bytes | memoryview:
        """The whole body. `len(value)` is its size in bytes."""
        return self._value  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        return self._size

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return str(self._value, encoding, errors)

    def in_memory(self) -> bytes | None:
        # A subclass may write something else.
        return bytes(self._value) if type(self).write is BytesPayload.write else None

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return bytes(self._value)

    async def write(self, writer: Writer) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: Writer, content_length: int | None) -> None:
        size = self._size if content_length is None else min(self._size, content_length)
        if size <= CHUNK_SIZE:
            await writer.write(self._value[:size])
            return
        view = memoryview(self._value)
        for start in range(0, size, CHUNK_SIZE):
            await writer.write(view[start : min(start + CHUNK_SIZE, size)])
            await asyncio.sleep(0)  # a writer that never waits must not keep the loop to itself


def octets_as(kind: type[BytesPayload], value: Byteish, content_type: str, encoding: str | None = None) -> BytesPayload:
    """A payload of this `kind` that is `value`. Most are made here, without asking for all that others are given."""
    payload: BytesPayload = _blank(kind)
    payload._value = value = value if type(value) is bytes else unchanging(value)
    payload._content_type = content_type
    payload._encoding = encoding
    payload._filename = payload._fields = None
    payload._size = size = len(value)  # pyright: ignore[reportIncompatibleVariableOverride]
    if size > TOO_LARGE_BYTES_BODY:
        payload._warn()
    return payload


_blank: Final = object.__new__


class StringPayload(BytesPayload):
    """Text, in `encoding`, or in the charset of `content_type`, or in UTF-8. Raises what `str.encode` raises."""

    def __init__(
        self, value: str, *args: Any, encoding: str | None = None, content_type: str | None = None, **kwargs: Any
    ) -> None:
        kwargs["encoding"], kwargs["content_type"] = _text_type(encoding, content_type)
        super().__init__(value.encode(kwargs["encoding"]), *args, **kwargs)


class StringIOPayload(StringPayload):
    """What is left to read of a text in memory."""

    def __init__(self, value: IO[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(value.read(), *args, **kwargs)


class JsonPayload(BytesPayload):
    """`dumps(value)`, which is a str, in `encoding`."""

    def __init__(
        self,
        value: Any,
        encoding: str = "utf-8",
        content_type: str = "application/json",
        dumps: JSONEncoder = json.dumps,
        headers: _Headers = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dumps(value).encode(encoding), headers, content_type, encoding=encoding, **kwargs)


class JsonBytesPayload(BytesPayload):
    """`dumps(value)`, which is bytes."""

    def __init__(
        self,
        value: Any,
        dumps: JSONBytesEncoder,
        content_type: str = "application/json",
        headers: _Headers = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dumps(value), headers, content_type, **kwargs)


def _text_type(encoding: str | None, content_type: str | None) -> tuple[str, str]:
    if content_type is None:
        encoding = encoding or "utf-8"
        return encoding, f"text/plain; charset={encoding}"
    return encoding or parse_mimetype(content_type).parameters.get("charset") or "utf-8", content_type


# -- files


class IOBasePayload(Payload):
    """A file, from where it stands. It is read in an executor, and closed there by `close`.

    If it can seek, it is read from the same place when it is written again. With a `disposition`, "inline" or "attachment", a
    Content-Disposition field says that, and its name.
    """

    def __init__(self, value: IO[Any], *args: Any, disposition: str | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("filename", filename_of(value))
        super().__init__(value, *args, **kwargs)
        if disposition is not None and self._filename is not None:
            self.set_content_disposition(disposition, filename=self._filename)
        self._source = self._open(value)

    def _open(self, file: Any) -> FileSource:
        return FileSource(file)

    @property
    def size(self) -> int | None:
        return self._source.size

    @property
    def replayable(self) -> bool:
        return self._source.replayable

    @property
    def consumed(self) -> bool:
        return self._source.consumed

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return b"".join(self._source.pieces()).decode(self._encoding or encoding, errors)

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return await asyncio.get_running_loop().run_in_executor(None, b"".join, self._source.pieces())

    async def write(self, writer: Writer) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: Writer, content_length: int | None) -> None:
        if not (isinstance(writer, StreamWriter) and await self._source.send(writer, content_length)):
            await write_pieces(read_in_executor(self._source), writer, content_length)

    async def close(self) -> None:
        self._source.close()


class BufferedReaderPayload(IOBasePayload):
    """A file opened for reading bytes."""


class TextIOPayload(IOBasePayload):
    """A file opened for reading text, sent in `encoding`, or in the charset of `content_type`, or in UTF-8.

    If that is its own, the whole file is sent as it is, line ends too, and its size is known. A part of a file is always encoded.
    """

    _encoding: str

    def __init__(
        self, value: TextIO, *args: Any, encoding: str | None = None, content_type: str | None = None, **kwargs: Any
    ) -> None:
        kwargs["encoding"], kwargs["content_type"] = _text_type(encoding, content_type)
        super().__init__(value, *args, **kwargs)

    def _open(self, file: Any) -> FileSource:
        return text_source(file, self._encoding)


class BytesIOPayload(IOBasePayload):
    """What is left to read of bytes in memory. It is not closed."""

    _value: io.BytesIO
    _autoclose = True

    def _open(self, file: io.BytesIO) -> FileSource:
        source = FileSource(file)
        with file.getbuffer() as buffer:
            source.size = max(0, len(buffer) - file.tell())
        return source

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"".join(self._source.pieces())

    def in_memory(self) -> bytes | None:
        # Subclasses, of the file too, may give something else.
        plain = type(self._value) is io.BytesIO and type(self).write is BytesIOPayload.write
        return b"".join(self._source.pieces()) if plain else None

    async def write_with_length(self, writer: Writer, content_length: int | None) -> None:
        await write_pieces(read_here(self._source.pieces()), writer, content_length)

    async def close(self) -> None:
        return None


# -- iterables


class AsyncIterablePayload(Payload):
    """The bytes that an async iterable gives. They are gone once written, unless `as_bytes` was called before, which keeps them.

    Raises `TypeError` for what is no async iterable.
    """

    _autoclose = True

    def __init__(self, value: AsyncIterable[Byteish], *args: Any, **kwargs: Any) -> None:
        if not isinstance(value, AsyncIterable):
            raise TypeError(f"value argument must support collections.abc.AsyncIterable interface, got {type(value)!r}")
        super().__init__(value, *args, **kwargs)
        self._kept: bytes | None = None

    @property
    def replayable(self) -> bool:
        return self._kept is not None

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        if self._kept is None:
            raise TypeError("Unable to decode - content not cached. Call as_bytes() first.")
        return self._kept.decode(encoding, errors)

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        if self._kept is None:
            self._kept = b"".join([octets(piece) async for piece in self._pieces()])
            self._consumed = False
        return self._kept

    async def write(self, writer: Writer) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: Writer, content_length: int | None) -> None:
        if self._kept is not None:
            await writer.write(self._kept[:content_length])
        else:
            await write_pieces(self._pieces(), writer, content_length)

    async def _pieces(self) -> AsyncGenerator[Any]:
        if self._consumed:
            raise ClientPayloadError("The body came from an iterator that was consumed, and cannot be sent again")
        self._consumed = True
        iterator = aiter(self._value)
        try:
            async for piece in iterator:
                yield piece
        finally:
            if isinstance(iterator, AsyncGenerator):
                await iterator.aclose()


class StreamReaderPayload(AsyncIterablePayload):
    """What a stream gives, in the portions in which it arrives: the content of a response, for one."""

    def __init__(self, value: StreamReader, *args: Any, **kwargs: Any) -> None:
        super().__init__(value.iter_any(), *args, **kwargs)


class IteratorPayload(AsyncIterablePayload):
    """The bytes that an iterator gives. A generator may also yield futures, as generator-based coroutines do: they are awaited.

    It runs in the loop's thread: one that blocks, blocks the loop.
    """

    def __init__(self, value: Iterator[Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(drive(value) if isinstance(value, Generator) else read_here(value), *args, **kwargs)


# -- which payload for which type


class LookupError(builtins.LookupError):
    """No payload is known for a type."""


class Order(enum.StrEnum):
    """When a registered type is asked: `try_first` and `try_last` ones before and after the `normal` ones."""

    normal = "normal"
    try_first = "try_first"
    try_last = "try_last"


_Factory = TypeVar("_Factory", bound=Callable[..., Payload])


class PayloadRegistry:
    """Finds the payload for a value by its type."""

    __slots__ = ("_exact", "_first", "_last", "_normal", "_unknown")

    def __init__(self) -> None:
        self._first: list[tuple[Callable[..., Payload], Any]] = []
        self._normal: list[tuple[Callable[..., Payload], Any]] = []
        self._last: list[tuple[Callable[..., Payload], Any]] = []
        self._exact: dict[Any, Callable[..., Payload]] = {}
        # Of the types of forms, those that were asked for in vain.
        self._unknown: set[type] = set()

    def get(self, data: Any, *args: Any, **kwargs: Any) -> Payload:
        """`factory(data, *args, **kwargs)`, with the factory registered for the type of `data`; a payload is returned as it is.

        Raises this module's `LookupError` when there is none.
        """
        for factory, kind in self._first:
            if isinstance(data, kind):
                return factory(data, *args, **kwargs)
        if (exact := self._exact.get(type(data))) is not None:
            return exact(data, *args, **kwargs)
        if isinstance(data, Payload):
            return data
        for factory, kind in chain(self._normal, self._last):
            if isinstance(data, kind):
                return factory(data, *args, **kwargs)
        if type(data) in _FORMS:
            self._unknown.add(type(data))
        raise LookupError(f"No payload is registered for {type(data).__name__}")

    def lacks(self, kind: type) -> bool:
        """There is none for values of `kind`: `get` has found that out."""
        return kind in self._unknown

    def register(self, factory: Callable[..., Payload], type: Any, *, order: Order = Order.normal) -> None:
        """Use `factory` for values of `type`, a type or a tuple of types. Raises `ValueError` when `order` is no `Order`."""
        self._unknown.clear()
        if order is Order.try_first:
            self._first.append((factory, type))
        elif order is Order.normal:
            self._normal.append((factory, type))
            self._exact.update(dict.fromkeys(type if isinstance(type, tuple) else (type,), factory))
        elif order is Order.try_last:
            self._last.append((factory, type))
        else:
            raise ValueError(f"Unsupported order {order!r}")


PAYLOAD_REGISTRY = PayloadRegistry()


def get_payload(data: Any, *args: Any, **kwargs: Any) -> Payload:
    """The payload for `data`. See `PayloadRegistry.get`."""
    return PAYLOAD_REGISTRY.get(data, *args, **kwargs)


def register_payload(factory: Callable[..., Payload], type: Any, *, order: Order = Order.normal) -> None:
    """Use `factory` for values of `type`. See `PayloadRegistry.register`."""
    PAYLOAD_REGISTRY.register(factory, type, order=order)


class payload_type:
    """Decorates a payload class, to be used for values of `type`."""

    def __init__(self, type: Any, *, order: Order = Order.normal) -> None:
        self.type = type
        self.order = order

    def __call__(self, factory: _Factory) -> _Factory:
        register_payload(factory, self.type, order=self.order)
        return factory


PAYLOAD_REGISTRY.register(BytesPayload, (bytes, bytearray, memoryview))
PAYLOAD_REGISTRY.register(StringPayload, str)
PAYLOAD_REGISTRY.register(StringIOPayload, io.StringIO)
PAYLOAD_REGISTRY.register(TextIOPayload, io.TextIOBase)
PAYLOAD_REGISTRY.register(BytesIOPayload, io.BytesIO)
PAYLOAD_REGISTRY.register(BufferedReaderPayload, (io.BufferedReader, io.BufferedRandom))
PAYLOAD_REGISTRY.register(IOBasePayload, io.IOBase)
PAYLOAD_REGISTRY.register(StreamReaderPayload, StreamReader)
# Last, so that whatever else can be iterated over may have a payload of its own.
PAYLOAD_REGISTRY.register(AsyncIterablePayload, AsyncIterable, order=Order.try_last)
PAYLOAD_REGISTRY.register(IteratorPayload, Iterator, order=Order.try_last)
