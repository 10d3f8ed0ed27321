from libc.stdint cimport uint64_t
from libc.stdlib cimport realloc
from libc.string cimport memchr

from ._gathering cimport Buffer, Gathering, is_token
from ._llhttp cimport F_CHUNKED, F_CONTENT_LENGTH, F_TRANSFER_ENCODING, HPE_OK, HPE_PAUSED, llhttp_settings_t, llhttp_t


cdef enum:
    SIZE_DIGITS = 16


cdef enum Span:
    NONE
    REASON
    NAME
    VALUE


cdef struct Place:
    size_t at
    size_t end


cdef struct Section:
    Span span  # what llhttp reported last, maybe in several parts
    size_t fields
    size_t first  # where the first field is
    Place reason
    Place name
    Place value
    size_t content_types
    Place content_type  # the first
    size_t content_encodings
    Place content_encoding  # the first
    bint has_length
    uint64_t length
    bint chunked
    bint sets_cookies
    int keep_alive  # or -1


cdef struct Piece:  # of the data of a chunk
    size_t at
    size_t length
    bint ends


cdef struct Wire:
    # What llhttp's callbacks write down; they call nothing of Python's. What they refuse, by -1, is explained elsewhere.
    llhttp_t llhttp
    const char* base  # what offsets count from
    bint in_place  # a head is read where it came: its lines have not been measured
    Section section
    Gathering gathering

    bint in_chunk  # in its data
    bint after_chunk  # the line begins with the CRLF that ends the data
    size_t line  # where it begins, or goes on after what was gathered
    Piece* pieces
    size_t pieces_length
    size_t pieces_room
    size_t content  # bytes in all pieces


cdef inline void set_callbacks(llhttp_settings_t* settings) noexcept nogil:
    settings.on_status = on_status
    settings.on_header_field = on_header_field
    settings.on_header_field_complete = on_header_field_complete
    settings.on_header_value = on_header_value
    settings.on_header_value_complete = on_header_value_complete
    settings.on_headers_complete = on_headers_complete
    settings.on_chunk_header = on_chunk_header
    settings.on_body = on_body


cdef inline void add_span(Wire* wire, Span span, Place* place, const char* at, size_t length) noexcept nogil:
    """llhttp reports a span in parts where its input was cut; what is gathered lies in one piece all the same."""
    if wire.section.span != span:
        wire.section.span = span
        place.at = at - wire.base
    place.end = at - wire.base + length


cdef inline int on_status(llhttp_t* llhttp, const char* at, size_t length) noexcept nogil:
    cdef Wire* wire = <Wire*>llhttp.data
    cdef size_t i
    add_span(wire, REASON, &wire.section.reason, at, length)
    for i in range(length):  # llhttp lets everything pass
        if (<unsigned char>at[i] < 0x20 and at[i] != c"\t") or at[i] == 0x7F:
            return -1
    return 0


cdef inline int on_header_field(llhttp_t* llhttp, const char* at, size_t length) noexcept nogil:
    cdef Wire* wire = <Wire*>llhttp.data
    if wire.section.span != NAME:
        if wire.section.fields == 0:
            wire.section.first = at - wire.base
        wire.section.fields += 1
    add_span(wire, NAME, &wire.section.name, at, length)
    return 0


cdef inline int on_header_field_complete(llhttp_t* llhttp) noexcept nogil:
    """What frames content cannot come behind it."""
    cdef Wire* wire = <Wire*>llhttp.data
    cdef const char* name = wire.base + wire.section.name.at
    cdef size_t length = wire.section.name.end - wire.section.name.at
    if wire.gathering.trailers:
        if is_token(name, length, b"content-length", 14) or is_token(name, length, b"transfer-encoding", 17):
            return -1
    return 0


cdef inline int on_header_value(llhttp_t* llhttp, const char* at, size_t length) noexcept nogil:
    cdef Wire* wire = <Wire*>llhttp.data
    add_span(wire, VALUE, &wire.section.value, at, length)
    if wire.in_place and wire.section.value.end - wire.section.name.at > wire.gathering.max_line:
        return -1
    return 0


cdef inline int on_header_value_complete(llhttp_t* llhttp) noexcept nogil:
    """The fields of `HeadReader` that have a meaning here; llhttp itself sees to Connection."""
    cdef Wire* wire = <Wire*>llhttp.data
    cdef Section* section = &wire.section
    cdef const char* name = wire.base + section.name.at
    cdef size_t length = section.name.end - section.name.at
    cdef Place value = section.value
    section.span = NONE
    if wire.gathering.trailers:
        return 0
    value.end = drop_spaces(wire.base + value.at, wire.base + value.end) - wire.base
    if length == 10:
        if is_token(name, length, b"set-cookie", 10):
            section.sets_cookies = True
        elif is_token(name, length, b"keep-alive", 10):
            read_keep_alive(section, wire.base + value.at, wire.base + value.end)
    elif length == 12:
        if is_token(name, length, b"content-type", 12):
            if section.content_types == 0:
                section.content_type = value
            section.content_types += 1
    elif length == 14:
        if is_token(name, length, b"content-length", 14):
            return read_content_length(llhttp, section)
    elif length == 16:
        if is_token(name, length, b"content-encoding", 16):
            if section.content_encodings == 0:
                section.content_encoding = value
            section.content_encodings += 1
    elif length == 17:
        if is_token(name, length, b"transfer-encoding", 17):
            return read_transfer_encoding(llhttp, section, wire.base + value.at, value.end - value.at)
    return 0


