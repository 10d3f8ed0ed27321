# cython: language_level=3, freethreading_compatible=True
# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Frames in, messages out: how, where `_frame_parser_py.py` says what.

A message that came whole in one read, in one frame, is made from there. Any other is gathered in the object that it becomes,
bytes or a str of ASCII, so that a large one is copied once; only other text is decoded at its end. A violation is only noticed
here: `_frame_rules` says what it is.
"""

import os
import sys

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE, _PyBytes_Resize
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport uint64_t
from libc.string cimport memcpy, memset

from ._frame_bytes cimport Utf8, check_utf8, mask_bytes

from ._frame_rules import (
    bad_text,
    close_message,
    first_byte_fault,
    length_fault,
    second_byte_fault,
    too_big,
    too_many_fragments,
)
from .errors import WebSocketError
from .messages import Deflated, WSMessage, WSMessageTextBytes, WSMsgType

cdef extern from "Python.h":
    PyObject* new_bytes "PyBytes_FromStringAndSize"(const char*, Py_ssize_t) except NULL
    PyObject* new_text "PyUnicode_New"(Py_ssize_t, Py_UCS4) except NULL
    int PyUnicode_Resize(PyObject**, Py_ssize_t) except -1
    Py_ssize_t refcount "Py_REFCNT"(PyObject*)
    Py_ssize_t size_of "PyBytes_GET_SIZE"(PyObject*)
    char* PyUnicode_DATA(PyObject*)
    char* PyBytes_AS_STRING_of "PyBytes_AS_STRING"(PyObject*)
    const char* PyUnicode_AsUTF8AndSize(object, Py_ssize_t*) except NULL
    Py_ssize_t PY_SSIZE_T_MAX

cdef extern from *:
    """
    /* What tuple's own constructor does for a subclass, without the two tuples that it wants to be given. A message holds nothing
       that could hold the message: the garbage collector need not look at it. */
    static PyObject *make_message(PyObject *type, PyObject *kind, PyObject *data, PyObject *extra) {
        PyObject *message = ((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 3);
        if (message == NULL)
            return NULL;
        Py_INCREF(kind);
        PyTuple_SET_ITEM(message, 0, kind);
        Py_INCREF(data);
        PyTuple_SET_ITEM(message, 1, data);
        Py_INCREF(extra);
        PyTuple_SET_ITEM(message, 2, extra);
    #if PY_VERSION_HEX >= 0x030E0000
        ((PyTupleObject *)message)->ob_hash = -1;
    #endif
        PyObject_GC_UnTrack(message);
        return message;
    }
    """
    object make_message(object type, object kind, object data, object extra)

cdef enum:
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10

    FIN = 0x80
    RSV = 0x70
    RSV1 = 0x40
    OPCODE = 0x0F
    MASKED = 0x80
    LENGTH = 0x7F

    MAX_HEAD = 14
    MAX_CONTROL = 125
    POOL = 4096

    LARGE = 65536  # the rest of a payload that is worth a room
    CREDIBLE = 4194304  # ... that is believed before it has come

cdef type _WSMessage = WSMessage
cdef type _WSMessageTextBytes = WSMessageTextBytes
cdef object _TEXT = WSMsgType.TEXT
cdef object _BINARY = WSMsgType.BINARY
cdef object _PING = WSMsgType.PING
cdef object _PONG = WSMsgType.PONG
cdef uint64_t _NO_LIMIT = sys.maxsize // 2
cdef object _urandom = os.urandom


cdef class FrameParser:
    """What a peer sends on one connection, turned into messages: see `_frame_parser_py.FrameParser`."""

    cdef uint64_t max_size, max_compressed, max_fragments
    cdef bint deflate, decode_text, masked
    cdef object error
    cdef bint closed
    cdef readonly bint has_control

    cdef unsigned char[MAX_HEAD] head
    cdef Py_ssize_t head_size, head_length
    cdef uint64_t length, left
    cdef char[MAX_CONTROL] control

    cdef int type
    cdef bint compressed
    cdef PyObject* message  # bytes or a str that nobody else knows, with room for more than has come
    cdef bint ascii  # it is a str
    cdef char* content  # where its content is
    cdef Py_ssize_t size, capacity
    cdef uint64_t fragments
    cdef Utf8 text

    def __cinit__(
        self,
        uint64_t max_size=0,
        bint deflate=False,
        bint decode_text=True,
        bint masked=False,
        uint64_t max_fragments=2**20,
    ):
        self.max_size = max_size or _NO_LIMIT
        self.max_compressed = self.max_size + self.max_size // 8 + 64
        self.max_fragments = max_fragments
        self.deflate = deflate
        self.decode_text = decode_text
        self.masked = masked
        self.head_length = 2
        self.type = CONTINUATION

    def __dealloc__(self):
        Py_XDECREF(self.message)

    def feed(self, data, Py_ssize_t size=PY_SSIZE_T_MAX):
        """The messages that are complete with these bytes; WebSocketError when they break the protocol."""
        cdef Py_buffer view
        if self.error is not None:
            raise WebSocketError(*self.error)
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            return self.run(<const char*>view.buf, min(size, view.len))
        finally:
            PyBuffer_Release(&view)

    cdef list run(self, const char* data, Py_ssize_t length):
        cdef list messages = []
        cdef const char* end = data + length
        self.has_control = False
        try:
            while data < end and not self.closed:
                if self.head_size < self.head_length:
                    data += self.read_head(data, end - data)
                if self.head_size == self.head_length:
                    data += self.read_payload(messages, data, end - data)
        except WebSocketError as error:
            self.error = error.code, str(error)
            error.messages = messages
            raise
        return messages

    def room(self):
        """See `_frame_parser_py.FrameParser.room`."""
        cdef _Room room
        if self.masked or self.size == 0 or self.head_size < self.head_length or self.head[0] & OPCODE >= CLOSE:
            return None
        if self.left < LARGE or self.error is not None or self.closed:
            return None
        if self.size + self.left > <uint64_t>self.capacity:
            self.make_room(self.left if self.left <= CREDIBLE else LARGE)
        room = _Room.__new__(_Room)
        room.message = <object>self.message
        room.at = self.content + self.size
        room.size = min(<uint64_t>(self.capacity - self.size), self.left)
        return memoryview(room)

    # Heads

    cdef Py_ssize_t read_head(self, const char* data, Py_ssize_t length) except -1:
        cdef unsigned char* head = self.head
        cdef Py_ssize_t at = 0
        while at < length and self.head_size < self.head_length:
            head[self.head_size] = data[at]
            self.head_size += 1
            at += 1
            if self.head_size == 1:
                if not self.may_begin(head[0]):
                    raise first_byte_fault(head[0], self.deflate, self.type != CONTINUATION)
            elif self.head_size == 2:
                if (head[1] & MASKED != 0) != self.masked or (head[0] & OPCODE >= CLOSE and head[1] & LENGTH > MAX_CONTROL):
                    raise second_byte_fault(head[0], head[1], self.masked)
                self.head_length = 2 + 4 * self.masked
                if head[1] & LENGTH > 125:
                    self.head_length += 2 if head[1] & LENGTH == 126 else 8
        if self.head_size == self.head_length:
            self.begin_payload()
        return at

    cdef bint may_begin(self, unsigned char first) noexcept:
        """As `_frame_rules.first_byte_fault`."""
        cdef int opcode = first & OPCODE
        if first & RSV and not (first & RSV == RSV1 and self.deflate and (opcode == TEXT or opcode == BINARY)):
            return False
        if opcode >= CLOSE:
            return opcode <= PONG and first & FIN
        return opcode == CONTINUATION if self.type != CONTINUATION else opcode == TEXT or opcode == BINARY

    cdef int begin_payload(self) except -1:
        cdef int opcode = self.head[0] & OPCODE
        cdef int form = self.head[1] & LENGTH
        cdef Py_ssize_t i
        self.length = form
        if form > 125:
            self.length = 0
            for i in range(2, 4 if form == 126 else 10):
                self.length = self.length << 8 | self.head[i]
            if self.length < <uint64_t>(126 if form == 126 else 2**16) or self.length >> 63:
                raise length_fault(self.length, form)
        self.left = self.length
        if opcode >= CLOSE:
            return 0
        if opcode != CONTINUATION:
            self.type = opcode
            self.compressed = self.head[0] & RSV1 != 0
            self.fragments = 0
            memset(&self.text, 0, sizeof(Utf8))
        self.fragments += 1
        if self.fragments > self.max_fragments:
            raise too_many_fragments(self.max_fragments)
        if self.size + self.length > (self.max_compressed if self.compressed else self.max_size):
            raise too_big(self.size + self.length, self.max_size)
        return 0

    # Payloads

    cdef Py_ssize_t read_payload(self, list messages, const char* data, Py_ssize_t length) except -1:
        """Of `data`, what belongs to the frame under way; at its end, what it says."""
        cdef bint fin = self.head[0] & FIN
        if <uint64_t>length > self.left:
            length = self.left
        if self.head[0] & OPCODE >= CLOSE:
            self.copy(self.control + (self.length - self.left), data, length)
            self.left -= length
            if self.left == 0:
                messages.append(self.control_message())
        elif fin and self.size == 0 and <uint64_t>length == self.length and not self.masked:
            self.left = 0
            messages.append(self.message_from(data, length))
        else:
            self.gather(data, length)
            self.left -= length
            if self.left == 0 and fin:
                messages.append(self.finish_message())
        if self.left == 0:
            self.head_size = 0
            self.head_length = 2
            if fin and self.head[0] & OPCODE < CLOSE:
                self.type = CONTINUATION
        return length

    cdef void copy(self, char* to, const char* data, Py_ssize_t length) noexcept:
        if self.masked:
            mask_bytes(to, data, length, <char*>self.head + self.head_length - 4, self.length - self.left)
        else:
            memcpy(to, data, length)

    cdef int gather(self, const char* data, Py_ssize_t length) except -1:
        if length == 0:
            return 0
        if self.size + length > self.capacity:
            self.make_room(length)
        if data != self.content + self.size:  # it was not received there
            self.copy(self.content + self.size, data, length)
        if self.is_text():
            if not check_utf8(&self.text, self.content + self.size, length):
                raise bad_text(self.text.character)
            if self.ascii and self.text.beyond_ascii:
                self.turn_into_bytes(length)
        self.size += length
        return 0

    cdef int make_room(self, Py_ssize_t length) except -1:
        """Room for so much more. It grows with what has come, and not beyond what was announced if that is the end."""
        cdef uint64_t wanted = 2 * <uint64_t>(self.size + length) + 1024
        if self.head[0] & FIN and self.size + self.left < wanted:
            wanted = self.size + self.left
        self.capacity = 0  # until there is some
        if self.message == NULL:
            self.ascii = self.is_text()
            self.message = new_text(wanted, 127) if self.ascii else new_bytes(NULL, wanted)
        else:
            self.resize(wanted)
        self.find_content()
        self.capacity = wanted
        return 0

    cdef int resize(self, Py_ssize_t size) except -1:
        cdef PyObject* message = self.message
        if self.ascii:
            return PyUnicode_Resize(&self.message, size)
        if refcount(message) == 1 or size_of(message) == size:
            return _PyBytes_Resize(&self.message, size)
        self.message = new_bytes(NULL, size)  # a room in it is still in somebody's hands
        memcpy(PyBytes_AS_STRING_of(self.message), PyBytes_AS_STRING_of(message), min(size, size_of(message)))
        Py_XDECREF(message)
        return 0

    cdef void find_content(self) noexcept:
        self.content = PyUnicode_DATA(self.message) if self.ascii else PyBytes_AS_STRING_of(self.message)

    cdef int turn_into_bytes(self, Py_ssize_t length) except -1:
        """The text is not all ASCII."""
        cdef PyObject* text = self.message
        cdef PyObject* encoded = new_bytes(NULL, self.capacity)
        memcpy(PyBytes_AS_STRING_of(encoded), self.content, self.size + length)
        self.message = encoded
        self.ascii = False
        self.find_content()
        Py_XDECREF(text)
        return 0

    cdef bint is_text(self) noexcept:
        return self.type == TEXT and self.decode_text and not self.compressed

    # Messages

    cdef object control_message(self):
        cdef bytes payload = self.control[: self.length]
        cdef int opcode = self.head[0] & OPCODE
        self.has_control = True
        if opcode != CLOSE:
            return make_message(_WSMessage, _PING if opcode == PING else _PONG, payload, "")
        message = close_message(payload)
        self.closed = True
        return message

    cdef object message_from(self, const char* data, Py_ssize_t length):
        """The message whose payload is this."""
        if not self.is_text():
            return self.message_of(PyBytes_FromStringAndSize(data, length))
        try:
            return make_message(_WSMessage, _TEXT, PyUnicode_DecodeUTF8(data, length, NULL), "")
        except UnicodeDecodeError as wrong:
            raise bad_text(wrong.start) from None

    cdef object finish_message(self):
        """The message whose payload was gathered."""
        cdef Py_ssize_t size = self.size
        if self.text.needed:
            raise bad_text(self.text.character)
        if self.message == NULL:
            return self.message_from(b"", 0)
        self.size = self.capacity = 0
        if self.ascii or not self.is_text():
            self.resize(size)
        payload = <object>self.message
        Py_XDECREF(self.message)
        self.message = NULL
        if self.ascii:
            return make_message(_WSMessage, _TEXT, payload, "")
        return self.message_from(PyBytes_AS_STRING(payload), size) if self.is_text() else self.message_of(payload)

    cdef object message_of(self, bytes payload):
        """As `_frame_parser_py.FrameParser._message_of`, but for what is decoded."""
        if self.compressed:
            return Deflated(_TEXT if self.type == TEXT else _BINARY, payload)
        if self.type == BINARY:
            return make_message(_WSMessage, _BINARY, payload, "")
        return make_message(_WSMessageTextBytes, _TEXT, payload, "")


# Rooms


cdef class _Room:
    """A part of a message under way, to be received into."""

    cdef object message  # which lives as long as this
    cdef char* at
    cdef Py_ssize_t size

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.at, self.size, False, flags)


# Frames


cdef class _Masks:
    """Masking keys that nobody can foresee (RFC 6455, section 10.3), fetched from the system many at a time."""

    cdef bytes pool
    cdef Py_ssize_t at

    cdef int take(self, char* to) except -1:
        with cython.critical_section(self):
            if self.pool is None or self.at == POOL:
                self.pool = _urandom(POOL)
                self.at = 0
            memcpy(to, PyBytes_AS_STRING(self.pool) + self.at, 4)
            self.at += 4
        return 0

    def forget(self):
        self.pool = None


cdef _Masks _masks = _Masks()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_masks.forget)  # a child has keys of its own


def apply_mask(bytes mask not None, data):
    """`data` masked with a key of 4 bytes, or with the mask taken off; ValueError when the key has another length."""
    cdef Py_buffer view
    cdef bytes masked
    if PyBytes_GET_SIZE(mask) != 4:
        raise ValueError(f"A masking key has 4 bytes, not {len(mask)}")
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        masked = PyBytes_FromStringAndSize(NULL, view.len)
        mask_bytes(PyBytes_AS_STRING(masked), <const char*>view.buf, view.len, PyBytes_AS_STRING(mask), 0)
    finally:
        PyBuffer_Release(&view)
    return masked


def serialize_frame(int opcode, payload, bytes mask=None, bint rsv1=False, bint fin=True, Py_ssize_t length=0):
    """A frame as it travels (RFC 6455, section 5.2): see `_frame_parser_py.serialize_frame`."""
    cdef Py_buffer view
    cdef const char* text
    cdef Py_ssize_t size
    if mask is not None and PyBytes_GET_SIZE(mask) not in (0, 4):
        raise ValueError(f"A masking key has 4 bytes, not {len(mask)}")
    opcode |= (RSV1 if rsv1 else 0) | (FIN if fin else 0)
    if isinstance(payload, str):
        text = PyUnicode_AsUTF8AndSize(payload, &size)
        return serialize(opcode, text, size, mask, length or size)
    PyObject_GetBuffer(payload, &view, PyBUF_SIMPLE)
    try:
        return serialize(opcode, <const char*>view.buf, view.len, mask, length or view.len)
    finally:
        PyBuffer_Release(&view)


cdef bytes serialize(int first, const char* payload, Py_ssize_t size, bytes mask, Py_ssize_t length):
    cdef char[MAX_HEAD] head
    cdef char[4] key
    cdef bint masked = mask is None or PyBytes_GET_SIZE(mask) != 0
    cdef Py_ssize_t extended = 0 if length < 126 else 2 if length < 65536 else 8
    cdef Py_ssize_t i, head_length = 2 + extended
    head[0] = first
    head[1] = length if extended == 0 else 126 if extended == 2 else 127
    for i in range(extended):
        head[2 + i] = <uint64_t>length >> 8 * (extended - 1 - i)
    if masked:
        head[1] |= MASKED
        if mask is None:
            _masks.take(key)
        else:
            memcpy(key, PyBytes_AS_STRING(mask), 4)
        memcpy(head + head_length, key, 4)
        head_length += 4
    cdef bytes frame = PyBytes_FromStringAndSize(NULL, head_length + size)
    cdef char* to = PyBytes_AS_STRING(frame)
    memcpy(to, head, head_length)
    if masked:
        mask_bytes(to + head_length, payload, size, key, 0)
    else:
        memcpy(to + head_length, payload, size)
    return frame
