"""The bytes of one HTTP/1.1 connection -> whole requests, within limits. Knows no socket and answers nothing.

Every request has its own `Request`; nothing of one may be seen by the next, because a balancer sends the
requests of many clients down one connection.
"""

from collections import deque

import httptools

from gateway.server.http.message import Request, refusal

MAX_HEADERS = 100
MAX_HEAD_BYTES = 16 * 1024
MAX_URL_BYTES = 8 * 1024
MAX_CHUNKS = 65_536
CHUNK_HEADER_BYTES = 128
"""What the header of a chunk may have on average, extensions and all."""


class RequestReader:
    """`found` takes the requests in their order and, behind them, the answer to one that is refused.

    `request` is the one that is being read, None between two of them. Its first byte came at `begun_at`; with
    `in_body` its head is whole, and `size` bytes of its body have come; `expects` says that the caller waits
    to be told to send that. Once `ended`, by a last request or a refusal, nothing more may be read.
    """

    def __init__(self, max_body: int, found: deque[Request | bytes]) -> None:
        self.request: Request | None = None
        self.begun_at = 0.0
        self.in_body = self.expects = self.ended = False
        self.size = 0
        self._max_body = max_body
        self._found = found
        self._parser = httptools.HttpRequestParser(self)
        self._refused = b""
        self._now = 0.0
        self._fed = self._fields = self._field_bytes = self._chunks = 0

    def feed(self, data: bytes, now: float) -> None:
        """Read on; `now` is by the clock of `begun_at`."""
        self._now = now
        self._parse(data)
        # Of a line that does not end the parser keeps all, be it of the head, of a chunk or of the trailers.
        most = MAX_HEAD_BYTES + MAX_URL_BYTES + self._chunks * CHUNK_HEADER_BYTES
        if self.request is not None and self._fed - self.size > most:
            self._refuse(431, f"the head and the trailers may have {MAX_HEAD_BYTES} bytes at most")
        if self._refused and not self.ended:
            self._found.append(self._refused)
            self.ended = True

    def _parse(self, data: bytes) -> None:
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            if self.request is not None and not self._refused and not self.ended:
                # Declined: it is read again without the offer, behind which this parser sees no body.
                self._parser = httptools.HttpRequestParser(self)
                self._parse(self.request.unoffered() + data[offer.args[0] :])
        except httptools.HttpParserError:
            self._refuse(400, "the request is not well-formed HTTP/1.1")

    def _refuse(self, status: int, message: str) -> None:
        if not self._refused:
            self._refused = refusal(status, message)

    # ---- called by the parser ----

    def on_message_begin(self) -> None:
        self.request = Request()
        self.begun_at = self._now
        self.in_body = self.expects = False
        self._fed = self.size = self._fields = self._field_bytes = self._chunks = 0

    def on_url(self, url: bytes) -> None:
        if (request := self.request) is not None:
            request.url += url
            if len(request.url) > MAX_URL_BYTES:
                self._refuse(414, f"a URL may have {MAX_URL_BYTES} bytes at most")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        self._field_bytes += len(name) + len(value) + 4
        if self._field_bytes > MAX_HEAD_BYTES or self._fields > MAX_HEADERS:
            self._refuse(431, f"at most {MAX_HEADERS} headers and {MAX_HEAD_BYTES} bytes of them are taken")
            return
        if (request := self.request) is not None and not self.in_body:  # trailers are dropped
            name = name.lower()
            known = request.headers.get(name)
            request.headers[name] = value if known is None else known + b", " + value

    def on_headers_complete(self) -> None:
        request = self.request
        if request is None or self._refused:
            return
        self.in_body = True
        request.method = self._parser.get_method()
        request.old = self._parser.get_http_version() == "1.0"
        request.close = not self._parser.should_keep_alive()
        headers = request.headers
        length, coding = headers.get(b"content-length"), headers.get(b"transfer-encoding", b"chunked")
        if coding.lower() != b"chunked":
            self._refuse(415, "a body may be transferred in chunks, and in no other coding")
        elif length is not None and int(length) > self._max_body:
            self._refuse(413, f"a body may have {self._max_body} bytes at most")
        elif headers.get(b"expect", b"").lower() == b"100-continue":
            self.expects = True

    def on_chunk_header(self) -> None:
        self._chunks += 1
        if self._chunks > MAX_CHUNKS:
            self._refuse(400, f"a body may come in {MAX_CHUNKS} chunks at most")

    def on_body(self, body: bytes) -> None:
        request = self.request
        if request is None or self._refused:
            return
        self.expects = False
        self.size += len(body)
        if self.size > self._max_body:
            self._refuse(413, f"a body may have {self._max_body} bytes at most")
        else:
            request.extend(body)

    def on_message_complete(self) -> None:
        request, leaves = self.request, self._parser.should_upgrade()
        if request is None or self._refused or (leaves and b"upgrade" in request.headers):
            return  # such an offer is declined by `_parse`
        self.request = None
        self.expects = False
        request.join()
        request.close = request.close or leaves  # CONNECT
        self.ended = self.ended or request.close
        self._found.append(request)
