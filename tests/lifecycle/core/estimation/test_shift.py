"""Rows alike get even weights; others are told, and weighed as their densities differ."""

import numpy as np
import pytest

from lifecycle.core.estimation.shift import auc, shift


def test_like_rows_are_not_told_apart() -> None:
    rng = np.random.default_rng(0)
    seen = shift(rng.normal(size=(3_000, 3)), rng.normal(size=(1_500, 3)))
    assert seen.auc == pytest.approx(0.5, abs=0.03)
    assert seen.effective_rows > 2_400


def test_weighted_reference_rows_look_like_the_new_ones() -> None:
    rng = np.random.default_rng(0)
    reference, new = rng.normal(size=(8_000, 2)), rng.normal([1.0, 0.0], 1.0, (4_000, 2))
    seen = shift(reference, new)
    assert seen.auc > 0.7
    means = (reference * seen.weights[:, None]).sum(axis=0) / seen.weights.sum()
    np.testing.assert_allclose(means, [1.0, 0.0], atol=0.2)


def test_the_area_counts_ties_half() -> None:
    assert auc(np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, False, True, True])) == 0.875
