"""Loops over the bytes of a frame: masking, and whether text is UTF-8. Written so that C compilers take many bytes at a time."""

from libc.stdint cimport uint64_t
from libc.string cimport memcpy


cdef inline void mask_bytes(char* to, const char* data, size_t length, const char* key, size_t at) noexcept nogil:
    """Write `data` to `to`, which may be the same, masked with the 4 bytes of `key`, of which the first used is `key[at % 4]`."""
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
    size_t character  # where the last character begins
    unsigned char needed  # bytes that the last character lacks
    unsigned char low, high  # between these the next of them has to be


cdef inline bint check_utf8(Utf8* text, const char* data, size_t length) noexcept nogil:
    """Whether the text may go on with `data`. If not, `text.character` is where the fault begins."""
    cdef uint64_t word
    cdef unsigned char byte
    cdef size_t i = 0
    while i < length:
        byte = data[i]
        if text.needed:
            if not text.low <= byte <= text.high:
                return False
            text.needed -= 1
            text.low, text.high = 0x80, 0xBF
        elif byte >= 0x80:
            text.character = text.length + i
            if not begin_character(text, byte):
                return False
        else:
            while i + 8 <= length:
                memcpy(&word, data + i, 8)
                if word & <uint64_t>0x8080808080808080:
                    break
                i += 8
            while i < length and not data[i] & 0x80:
                i += 1
            continue
        i += 1
    text.length += length
    return True


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
