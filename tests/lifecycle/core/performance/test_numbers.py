"""Late numbers are compared step by step, and told with an interval."""

import math

import numpy as np
import pytest

from lifecycle.core.analysis.evidence import Numbers
from lifecycle.core.analysis.metrics import MetricGuard
from lifecycle.core.performance.numbers import NONE, Series, as_json, compared

GUARD = MetricGuard("feedback.revenue", "higher", (0.0, 10.0), 1.0)
CHAMPION = Series(np.array([1.0, 11.0, 21.0, 31.0]), np.array([5.0, 5.0, 10.0, 10.0]))
CANARY = Series(np.array([12.0, 22.0, 32.0]), np.array([0.0, 20.0, 10.0]))


def test_each_step_has_its_own_answers() -> None:
    steps = compared(CANARY, CHAMPION, GUARD, ((10.0, 20.0), (20.0, 30.0)))
    assert steps == ((Numbers(1, 0.0), Numbers(1, 0.5)), (Numbers(1, 1.0), Numbers(1, 1.0)))


def test_a_step_may_have_no_end_and_one_side_no_answers() -> None:
    assert compared(CANARY, NONE, GUARD, ((20.0, math.inf),)) == ((Numbers(2, 2.0), Numbers()),)
    assert compared(CANARY, CHAMPION, GUARD, ()) == ()


def test_a_mean_is_told_with_its_interval() -> None:
    ((told),) = as_json({"revenue": {2: CANARY, 1: Series(np.ones(1), np.full(1, 7.0))}})
    first, second = told["versions"]
    assert (first["version"], first["mean"], first["low"]) == (1, 7.0, None)
    assert (second["rows"], second["mean"]) == (3, 10.0)
    assert second["low"] == pytest.approx(10 - 1.96 * 10 / 3**0.5, rel=1e-3)
