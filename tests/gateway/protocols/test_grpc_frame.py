import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.protocols.grpc_frame import percent_encoded, prefix, timeout_ns, unframe


@given(st.binary(max_size=100))
def test_frames_come_apart_again(message: bytes) -> None:
    assert unframe(prefix(len(message)) + message, 100) == (message, False)


@given(st.binary(max_size=100))
def test_any_bytes_are_unframed_or_refused(body: bytes) -> None:
    with contextlib.suppress(GatewayError):
        message, _ = unframe(body, 100)
        assert body.endswith(message)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("1H", 3600 * 10**9),
        ("2M", 120 * 10**9),
        ("3S", 3 * 10**9),
        ("4m", 4 * 10**6),
        ("5u", 5000),
        ("6n", 6),
    ],
)
def test_timeouts(header: str, expected: int) -> None:
    assert timeout_ns(header) == expected


@pytest.mark.parametrize("header", ["", "5", "S", "5s", "1.5S", "123456789S", "٣S"])
def test_malformed_timeouts(header: str) -> None:
    with pytest.raises(GatewayError):
        timeout_ns(header)


def test_messages_are_plain_ascii_and_end_no_header() -> None:
    assert percent_encoded("input 'x': 100% é\r\n") == "input 'x': 100%25 %C3%A9%0D%0A"
