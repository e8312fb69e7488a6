"""Binned KS, chi-square and PSI."""

import numpy as np
import pytest
from scipy import stats

from lifecycle.core.drift.tests import chi_square_p_value, ks_p_value, psi

EQUAL = np.full(10, 1000, np.int64)


def test_ks_distance_is_the_largest_gap_between_the_cumulated_shares() -> None:
    distance, p_value = ks_p_value(np.array([5, 5, 0]), np.array([0, 5, 5]))
    assert distance == pytest.approx(0.5)
    assert p_value == pytest.approx(stats.kstwobign.sf(0.5 * np.sqrt(5)))


def test_chi_square_agrees_with_scipy() -> None:
    reference, live = np.array([40, 60, 100]), np.array([30, 30, 40])
    expected = stats.chi2_contingency(np.array([reference, live]), correction=False)
    statistic, p_value = chi_square_p_value(reference, live)
    assert statistic == pytest.approx(float(expected.statistic))
    assert p_value == pytest.approx(float(expected.pvalue))


def test_rare_categories_are_pooled() -> None:
    # The chi-square approximation needs a few expected counts per category.
    live = np.append(np.full(2, 400), np.ones(200, np.int64))
    reference = np.append(np.full(2, 4000), np.full(200, 10))
    assert chi_square_p_value(reference, live)[1] > 0.3


@pytest.mark.parametrize("test", [ks_p_value, chi_square_p_value])
def test_nothing_seen_is_no_change(test: object) -> None:
    assert callable(test)
    assert test(EQUAL, np.zeros(10, np.int64)) == (0.0, 1.0)


def test_psi_of_equal_shares_is_zero_and_of_moved_ones_the_known_value() -> None:
    assert psi(EQUAL, EQUAL) == 0.0
    reference, live = np.array([500_000, 500_000]), np.array([600_000, 400_000])
    assert psi(reference, live) == pytest.approx(0.1 * np.log(1.2) - 0.1 * np.log(0.8), abs=1e-4)


def test_chance_is_taken_off_the_psi() -> None:
    rng = np.random.default_rng(1)
    reference = rng.multinomial(50_000, np.full(64, 1 / 64))
    drawn = [psi(reference, rng.multinomial(1000, np.full(64, 1 / 64))) for _ in range(200)]
    assert np.mean(drawn) < 0.01
    assert np.quantile(drawn, 0.95) < 0.03


def test_psi_is_finite_for_bins_that_only_one_side_fills() -> None:
    assert 0 < psi(np.array([1000, 0]), np.array([0, 1000])) < 100
