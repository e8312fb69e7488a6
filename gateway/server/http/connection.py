"""One HTTP/1.1 connection: bytes in, requests in order, answers out. Knows nothing of inference."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from gateway.server.http.heads import KnownHeads
from gateway.server.http.message import Request, refusal
from gateway.server.http.request_reader import RequestReader

HEAD_TIMEOUT_S = 10.0
IDLE_TIMEOUT_S = 60.0
LEAST_BYTES_PER_S = 4096  # of a body that takes longer than that: a trickle is no reason to wait on
_LINGER_S = 2.0
_EXPECT = b"HTTP/1.1 100 Continue\r\n\r\n"


class Watch(Protocol):
    """A connection that is read in its transport's place."""

    @property
    def used_at(self) -> float: ...

    def end(self) -> None: ...


class Host(Protocol):
    """What a connection needs of the listener that made it."""

    max_body: int
    heads: KnownHeads

    @property
    def leaving(self) -> bool: ...

    @property
    def express(self) -> Callable[[bytes], bytes | None] | None:
        """Gives the answer to a whole request, or None for one that must be read and handled."""
        ...

    @property
    def watch(self) -> Callable[[int, Callable[[bytes, bytes], None]], Watch] | None:
        """Reads an idle connection as long as all that comes goes that way; see `express.poller`."""
        ...

    def handle(self, request: Request) -> bytes | asyncio.Task[bytes]: ...

    def admit(self, connection: "HttpConnection") -> bool: ...

    def forget(self, connection: "HttpConnection") -> None: ...


