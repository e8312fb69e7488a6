"""Sequential McNemar."""

import math

import numpy as np
import pytest

from lifecycle.core.analysis.paired import (
    CHANCES,
    log_e_better,
    log_e_no_worse_than,
    log_e_worse_than,
)

LIMIT = math.log(20)


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


def test_a_margin_is_what_may_be_lost() -> None:
    level, lost, won = np.zeros(3_000), -(np.arange(3_000) % 20 == 0).astype(float), np.ones(300)
    assert log_e_no_worse_than(level, 0.005) > LIMIT
    assert log_e_worse_than(level, 0.005) < 0
    assert log_e_worse_than(lost, 0.02) > LIMIT
    assert log_e_no_worse_than(lost, 0.02) < 0
    assert log_e_no_worse_than(won, 0.0) > LIMIT


def test_a_loss_of_just_the_margin_is_seldom_called_either() -> None:
    rng = np.random.default_rng(2)
    for test in (log_e_worse_than, log_e_no_worse_than):
        wrong = 0
        for _ in range(300):
            gains = rng.choice([-1.0, 0.0, 1.0], 1_500, p=[0.05, 0.91, 0.04])
            wrong += any(test(gains[:n], 0.01) >= LIMIT for n in range(50, 1_501, 50))
        assert wrong <= 15 + 11  # 5 %, and three standard errors
