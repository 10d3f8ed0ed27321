# cython: language_level=3, freethreading_compatible=True
# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The engine over llhttp: how, where `_http_parser_py.py` says what.

llhttp reads heads, chunk framing and trailers, always strictly. Content of known length never meets it.

A head that came whole in one read, without folded lines or bare LF, is read in place. Any other is gathered as it comes, its
lines unfolded and ended by CRLF, and read from there. What llhttp or a check here refuses goes to `_head_reader` or to
`_violations`, which find the byte at fault: an error is the one that the Python parser raises.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_Clear
from cpython.object cimport PyObject, PyTypeObject
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport uint64_t
from libc.stdlib cimport free
from libc.string cimport memchr, memcmp, memcpy, memset

from ._gathering cimport GOOD, KEPT, NO_MEMORY, Answer, Buffer, Gathering, add, begin_gathering, gather
from ._llhttp cimport (
    F_CONNECTION_CLOSE,
    F_CONNECTION_KEEP_ALIVE,
    HPE_OK,
    HPE_PAUSED,
    HTTP_RESPONSE,
    llhttp_errno_t,
    llhttp_execute,
    llhttp_get_error_pos,
    llhttp_init,
    llhttp_reset,
    llhttp_resume,
    llhttp_set_lenient_spaces_after_chunk_size,
    llhttp_settings_init,
    llhttp_settings_t,
    llhttp_t,
)
from ._llhttp_callbacks cimport Piece, Place, Section, Wire, drop_spaces, line_fits, set_callbacks, skip_spaces

