# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""What the express lane has answered of one kind, counted without an object for each answer."""

import time

from cpython cimport array
from libc.stdint cimport int64_t
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec


cdef int64_t now_ns() noexcept:
    cdef timespec at
    clock_gettime(CLOCK_MONOTONIC, &at)
    return <int64_t>at.tv_sec * 1000000000 + at.tv_nsec


cdef class Meter:
    """What the lane answered of one kind since somebody asked. Each of its methods is one step to other threads.

    Args:
        key: model, version, role and protocol.
        generation: of the table in force.
        share: of the requests, those whose tensors are kept.
    """

    def __init__(self, tuple key, long long generation, double share):
        self.key, self.generation, self.share = key, generation, share
        self.latencies = array.array("q")

    @property
    def idle(self):
        """Whether there is nothing to take or to settle."""
        return not self._requests and not len(self.latencies)

    @property
    def waiting(self):
        """Requests that nobody has taken yet."""
        return len(self.latencies)

    def fresh(self):
        """Requests since the last call; `take` counts as one."""
        cdef Py_ssize_t waiting = len(self.latencies), told = self._told
        self._told = waiting
        return waiting - told

    def take(self):
        """The generation, a latency in ns for each request and the sum of rows, since the last call."""
        cdef array.array empty = array.array("q"), latencies
        cdef int64_t rows = self._rows
        latencies, self.latencies, self._rows, self._told = self.latencies, empty, 0, 0
        return self.generation, latencies, rows

    def settle(self, count):
        """Add what was answered since the last call to a `tally.Count`."""
        if not self._requests:
            return
        count.requests += self._requests
        count.rows += self._served_rows
        count.busy_ns += self._busy
        count.input_ns += self._input
        count.engine_ns += self._engine
        count.last = time.time() - (now_ns() - self._last) / 1e9
        self._requests = self._served_rows = self._busy = self._input = self._engine = 0

    cdef void add(self, int64_t rows, int64_t begun, int64_t arrived, int64_t ran, int64_t ended):
        cdef int64_t latency = ran - arrived
        array.extend_buffer(self.latencies, <char*>&latency, 1)
        self._rows += rows
        self._requests += 1
        self._served_rows += rows
        self._busy += ended - begun
        self._input += arrived - begun
        self._engine += latency
        self._last = ended
