import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.types import NUMPY_DTYPES, Array
from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.tensors import datatype_of, dtype_of, from_raw, objects, over_raw, shape_of, to_raw
from tests.gateway.protocols.drawn import tensors


@given(tensors())
def test_fixed_types_survive_the_round_trip(array: Array) -> None:
    again = from_raw("x", array.dtype, array.shape, to_raw(array))
    assert (again.dtype, again.shape) == (array.dtype, array.shape)
    assert again.tobytes() == array.tobytes()  # NaN too, bit for bit


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_bytes_survive_the_round_trip(items: list[bytes]) -> None:
    raw = to_raw(objects(items))
    assert from_raw("x", NUMPY_DTYPES["BYTES"], (len(items),), raw).tolist() == items


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_refused(raw: bytes) -> None:
    with contextlib.suppress(GatewayError):
        assert to_raw(from_raw("x", NUMPY_DTYPES["BYTES"], (2,), raw)) == raw


@pytest.mark.parametrize("datatype", ["FP32", "BF16", "BOOL", "FP64"])
@pytest.mark.parametrize("shape", [(300, 300), (3, 0), ()])
def test_raw_bytes_are_the_same_copied_or_not(datatype: str, shape: tuple[int, ...]) -> None:
    count = int(np.prod(shape))
    array = np.arange(count).reshape(shape).astype(NUMPY_DTYPES[datatype])
    for each in (array, array.T, array[::2] if shape else array):
        raw = over_raw(each)
        assert (bytes(raw), len(raw)) == (to_raw(each), each.nbytes)


def test_a_view_at_an_odd_place_is_aligned() -> None:
    raw = memoryview(b"\0" + np.arange(4, dtype=np.float64).tobytes())[1:]
    array = from_raw("x", np.dtype(np.float64), (4,), raw)
    assert array.flags.aligned
    assert array.tolist() == [0, 1, 2, 3]


def test_a_bool_that_is_neither_0_nor_1_is_refused() -> None:
    with pytest.raises(GatewayError):
        from_raw("x", np.dtype(np.bool_), (2,), b"\0\2")


@pytest.mark.parametrize("shape", [[-1], [1.0], [True], ["1"], [2**60], [1] * 33])
def test_shapes_that_are_refused(shape: list[object]) -> None:
    with pytest.raises(GatewayError):
        shape_of("x", shape)


def test_an_empty_tensor_of_impossible_shape_is_refused() -> None:
    with pytest.raises(GatewayError):
        from_raw("x", np.dtype(np.float32), (0, 2**31 - 1, 2**31 - 1, 2**31 - 1), b"")


def test_unknown_types() -> None:
    for datatype in ("FP33", "FP8", None, [1]):
        with pytest.raises(GatewayError):
            dtype_of("x", datatype)
    with pytest.raises(GatewayError) as caught:
        datatype_of("y", np.array([1j]))
    assert caught.value.code is ErrorCode.INTERNAL
