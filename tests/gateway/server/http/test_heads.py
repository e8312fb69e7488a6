import pytest

from gateway.server.http.heads import MOST_HEADS, KnownHeads
from gateway.server.http.message import Request

HEAD = b"POST /v2/models/m/infer HTTP/1.1\r\ncontent-length: 3\r\n\r\n"
CHUNKED = b"POST /x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"


def request(body: bytes, headers: dict[bytes, bytes]) -> Request:
    made = Request()
    made.method, made.url, made.headers, made.body = b"POST", b"/x", headers, body
    return made


def learnt(heads: KnownHeads, data: bytes, found: Request) -> KnownHeads:
    """Having seen it twice."""
    heads.learn(data, found)
    assert heads.match(data) is None
    heads.learn(data, found)
    return heads


def plain() -> KnownHeads:
    return learnt(KnownHeads(), HEAD + b"abc", request(b"abc", {b"content-length": b"3"}))


def chunked() -> KnownHeads:
    data = CHUNKED + b"3\r\nabc\r\n0\r\n\r\n"
    return learnt(KnownHeads(), data, request(b"abc", {b"transfer-encoding": b"chunked"}))


def test_a_known_head_takes_another_body() -> None:
    found = plain().match(HEAD + b"xyz")
    assert found is not None
    assert (found.method, found.url, found.body) == (b"POST", b"/x", b"xyz")
    assert found.headers == {b"content-length": b"3"}


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"ab",
        HEAD + b"abcd",
        HEAD + b"abc" + HEAD + b"abc",
        HEAD[:-4],
        HEAD.replace(b"/m/", b"/n/") + b"abc",
        b"",
    ],
)
def test_anything_else_is_the_parsers_business(data: bytes) -> None:
    assert plain().match(data) is None


@pytest.mark.parametrize("size", [b"3", b"03", b"0003"])
def test_one_whole_chunk_is_a_body(size: bytes) -> None:
    found = chunked().match(CHUNKED + size + b"\r\nxyz\r\n0\r\n\r\n")
    assert found is not None
    assert found.body == b"xyz"


def test_no_chunk_at_all_is_the_parsers_business() -> None:
    assert chunked().match(CHUNKED + b"0\r\n\r\n") is None


@pytest.mark.parametrize(
    "body",
    [
        b"4\r\nabc\r\n0\r\n\r\n",
        b"2\r\nabc\r\n0\r\n\r\n",
        b"+3\r\nabc\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"3;a=b\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabc\r\n0\r\nt: 1\r\n\r\n",
        b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
        b"-3\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabc",
        b"\r\n0\r\n\r\n",
    ],
)
def test_any_other_chunking_is_the_parsers_business(body: bytes) -> None:
    assert chunked().match(CHUNKED + body) is None


def test_heads_that_come_once_push_out_no_other() -> None:
    heads = plain()
    for i in range(2 * MOST_HEADS):
        heads.learn(b"GET /%d HTTP/1.1\r\n\r\n" % i, request(b"", {}))
    assert heads.match(HEAD + b"xyz") is not None
    assert heads.match(b"GET /7 HTTP/1.1\r\n\r\n") is None


def test_the_memory_is_bounded() -> None:
    heads = KnownHeads()
    for i in range(MOST_HEADS + 1):
        learnt(heads, b"GET /%d HTTP/1.1\r\n\r\n" % i, request(b"", {}))
    assert heads.match(b"GET /0 HTTP/1.1\r\n\r\n") is None
    assert heads.match(b"GET /1 HTTP/1.1\r\n\r\n") is not None
    assert heads.match(b"GET /%d HTTP/1.1\r\n\r\n" % MOST_HEADS) is not None
