from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcpy


cdef enum:
    KEPT = 16384  # a buffer of more bytes does not stay with the connection


cdef enum Answer:
    NO_MEMORY = -1
    FAULT = 0  # what was gathered is at fault, for certain
    GOOD = 1


cdef struct Buffer:
    char* at
    size_t length
    size_t room


cdef struct Gathering:
    # A head or a trailer section as it comes: its lines unfolded, ended by CRLF and within the limits. This is `HeadReader.read`
    # without what llhttp checks. A line of chunk framing that was cut by the end of a read waits here too.
    Buffer buffer
    size_t max_line
    size_t max_status_line
    size_t max_section
    size_t max_fields

    bint trailers
    bint on_status_line
    size_t line_start
    size_t lines  # complete field lines
    bint cr  # a CR has come that waits for its LF; it is not in `at`
    bint line_ended  # its CRLF is in `at`, and the next byte decides whether it stays
    bint complete


cdef inline void begin_gathering(Gathering* gathering, bint trailers) noexcept nogil:
    gathering.buffer.length = gathering.line_start = gathering.lines = 0
    gathering.trailers = trailers
    gathering.on_status_line = not trailers
    gathering.cr = gathering.line_ended = gathering.complete = False
    if gathering.buffer.room > KEPT:
        free(gathering.buffer.at)
        gathering.buffer.at = NULL
        gathering.buffer.room = 0


cdef inline Answer gather(Gathering* gathering, const char* data, Py_ssize_t* position, Py_ssize_t length) noexcept nogil:
    """Add what belongs to the section of `data[position:length]`, and move the position behind it."""
    cdef Answer answer = GOOD
    cdef Py_ssize_t at, end
    cdef const char* found
    cdef bint ends, crlf, stray
    while answer == GOOD and position[0] < length and not gathering.complete:
        at = position[0]
        found = <const char*>memchr(data + at, c"\n", length - at)
        ends = found != NULL
        end = found - data if ends else length
        position[0] = end + ends
        stray = gathering.cr and end > at  # it was followed by something else than LF
        crlf = gathering.cr and not stray
        gathering.cr = False
        if end > at and data[end - 1] == c"\r":
            end -= 1
            crlf = ends
            gathering.cr = not ends
        if stray or end > at or ends:
            answer = take(gathering, stray, data + at, end - at)
        if answer == GOOD and ends:
            answer = end_line(gathering, crlf)
    return answer


cdef inline Answer take(Gathering* gathering, bint stray, const char* text, size_t length) noexcept nogil:
    """Add to the line, or begin the next one."""
    if gathering.line_ended:
        gathering.line_ended = False
        if length and not stray and (text[0] == c" " or text[0] == c"\t"):
            if not may_be_folded(gathering):
                return refuse(gathering, text, 1)
            gathering.buffer.length -= 2
            if add(&gathering.buffer, b" ", 1) != GOOD:
                return NO_MEMORY
            text += 1
            length -= 1
        else:
            gathering.line_start = gathering.buffer.length
            gathering.lines += 1
    if stray:
        return refuse(gathering, b"\r", 1)
    return add_text(gathering, text, length)


cdef inline Answer add_text(Gathering* gathering, const char* text, size_t length) noexcept nogil:
    """No more than is allowed (`HeadReader._allowed`), nor than a bare CR; of what is not, the first byte, to show it."""
    cdef size_t allowed = gathering.max_status_line if gathering.on_status_line else gathering.max_line
    cdef size_t line_length = gathering.buffer.length - gathering.line_start
    cdef const char* bare = <const char*>memchr(text, c"\r", length)
    if bare != NULL:
        length = bare + 1 - text
    if gathering.lines >= gathering.max_fields and not gathering.on_status_line:
        allowed = 1
    elif gathering.line_start + allowed > gathering.max_section:
        allowed = gathering.max_section - gathering.line_start if gathering.max_section > gathering.line_start else 1
    if line_length + length > allowed:
        return refuse(gathering, text, allowed + 1 - line_length if line_length <= allowed else 0)
    return add(&gathering.buffer, text, length) if bare == NULL else refuse(gathering, text, length)


cdef inline Answer end_line(Gathering* gathering, bint crlf) noexcept nogil:
    cdef bint empty = gathering.buffer.length == gathering.line_start
    if gathering.trailers and not crlf:  # a bare LF ends a line only in a head
        return refuse(gathering, b"\n", 1)
    if add(&gathering.buffer, b"\r\n", 2) != GOOD:
        return NO_MEMORY
    if gathering.on_status_line:
        gathering.on_status_line = False
        gathering.line_start = gathering.buffer.length
    elif empty:
        gathering.complete = True
    else:
        gathering.line_ended = True
    return GOOD


cdef inline bint may_be_folded(Gathering* gathering) noexcept nogil:
    """Not a field that says where a message ends, or who speaks next: `HeadReader._unfold`."""
    cdef const char* line = gathering.buffer.at + gathering.line_start
    cdef const char* colon = <const char*>memchr(line, c":", gathering.buffer.length - gathering.line_start)
    if gathering.trailers or colon == NULL:
        return False
    return not (
        is_token(line, colon - line, b"content-length", 14)
        or is_token(line, colon - line, b"transfer-encoding", 17)
        or is_token(line, colon - line, b"connection", 10)
        or is_token(line, colon - line, b"upgrade", 7)
    )


cdef inline Answer refuse(Gathering* gathering, const char* text, size_t length) noexcept nogil:
    return FAULT if add(&gathering.buffer, text, length) == GOOD else NO_MEMORY


cdef inline Answer add(Buffer* buffer, const char* data, size_t length) noexcept nogil:
    cdef size_t room
    cdef char* at
    if length == 0:
        return GOOD
    if buffer.length + length > buffer.room:
        room = 2 * buffer.room + length + 1000
        at = <char*>realloc(buffer.at, room)
        if at == NULL:
            return NO_MEMORY
        buffer.at = at
        buffer.room = room
    memcpy(buffer.at + buffer.length, data, length)
    buffer.length += length
    return GOOD


cdef inline bint is_token(const char* at, size_t length, const char* lower, size_t lower_length) noexcept nogil:
    """Compare with a token of lower-case letters and hyphens."""
    cdef size_t i
    if length != lower_length:
        return False
    for i in range(length):
        if (at[i] | 0x20) != lower[i]:
            return False
    return True
