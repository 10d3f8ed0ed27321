# What `waiter.py` is when it is compiled.

cdef class Waiter:
    cdef public bint _asyncio_future_blocking
    cdef object _loop, _result, _error, _step, _context
    cdef list _callbacks
    cdef bint _done, _cancelled

    cpdef arrive(self, object result=*)
    cpdef set_result(self, object result)
    cpdef set_exception(self, object error)
    cpdef result(self)
    cpdef exception(self)
    cdef _end(self)
