"""Frames against signatures: by name, by order, or a fault that says what the model takes."""

from typing import Any

import numpy as np
import orjson
import pytest

from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Array, InferResponse, Role
from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.mlflow_json import decode, encode

OUT = (TensorSpec("y", "FP32", (-1,)),)
WIDE = Signature((TensorSpec("x", "FP32", (-1, 3)),), OUT)
NAMED = Signature(
    (
        TensorSpec("age", "INT64", (-1, 1)),
        TensorSpec("name", "BYTES", (-1,)),
        TensorSpec("at", "FP32", (-1, 2)),
    ),
    OUT,
)
SPLIT = {"columns": ["u", "v", "w"], "data": [[1, 2, 3], [4, 5, 6]], "index": [0, 1]}


def inputs(signature: Signature, **document: Any) -> dict[str, Array]:
    return decode(orjson.dumps(document), signature, "m", None).request.inputs


def test_columns_in_their_order_are_the_one_input() -> None:
    expected = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    records = [{"u": 1, "v": 2, "w": 3}, {"w": 6, "v": 5, "u": 4}]
    for document in (
        {"dataframe_split": SPLIT},
        {"dataframe_split": {**SPLIT, "columns": [0, 1, 2]}},
        {"dataframe_records": records},
        {"instances": expected.tolist()},
        {"inputs": expected.tolist()},
        {"inputs": {"x": expected.tolist()}},
    ):
        (array,) = inputs(WIDE, **document).values()
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)


def test_columns_are_the_inputs_of_their_names() -> None:
    names, data = ["name", "at", "age"], [["Ann", [0.5, 1], 30], ["Bob", [2, 3], 40]]
    records = [dict(zip(names, row, strict=True)) for row in data]
    for document in (
        {"dataframe_split": {"columns": names, "data": data}},
        {"dataframe_records": records},
    ):
        found = inputs(NAMED, **document)
        assert found["age"].tolist() == [[30], [40]]
        assert found["name"].tolist() == [b"Ann", b"Bob"]
        assert found["at"].tolist() == [[0.5, 1], [2, 3]]


def test_parameters_go_by_either_name() -> None:
    for name in ("params", "parameters"):
        body = orjson.dumps({"instances": [[1, 2, 3]], name: {"routing_key": "ann"}})
        assert decode(body, WIDE, "m", None).request.key == "ann"


def test_the_answer_is_called_predictions_in_every_form() -> None:
    response = InferResponse("m", 1, Role.CHAMPION, {"y": np.array([1.5, 2.5])}, "", "p")
    assert encode(response, rows=True) == encode(response, rows=False) == b'{"predictions":[1.5,2.5]}'
    response.outputs["z"] = np.array([[1], [2]])
    assert orjson.loads(encode(response, rows=True)) == {
        "predictions": [{"y": 1.5, "z": [1]}, {"y": 2.5, "z": [2]}]
    }
    assert orjson.loads(encode(response, rows=False)) == {"predictions": {"y": [1.5, 2.5], "z": [[1], [2]]}}


FAULTS: dict[str, tuple[Signature, Any, str]] = {
    "nothing": (WIDE, {}, "one of dataframe_split"),
    "two forms": (WIDE, {"inputs": [[1, 2, 3]], "instances": [[1, 2, 3]]}, "one of dataframe_split"),
    "an unknown form": (WIDE, {"dataframe": SPLIT}, "'dataframe' is not known"),
    "a frame that is a list": (WIDE, {"dataframe_split": [[1, 2, 3]]}, "'columns'"),
    "a frame without columns": (WIDE, {"dataframe_split": {"data": [[1, 2, 3]]}}, "'columns'"),
    "a column that has no name": (WIDE, {"dataframe_split": {**SPLIT, "columns": [None, "v", "w"]}}, "names"),
    "a short row": (WIDE, {"dataframe_split": {**SPLIT, "data": [[1, 2]]}}, "3 values"),
    "no rows": (WIDE, {"dataframe_split": {**SPLIT, "data": []}}, "one row or more"),
    "no records": (WIDE, {"dataframe_records": []}, "one object or more"),
    "records that are lists": (WIDE, {"dataframe_records": [[1, 2, 3]]}, "one object or more"),
    "records of different names": (WIDE, {"dataframe_records": [{"u": 1}, {"v": 1}]}, "the same names"),
    "too few columns": (
        WIDE,
        {"dataframe_records": [{"u": 1, "v": 2}]},
        r"2 columns, 'u', 'v', do not fit what the model takes: 'x' \[-1, 3\]",
    ),
    "a column too many": (
        NAMED,
        {"dataframe_records": [{"age": 1, "name": "a", "at": [1, 2], "z": 0}]},
        "'z'",
    ),
    "a column twice": (NAMED, {"dataframe_split": {"columns": ["age", "age"], "data": [[1, 2]]}}, "'age'"),
    "a missing value": (WIDE, {"dataframe_split": {**SPLIT, "data": [[1, None, 3]]}}, "'x' is FP32"),
    "text for a number": (NAMED, {"dataframe_records": [{"age": "1", "name": "a", "at": [1, 2]}]}, "'age'"),
    "parameters of a list": (WIDE, {"instances": [[1, 2, 3]], "params": [1]}, "'params' must be"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_does_not_fit_is_the_callers_fault(name: str) -> None:
    signature, document, words = FAULTS[name]
    with pytest.raises(GatewayError, match=words) as refused:
        inputs(signature, **document)
    assert refused.value.code is ErrorCode.INVALID
    assert len(refused.value.message) < 400
