"""Rows held out and rows weighed."""

import numpy as np
import pytest

from lifecycle.recipes.training import TrainingData, balance, hold_out


def test_the_same_rows_are_held_out_every_time() -> None:
    held = hold_out(300, 3)
    assert held.sum() == 100
    assert (held == hold_out(300, 3)).all()
    assert not held[:100].all()


def test_few_rows_hold_out_none() -> None:
    assert not hold_out(2, 3).any()


def test_recent_rows_weigh_as_much_as_the_rest() -> None:
    recent = np.arange(1_000) >= 900
    weights = balance(recent)
    assert weights[recent].sum() == pytest.approx(weights[~recent].sum())
    assert weights.mean() == pytest.approx(1)


@pytest.mark.parametrize("late", [0, 500, 900, 1_000])
def test_a_recent_majority_needs_no_help(late: int) -> None:
    assert (balance(np.arange(1_000) < late) == 1).all()


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        TrainingData({"x": np.zeros((3, 2))}, np.zeros(2), np.ones(2))
