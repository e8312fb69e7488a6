"""Scores that mean something else than they say are mapped; scores that mean what they say are left alone."""

import numpy as np
import pytest

from lifecycle.core.estimation.calibrating import Calibration
from lifecycle.core.performance.calibration import calibration_error


def test_the_map_is_the_monotone_one_of_least_squares() -> None:
    scores, truth = np.array([0.1, 0.2, 0.3, 0.4, 0.5]), np.array([0.0, 1.0, 0.0, 1.0, 1.0])
    fitted = Calibration.isotonic(scores, truth)
    np.testing.assert_allclose(fitted(scores), [0.0, 0.5, 0.5, 1.0, 1.0])
    assert fitted(np.array([0.0, 0.9])).tolist() == [0.0, 1.0]


def test_weights_count_as_that_many_rows() -> None:
    scores, truth = np.array([0.2, 0.2, 0.8]), np.array([0.0, 1.0, 1.0])
    weighted = Calibration.isotonic(scores, truth, np.array([3.0, 1.0, 2.0]))
    repeated = Calibration.isotonic(np.repeat(scores, [3, 1, 2]), np.repeat(truth, [3, 1, 2]))
    np.testing.assert_allclose(weighted(scores), repeated(scores))
    assert weighted(np.array([0.2]))[0] == pytest.approx(0.25)


def test_many_different_scores_leave_few_knots() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(20_000)
    assert len(Calibration.isotonic(scores, (rng.random(20_000) < scores).astype(float)).scores) < 500


def test_overconfident_scores_are_mapped_and_honest_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    chance = rng.random(5_000)
    truth = (rng.random(5_000) < chance).astype(float)
    assert Calibration.if_better(chance, truth) is Calibration.NONE
    bold = np.where(chance > 0.5, 1 - (1 - chance) / 3, chance / 3)
    fitted = Calibration.if_better(bold, truth)
    assert calibration_error(fitted(bold), truth) < calibration_error(bold, truth) / 2
