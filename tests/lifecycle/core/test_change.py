"""A fall is found where it began, and not where there is none."""

import numpy as np
import pytest

from lifecycle.core.change import change_point, find_fall, wilson_upper


def rows(*parts: tuple[int, float], seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    chance = np.random.default_rng(seed)
    return np.concatenate([chance.random(n) < rate for n, rate in parts])


def at(n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return 1_000.0 + np.arange(n, dtype=np.float64)


@pytest.mark.parametrize("seed", range(5))
def test_change_point_is_near_the_change(seed: int) -> None:
    assert abs(change_point(rows((400, 0.97), (200, 0.7), seed=seed)) - 400) <= 20


def test_a_rise_is_no_fall() -> None:
    assert change_point(rows((400, 0.7), (200, 0.97))) == 0


@pytest.mark.parametrize("correct", [np.ones(50, np.bool_), np.zeros(50, np.bool_), np.zeros(0, np.bool_)])
def test_constant_rows_have_no_change(correct: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
    assert change_point(correct) == 0


def test_fall_is_dated_and_measured() -> None:
    fall = find_fall(at(600), rows((400, 0.97), (200, 0.7)), 0.97, 0.05)
    assert fall is not None
    assert fall.since == pytest.approx(1_400, abs=20)
    assert fall.accuracy == pytest.approx(0.7, abs=0.1)
    assert fall.upper < 0.92


def test_a_fall_from_the_first_row_on_is_dated_there() -> None:
    fall = find_fall(at(200), rows((200, 0.6)), 0.97, 0.05)
    assert fall is not None
    assert fall.since == 1_000


def test_without_a_reference_the_first_rows_are_it() -> None:
    correct = rows((300, 0.95), (200, 0.6))
    fall = find_fall(at(500), correct, None, 0.05)
    assert fall is not None
    assert fall.reference == correct[:100].mean()
    assert find_fall(at(150), rows((100, 1.0), (50, 0.0)), None, 0.05) is None


def test_few_labels_show_nothing() -> None:
    assert find_fall(at(40), np.zeros(40, np.bool_), 0.97, 0.05) is None


def test_steady_accuracy_is_seldom_called_a_fall() -> None:
    falls = 0
    for seed in range(100):
        correct = rows((1_000, 0.93), seed=seed)
        falls += any(find_fall(at(n), correct[:n], 0.95, 0.05) is not None for n in range(60, 1_000, 60))
    assert falls <= 2


def test_wilson_bound_at_both_ends() -> None:
    assert wilson_upper(100, 100) == pytest.approx(1.0)
    assert wilson_upper(0, 100) == pytest.approx(0.0622, abs=1e-3)
