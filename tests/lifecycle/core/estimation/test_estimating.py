"""Accuracy without labels: right where it is given, and not given where it cannot be."""

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.estimation.confidence import expected_accuracy
from lifecycle.core.estimation.estimating import Estimator
from lifecycle.core.estimation.expectation import Method

Floats = NDArray[np.float64]
ROWS = 6_000


class Tilted:
    """A model that knows x, whose truth hangs on x and, where z is high, less than it thinks."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(5)

    def rows(self, n: int, high: float) -> tuple[Floats, Floats, NDArray[np.int64]]:
        z = np.where(self.rng.random(n) < high, 1.0, 0.0) + 0.1 * self.rng.random(n)
        x = self.rng.normal(size=n)
        score = 1 / (1 + np.exp(-3 * x))
        chance = np.where(z > 0.5, 0.5 + (score - 0.5) / 2, score)
        truth = (self.rng.random(n) < chance).astype(np.int64)
        return np.stack([x, z], axis=1), np.stack([1 - score, score], axis=1), truth


def accuracies(
    estimator: Estimator, features: Floats, scores: Floats, truth: NDArray[np.int64]
) -> tuple[float, ...]:
    answered = scores.argmax(axis=1)
    found = estimator.estimate(features, scores)
    value, sampling_error = expected_accuracy(found.probabilities, answered)
    return float((answered == truth).mean()), value, sampling_error


def test_like_rows_are_estimated_within_their_sampling_error() -> None:
    world = Tilted()
    estimator = Estimator(*world.rows(ROWS, 0.2))
    new = world.rows(2_000, 0.2)
    assert estimator.estimate(*new[:2]).method is Method.CBPE
    was, said, sampling_error = accuracies(estimator, *new)
    assert abs(was - said) < 3 * sampling_error


def test_a_shift_to_where_scores_mean_less_is_followed() -> None:
    world = Tilted()
    estimator = Estimator(*world.rows(ROWS, 0.2))
    new = world.rows(2_000, 0.9)
    assert estimator.estimate(*new[:2]).method is Method.PAPE
    was, said, sampling_error = accuracies(estimator, *new)
    assert abs(was - said) < 3 * sampling_error
    assert was < 0.75


def test_a_shift_that_changes_no_meaning_is_not_weighed() -> None:
    world = Tilted()
    features, scores, truth = world.rows(ROWS, 0.0)
    estimator = Estimator(features, scores, truth)
    harder = np.argsort(np.abs(features[:, 0]))[:2_000]
    found = estimator.estimate(features[harder], scores[harder])
    assert found.domain_auc > 0.6
    assert found.method is Method.CBPE


def test_rows_that_the_reference_lacks_are_not_judged() -> None:
    world = Tilted()
    features, scores, truth = world.rows(ROWS, 0.2)
    estimator = Estimator(features, scores, truth)
    far = features.copy()
    far[:600, 0] = 50.0
    beyond = estimator.estimate(far, scores)
    assert beyond.method is Method.NONE
    assert "10.0% of the rows" in beyond.reason

    common = np.r_[0:40, np.flatnonzero(features[:, 1] < 0.5)]
    rare = Estimator(features[common], scores[common], truth[common])
    most = features[:, 1] > 0.5
    few = rare.estimate(features[most], scores[most])
    assert few.method is Method.NONE
    assert "only about" in few.reason
