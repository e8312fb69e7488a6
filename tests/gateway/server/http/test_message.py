import pytest

from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.status import STATUS
from gateway.server.http.message import Request, answer, fault, refusal


def test_every_error_code_has_an_answer() -> None:
    for code, status in STATUS.items():
        reply = fault(Request(), GatewayError(code, "why"))
        assert reply.startswith(b"HTTP/1.1 %d " % status.http)
        assert reply.endswith(b'\r\n\r\n{"error":"why"}')
        assert (b"retry-after: 1\r\n" in reply) == (code in (ErrorCode.NOT_READY, ErrorCode.OVERLOADED))


def test_head_gets_the_length_but_no_body() -> None:
    request = Request()
    request.method = b"HEAD"
    reply = answer(request, 200, b"text/plain", b"12345")
    assert b"content-length: 5\r\n" in reply
    assert reply.endswith(b"\r\n\r\n")


def test_the_connection_is_spoken_of_only_when_it_matters() -> None:
    request = Request()
    assert b"connection" not in answer(request, 200, b"text/plain", b"")
    request.old = True
    assert b"connection: keep-alive\r\n" in answer(request, 200, b"text/plain", b"")
    request.close = True
    assert b"connection: close\r\n" in answer(request, 200, b"text/plain", b"")
    assert b"connection: close\r\n" in refusal(408, "late")


def test_a_body_is_whole_after_its_pieces_whatever_their_sizes() -> None:
    pieces = [b"first", b"a" * 5000, b"", b"b", b"c" * 4095, b"d" * 4096, b"e"]
    request = Request()
    request.body = pieces[0]
    for piece in pieces[1:]:
        request.extend(piece)
    request.join()
    assert request.body == b"".join(pieces)
    request.join()
    assert request.body == b"".join(pieces)


def test_a_routing_key_is_the_same_text_whatever_carries_it() -> None:
    request = Request()
    assert request.routing_key() == ""
    request.headers = {b"x-headrace-key": "Zoë".encode()}
    assert request.routing_key() == "Zoë"
    for wrong in (b"\xff", b"k" * 257, b"a\tb"):
        request.headers = {b"x-headrace-key": wrong}
        with pytest.raises(GatewayError) as caught:
            request.routing_key()
        assert caught.value.code is ErrorCode.INVALID