from .errors import BadHttpMessage
from .events import END_OF_MESSAGE, Chunks, HttpVersion10, HttpVersion11, ResponseHead, Trailers

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object)
    void* PyUnicode_DATA(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    const char* PyUnicode_AsUTF8AndSize(object, Py_ssize_t*)

cdef object _END_OF_MESSAGE = END_OF_MESSAGE
cdef object _HttpVersion10 = HttpVersion10
cdef object _HttpVersion11 = HttpVersion11
cdef type _ResponseHead = ResponseHead
cdef type _Chunks = Chunks


cdef object _faults():
    """What is wrong with a message: loaded for the first one with which something is."""
    from . import _violations

    return _violations


cdef enum Phase:
    NOTHING  # no message is under way
    SURPLUS  # ... and none will be: what comes is dropped
    HEAD
    LENGTH  # content of known length
    ALL  # content until the connection ends, or another protocol
    CHUNKS
    TRAILERS
    BROKEN


cdef llhttp_settings_t _settings
llhttp_settings_init(&_settings)
set_callbacks(&_settings)


cdef class ResponseParser:
    """What a server sends on one connection, turned into events: see `_http_parser_py.ResponseParser`."""

    cdef Wire wire
    cdef Phase phase
    cdef readonly bint started
    cdef bint upgrade, head_request, connect, persistent, upgraded
    cdef bint paused, kept_eof
    cdef list kept  # what came while paused
    cdef object error
    cdef uint64_t length, left  # of the content
    cdef size_t executed  # what llhttp has seen of the section that is gathered
    cdef str reason, content_type  # the last ones: servers repeat themselves

    def __cinit__(self, size_t max_field=65536, size_t max_head=262144, size_t max_fields=512, size_t max_status_line=65536):
        llhttp_init(&self.wire.llhttp, HTTP_RESPONSE, &_settings)
        llhttp_set_lenient_spaces_after_chunk_size(&self.wire.llhttp, 1)
        self.wire.llhttp.data = &self.wire
        self.wire.gathering.max_line = max_field
        self.wire.gathering.max_section = max_head
        self.wire.gathering.max_fields = max_fields
        self.wire.gathering.max_status_line = max_status_line
        self.phase = NOTHING
        self.kept = []
        self.reason = self.content_type = ""

    def __dealloc__(self):
        free(self.wire.gathering.buffer.at)
        free(self.wire.pieces)

    @property
    def idle(self) -> bool:
        """No message is under way: before the first `expect()`, and after END_OF_MESSAGE."""
        return self.phase == NOTHING or self.phase == SURPLUS

    def expect(self, method, bint upgrade=False):
        """The next message answers a request of this method; `upgrade`: 101 is welcome. RuntimeError when that cannot be."""
        if self.phase != NOTHING:
            raise RuntimeError("the connection cannot carry another exchange now")
        self.head_request = method == "HEAD"
        self.connect = method == "CONNECT"
        self.upgrade = upgrade
        self.started = False
        self.begin_head()

    def feed(self, data):
        """What these bytes say, as a list of events; HttpProcessingError when they cannot be a response."""
        cdef Py_buffer view
        self.refuse_again()
        if type(data) is bytes:
            return self.run(data, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), False)
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            return self.run(None, <const char*>view.buf, view.len, False)
        finally:
            PyBuffer_Release(&view)

    def feed_eof(self):
        """The connection has ended; HttpProcessingError when a head or a body is cut short."""
        self.refuse_again()
        return self.run(b"", b"", 0, True)

    @property
    def content_left(self) -> int:
        """Bytes of content that come next and have to, because their number was announced; 0 when something else does."""
        return self.left if self.phase == LENGTH and not self.paused else 0

    def skip(self, uint64_t size):
        """So much of `content_left` was received past the parser: what is to be said after it."""
        cdef list events = []
        if size > self.content_left:
            raise ValueError(f"{size} bytes of content cannot be skipped: {self.content_left} are left")
        self.left -= size
        if size and self.left == 0:
            self.finish_message(events)
        return events

    def pause(self):
        """Keep what is fed until `resume()`."""
        self.paused = True

    def resume(self):
        """Go on with what was kept, and say what it says."""
        cdef bytes data = b"".join(self.kept)
        cdef bint eof = self.kept_eof
        self.refuse_again()
        self.paused = self.kept_eof = False
        self.kept = []
        return self.run(data, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), eof)

    cdef int refuse_again(self) except -1:
        if self.error is not None:
            raise self.error[0](self.error[1])
        return 0

    cdef list run(self, bytes source, const char* data, Py_ssize_t length, bint eof):
        cdef list events = []
        cdef Py_ssize_t at = 0
        if length:
            self.started = True
        if self.paused:
            if length:
                self.kept.append(source if source is not None else data[:length])
            self.kept_eof = self.kept_eof or eof
            return events
        try:
            while at < length:
                if self.phase == HEAD:
                    at = self.read_head(events, data, at, length)
                elif self.phase == LENGTH or self.phase == ALL:
                    at = self.read_content(events, source, data, at, length)
                elif self.phase == CHUNKS:
                    at = self.read_chunks(events, source, data, at, length)
                elif self.phase == TRAILERS:
                    at = self.read_trailers(events, data, at, length)
                elif self.phase == SURPLUS:
                    break
                else:
                    raise _faults().surplus(data[at : at + 1])
            if eof:
                self.end(events)
        except BadHttpMessage as error:
            self.phase = BROKEN
            self.error = type(error), error.message
            error.events = events
            raise
        return events

    # Content of known length, or until the connection ends

    cdef Py_ssize_t read_content(self, list events, bytes source, const char* data, Py_ssize_t at, Py_ssize_t length) except -1:
        cdef Py_ssize_t end = length
        if self.phase == LENGTH and self.left < <uint64_t>(length - at):
            end = at + <Py_ssize_t>self.left
        if source is not None and at == 0 and end == length:
            events.append(source)
        else:
            events.append(data[at:end])
        if self.phase == LENGTH:
            self.left -= end - at
            if self.left == 0:
                self.finish_message(events)
        return end

    cdef int finish_message(self, list events) except -1:
        events.append(_END_OF_MESSAGE)
        self.phase = NOTHING if self.persistent else SURPLUS
        return 0

    cdef int end(self, list events) except -1:
        if self.phase == HEAD and self.started:
            raise self.read_again().cut_short()
        if self.phase == LENGTH:
            raise _faults().length_cut_short(self.left, self.length)
        if self.phase == CHUNKS or self.phase == TRAILERS:
            raise _faults().chunks_cut_short()
        if self.phase == ALL and not self.upgraded:
            self.finish_message(events)
        return 0

    # Heads and trailers

    cdef void begin_section(self, bint trailers) noexcept:
        memset(&self.wire.section, 0, sizeof(Section))
        self.wire.section.keep_alive = -1
        begin_gathering(&self.wire.gathering, trailers)
        self.executed = 0

    cdef void begin_head(self) noexcept:
        llhttp_reset(&self.wire.llhttp)
        self.begin_section(False)
        self.phase = HEAD

    cdef Py_ssize_t read_head(self, list events, const char* data, Py_ssize_t at, Py_ssize_t length) except -1:
        cdef Gathering* gathering = &self.wire.gathering
        cdef Py_ssize_t read
        if gathering.buffer.length == 0 and not gathering.cr:
            read = self.read_in_place(data + at, length - at)
            if read:
                self.finish_head(events, data + at, read)
                return at + read
            self.begin_head()
        at = self.read_section(data, at, length)
        if gathering.complete:
            self.finish_head(events, gathering.buffer.at, gathering.buffer.length)
        return at

    cdef Py_ssize_t read_in_place(self, const char* data, size_t length) noexcept:
        """The length of the head; 0 if it is not whole, not plain, over a limit or at fault: gathering it will tell."""
        cdef size_t read, status_line
        self.wire.base = data
        self.wire.in_place = True
        cdef llhttp_errno_t answer = llhttp_execute(&self.wire.llhttp, data, length)
        self.wire.in_place = False
        if answer != HPE_PAUSED or not begins_well(data, length):
            return 0
        read = llhttp_get_error_pos(&self.wire.llhttp) - data
        status_line = self.wire.section.reason.end or len("HTTP/1.1 200")
        if (
            status_line > self.wire.gathering.max_status_line
            or read > self.wire.gathering.max_section
            or self.wire.section.fields > self.wire.gathering.max_fields
        ):
            return 0
        return read

    cdef Py_ssize_t read_section(self, const char* data, Py_ssize_t at, Py_ssize_t length) except -1:
        """Gather what belongs to the section, and let llhttp read it."""
        cdef Gathering* gathering = &self.wire.gathering
        cdef llhttp_errno_t answer = HPE_OK
        cdef Answer gathered = gather(gathering, data, &at, length)
        cdef size_t ready = gathering.buffer.length
        if gathered == NO_MEMORY:
            raise MemoryError
        if gathered == GOOD and (gathering.trailers or begins_well(gathering.buffer.at, gathering.buffer.length)):
            if gathering.line_ended:
                ready -= 2
            if ready > self.executed:
                self.wire.base = gathering.buffer.at
                answer = llhttp_execute(&self.wire.llhttp, gathering.buffer.at + self.executed, ready - self.executed)
                self.executed = ready
            if answer == HPE_OK or (answer == HPE_PAUSED and gathering.complete):
                return at
        self.read_again()
        raise BadHttpMessage("llhttp refused the head")  # a difference between the parsers: tests look for it

    cdef object read_again(self):
        """What the Python parser makes of what was gathered: its error, if there is a fault."""
        from ._head_reader import HeadReader, Limits

        cdef Gathering* gathering = &self.wire.gathering
        limits = Limits(gathering.max_line, gathering.max_section, gathering.max_fields, gathering.max_status_line)
        reader = HeadReader(limits, trailers=gathering.trailers)
        reader.read(gathering.buffer.at[: gathering.buffer.length] + b"\r")  # a CR shows that one before it ends no line
        return reader

    cdef int finish_head(self, list events, const char* head, size_t length) except -1:
        """How long is the body? As the Python parser's `_finish_head`."""
        cdef Section* section = &self.wire.section
        cdef llhttp_t* llhttp = &self.wire.llhttp
        cdef int status = llhttp.status_code
        if status == 101 and not self.upgrade:
            raise _faults().unwanted_switch(head[:length].partition(b"\r\n")[0])
        self.upgraded = status == 101 or (self.connect and 200 <= status < 300)
        cdef bint informational = status < 200 and not self.upgraded
        cdef bint empty = informational or self.head_request or status == 204 or status == 304
        cdef bint until_eof = not (self.upgraded or empty or section.chunked or section.has_length)
        if llhttp.http_minor == 0:
            self.persistent = (llhttp.flags & F_CONNECTION_KEEP_ALIVE) != 0 and not section.chunked
        else:
            self.persistent = True
        if llhttp.flags & F_CONNECTION_CLOSE or until_eof or self.upgraded:
            self.persistent = False
        events.append(self.head_event(head, length))
        if informational:
            self.begin_head()
        elif self.upgraded or until_eof:
            self.phase = ALL
        elif empty:
            self.finish_message(events)
        elif section.chunked:
            self.begin_chunks()
        else:
            self.length = self.left = section.length
            self.phase = LENGTH
            if self.left == 0:
                self.finish_message(events)
        return 0

    cdef object head_event(self, const char* head, size_t length):
        cdef Section* section = &self.wire.section
        cdef object encoding = ""
        cdef bytes fields = head[section.first : length - 2] if section.fields else b""
        if section.content_encodings == 1:
            encoding = codings(head + section.content_encoding.at, section.content_encoding.end - section.content_encoding.at)
        elif section.content_encodings:
            encoding = all_codings(fields)
        self.reason = text(head, section.reason, self.reason)
        if section.content_types:
            self.content_type = text(head, section.content_type, self.content_type)
        cdef tuple values = (
            _HttpVersion11 if self.wire.llhttp.http_minor else _HttpVersion10,
            self.wire.llhttp.status_code,
            self.reason,
            fields,
            self.persistent,
            self.upgraded,
            section.length if section.has_length and not self.upgraded else None,
            section.chunked and not self.upgraded,
            self.content_type if section.content_types else "",
            encoding,
            section.keep_alive if section.keep_alive >= 0 else None,
            section.sets_cookies,
        )
        return as_tuple(_ResponseHead, values)

    # Chunked content

    cdef void begin_chunks(self) noexcept:
        self.phase = CHUNKS
        llhttp_resume(&self.wire.llhttp)
        self.wire.in_chunk = self.wire.after_chunk = False
        self.wire.gathering.buffer.length = 0

    cdef Py_ssize_t read_chunks(self, list events, bytes source, const char* data, Py_ssize_t at, Py_ssize_t length) except -1:
        cdef Wire* wire = &self.wire
        cdef Py_ssize_t end = length
        wire.base = data
        wire.line = at
        cdef llhttp_errno_t answer = llhttp_execute(&wire.llhttp, data + at, length - at)
        if wire.pieces_length:
            events.append(self.join_pieces(source, data, length))
        if answer == HPE_PAUSED:
            end = llhttp_get_error_pos(&wire.llhttp) - data
        elif answer != HPE_OK:
            raise self.bad_chunk(data, length)
        if not wire.in_chunk:
            if not line_fits(wire, end):
                raise self.bad_chunk(data, length)
            if add(&wire.gathering.buffer, data + wire.line, end - wire.line) != GOOD:
                raise MemoryError
        if answer == HPE_PAUSED:
            llhttp_resume(&wire.llhttp)
            self.begin_section(True)
            self.phase = TRAILERS
        return end

    cdef object join_pieces(self, bytes source, const char* data, size_t length):
        """One `Chunks` for all that a feed brought: very many tiny chunks must stay cheap."""
        cdef Wire* wire = &self.wire
        cdef bytes content
        cdef char* to
        cdef size_t i
        cdef size_t joined = 0
        cdef list ends = []
        if source is not None and wire.content == length:
            content = source
        else:
            content = PyBytes_FromStringAndSize(NULL, wire.content)
        to = PyBytes_AS_STRING(content)
        for i in range(wire.pieces_length):
            if content is not source:
                memcpy(to + joined, data + wire.pieces[i].at, wire.pieces[i].length)
            joined += wire.pieces[i].length
            if wire.pieces[i].ends:
                ends.append(joined)
        wire.pieces_length = wire.content = 0
        if wire.pieces_room * sizeof(Piece) > KEPT:
            free(wire.pieces)
            wire.pieces = NULL
            wire.pieces_room = 0
        return as_tuple(_Chunks, (content, tuple(ends)))

    cdef object bad_chunk(self, const char* data, Py_ssize_t length):
        """The error that shows what is wrong in a line of chunk framing."""
        cdef Wire* wire = &self.wire
        cdef Py_ssize_t most = wire.gathering.max_line + 8  # enough to see that it is too much
        if length - <Py_ssize_t>wire.line < most:
            most = length - wire.line
        line = wire.gathering.buffer.at[: wire.gathering.buffer.length] + data[wire.line : <Py_ssize_t>wire.line + most]
        faults = _faults()
        where = faults.CHUNK_DATA_END if wire.after_chunk else faults.CHUNK_SIZE
        error = faults.chunk_fault(line, where, wire.gathering.max_line)
        if error is None:
            error = BadHttpMessage("llhttp refused a chunk")
        return error

    cdef Py_ssize_t read_trailers(self, list events, const char* data, Py_ssize_t at, Py_ssize_t length) except -1:
        cdef Gathering* gathering = &self.wire.gathering
        at = self.read_section(data, at, length)
        if gathering.complete:
            if gathering.buffer.length > 2:
                events.append(Trailers(gathering.buffer.at[: gathering.buffer.length - 2]))
            self.finish_message(events)
        return at


