"""A flood is told to wait, and its neighbours are not."""

import pytest

from lifecycle.core.governance.quota import Quota


def test_a_minutes_worth_passes_and_more_waits() -> None:
    quota = Quota(600)
    assert quota.wait("ann", 600, 0.0) == 0
    assert quota.wait("ann", 10, 0.0) == pytest.approx(1.0)
    assert quota.wait("bob", 600, 0.0) == 0
    assert quota.wait("ann", 10, 1.0) == 0


def test_one_large_amount_passes_after_a_rest_and_is_paid_for() -> None:
    quota = Quota(600)
    assert quota.wait("ann", 1_200, 0.0) == 0
    assert quota.wait("ann", 1, 30.0) > 0
    assert quota.wait("ann", 1, 61.0) == 0


def test_callers_are_forgotten_before_memory_runs_out() -> None:
    quota = Quota(60)
    for number in range(20_000):
        assert quota.wait(str(number), 60, 0.0) == 0
    assert quota.wait("19999", 60, 0.0) > 0
