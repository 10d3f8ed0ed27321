"""Loops over the bytes of a frame: masking, and whether text is UTF-8. Written so that C compilers take many bytes at a time."""

from libc.stdint cimport uint64_t
from libc.string cimport memcpy


cdef inline void mask_bytes(char* to, const char* data, size_t length, const char* key, size_t at) noexcept nogil:
    """Write `data` to `to`, masked with the 4 bytes of `key`, of which the first used is `key[at % 4]`."""
    cdef char[8] keys
    cdef uint64_t word, key_word
    cdef size_t i
    for i in range(8):
        keys[i] = key[(at + i) & 3]
    memcpy(&key_word, keys, 8)
    for i in range(length >> 3):
        memcpy(&word, data + 8 * i, 8)
        word ^= key_word
        memcpy(to + 8 * i, &word, 8)
    for i in range(length & ~<size_t>7, length):
        to[i] = data[i] ^ keys[i & 7]


cdef struct Utf8:
    # Text that comes in parts (RFC 3629, section 4).
    size_t length  # bytes seen
    size_t character  # where the last character that is not ASCII begins
    bint beyond_ascii  # there is such a one
    unsigned char needed  # bytes that it lacks
    unsigned char low, high  # between these the next of them has to be


cdef inline bint check_utf8(Utf8* text, const char* data, size_t length) noexcept nogil:
    """Whether the text may go on with `data`. If not, `text.character` is where the fault begins."""
    cdef Utf8 now = text[0]  # what is not pointed to can stay in registers
    cdef bint good = True
    cdef unsigned char byte
    cdef size_t i = 0
    while good and i < length:
        if not now.needed:
            i = skip_ascii(data, i, length)
            if i == length:
                break
            now.beyond_ascii = True
            i = skip_characters(data, i, length)
            if i == length:
                break
        byte = data[i]
        if now.needed:
            good = now.low <= byte <= now.high
            now.needed -= 1
            now.low, now.high = 0x80, 0xBF
        elif byte >= 0x80:
            now.character = now.length + i
            good = begin_character(&now, byte)
        i += 1
    now.length += length
    text[0] = now
    return good


cdef inline size_t skip_ascii(const char* data, size_t at, size_t length) noexcept nogil:
    cdef uint64_t word
    while at + 8 <= length:
        memcpy(&word, data + at, 8)
        if word & <uint64_t>0x8080808080808080:
            break
        at += 8
    while at < length and not data[at] & 0x80:
        at += 1
    return at


cdef inline size_t skip_characters(const char* data, size_t at, size_t length) noexcept nogil:
    """Past whole characters of two or three bytes, but for those at the edges of what is allowed."""
    cdef unsigned char byte
    while at + 3 <= length:
        byte = data[at]
        if 0xC2 <= byte < 0xE0 and data[at + 1] & 0xC0 == 0x80:
            at += 2
        elif 0xE0 < byte < 0xF0 and byte != 0xED and data[at + 1] & 0xC0 == 0x80 and data[at + 2] & 0xC0 == 0x80:
            at += 3
        else:
            break
    return at


cdef inline bint begin_character(Utf8* text, unsigned char byte) noexcept nogil:
    text.low, text.high = 0x80, 0xBF
    if byte < 0xC2 or byte > 0xF4:
        return False
    if byte < 0xE0:
        text.needed = 1
    elif byte < 0xF0:
        text.needed = 2
        if byte == 0xE0:
            text.low = 0xA0
        elif byte == 0xED:
            text.high = 0x9F
    else:
        text.needed = 3
        if byte == 0xF0:
            text.low = 0x90
        elif byte == 0xF4:
            text.high = 0x8F
    return True
