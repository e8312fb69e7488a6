from cpython cimport array
from libc.stdint cimport int64_t


cdef int64_t now_ns() noexcept


cdef class Meter:
    cdef readonly tuple key
    cdef public double share
    cdef public long long generation
    cdef array.array latencies
    cdef Py_ssize_t _told
    cdef int64_t _rows, _requests, _served_rows, _busy, _input, _engine, _last

    cdef void add(self, int64_t rows, int64_t begun, int64_t arrived, int64_t ran, int64_t ended)
