from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gateway.core.types import DATATYPES, NUMPY_DTYPES, Array
from gateway.errors import GatewayError
from gateway.protocols.json_data import from_json, to_json

IN_JSON = [name for name in NUMPY_DTYPES if name not in ("BYTES", "FP16", "BF16")]
NUMERIC = st.sampled_from(IN_JSON).flatmap(
    lambda name: arrays.arrays(
        NUMPY_DTYPES[name],
        arrays.array_shapes(min_side=1),
        elements={"allow_nan": False, "allow_infinity": False} if name.startswith("FP") else None,
    )
)


def decoded(array: Array, data: list[Any]) -> Array:
    return from_json("x", DATATYPES[array.dtype], array.dtype, array.shape, data)


@given(NUMERIC)
def test_nested_and_flat_give_the_same_array(array: Array) -> None:
    np.testing.assert_array_equal(decoded(array, array.tolist()), array)
    np.testing.assert_array_equal(decoded(array, array.ravel().tolist()), array)


@given(NUMERIC, st.data())
def test_one_wrong_element_is_refused(array: Array, data: st.DataObject) -> None:
    flat = array.ravel().tolist()
    place = data.draw(st.integers(0, len(flat) - 1))
    wrong: list[Any] = ["1", None, {}, [], 1 if array.dtype.kind == "b" else True]
    flat[place] = data.draw(st.sampled_from(wrong))
    with pytest.raises(GatewayError):
        decoded(array, flat)


@pytest.mark.parametrize("datatype", [name for name in IN_JSON if "INT" in name])
def test_integers_are_taken_to_their_bounds_and_no_further(datatype: str) -> None:
    dtype = np.dtype(NUMPY_DTYPES[datatype].name)
    bounds = np.iinfo(dtype.name)
    least, most = int(bounds.min), int(bounds.max)
    assert from_json("x", datatype, dtype, (2,), [least, most]).tolist() == [least, most]
    for value in (least - 1, most + 1, 1.0):
        with pytest.raises(GatewayError):
            from_json("x", datatype, dtype, (1,), [value])


def test_text_is_utf8_both_ways() -> None:
    array = from_json("x", "BYTES", NUMPY_DTYPES["BYTES"], (2, 1), [["é"], [""]])
    assert array.tolist() == [["é".encode()], [b""]]
    assert to_json("x", "BYTES", array) == ["é", ""]
    with pytest.raises(GatewayError, match="binary"):
        to_json("x", "BYTES", np.array([b"\xff"], object))


@pytest.mark.parametrize("datatype", ["FP16", "BF16"])
def test_halves_are_refused_both_ways(datatype: str) -> None:
    dtype = NUMPY_DTYPES[datatype]
    with pytest.raises(GatewayError, match="binary"):
        from_json("x", datatype, dtype, (1,), [1.0])
    with pytest.raises(GatewayError, match="binary"):
        to_json("x", datatype, np.zeros(1, dtype))


@pytest.mark.parametrize("data", [[], [[]], [[], []], [[1], []], [[[]], [[]]]])
def test_empty_lists_never_pass_for_numbers(data: list[Any]) -> None:
    with pytest.raises(GatewayError):
        from_json("x", "FP32", NUMPY_DTYPES["FP32"], (2, 1), data)
    assert from_json("x", "FP32", NUMPY_DTYPES["FP32"], (2, 0), [[], []]).shape == (2, 0)


@pytest.mark.parametrize(
    ("datatype", "data", "says"),
    [
        ("FP32", ["5.1"], "a list of numbers, flat or nested as its shape; it holds a string"),
        ("FP32", [None], "it holds null"),
        ("INT64", [1.0], "whole numbers, .*; it holds a decimal number"),
        ("BYTES", [3], "a list of strings; it holds a number"),
        ("BOOL", [0], "a list of true and false; it holds a number"),
    ],
)
def test_an_element_of_another_kind_is_named_by_its_kind(datatype: str, data: list[Any], says: str) -> None:
    with pytest.raises(GatewayError, match=says):
        from_json("x", datatype, NUMPY_DTYPES[datatype], (1,), data)
