"""Which tensors an estimate can be made of."""

import numpy as np

from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.rows import MOST_FEATURES, estimable

X = {"x": np.arange(6, dtype=np.float32).reshape(3, 2)}


def test_probabilities_of_classes_or_of_the_second_of_two() -> None:
    many = np.array([[0.2, 0.3, 0.5]] * 3, np.float32)
    found = estimable(X, {"label": np.array([2, 2, 2]), "p": many})
    assert found is not None
    np.testing.assert_allclose(found.scores, many)
    np.testing.assert_array_equal(found.features, X["x"])
    for single in (np.array([0.1, 0.9, 0.5]), np.array([[0.1], [0.9], [0.5]])):
        two = estimable(X, {"p": single})
        assert two is not None
        np.testing.assert_allclose(two.scores, [[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])


def test_numbers_that_are_no_probabilities_give_nothing() -> None:
    for array in (
        np.array([[2.0, -1.0]] * 3),
        np.array([[0.2, 0.3]] * 3),
        np.array([0.1, np.nan, 0.2]),
        np.arange(3),
    ):
        assert estimable(X, {"y": array}) is None
    assert estimable(X, {}) is None


def test_text_is_left_out_what_is_not_finite_is_missing_and_pixels_are_thinned() -> None:
    inputs = {
        "name": np.array([b"a", b"b", b"c"], object),
        "image": np.full((3, 40, 40), np.inf, np.float32),
    }
    found = estimable(inputs, {"p": np.array([0.1, 0.2, 0.3])})
    assert found is not None
    assert found.features.shape == (3, MOST_FEATURES)
    assert np.isnan(found.features).all()


def test_numbers_are_single_and_finite() -> None:
    for single in (np.array([5.0, -9.0, 0.5]), np.array([[5.0], [-9.0], [0.5]], np.float32)):
        found = estimable(X, {"label": np.arange(3), "y": single}, Measure.MAE)
        assert found is not None
        assert found.scores.tolist() == [[5.0], [-9.0], [0.5]]
    for other in (np.ones((3, 2)), np.array([1.0, np.nan, 2.0]), np.arange(3)):
        assert estimable(X, {"y": other}, Measure.MAE) is None