cdef bint begins_well(const char* head, size_t length) noexcept nogil:
    """llhttp knows other protocols and versions, and status codes below 100."""
    return length == 0 or (memcmp(head, b"HTTP/1.", 7 if length > 7 else length) == 0 and (length < 10 or head[9] != c"0"))


cdef object as_tuple(type of, tuple values):
    """A named tuple, made without a call into Python."""
    cdef tuple arguments = (values,)
    return (<PyTypeObject*>tuple).tp_new(of, <PyObject*>arguments, NULL)


cdef str text(const char* base, Place place, str last):
    """As `_head_reader._text`; the same object for the same text."""
    cdef const char* at = base + place.at
    cdef const char* end = base + place.end
    at = skip_spaces(at, end)
    end = drop_spaces(at, end)
    if PyUnicode_IS_COMPACT_ASCII(last) and PyUnicode_GET_LENGTH(last) == end - at:
        if memcmp(PyUnicode_DATA(last), at, end - at) == 0:
            return last
    return PyUnicode_DecodeUTF8(at, end - at, b"surrogateescape")


cdef str codings(const char* at, size_t length):
    return at[:length].translate(None, b" \t").lower().decode("utf-8", "surrogateescape")


cdef str all_codings(bytes fields):
    values = [value for name, value in parse_fields(fields) if name.lower() == b"content-encoding"]
    return ",".join([coding for value in values if (coding := codings(value, len(value)))])


