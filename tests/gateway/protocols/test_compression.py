import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.compression import compress, decompress, preferred


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "deflate"]))
def test_round_trip(body: bytes, encoding: str) -> None:
    assert decompress(compress(body, encoding), encoding, 2000) == body


@pytest.mark.parametrize(
    ("body", "encoding", "code"),
    [
        (zlib.compress(b"\0" * 11), "deflate", ErrorCode.TOO_LARGE),
        (zlib.compress(b"\0" * 10**8), "deflate", ErrorCode.TOO_LARGE),
        (zlib.compress(b"a")[:-1], "deflate", ErrorCode.INVALID),
        (zlib.compress(b"a") + b"more", "deflate", ErrorCode.INVALID),
        (b"", "gzip", ErrorCode.INVALID),
        (b"rubbish", "gzip", ErrorCode.INVALID),
        (b"a", "br", ErrorCode.UNSUPPORTED),
        (b"a", "gzip, gzip", ErrorCode.UNSUPPORTED),
    ],
)
def test_refused(body: bytes, encoding: str, code: ErrorCode) -> None:
    with pytest.raises(GatewayError) as caught:
        decompress(body, encoding, 10)
    assert caught.value.code is code


def test_a_body_of_exactly_the_cap_is_taken() -> None:
    assert decompress(zlib.compress(b"\0" * 10), "deflate", 10) == b"\0" * 10


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [("", ""), ("identity", ""), ("br, GZIP", "gzip"), ("gzip;q=0, deflate;q=0.5", "deflate"), ("*", "")],
)
def test_preference(accept: str, encoding: str) -> None:
    assert preferred(accept) == encoding
