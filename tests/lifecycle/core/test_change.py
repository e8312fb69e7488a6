"""A fall is found where it began, and not where there is none."""

import numpy as np
import pytest

from lifecycle.core.change import find_fall, wilson_upper


def rows(*parts: tuple[int, float], seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    chance = np.random.default_rng(seed)
    return np.concatenate([chance.random(n) < rate for n, rate in parts])


def at(n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return 1_000.0 + np.arange(n, dtype=np.float64)


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
    assert find_fall(at(100), correct[:100], None, 0.05) is None


def test_few_wrong_answers_show_nothing() -> None:
    assert find_fall(at(8), np.zeros(8, np.bool_), 0.97, 0.05) is None
    assert find_fall(at(0), np.zeros(0, np.bool_), 0.97, 0.05) is None


def test_a_steady_rate_at_the_edge_of_the_margin_is_seldom_called_a_fall_however_often_one_looks() -> None:
    falls = 0
    for seed in range(100):
        correct = rows((2_000, 0.9), seed=seed)
        falls += any(find_fall(at(n), correct[:n], 0.95, 0.05) is not None for n in range(50, 2_000, 150))
    assert falls == 0


def test_a_fall_is_over_once_answers_are_right_again() -> None:
    correct = rows((400, 0.97), (200, 0.6), (600, 0.97))
    assert find_fall(at(600), correct[:600], 0.97, 0.05) is not None
    assert find_fall(at(1_200), correct, 0.97, 0.05) is None


def test_wilson_bound_at_both_ends() -> None:
    assert wilson_upper(100, 100) == pytest.approx(1.0)
    assert wilson_upper(0, 100) == pytest.approx(0.0622, abs=1e-3)