def parse_fields(bytes block not None):
    """Split `ResponseHead.fields` or `Trailers.fields` into names as they came and values without the white space around them."""
    cdef list fields = []
    cdef const char* at = PyBytes_AS_STRING(block)
    cdef const char* last = at + PyBytes_GET_SIZE(block)
    cdef const char* end
    cdef const char* next_line
    cdef const char* colon
    while at < last:
        end = <const char*>memchr(at, c"\n", last - at)
        if end == NULL:
            break
        next_line = end + 1
        if end > at and (end - 1)[0] == c"\r":
            end -= 1
        colon = <const char*>memchr(at, c":", end - at)
        if colon == NULL:
            fields.append((at[: end - at], b""))
        else:
            name = at[: colon - at]
            at = skip_spaces(colon + 1, end)
            end = drop_spaces(at, end)
            fields.append((name, at[: end - at]))
        at = next_line
    return tuple(fields)


# Requests

_TCHAR = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"  # RFC 9110, section 5.6.2
cdef unsigned char[256] _TOKEN
memset(_TOKEN, 0, 256)
for _byte in _TCHAR:
    _TOKEN[<unsigned char>_byte] = 1


def serialize_head(method, target, *parts):
    """The head of a request: its line (RFC 9112, section 3), the parts in their order, and the empty line.

    `parts`: bytes are field lines serialized before, each with its CRLF; otherwise pairs of name and value, sent as UTF-8.
    ValueError when the method, the target, a name or a value cannot be sent; the message shows the place.
    """
    cdef Buffer head
    memset(&head, 0, sizeof(Buffer))
    try:
        write_token(&head, method, "method")
        write(&head, b" ", 1)
        write_target(&head, target)
        write(&head, b" HTTP/1.1\r\n", 11)
        for part in parts:
            if isinstance(part, bytes):
                write(&head, PyBytes_AS_STRING(part), PyBytes_GET_SIZE(part))
                continue
            for name, value in part:
                write_token(&head, name, "field name")
                write(&head, b": ", 2)
                write_value(&head, name, value)
                write(&head, b"\r\n", 2)
        write(&head, b"\r\n", 2)
        return PyBytes_FromStringAndSize(head.at, head.length)
    finally:
        free(head.at)


