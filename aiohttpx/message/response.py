"""A response: its head, which is there, and its content, which may still be on its way (RFC 9110, section 6)."""

from __future__ import annotations

import asyncio
import codecs
import sys
import traceback
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from multidict import CIMultiDictProxy
from yarl import URL

from .._impl import parse_fields
from ..errors import (
    BODY_LIMIT,
    ClientConnectionError,
    ClientError,
    ClientResponseError,
    ContentTypeError,
    HttpProcessingError,
)
from ..events import Chunks
from ..late import late
from ..net.heap import keep_room_for
from ..net.settings import DEFAULT_SETTINGS, MAX_EVENT_SIZE, MAX_LINE_LENGTH
from ..protocols import Protocol
from ..secrets import without_secrets
from ..typedefs import DEFAULT_JSON_DECODER, JSONBytesDecoder, JSONDecoder
from ..wire.fields import EVENT_STREAM, header_map, is_json, parse_content_type
from .head import NO_HEADERS, Head

if TYPE_CHECKING:
    from ..net import coded, iterators, reader
    from ..net.connection import Answer, HTTPConnection
    from ..net.info import ConnectionInfo
    from ..net.iterators import AsyncEventIterator, AsyncLineIterator
    from ..net.reader import StreamReader
    from ..wire import codings, sse
    from . import timings as stopwatch
    from .requestinfo import RequestInfo
    from .timings import Timings
else:
    coded, iterators, reader = late("aiohttpx.net.coded"), late("aiohttpx.net.iterators"), late("aiohttpx.net.reader")
    codings, sse = late("aiohttpx.wire.codings"), late("aiohttpx.wire.sse")
    stopwatch = late("aiohttpx.message.timings")

_JSON_TYPES = frozenset({"application/json", "application/rdap", "application/rdap+json"})


class Lent(Protocol):
    """A connection as a response has it: lent, to be given back."""

    @property
    def protocol(self) -> HTTPConnection | None: ...
    def release(self) -> None: ...
    def close(self) -> None: ...
    def add_callback(self, callback: Callable[[], object]) -> None: ...


