"""Wilson's interval, also at its ends."""

import math

import pytest

from lifecycle.core.performance.interval import wilson


def test_the_interval_of_a_share() -> None:
    share, low, high = wilson(8, 10)
    assert share == 0.8
    assert low == pytest.approx(0.4902, abs=1e-4)
    assert high == pytest.approx(0.9433, abs=1e-4)


def test_none_and_all_are_not_certain() -> None:
    assert wilson(0, 100)[2] == pytest.approx(0.0370, abs=1e-4)
    assert wilson(100, 100)[1] == pytest.approx(0.9630, abs=1e-4)


def test_without_rows_nothing_is_known() -> None:
    share, low, high = wilson(0, 0)
    assert math.isnan(share)
    assert (low, high) == (0.0, 1.0)
