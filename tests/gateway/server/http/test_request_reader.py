"""The reader by itself: cut anywhere, the same bytes are the same requests."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.server.http.message import Request
from gateway.server.http.request_reader import RequestReader

GET = b"GET /v2?a=b HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc"
CHUNKED = (
    b"POST /x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nx-b: trailer\r\n\r\n"
)
OFFER = b"GET /v2 HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 2\r\n\r\nok"
LAST = b"GET /v2 HTTP/1.1\r\nconnection: close\r\n\r\n"


def read(*pieces: bytes, cap: int = 100) -> tuple[RequestReader, deque[Request | bytes]]:
    found: deque[Request | bytes] = deque()
    reader = RequestReader(cap, found)
    for number, piece in enumerate(pieces):
        if not reader.ended:
            reader.feed(piece, float(number))
    return reader, found


def told(found: deque[Request | bytes]) -> list[object]:
    return [
        item if isinstance(item, bytes) else (item.method, item.url, item.headers, item.body, item.close)
        for item in found
    ]


@given(cut=st.integers(0, 400))
def test_requests_are_the_same_wherever_their_bytes_are_cut(cut: int) -> None:
    data = GET + POST + CHUNKED + OFFER
    _, whole = read(data)
    _, cut_up = read(data[:cut], data[cut:])
    assert told(cut_up) == told(whole)
    methods = [(item[0], item[3]) for item in told(whole) if isinstance(item, tuple)]
    assert methods == [(b"GET", b""), (b"POST", b"abc"), (b"POST", b"abc"), (b"GET", b"ok")]


def test_headers_have_lower_case_names_and_trailers_are_none() -> None:
    _, found = read(GET + CHUNKED)
    first, second = found
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert first.headers == {b"host": b"h", b"x-a": b"1, 2"}
    assert second.headers == {b"transfer-encoding": b"chunked"}


def test_trailers_may_follow_a_body_of_any_size() -> None:
    body = b"x" * 100_000
    chunked = b"186a0\r\n%s\r\n0\r\nx-sum: 1\r\n\r\n" % body
    _, found = read(CHUNKED.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + chunked, cap=len(body))
    (only,) = found
    assert isinstance(only, Request)
    assert only.body == body


@pytest.mark.parametrize("begun", [b"3;a=", b"0\r\nx", b"0\r\nx: ", b"0\r\nx: 1\r\ny"])
def test_a_line_behind_the_head_ends_as_well(begun: bytes) -> None:
    """The parser keeps a trailer until its end, so a body's cap would not bound what one caller takes."""
    head = CHUNKED.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    reader, found = read(head + begun, b"a" * 30_000)
    assert reader.ended
    assert [str(item)[2:14] for item in found] == ["HTTP/1.1 431"]


def test_nothing_is_read_behind_a_last_request() -> None:
    reader, found = read(GET + LAST)
    assert reader.ended
    assert [isinstance(item, Request) and item.close for item in found] == [False, True]


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"POST /x HTTP/1.1\r\ncontent-length: 101\r\n\r\n", b"413"), (b"\0\r\n\r\n", b"400")],
)
def test_what_is_refused_is_the_last_that_is_found(data: bytes, status: bytes) -> None:
    reader, found = read(GET + data + GET)
    first, last = found
    assert isinstance(first, Request)
    assert isinstance(last, bytes)
    assert last.startswith(b"HTTP/1.1 " + status)
    assert reader.ended


def test_it_knows_how_far_it_is() -> None:
    head, _, body = POST.replace(b"\r\n\r\n", b"\r\nexpect: 100-continue\r\n\r\n").partition(b"\r\n\r\n")
    reader, found = read(GET, head)
    assert (reader.request is not None, reader.in_body, reader.begun_at) == (True, False, 1.0)
    reader.feed(b"\r\n\r\n", 2.0)
    assert (reader.in_body, reader.expects, reader.size, reader.begun_at) == (True, True, 0, 1.0)
    reader.feed(body[:2], 3.0)
    assert (reader.expects, reader.size) == (False, 2)
    reader.feed(body[2:], 4.0)
    assert (reader.request, len(found)) == (None, 2)
