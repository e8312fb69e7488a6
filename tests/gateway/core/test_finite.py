import numpy as np
import pytest

from gateway.core.finite import nonfinite
from gateway.core.types import NUMPY_DTYPES


@pytest.mark.parametrize("datatype", ["FP16", "BF16", "FP32", "FP64"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_finds_one_bad_value_anywhere(datatype: str, bad: float) -> None:
    scores = np.zeros((40, 5), NUMPY_DTYPES[datatype])
    assert not nonfinite({"scores": scores})
    scores[39, 4] = bad
    assert nonfinite({"label": np.zeros(40, np.int64), "scores": scores})


def test_a_large_value_is_not_infinite() -> None:
    assert not nonfinite({"y": np.full(3, np.finfo(np.float32).max, np.float32)})


def test_only_floats_can_be_bad() -> None:
    assert not nonfinite({"s": np.array([b"nan"], np.object_), "i": np.array([0]), "e": np.empty((0, 2))})
