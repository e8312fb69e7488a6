cdef class Tensor:
    cdef readonly str name
    cdef readonly object array
    cdef object flat
    cdef char code
    cdef char* memory
    cdef Py_ssize_t count, size, item

    cdef bint finite(self) noexcept


cdef class Layout:
    cdef readonly list inputs
    cdef list words, runs
    cdef bint text
    cdef readonly str model, protocol
    cdef readonly object pinned
    cdef readonly long long rows
    cdef public object table, route, choice, draws
    cdef public list ways
    cdef public Layout other

    cdef bint read(self, const char* at, const char* end) noexcept


cdef class Answer:
    cdef list parts, slots
    cdef bint text
    cdef Py_ssize_t body

    cdef bytes write(self, list outputs, bytes prediction_id)


cdef class Plan:
    cdef object run, invalid
    cdef list outputs
    cdef Answer answer

    cdef bint sound(self)
