"""The body of a request: the fields that frame it (RFC 9112, section 6), and how it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final

from multidict import CIMultiDict, istr
from yarl import URL

from .. import hdrs
from ..errors import ClientConnectionError, ClientError, ClientOSError, ServerTimeoutError
from ..late import late
from ..net.settings import Settings
from ..patterns import pattern
from ..typedefs import Byteish
from .defaults import RequestDefaults

if TYPE_CHECKING:
    from ..net import writer as writers
    from ..net.connection import HTTPConnection
    from ..net.writer import StreamWriter
    from ..wire import codings
    from . import form
    from .payload import Payload
    from .sources import Writer
else:
    codings, form, writers = late("aiohttpx.wire.codings"), late("aiohttpx.message.form"), late("aiohttpx.net.writer")

#: A body up to this size, in bytes, goes out in the same write as its head.
_SMALL_BODY: Final = 64 * 1024
#: Seconds to wait for 100 (Continue) before the body is sent all the same (RFC 9110, section 10.1.1).
_CONTINUE_WAIT: Final = 3.0

_DIGITS: Final = pattern(r"[0-9]+")
_NO_FIELDS: Final[CIMultiDict[str]] = CIMultiDict()
NO_LENGTH: Final = ((hdrs.CONTENT_LENGTH, "0"),)
OCTETS: Final = (hdrs.CONTENT_TYPE, "application/octet-stream")

Fields = tuple[tuple[str, str], ...]


class Sending:
    """A part of `ClientRequest`."""

    GET_METHODS: ClassVar[frozenset[str]] = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
    POST_METHODS: ClassVar[frozenset[str]] = frozenset({"PATCH", "POST", "PUT"})

    method: str
    settings: Settings
    #: Who is told of what happens to it.
    traces: Sequence[Any] = ()
    compress: str | bool | None = None
    chunked: bool | None = None

    _defaults: RequestDefaults
    _headers: CIMultiDict[str] | None = None
    _skipped: frozenset[str] = frozenset()  # names of fields that this request is not to generate
    _body_fields: Fields = ()
    _payload: Payload | None = None
    _sending: asyncio.Task[None] | None = None  # sends the body
    _begun = False  # it does: a task may also be cancelled before it begins
    _over = False

    @property
    def url(self) -> URL:
        raise NotImplementedError

    @property
    def headers(self) -> CIMultiDict[str]:
        raise NotImplementedError

    @property
    def body(self) -> Payload | bytes:
        """The body as a `Payload`; `b""` when there is none."""
        return self._payload or b""

    async def update_body(self, body: Any) -> None:
        """Send `body` instead, and close the one there was. It takes what `data=` takes."""
        if self._payload is not None:
            if self.compress or self._payload.size is None:
                self.chunked = None  # that was this body's need
            await self._payload.close()
        for name in (hdrs.CONTENT_LENGTH, hdrs.TRANSFER_ENCODING, *(name for name, _ in self._body_fields)):
            self.headers.popall(name, None)
        self.set_body(body)

    @property
    def replayable(self) -> bool:
        """The request can be sent again as it was."""
        return self._payload is None or self._payload.replayable

    @property
    def consumed(self) -> bool:
        """The body was sent, and cannot be sent again."""
        return self._payload is not None and self._payload.consumed

    def disown_body(self) -> None:
        """Another request has the body now, and closes it."""
        self._payload = None

    async def close(self) -> None:
        """The request is not sent again: let go of what its body holds, as soon as it is sent. Waits for nothing."""
        self._over = True
        if self._payload is not None and not self._begun:
            await self._payload.close()

    def set_body(self, data: Any) -> None:
        """Send `data`, or nothing for None, where no body was said before; `update_body` is for the other cases."""
        headers = _NO_FIELDS if self._headers is None else self._headers
        if data is None:
            self._payload = None
            self._body_fields = self._fields_without_body(headers)
        else:
            self._payload = payload = form.payload_of(data)
            self._body_fields = self._fields_with_body(headers, payload)
        if self._headers is not None:
            self._headers.extend(self._body_fields)

    def _fields_without_body(self, headers: CIMultiDict[str]) -> Fields:
        self.compress = None
        fields: Fields = ()
        if hdrs.TRANSFER_ENCODING in headers:
            self._be_chunked(headers)
        elif self.chunked and hdrs.CONTENT_LENGTH not in headers:
            fields = ((hdrs.TRANSFER_ENCODING, "chunked"),)
        elif self.method in self.GET_METHODS and not self.chunked:
            return ()
        elif hdrs.CONTENT_LENGTH not in headers:
            fields = NO_LENGTH
        elif self.chunked or self._explicit_length(headers):
            raise ValueError(f"Content-Length is {headers[hdrs.CONTENT_LENGTH]}, but the request has no body of that length")
        if self.method in self.POST_METHODS and self._wants(hdrs.CONTENT_TYPE, headers):
            fields += (OCTETS,)
        return fields

    def _be_chunked(self, headers: CIMultiDict[str]) -> None:
        """`headers` say so: nothing else may say how long the body is (RFC 9112, section 6.2)."""
        if self.chunked or hdrs.CONTENT_LENGTH in headers:
            raise ValueError('chunked can not be set if "Transfer-Encoding: chunked" header is set, nor can Content-Length')
        self.chunked = True

    def _fields_with_body(self, headers: CIMultiDict[str], payload: Payload) -> Fields:
        """RFC 9112, section 6.3: a length that is known, or else chunks."""
        size = payload.size
        if headers is _NO_FIELDS and size is not None and not self.chunked and not self.compress:  # as most bodies
            framing = (hdrs.CONTENT_LENGTH, str(size)), (hdrs.CONTENT_TYPE, payload.content_type)
            return framing + tuple(others) if (others := payload.other_fields) else framing
        fields: list[tuple[str, str]] = []
        if self.compress and size == 0:
            self.compress = None
        if self.compress:
            if hdrs.CONTENT_ENCODING in headers:
                raise ValueError("compress can not be set if Content-Encoding header is set")
            self.compress = "deflate" if self.compress is True else self.compress
            codings.make_encoder(self.compress)  # or it is a ValueError before anything is sent
            fields.append((hdrs.CONTENT_ENCODING, self.compress))
        if hdrs.TRANSFER_ENCODING in headers:
            self._be_chunked(headers)
        elif hdrs.CONTENT_LENGTH in headers:
            if self.chunked or self.compress or payload.has_trailers:
                raise ValueError("chunked, compress and trailers can not be set if Content-Length header is set")
            self._explicit_length(headers)
        elif self.chunked or self.compress or size is None:
            self.chunked = True
            fields.append((hdrs.TRANSFER_ENCODING, "chunked"))
        else:
            fields.append((hdrs.CONTENT_LENGTH, str(size)))
        if headers is _NO_FIELDS or self._wants(hdrs.CONTENT_TYPE, headers):
            fields.append((hdrs.CONTENT_TYPE, payload.content_type))
        for name, value in payload.other_fields:
            if name not in headers:
                fields.append((name, value))
        return tuple(fields)

    def _wants(self, name: istr, headers: Mapping[str, str]) -> bool:
        return name not in headers and name.lower() not in self._defaults.skipped | self._skipped

    def _explicit_length(self, headers: CIMultiDict[str]) -> int | None:
        value = headers.get(hdrs.CONTENT_LENGTH)
        if value is None:
            return None
        if not _DIGITS.fullmatch(value):
            raise ValueError(f"Invalid Content-Length header: {value!r}")
        return int(value)

    def _small_body(self, payload: Payload) -> bytes | None:
        """The body, if it can go out with the head: there is little of it, it is in memory, and as long as the head says."""
        size = payload.size
        if size is None or size > _SMALL_BODY or self.chunked or self.traces or self.settings.tracker is not None:
            return None
        headers = self._headers
        if headers is not None and (hdrs.EXPECT in headers or headers.get(hdrs.CONTENT_LENGTH) != str(size)):
            return None
        return payload.in_memory()

    async def _upload(self, protocol: HTTPConnection) -> None:
        """Send the body, part by part."""
        payload, tracker = self._payload, self.settings.tracker
        self._begun = True
        length = None if self.chunked else self._explicit_length(self.headers)
        encoder = codings.make_encoder(str(self.compress)) if self.compress else None
        writer = writers.StreamWriter(protocol, length=length, chunked=bool(self.chunked), encoder=encoder, tracker=tracker)
        if tracker is not None:
            tracker.writing(writer, payload.size if length is None and payload is not None else length)
        failure: BaseException | None = None
        try:
            await self._write_body(protocol, writer)
        except BaseException as error:
            failure = error
            raise
        finally:
            if tracker is not None:
                tracker.ended(writer, failure)
            self._sending, self._begun = None, False
            if self._over and payload is not None and payload is self._payload:
                await payload.close()

    async def _write_body(self, protocol: HTTPConnection, writer: StreamWriter) -> None:
        payload = self._payload
        limit = self.settings.write or None
        clock = asyncio.timeout(limit)
        try:
            if self.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
                with suppress(TimeoutError):
                    await asyncio.wait_for(protocol.expect_continue(), _CONTINUE_WAIT)
            async with clock:
                if payload is not None:
                    await payload.write_with_length(_Telling(self, writer) if self.traces else writer, writer.length)
                await writer.write_eof(trailers=b"" if payload is None else payload.trailers())
        except ClientError:
            raise
        except OSError as error:
            if isinstance(error, TimeoutError) and clock.expired():
                text = f"Timeout of {limit:g} s (write) on {protocol.peer} while sending the body"
                raise ServerTimeoutError(text) from error
            raise ClientOSError(error.errno, f"Can not write request body for {self.url}: {error}") from error
        except Exception as error:
            raise ClientConnectionError(f"Failed to send the body of {self.method} {self.url}: {error!r}") from error


class _Telling:
    """Tells a request's traces of what is written to a writer."""

    def __init__(self, request: Sending, writer: Writer) -> None:
        self._request = request
        self._writer = writer

    async def write(self, chunk: Byteish, /) -> None:
        request = self._request
        for trace in request.traces:
            await trace.send_request_chunk_sent(request.method, request.url, bytes(chunk))
        await self._writer.write(chunk)
