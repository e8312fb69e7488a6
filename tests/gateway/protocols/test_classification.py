import numpy as np
import pytest

from gateway.core.types import NUMPY_DTYPES
from gateway.errors import GatewayError
from gateway.protocols.classification import classify


def test_the_largest_of_each_row_come_first() -> None:
    scores = np.array([[0.1, 0.7, 0.2], [0.5, 0.25, 0.25]], np.float32)
    assert classify("p", scores, 2).tolist() == [
        [b"0.700000:1", b"0.200000:2"],
        [b"0.500000:0", b"0.250000:1"],
    ]


def test_k_is_clamped_and_a_vector_is_one_row() -> None:
    assert classify("p", np.array([3, 5, 4]), 9).tolist() == [b"5:1", b"4:2", b"3:0"]


def test_nan_comes_last_and_true_before_false() -> None:
    assert classify("p", np.array([np.nan, 1.0]), 2).tolist() == [b"1.000000:1", b"nan:0"]
    assert classify("p", np.array([False, True]), 1).tolist() == [b"1:1"]


def test_bf16_is_ranked_like_other_floats() -> None:
    scores = np.array([[0.5, 2, -1]], NUMPY_DTYPES["BF16"])
    assert classify("p", scores, 2).tolist() == [[b"2.000000:1", b"0.500000:0"]]


def test_nothing_to_classify() -> None:
    assert classify("p", np.zeros((0, 3)), 2).shape == (0, 2)
    assert classify("p", np.zeros((3, 0)), 2).shape == (3, 0)
    assert classify("p", np.zeros(0), 2).shape == (0,)
    with pytest.raises(GatewayError):
        classify("p", np.array([b"text"], object), 1)
