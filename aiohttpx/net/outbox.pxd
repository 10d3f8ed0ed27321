# What `outbox.py` is when it is compiled.

cdef class Outbox:
    cdef object _loop
    cdef list _held
    cdef Py_ssize_t _answers, _unanswered
    cdef bint _heard
    cdef double _began

    cpdef answered(self)
    cpdef heard(self)
    cpdef write(self, object sender, object data)
    cpdef flush(self)
