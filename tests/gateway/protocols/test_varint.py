import pytest

from gateway.protocols.varint import varint


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, b"\0"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (300, b"\xac\x02"),
        (2**31 - 1, b"\xff\xff\xff\xff\x07"),
    ],
)
def test_seven_bits_a_byte(value: int, encoded: bytes) -> None:
    assert varint(value) == encoded
