"""Sequential McNemar."""

import math

import numpy as np
import pytest

from lifecycle.core.analysis.paired import CHANCES, log_e_better


def test_equals_the_formula() -> None:
    mean = sum((2 * t) ** 5 * (2 * (1 - t)) ** 2 for t in CHANCES) / len(CHANCES)
    assert float(log_e_better(5, 2)) == pytest.approx(math.log(mean))


def test_only_rows_where_the_two_differ_count() -> None:
    assert float(log_e_better(0, 0)) == pytest.approx(0.0)
    assert float(log_e_better(60, 20)) > math.log(20) > float(log_e_better(40, 40))
    assert float(log_e_better(20, 60)) < 0


def test_equal_versions_rarely_alarm_at_any_look() -> None:
    rng = np.random.default_rng(5)
    won = np.cumsum(rng.random((2000, 500)) < 0.5, axis=1)
    alarms = (log_e_better(won, np.arange(1, 501) - won) >= math.log(20)).any(axis=1)
    assert alarms.mean() <= 0.05
