from collections.abc import Callable

import numpy as np
import pytest
from onnx import TensorProto, helper

from gateway.core.types import NUMPY_DTYPES
from gateway.runtime.session import Session
from tests.gateway.conftest import tensor
from tests.graphs import serialised

BF16 = NUMPY_DTYPES["BF16"]
SessionOf = Callable[[bytes], Session]


def mixed() -> bytes:
    """`b` BF16 [n, 2], `f` FP32 [n, 2] -> the same, `b` also as `wide` FP32 and `text` BYTES."""
    shape: list[int | str] = ["n", 2]
    floats = {"b": TensorProto.BFLOAT16, "f": TensorProto.FLOAT}
    outputs = {"wide": TensorProto.FLOAT, "text": TensorProto.STRING}
    return serialised(
        helper.make_graph(
            [
                *(helper.make_node("Identity", [name], [f"{name}_out"]) for name in floats),
                helper.make_node("Cast", ["b"], ["wide"], to=TensorProto.FLOAT),
                helper.make_node("Cast", ["wide"], ["text"], to=TensorProto.STRING),
            ],
            "mixed",
            [tensor(name, kind, shape) for name, kind in floats.items()],
            [tensor(f"{name}_out", kind, shape) for name, kind in floats.items()]
            + [tensor(name, kind, shape) for name, kind in outputs.items()],
        )
    )


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_bf16_passes_bit_for_bit_beside_other_types(session_of: SessionOf, rows: int) -> None:
    bits = np.arange(0x3F80, 0x3F80 + 2 * rows, dtype=np.uint16).reshape(rows, 2)
    given = {"b": bits.view(BF16), "f": np.ones((rows, 4), np.float32)[:, ::2]}
    answer = session_of(mixed()).run(given, ())
    assert answer["b_out"].dtype == BF16
    assert answer["b_out"].tobytes() == bits.tobytes()
    np.testing.assert_array_equal(answer["wide"], given["b"].astype(np.float32))
    np.testing.assert_array_equal(answer["f_out"], given["f"])
    assert [float(text) for text in answer["text"].ravel()] == answer["wide"].ravel().tolist()


def test_a_bf16_scalar_outlives_its_session(session_of: SessionOf) -> None:
    scalar = serialised(
        helper.make_graph(
            [helper.make_node("Identity", ["x"], ["y"])],
            "scalar",
            [tensor("x", TensorProto.BFLOAT16, [])],
            [tensor("y", TensorProto.BFLOAT16, [])],
        )
    )
    answer = session_of(scalar).run({"x": np.array(2.5, BF16)}, ())
    assert (answer["y"].shape, float(answer["y"])) == ((), 2.5)