class HttpConnection(asyncio.Protocol):
    """A queue of whole requests, of which one at a time is answered."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._clock = self._loop.time
        self._transport: asyncio.Transport
        self._queue: deque[Request | bytes] = deque()
        self._reader = RequestReader(host.max_body, self._queue)
        self._running: asyncio.Task[bytes] | None = None
        self._running_request: Request | None = None
        self._ended = False  # nothing more is read: end of input, a last request, or a refusal
        self._lingering = False  # answered for good; input is discarded until the peer closes
        self._eof = False
        self._reading = self._writable = True
        self._watch: Watch | None = None
        self._active_at = self._clock()

    # ---- transport ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._host.admit(self):
            self._queue.append(refusal(503, "too many connections; try again later"))
            self._ended = True
            self._pump()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._unwatch()
        self._ended = True
        self._queue.clear()
        if self._running is not None:
            self._running.cancel()  # nobody is left to read the answer
        self._host.forget(self)

    def data_received(self, data: bytes) -> None:
        now = self._active_at = self._clock()
        if self._ended:
            return
        heads, reader, idle = self._host.heads, self._reader, not self._queue and self._running is None
        if (
            (express := self._host.express) is not None
            and idle
            and self._writable
            and reader.request is None
            and (reply := express(data)) is not None
        ):
            self._transport.write(reply)
            if self._host.watch is not None:
                self._loop.call_soon(self._be_watched)  # by then the answer has left
            return
        if reader.request is not None:  # in the middle of one
            reader.feed(data, now)
        elif (request := heads.match(data)) is not None:
            if idle and self._writable:
                self._answer(request)
                return
            self._queue.append(request)
        else:
            reader.feed(data, now)
            if idle and len(self._queue) == 1 and reader.request is None and not reader.ended:
                heads.learn(data, cast(Request, self._queue[0]))
        self._ended = reader.ended
        self._pump()

    def eof_received(self) -> bool:
        if self._lingering:
            return False  # both sides have said all: close
        if self._running is not None:
            return False  # a caller that hung up looks the same as one that only stopped sending
        if not self._ended and self._reader.request is not None:
            self._queue.append(refusal(400, "the request ended before its body was complete"))
        self._ended = self._eof = True
        self._pump()
        return not self._transport.is_closing()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._active_at = self._clock()
        self._pump()

    # ---- the express lane ----

    def _be_watched(self) -> None:
        watch, idle = self._host.watch, not self._queue and self._running is None
        if watch is None or self._watch is not None or self._ended or not idle or self._reader.request:
            return
        if self._transport.is_closing() or self._transport.get_write_buffer_size():
            return
        with contextlib.suppress(
            OSError
        ):  # what the system lets nobody watch any more the transport goes on with
            self._watch = watch(self._transport.get_extra_info("socket").fileno(), self._returned)
            self._transport.pause_reading()

    def _returned(self, data: bytes, unsent: bytes) -> None:
        """The transport reads again, after this that the poller has read or could not send."""
        self._active_at, self._watch = self._clock(), None
        self._transport.resume_reading()
        if unsent:
            self._transport.write(unsent)
        if data:
            self.data_received(data)

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.end()
            self._watch = None

    # ---- answers ----

    def _pump(self) -> None:
        while self._queue and self._running is None and self._writable and not self._lingering:
            item = self._queue.popleft()
            if isinstance(item, bytes):
                self._transport.write(item)
                self._linger()
                return
            self._answer(item)
        if self._lingering or self._transport.is_closing():
            return
        if self._queue or not self._writable:
            self._read(False)
        elif self._running is not None:
            self._read(True)  # to notice when the caller hangs up
        elif self._ended:
            self._transport.close()
        else:
            self._read(True)
            if self._reader.expects:
                self._reader.expects = False
                self._transport.write(_EXPECT)

    def _answer(self, request: Request) -> None:
        if self._host.leaving:
            self._ended = request.close = True
        reply = self._host.handle(request)
        if isinstance(reply, bytes):
            self._send(request, reply)
        else:
            self._running, self._running_request = reply, request
            reply.add_done_callback(self._finish)

    def _read(self, wanted: bool) -> None:
        if wanted is not self._reading and not self._eof:
            self._reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _finish(self, task: asyncio.Task[bytes]) -> None:
        request, self._running, self._running_request = self._running_request, None, None
        if request is None or task.cancelled() or self._transport.is_closing():
            self._transport.abort()
            return
        self._send(request, task.result())
        self._pump()

    def _send(self, request: Request, reply: bytes) -> None:
        self._active_at = self._clock()
        self._transport.write(reply)
        if request.close:
            self._queue.clear()
            self._linger()

    def _linger(self) -> None:
        # Closing with unread input resets the connection, and the peer may lose the answer.
        self._ended = self._lingering = True
        if self._eof:
            self._transport.close()
            return
        self._read(True)
        self._transport.write_eof()

    # ---- care, by the listener ----

    def sweep(self, now: float) -> None:
        """Called about once a second: end what waits too long."""
        if self._watch is not None:
            self._active_at = self._watch.used_at
        quiet, reader = now - self._active_at, self._reader
        if self._lingering and self._writable and quiet > _LINGER_S:
            self._transport.close()
        elif self._lingering or not self._writable:
            if quiet > IDLE_TIMEOUT_S:
                self._transport.abort()
        elif self._running is not None or self._queue:
            return
        elif reader.request is None:
            if quiet > IDLE_TIMEOUT_S:
                self._unwatch()
                self._transport.close()
        elif quiet > IDLE_TIMEOUT_S or now - reader.begun_at > (
            IDLE_TIMEOUT_S + reader.size / LEAST_BYTES_PER_S if reader.in_body else HEAD_TIMEOUT_S
        ):
            self._ended = True
            self._queue.append(refusal(408, "the request took too long to arrive"))
            self._pump()

    def drain(self) -> None:
        """Finish what is under way, then close."""
        if self._running_request is not None:
            self._running_request.close = True
        elif self._reader.request is None and not self._queue and not self._lingering:
            self._ended = True
            self._unwatch()
            self._transport.close()

    def abort(self) -> None:
        self._unwatch()
        self._transport.abort()