class _Done:
    """What `release()` returns: old code awaits it."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


_DONE = _Done()


class ClientResponse(Head):
    """The answer to a request. Use it as a context manager, or `release()` it, so that its connection can be used again.

    `status`, `reason`, `version` and `headers` are there at once; the content comes by `read()`, `text()`, `json()`, or piece by
    piece through `content`. Instances are made by a session; by hand they take aiohttp's arguments and are filled in attribute by
    attribute.
    """

    #: The method of the request that it answers.
    method: str
    #: What a `RetryMiddleware` has tried: an `Attempt` for each time that the request was sent.
    attempts: tuple[Any, ...] = ()
    #: The future of the head: what `ClientRequest.send` was promised.
    answer: asyncio.Future[Answer] | None = None
    #: What it comes through, or came through.
    carrier: HTTPConnection | None = None

    # What most responses never change is looked up here.
    _connection: Lent | None = None
    _history: tuple[ClientResponse, ...] = ()
    _released = False
    _in_context = False
    _source_traceback: traceback.StackSummary | None = None
    _loop: asyncio.AbstractEventLoop | None
    _content: StreamReader | None = None
    _taken = False  # the caller has seen the stream
    # The coded content, if it came along with the head, and where its chunks ended if it had some.
    _whole: bytes | None = None
    _chunk_ends: tuple[int, ...] | None = None
    _body: bytes | None = None
    _traces: Sequence[Any] = ()

    def __init__(
        self,
        method: str,
        url: URL | None = None,
        writer: Any = None,
        continue100: Any = None,
        timer: Any = None,
        request_info: RequestInfo | None = None,
        traces: Sequence[Any] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        session: Any = None,
        stream_writer: Any = None,
        request: Any = None,
    ) -> None:
        self.method = method
        self._request = request
        if url is not None:
            self._real_url = url
        if request is not None:
            self._loop = request.loop
            self._session = request.session
        else:
            self._loop = loop
            self._session = session
            self._request_info = request_info
            self._traces = traces or ()
        if self._loop is not None and self._loop.get_debug():
            self._source_traceback = traceback.extract_stack(sys._getframe(1))

    def __repr__(self) -> str:
        reason = (self.reason or "None").encode("ascii", "backslashreplace").decode("ascii")
        return f"<ClientResponse({self.url}) [{self.status} {reason}]>\n{without_secrets(self.headers)}\n"

    def __del__(self) -> None:
        connection = self._connection
        if connection is None or connection.protocol is None or self._loop is None or self._loop.is_closed():
            return
        if self._taken:  # someone may be reading from it
            return
        connection.release()
        if self._loop.get_debug():
            made = "".join(traceback.format_list(self._source_traceback)) if self._source_traceback else ""
            text = f"Unclosed response {self.method} {self.url} [{self.status}]\n{made}"
            warnings.warn(text, ResourceWarning, source=self, stacklevel=1)

    # -- the head

    @property
    def history(self) -> tuple[ClientResponse, ...]:
        """The responses that led here by redirects, the first one first."""
        return self._history

    @history.setter
    def history(self, history: tuple[ClientResponse, ...]) -> None:
        self._history = history

    @property
    def trailers(self) -> CIMultiDictProxy[str]:
        """The trailer fields that came behind the content (RFC 9110, section 6.5). None of them before it has come whole."""
        fields = b"" if self._content is None else self._content.trailers
        return header_map(parse_fields(fields)) if fields else NO_HEADERS

    def raise_for_status(self) -> None:
        """Raise `ClientResponseError` when the status is 400 or above. It carries the start of the content, as far as that is
        here."""
        if self.ok:
            return
        body = self._start_of_body()
        if not self._in_context:
            self.release()
        raise ClientResponseError(
            self.request_info, self.history, status=self.status, message=self.reason or "", headers=self.headers, body=body
        )

    def _start_of_body(self) -> bytes | None:
        body = self._body
        try:
            if body is None and self._whole is not None:
                if self._coding():
                    self._content = self._stream_of_whole()
                else:
                    body = self._whole
            if body is None and self._content is not None:
                body = self._content.read_nowait(BODY_LIMIT)
                self._content.unread_data(body)
        except (ClientError, RuntimeError):  # it is broken, or someone reads it
            return None
        return body[:BODY_LIMIT] if body else None

    # -- the connection

    @property
    def connection(self) -> Lent | None:
        """The connection it comes through; None once it has come."""
        connection = self._connection
        return None if connection is None or connection.protocol is None else connection

    @property
    def closed(self) -> bool:
        return self.connection is None

    @property
    def connection_info(self) -> ConnectionInfo | None:
        """Addresses, TLS and certificate of the connection it came through. None for a response made by hand."""
        info = None if self.carrier is None else self.carrier.info
        return None if info is None else info._replace(reused="opened" not in (self._request.phases or ()))

    @property
    def timings(self) -> Timings:
        """How long its parts took, in seconds. Those of opening a connection are always known, the others with `timings=True`."""
        return stopwatch.timings_of(self._request)

    async def start(self, connection: Lent) -> ClientResponse:
        """Wait for the head. Raises `ClientResponseError` when it is malformed, `ServerDisconnectedError` and the like when none
        comes."""
        try:
            head, body = await self.answer  # type: ignore[misc]
        except BaseException as error:
            self.answer = None  # it holds the error, and that, by its traceback, the response
            if not isinstance(error, HttpProcessingError):
                raise
            raise ClientResponseError(
                self.request_info, self.history, status=error.code, message=error.message, headers=error.headers
            ) from error
        self.carrier.outbox.heard()  # type: ignore[union-attr]  # a request has been sent
        self._head = head
        self.status = head.status
        self.sets_cookies = head.sets_cookies
        if isinstance(body, bytes):
            self._whole = body
        elif isinstance(body, Chunks):
            self._whole, self._chunk_ends = body
        else:
            self._content = body
            self._connection = connection
        return self

    def close(self) -> None:
        """End the response and its connection."""
        self._let_go(Lent.close)

    def release(self) -> _Done:
        """Give the connection back. Content that was not read cannot be read any more."""
        self._let_go(Lent.release)
        return _DONE

    def _let_go(self, how: Callable[[Lent], None]) -> None:
        if not self._released:
            self._released = True
            if self._content is not None and self._content.exception() is None:
                self._content.set_exception(_connection_closed())
        connection = self._connection
        if connection is not None:
            self._connection = None
            if self._loop is not None and not self._loop.is_closed():
                connection.close() if how is Lent.close else connection.release()

    def hand_over(self) -> Lent | None:
        """The connection, for another protocol (RFC 9110, section 7.8): it does not end with the response any more."""
        connection, self._connection = self.connection, None
        return connection

    async def wait_for_close(self) -> None:
        """Release the response. An upload that is still under way ends with it."""
        self.release()

    async def __aenter__(self) -> Self:
        self._in_context = True
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        if self._connection is None and self._content is None:  # it is all here, and given back already
            self._released = True
        else:
            self.release()

    # -- the content

    @property
    def content(self) -> StreamReader:
        """The content as a stream, decoded."""
        self._taken = True
        if self._content is None and self._head is not None:
            self._content = self._stream_of_whole()
        return self._content  # type: ignore[return-value]

    @content.setter
    def content(self, content: StreamReader) -> None:
        self._content = content

    def _stream_of_whole(self) -> StreamReader:
        whole, self._whole = self._whole, None
        settings = DEFAULT_SETTINGS if self._request is None else self._request.settings
        decoder = codings.make_decoder(self._coding())
        stream = reader.StreamReader(
            None, settings.read_bufsize, loop=self._loop, decoder=decoder, max_size=self._max_body_size()
        )
        if self._released:
            stream.set_exception(_connection_closed())
        elif self._body is not None:
            pass  # it was read
        elif self._chunk_ends is not None:
            stream.feed_chunks(whole or b"", self._chunk_ends)
        elif whole:
            stream.feed_data(whole)
        stream.feed_eof()
        return stream

    def trace_content(self) -> None:
        """Have the traces of its request told when the content is read. It comes through a stream then: reading it may wait."""
        if self._request is not None:  # and not made by hand
            self._traces = self._request.traces
        if self._whole is not None and self._body is None:
            self._content = self._stream_of_whole()

    def _coding(self) -> str:
        """The content coding that is undone here; "" for none."""
        head, request = self._head, self._request
        if head is None or not head.content_encoding or (request is not None and not request.settings.auto_decompress):
            return ""
        return head.content_encoding

    def _max_body_size(self) -> int | None:
        return None if self._request is None else self._request.settings.max_body_size or None

    async def read(self) -> bytes:
        """The whole content, decoded; what is left of it when a part was read from `content`.

        Raises `ClientPayloadError` when it is malformed or cut short, `ClientConnectionError` when the response was released
        before.
        """
        body = self._body
        if body is not None:
            if self._released:
                raise _connection_closed()
            return body
        body, head = self._whole, self._head
        if body is None or self._released:
            try:
                body = await self._read_rest()
            except BaseException:
                self.close()
                raise
        elif (head is None or head.content_encoding) and (coding := self._coding()):
            body = await coded.decode_whole(coding, body, self._max_body_size())
            self._whole = None
        self._body = body
        return body

    async def _read_rest(self) -> bytes:
        if self._head is not None and self._head.upgraded:
            return b""  # what follows is no content, but another protocol (RFC 9110, section 15.2.2)
        protocol = None if self._connection is None or self._coding() else self._connection.protocol
        body = None if protocol is None else await protocol.receive_whole(self.content)
        if body is None:
            body = await self.content.read()
        keep_room_for(body)
        for trace in self._traces:
            await trace.send_response_chunk_received(self.method, self.url, body)
        return body

    def get_encoding(self) -> str:
        """The name of the charset that `text()` decodes with: the response's own, or what the session's resolver says."""
        return self._encoding(*parse_content_type(self._content_type_field()))

    def _encoding(self, media_type: str, parameters: Mapping[str, str]) -> str:
        charset = parameters.get("charset")
        if charset:
            try:
                return codecs.lookup(charset).name
            except (LookupError, ValueError):
                pass  # an unknown name is as good as none
        if media_type in _JSON_TYPES:
            return "utf-8"  # RFC 8259, section 8.1
        if self._body is None:
            raise RuntimeError("Cannot compute fallback encoding of a not yet read body")
        resolver = getattr(self._session, "fallback_charset_resolver", None)
        return "utf-8" if resolver is None else resolver(self, self._body)

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        """The content as text. Raises `UnicodeDecodeError` unless `errors` says otherwise, and what `read()` raises."""
        body = self._body
        if body is None:
            body = await self.read()
        return body.decode(encoding or self.get_encoding(), errors)

    async def json(
        self,
        *,
        encoding: str | None = None,
        loads: JSONDecoder = DEFAULT_JSON_DECODER,
        content_type: str | None = "application/json",
        loads_bytes: JSONBytesDecoder | None = None,
    ) -> Any:
        """The content as JSON, by `loads(str)`, or by `loads_bytes(bytes)`, which gets UTF-8 and wins; None when it is empty.

        When neither is given, the session's `json_deserialize_bytes` does it, or else `json.loads`.

        Raises `ContentTypeError` when the response is not of `content_type` (None: whatever it is), and what `read()` and `loads`
        raise.
        """
        body = self._body
        if body is None:
            body = await self.read()
        field = self._content_type_field()
        media_type, parameters = parse_content_type(field)
        if content_type and media_type != content_type and not is_json(field, content_type):
            raise self._unexpected_type("JSON", body[:BODY_LIMIT])
        body = body.strip()
        if not body:
            return None
        charset = encoding or self._encoding(media_type, parameters)
        if loads_bytes is None and loads is DEFAULT_JSON_DECODER:
            loads_bytes = getattr(self._session, "json_deserialize_bytes", None)
        if loads_bytes is None:
            return loads(body.decode(charset))
        return loads_bytes(body if codecs.lookup(charset).name == "utf-8" else body.decode(charset).encode())

    def _unexpected_type(self, what: str, body: bytes | None) -> ContentTypeError:
        return ContentTypeError(
            self.request_info,
            self.history,
            status=self.status,
            message=f"Attempt to decode {what} with unexpected mimetype: {self._content_type_field()}",
            headers=self.headers,
            body=body,
        )

    def events(
        self, *, content_type: str | None = EVENT_STREAM, last_event_id: str = "", max_event_size: int = MAX_EVENT_SIZE
    ) -> AsyncEventIterator:
        """Iterate over the Server-Sent Events of the content, as they come; see `ClientSession.sse` for streams that go on.

        `last_event_id` is that of the first events, if they have none of their own. Raises `ContentTypeError` when the response
        is not of `content_type` (None: whatever it is), `BodyTooLarge` for an event of more than `max_event_size` bytes, and what
        reading raises.
        """
        if content_type and self.content_type != content_type:
            raise self._unexpected_type("Server-Sent Events", self._start_of_body())
        return iterators.AsyncEventIterator(self.content.readany, sse.EventParser(last_event_id, max_event_size))

    def iter_lines(self, *, encoding: str | None = None, max_line_length: int = MAX_LINE_LENGTH) -> AsyncLineIterator[str]:
        """Iterate over the lines of a text, as they come, without their ends (LF or CRLF).

        `encoding` is by default the response's charset, or UTF-8; one in which LF is not a byte of its own will not do. Raises
        `UnicodeDecodeError`, `ChunkTooBig` for a line of more than `max_line_length` bytes, and what reading raises.
        """
        try:
            charset = encoding or self.get_encoding()
        except RuntimeError:  # whoever could tell would have to see all of it
            charset = "utf-8"
        lines, without_end = partial(self.content.readline, max_line_length=max_line_length), iterators.without_end
        return iterators.AsyncLineIterator(lines, lambda line: without_end(line).decode(charset))

    def iter_jsonl(
        self,
        *,
        loads: JSONDecoder = DEFAULT_JSON_DECODER,
        loads_bytes: JSONBytesDecoder | None = None,
        max_line_length: int = MAX_LINE_LENGTH,
    ) -> AsyncLineIterator[Any]:
        """Iterate over the values of JSON Lines (NDJSON), one on each line, in UTF-8; blank lines are skipped.

        `loads` and `loads_bytes` are as for `json()`. Raises what they raise, `ChunkTooBig` for a line of more than
        `max_line_length` bytes, and what reading raises.
        """
        read_line = partial(self.content.readline, max_line_length=max_line_length)
        if loads_bytes is None and loads is DEFAULT_JSON_DECODER:
            loads_bytes = getattr(self._session, "json_deserialize_bytes", None)
        return iterators.AsyncLineIterator(read_line, loads_bytes or (lambda line: loads(line.decode())), skip_blank=True)


def response_to(request: Any, answer: asyncio.Future[Answer], carrier: HTTPConnection) -> ClientResponse:
    """A `ClientResponse` to `request`, which has yet to `start`. Those of a session are made here, without asking for what others
    are given."""
    response: ClientResponse = _blank(ClientResponse)
    response.method = request.method
    response.answer = answer
    response.carrier = carrier
    response._request = request
    response._session = request.session
    response._loop = loop = request.loop
    # What is asked of each is dearer to look up in the class.
    response._connection = response._content = response._body = None
    response._released = False
    if loop.get_debug():
        response._source_traceback = traceback.extract_stack(sys._getframe(1))
    return response


_blank: Final = object.__new__


def _connection_closed() -> ClientConnectionError:
    return ClientConnectionError("Connection closed")
