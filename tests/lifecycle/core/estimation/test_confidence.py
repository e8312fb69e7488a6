"""Expected figures are what many drawn truths give on average."""

import math

import numpy as np
import pytest

from lifecycle.core.estimation.confidence import expected_accuracy, expected_auc, expected_f1

CERTAIN = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
ANSWERED = np.array([0, 1, 0, 1])


def test_certain_rows_give_the_realised_figures() -> None:
    assert expected_accuracy(CERTAIN, ANSWERED) == (0.5, 0.0)
    assert expected_f1(CERTAIN, ANSWERED) == 0.5
    scores = np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4], [0.5, 0.5]])
    assert expected_auc(CERTAIN, scores) == 0.75


def test_expected_figures_are_the_means_of_drawn_truths() -> None:
    rng = np.random.default_rng(3)
    chance = rng.dirichlet(np.ones(3), 400)
    answered = chance.argmax(axis=1)
    accuracies, areas = [], []
    for _ in range(300):
        truth = (rng.random((400, 1)) > np.cumsum(chance, axis=1)).sum(axis=1)
        accuracies.append(float((truth == answered).mean()))
        areas.append(expected_auc(np.eye(3)[truth], chance))
    value, sampling_error = expected_accuracy(chance, answered)
    assert value == pytest.approx(np.mean(accuracies), abs=0.005)
    assert sampling_error == pytest.approx(np.std(accuracies), rel=0.15)
    assert expected_auc(chance, chance) == pytest.approx(np.mean(areas), abs=0.005)


def test_what_cannot_be_said_is_no_number() -> None:
    never = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert math.isnan(expected_f1(never, np.array([0, 0])))
    assert math.isnan(expected_auc(never, np.array([[0.6, 0.4], [0.7, 0.3]])))
