"""One HTTP/1.1 connection: bytes in, requests in order, answers out. Knows nothing of inference.

Every request has its own `Request`; nothing of one may be seen by the next, because a balancer sends the
requests of many clients down one connection.
"""

import asyncio
from collections import deque
from typing import Protocol, cast

import httptools

from gateway.server.heads import KnownHeads
from gateway.server.message import Request, refusal

MAX_HEADERS = 100
MAX_HEAD_BYTES = 16 * 1024
MAX_URL_BYTES = 8 * 1024
MAX_CHUNKS = 65_536
HEAD_TIMEOUT_S = 10.0
IDLE_TIMEOUT_S = 60.0
LEAST_BYTES_PER_S = 4096  # of a body that takes longer than that: a trickle is no reason to wait on
_LINGER_S = 2.0
_EXPECT = b"HTTP/1.1 100 Continue\r\n\r\n"


class Host(Protocol):
    """What a connection needs of the listener that made it."""

    max_body: int
    leaving: bool
    heads: KnownHeads

    def handle(self, request: Request) -> bytes | asyncio.Task[bytes]: ...

    def admit(self, connection: "HttpConnection") -> bool: ...

    def forget(self, connection: "HttpConnection") -> None: ...


class HttpConnection(asyncio.Protocol):
    """A queue of whole requests, of which one at a time is answered."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._clock = asyncio.get_running_loop().time
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._queue: deque[Request | bytes] = deque()
        self._request: Request | None = None  # being parsed
        self._running: asyncio.Task[bytes] | None = None
        self._running_request: Request | None = None
        self._refused = b""
        self._ended = False  # nothing more is read: end of input, a last request, or a refusal
        self._lingering = False  # answered for good; input is discarded until the peer closes
        self._eof = False
        self._reading = self._writable = True
        self._in_body = self._expects = False
        self._fed = self._size = self._header_count = self._chunks = 0
        self._active_at = self._head_at = self._clock()

    # ---- transport ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._host.admit(self):
            self._queue.append(refusal(503, "too many connections; try again later"))
            self._ended = True
            self._pump()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._ended = True
        self._queue.clear()
        if self._running is not None:
            self._running.cancel()  # nobody is left to read the answer
        self._host.forget(self)

    def data_received(self, data: bytes) -> None:
        self._active_at = self._clock()
        if self._ended:
            return
        heads, idle = self._host.heads, not self._queue
        if self._request is not None:  # in the middle of one
            self._parse(data)
        elif (request := heads.match(data)) is not None:
            self._ended = request.close = self._host.leaving
            if idle and self._running is None and self._writable:
                self._answer(request)
                return
            self._queue.append(request)
        else:
            self._parse(data)
            if idle and len(self._queue) == 1 and self._request is None and not self._ended:
                heads.learn(data, cast(Request, self._queue[0]))
        self._pump()

    def _parse(self, data: bytes) -> None:
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            if self._request is not None and not self._refused and not self._ended:
                # Declined: it is read again without the offer, behind which this parser sees no body.
                self._parser = httptools.HttpRequestParser(self)
                self._parse(self._request.unoffered() + data[offer.args[0] :])
        except httptools.HttpParserError:
            self._refuse(400, "the request is not well-formed HTTP/1.1")
        if self._request is not None and not self._in_body and self._fed > MAX_HEAD_BYTES + MAX_URL_BYTES:
            self._refuse(431, f"the head of a request may have {MAX_HEAD_BYTES} bytes at most")
        if self._refused and not self._ended:
            self._queue.append(self._refused)
            self._ended = True

    def eof_received(self) -> bool:
        if self._lingering:
            return False  # both sides have said all: close
        if self._running is not None:
            return False  # a caller that hung up looks the same as one that only stopped sending
        if not self._ended and self._request is not None:
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

    # ---- parser ----

    def on_message_begin(self) -> None:
        self._request = Request()
        self._in_body = self._expects = False
        self._fed = self._size = self._header_count = self._chunks = 0
        self._head_at = self._active_at

    def on_url(self, url: bytes) -> None:
        if (request := self._request) is not None:
            request.url += url
            if len(request.url) > MAX_URL_BYTES:
                self._refuse(414, f"a URL may have {MAX_URL_BYTES} bytes at most")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_count += 1
        self._size += len(name) + len(value) + 4
        if self._size > MAX_HEAD_BYTES or self._header_count > MAX_HEADERS:
            self._refuse(431, f"at most {MAX_HEADERS} headers and {MAX_HEAD_BYTES} bytes of them are taken")
            return
        if (request := self._request) is not None and not self._in_body:  # trailers are dropped
            name = name.lower()
            known = request.headers.get(name)
            request.headers[name] = value if known is None else known + b", " + value

    def on_headers_complete(self) -> None:
        request = self._request
        if request is None or self._refused:
            return
        self._in_body = True
        self._size = 0
        request.method = self._parser.get_method()
        request.old = self._parser.get_http_version() == "1.0"
        request.close = not self._parser.should_keep_alive() or self._host.leaving
        headers = request.headers
        length = headers.get(b"content-length")
        if length is not None and int(length) > self._host.max_body:
            self._refuse(413, f"a body may have {self._host.max_body} bytes at most")
        elif headers.get(b"expect", b"").lower() == b"100-continue":
            self._expects = True

    def on_chunk_header(self) -> None:
        self._chunks += 1
        if self._chunks > MAX_CHUNKS:
            self._refuse(400, f"a body may come in {MAX_CHUNKS} chunks at most")

    def on_body(self, body: bytes) -> None:
        request = self._request
        if request is None or self._refused:
            return
        self._expects = False
        self._size += len(body)
        if self._size > self._host.max_body:
            self._refuse(413, f"a body may have {self._host.max_body} bytes at most")
        else:
            request.extend(body)

    def on_message_complete(self) -> None:
        request, leaves = self._request, self._parser.should_upgrade()
        if request is None or self._refused or (leaves and b"upgrade" in request.headers):
            return  # such an offer is declined by `_parse`
        self._request = None
        self._expects = False
        request.join()
        request.close = request.close or leaves  # CONNECT
        self._ended = self._ended or request.close
        self._queue.append(request)

    def _refuse(self, status: int, message: str) -> None:
        if not self._refused:
            self._refused = refusal(status, message)

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
            if self._expects:
                self._expects = False
                self._transport.write(_EXPECT)

    def _answer(self, request: Request) -> None:
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
        quiet = now - self._active_at
        if self._lingering and self._writable and quiet > _LINGER_S:
            self._transport.close()
        elif self._lingering or not self._writable:
            if quiet > IDLE_TIMEOUT_S:
                self._transport.abort()
        elif self._running is not None or self._queue:
            return
        elif self._request is None:
            if quiet > IDLE_TIMEOUT_S:
                self._transport.close()
        elif quiet > IDLE_TIMEOUT_S or now - self._head_at > (
            IDLE_TIMEOUT_S + self._size / LEAST_BYTES_PER_S if self._in_body else HEAD_TIMEOUT_S
        ):
            self._ended = True
            self._queue.append(refusal(408, "the request took too long to arrive"))
            self._pump()

    def drain(self) -> None:
        """Finish what is under way, then close."""
        if self._running_request is not None:
            self._running_request.close = True
        elif self._request is None and not self._queue and not self._lingering:
            self._ended = True
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()
