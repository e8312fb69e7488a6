import numpy as np
import pytest

from gateway.core.signature import Signature, TensorSpec
from gateway.errors import GatewayError
from gateway.protocols.v2_binary import decode_raw, json_length


def signature(datatype: str, *shape: int) -> Signature:
    return Signature((TensorSpec("x", datatype, shape),), ())


@pytest.mark.parametrize(
    ("shape", "floats", "expected"),
    [
        ((-1, 4), 8, (2, 4)),
        ((2, -1), 8, (2, 4)),
        ((-1, -1), 8, (8, 1)),
        ((2, 4), 8, (2, 4)),
        ((-1, 4), 0, (0, 4)),
    ],
)
def test_a_free_dimension_is_as_long_as_the_body(
    shape: tuple[int, ...], floats: int, expected: tuple[int, ...]
) -> None:
    raw = np.arange(floats, dtype=np.float32).tobytes()
    request, form = decode_raw(raw, signature("FP32", *shape), "m", None, "k")
    assert request.inputs["x"].shape == expected
    assert request.key == "k"
    assert form.of("y").binary


def test_a_body_that_does_not_fit() -> None:
    with pytest.raises(GatewayError):
        decode_raw(b"\0" * 15, signature("FP32", -1, 4), "m", None)
    with pytest.raises(GatewayError):
        decode_raw(b"text", signature("BYTES", -1, 2), "m", None)


def test_text_is_one_element() -> None:
    request, _ = decode_raw(b"text", signature("BYTES", -1, 1), "m", None)
    assert request.inputs["x"].tolist() == [[b"text"]]


def test_the_header_must_be_a_length_within_the_body() -> None:
    assert json_length("10", 10) == 10
    for header in ("11", "-1", "", " 1", "1.0", "1, 1", "9" * 5000):
        with pytest.raises(GatewayError):
            json_length(header, 10)
