from libc.stdint cimport int64_t, uint64_t

from gateway.server.express.meter cimport Meter
from gateway.server.express.plans cimport Layout


cdef class Bodies:
    cdef Py_ssize_t kind
    cdef dict layouts, ends

    cdef Layout find(self, const char* body, Py_ssize_t length, Py_ssize_t* end)


cdef class Head:
    cdef Py_ssize_t length
    cdef Bodies bodies
    cdef object headers


cdef class Way:
    cdef object choice
    cdef dict plans
    cdef Meter meter
    cdef int64_t used_at


cdef class Lane:
    cdef object host, routes, loaded, pressure, gate
    cdef bytes ids
    cdef uint64_t number, state
    cdef Py_ssize_t most
    cdef int64_t slow
    cdef dict heads

    cdef bytes answered(self, const char* at, Py_ssize_t length)
    cdef bytes by(self, object choice, Layout layout, Head head, int64_t begun)
    cdef Way way(self, object choice, Layout layout, int64_t now)
    cdef double chance(self) noexcept
