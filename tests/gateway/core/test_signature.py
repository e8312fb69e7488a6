import json

import numpy as np
import pytest

from gateway.core.signature import Signature, TensorSpec, check
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError

SIGNATURE = Signature(
    (TensorSpec("x", "FP32", (-1, 2)), TensorSpec("s", "BYTES", (-1,))),
    (TensorSpec("y", "FP32", (-1,)), TensorSpec("z", "INT64", (-1, 1))),
)
X, S = np.zeros((3, 2), np.float32), np.array([b"a"], np.object_)
GOOD: dict[str, Array] = {"x": X, "s": S}


def test_what_fits_passes() -> None:
    check(GOOD, (), SIGNATURE)
    check({"s": S, "x": np.zeros((0, 2), np.float32)}, ("z", "y"), SIGNATURE)


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        ({"x": X}, (), "input 's' is missing among 'x'; the model takes 'x', 's'"),
        ({}, (), "input 'x' is missing among none"),
        ({**GOOD, "extra": X}, (), "unknown input 'extra'"),
        ({**GOOD, "x": X.astype(np.float64)}, (), "input 'x' is FP64; the model takes FP32"),
        ({**GOOD, "x": X[:, :1]}, (), r"input 'x' has shape \[3, 1\]; the model takes \[-1, 2\]"),
        ({**GOOD, "x": X[0]}, (), r"input 'x' has shape \[2\]; .* \(-1: any\); one row is \[1, 2\]"),
        (GOOD, ("y", "w"), "unknown output 'w'; the model gives 'y', 'z'"),
    ],
)
def test_what_does_not_fit_is_named(inputs: dict[str, Array], outputs: tuple[str, ...], message: str) -> None:
    with pytest.raises(GatewayError, match=message) as caught:
        check(inputs, outputs, SIGNATURE)
    assert caught.value.code is ErrorCode.INVALID


def test_a_signature_survives_json() -> None:
    assert Signature.from_json(json.loads(json.dumps(SIGNATURE.as_json()))) == SIGNATURE


def test_equal_signatures_are_one_object() -> None:
    told = json.dumps(Signature((TensorSpec("x", "FP32", (-1, 4)),), ()).as_json())
    assert Signature.from_json(json.loads(told)) is Signature.from_json(json.loads(told))


def test_batched_needs_every_first_dimension_free() -> None:
    assert SIGNATURE.batched
    fixed, scalar = TensorSpec("y", "FP32", (1, 2)), TensorSpec("y", "FP32", ())
    assert not Signature(SIGNATURE.inputs, (fixed,)).batched
    assert not Signature(SIGNATURE.inputs, (scalar,)).batched


def test_an_unknown_datatype_is_refused() -> None:
    with pytest.raises(ValueError, match="FP8"):
        TensorSpec("x", "FP8", (1,))
