# What `pool.py` is when it is compiled.

cimport cython

cdef class _Host:
    cdef readonly Py_ssize_t lent
    cdef readonly object idle, parked

cdef class Pool:
    cdef readonly object limit, limit_per_host  # which may be infinite
    cdef readonly Py_ssize_t lent
    cdef Py_ssize_t _most, _most_per_host, _idle, _arrivals, _parked
    cdef dict _hosts
    cdef object _is_alive, _discard, _waiters
    cdef list _ready

    @cython.locals(host=_Host)
    cpdef take(self, object key)

    @cython.locals(host=_Host)
    cpdef bint reserve(self, object key) except -1

    @cython.locals(host=_Host)
    cpdef leave(self, object key, Py_ssize_t arrival)

    @cython.locals(host=_Host)
    cpdef give_back(self, object key, object connection, double now)

    @cython.locals(host=_Host)
    cpdef expire(self, double before)

    @cython.locals(host=_Host)
    cpdef Py_ssize_t available(self, object key) except? -1

    cdef bint _full(self, _Host host)

    @cython.locals(host=_Host)
    cdef _forget_if_empty(self, object key)

    cdef _evict(self)

    @cython.locals(host=_Host)
    cdef _hand_on(self)

    @cython.locals(host=_Host)
    cdef _next(self)

    cdef _unpark(self, object key, _Host host)
