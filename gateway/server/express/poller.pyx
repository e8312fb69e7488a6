# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Reads the sockets of idle connections whose requests go the express lane, and answers on them.

The event loop's own way from a socket to a protocol and back costs as much as the lane itself. Here one wake of
the loop serves all that have come, with two system calls a request.
"""

import logging
import os

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from gateway.server.express.lane cimport Lane
from gateway.server.express.meter cimport now_ns

cdef extern from "sys/epoll.h" nogil:
    enum: EPOLLIN, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL
    union epoll_data:
        uint64_t u64
    struct epoll_event:
        uint32_t events
        epoll_data data
    int epoll_create1(int flags)
    int epoll_ctl(int epoll, int change, int descriptor, epoll_event* event)
    int epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms)

cdef extern from "sys/socket.h" nogil:
    enum: MSG_DONTWAIT, MSG_NOSIGNAL
    ssize_t recv(int descriptor, void* into, size_t most, int flags)
    ssize_t send(int descriptor, const void* data, size_t length, int flags)

cdef enum:
    AT_ONCE = 64
    READ = 256 * 1024

log = logging.getLogger(__name__)


cdef class Watch:
    """One connection that a poller reads."""

    cdef Poller poller
    cdef readonly double used_at
    """When it last sent something, in seconds of the monotonic clock."""
    cdef int descriptor
    cdef uint64_t number
    cdef object returned

    def end(self):
        """Read it no more. Must be called before its socket is closed."""
        if self.poller.watches.pop(self.number, None) is not None:
            epoll_ctl(self.poller.epoll, EPOLL_CTL_DEL, self.descriptor, NULL)

    cdef give_back(self, bytes data, bytes unsent):
        self.end()
        self.returned(data, unsent)


cdef class Poller:
    """Serves its connections whenever the loop finds its descriptor readable.

    Args:
        loop: whose thread everything here belongs to.
    """

    cdef readonly dict watches
    cdef Lane lane
    cdef object loop
    cdef int epoll
    cdef uint64_t number
    cdef char* buffer

    def __cinit__(self, Lane lane, loop):
        self.lane, self.loop, self.watches = lane, loop, {}
        self.buffer = <char*>malloc(READ + 1)
        self.epoll = epoll_create1(EPOLL_CLOEXEC)
        if self.buffer == NULL or self.epoll < 0:
            raise OSError(errno, "no poller can be made")
        loop.add_reader(self.epoll, self.serve)

    def __dealloc__(self):
        free(self.buffer)

    def watch(self, int descriptor, returned):
        """Read a connection from now on, until something comes that the lane does not answer.

        Args:
            returned: called once, when it is given back: with what was read and not answered, and with the
                part of an answer that the socket had no room for. Its end, too, is the transport's to read.
        """
        cdef epoll_event event
        cdef Watch watch = Watch.__new__(Watch)
        self.number += 1
        watch.poller, watch.descriptor, watch.number, watch.returned = self, descriptor, self.number, returned
        watch.used_at = now_ns() / 1e9
        event.events, event.data.u64 = EPOLLIN, watch.number
        if epoll_ctl(self.epoll, EPOLL_CTL_ADD, descriptor, &event) < 0:
            raise OSError(errno, "a connection cannot be watched")
        self.watches[watch.number] = watch
        return watch

    def close(self):
        """Give every connection back."""
        cdef Watch watch
        if self.epoll < 0:
            return
        for each in [*self.watches.values()]:
            watch = <Watch>each
            watch.give_back(b"", b"")
        self.loop.remove_reader(self.epoll)
        os.close(self.epoll)
        self.epoll = -1

    def serve(self):
        """Answer what has come."""
        cdef epoll_event events[AT_ONCE]
        cdef int ready = epoll_wait(self.epoll, events, AT_ONCE, 0), index
        for index in range(ready):
            # One that was given back meanwhile is not there any more.
            found = self.watches.get(events[index].data.u64)
            if found is not None:
                self.serve_one(<Watch>found)

    cdef serve_one(self, Watch watch):
        cdef ssize_t length = recv(watch.descriptor, self.buffer, READ, MSG_DONTWAIT), sent
        cdef bytes answer = None
        if length < 0 and (errno == EAGAIN or errno == EINTR):
            return
        if length > 0:
            self.buffer[length] = 0  # no number goes on behind what was read
            try:
                answer = self.lane.answered(self.buffer, length)
            except Exception:
                log.exception("the express lane failed")
        if answer is None:
            watch.give_back(PyBytes_FromStringAndSize(self.buffer, max(length, 0)), b"")
            return
        watch.used_at = now_ns() / 1e9
        length = PyBytes_GET_SIZE(answer)
        sent = max(send(watch.descriptor, PyBytes_AS_STRING(answer), length, MSG_DONTWAIT | MSG_NOSIGNAL), 0)
        if sent < length:
            watch.give_back(b"", answer[sent:])