cdef inline int read_content_length(llhttp_t* llhttp, Section* section) noexcept nogil:
    """llhttp has read the number. It would refuse every second one, so it is made to forget the first."""
    cdef uint64_t length = llhttp.content_length
    llhttp.flags &= ~F_CONTENT_LENGTH
    llhttp.content_length = 0
    if section.chunked or (section.has_length and section.length != length):
        return -1
    section.has_length = True
    section.length = length
    return 0


cdef inline int read_transfer_encoding(llhttp_t* llhttp, Section* section, const char* at, size_t length) noexcept nogil:
    if section.has_length or section.chunked or not is_token(at, length, b"chunked", 7):
        return -1
    section.chunked = True
    llhttp.flags = (llhttp.flags & ~F_TRANSFER_ENCODING) | F_CHUNKED
    return 0


cdef inline void read_keep_alive(Section* section, const char* at, const char* end) noexcept nogil:
    """The first option that is `timeout=` and at most nine digits."""
    cdef const char* option_end
    cdef const char* digits
    cdef int seconds
    while section.keep_alive < 0 and at < end:
        option_end = <const char*>memchr(at, c",", end - at)
        if option_end == NULL:
            option_end = end
        at = skip_spaces(at, option_end)
        if option_end - at > 7 and is_token(at, 7, b"timeout", 7):
            at = skip_spaces(at + 7, option_end)
            if at < option_end and at[0] == c"=":
                digits = at = skip_spaces(at + 1, option_end)
                seconds = 0
                while at < option_end and c"0" <= at[0] <= c"9" and at - digits < 9:
                    seconds = seconds * 10 + (at[0] - c"0")
                    at += 1
                if at > digits and skip_spaces(at, option_end) == option_end:
                    section.keep_alive = seconds
        at = option_end + 1


cdef inline int on_headers_complete(llhttp_t* llhttp) noexcept nogil:
    return HPE_PAUSED  # what follows is not llhttp's business, unless it is chunked


cdef inline int on_chunk_header(llhttp_t* llhttp) noexcept nogil:
    return HPE_OK if llhttp.content_length else HPE_PAUSED  # trailers are gathered first


cdef inline int on_body(llhttp_t* llhttp, const char* at, size_t length) noexcept nogil:
    """Some data of a chunk."""
    cdef Wire* wire = <Wire*>llhttp.data
    cdef Piece* piece
    if not wire.in_chunk:
        if not line_fits(wire, at - wire.base):
            return -1
        wire.in_chunk = True
        wire.gathering.buffer.length = 0
    if wire.pieces_length == wire.pieces_room:
        piece = <Piece*>realloc(wire.pieces, (2 * wire.pieces_room + 16) * sizeof(Piece))
        if piece == NULL:
            return -1
        wire.pieces = piece
        wire.pieces_room = 2 * wire.pieces_room + 16
    piece = &wire.pieces[wire.pieces_length]
    piece.at = at - wire.base
    piece.length = length
    piece.ends = llhttp.content_length == 0
    wire.pieces_length += 1
    wire.content += length
    if piece.ends:
        wire.in_chunk = False
        wire.after_chunk = True
        wire.line = piece.at + length
    return 0


cdef inline bint line_fits(Wire* wire, size_t end) noexcept nogil:
    """The line of chunk framing that ends at `base[end]` is not too long, nor is its size."""
    cdef size_t length = wire.gathering.buffer.length + end - wire.line
    cdef size_t start = 2 if wire.after_chunk else 0
    cdef size_t i
    while length > start and line_byte(wire, length - 1) in b"\r\n":
        length -= 1
    if length <= start + SIZE_DIGITS:
        return length <= start + wire.gathering.max_line
    if length > start + wire.gathering.max_line:
        return False
    for i in range(start, start + SIZE_DIGITS + 1):
        if line_byte(wire, i) not in b"0123456789abcdefABCDEF":
            return True
    return False


cdef inline char line_byte(Wire* wire, size_t at) noexcept nogil:
    cdef Buffer* kept = &wire.gathering.buffer
    return kept.at[at] if at < kept.length else wire.base[wire.line + at - kept.length]


cdef inline const char* skip_spaces(const char* at, const char* end) noexcept nogil:
    while at < end and (at[0] == c" " or at[0] == c"\t"):
        at += 1
    return at


cdef inline const char* drop_spaces(const char* at, const char* end) noexcept nogil:
    """The end of the text without spaces behind it."""
    while end > at and ((end - 1)[0] == c" " or (end - 1)[0] == c"\t"):
        end -= 1
    return end