cdef int write(Buffer* head, const char* data, size_t length) except -1:
    if add(head, data, length) != GOOD:
        raise MemoryError
    return 0


cdef int write_token(Buffer* head, object token, str part) except -1:
    cdef Py_ssize_t i, length = 0
    cdef const char* at = utf8(token, &length, part, "")
    for i in range(length):
        if not _TOKEN[<unsigned char>at[i]]:
            raise _faults().request_fault(part, token)
    if length == 0:
        raise _faults().request_fault(part, token)
    return write(head, at, length)


cdef int write_target(Buffer* head, object target) except -1:
    cdef Py_ssize_t i, length = 0
    cdef const char* at = utf8(target, &length, "request target", "")
    for i in range(length):
        if not c"!" <= at[i] <= c"~":
            raise _faults().request_fault("request target", target)
    if length == 0:
        raise _faults().request_fault("request target", target)
    return write(head, at, length)


cdef int write_value(Buffer* head, object name, object value) except -1:
    cdef Py_ssize_t i, length = 0
    cdef const char* at = utf8(value, &length, "field value", name)
    for i in range(length):
        if at[i] == c"\r" or at[i] == c"\n" or at[i] == 0:
            raise _faults().request_fault("field value", value, name)
    return write(head, at, length)


cdef const char* utf8(object text, Py_ssize_t* length, str part, object name) except NULL:
    cdef const char* at = PyUnicode_AsUTF8AndSize(text, length)
    if at == NULL and isinstance(text, str):  # a lone surrogate
        PyErr_Clear()
        raise _faults().request_fault(part, text, name)
    return at
