"""Retraining is decided by labels, within its limits."""

from dataclasses import replace
from typing import Any

import pytest

from lifecycle.core.learning.retrain import DAY_S, Hold, Retrain, RetrainPlan, Snapshot, decide

NOW = 10 * DAY_S
FALLEN = Snapshot(NOW, RetrainPlan(), fallen_since=NOW - 60, drift_since=NOW - 70, rows=300)


def test_a_confirmed_loss_with_enough_rows_retrains_on_the_changed_period() -> None:
    decision = decide(FALLEN)
    assert isinstance(decision, Retrain)
    assert (decision.since, decision.rows) == (NOW - 60, 300)


def test_drift_alone_trains_nothing() -> None:
    decision = decide(replace(FALLEN, fallen_since=None))
    assert decision == Hold("inputs drift, but no loss is confirmed by labels")


def test_all_quiet_holds() -> None:
    assert decide(Snapshot(NOW, RetrainPlan())) == Hold("no loss is confirmed by labels")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rows": 299}, "299 of 300 labelled rows"),
        ({"busy": "the rollout of version 3"}, "waiting for the rollout of version 3"),
        ({"started": (NOW - 30,)}, "cooling down for 1 min 30 s"),
        ({"taken_back_at": NOW - 50, "started": (NOW - 500,)}, "cooling down for 1 min 10 s"),
        ({"started": tuple(NOW - 3600 * k for k in range(1, 9))}, "8 trainings in 24 hours"),
        ({"failed_canaries": 2}, "rolled back; look into it"),
    ],
)
def test_every_limit_holds_with_its_reason(change: dict[str, Any], reason: str) -> None:
    decision = decide(replace(FALLEN, **change))
    assert isinstance(decision, Hold)
    assert reason in decision.reason


def test_the_daily_budget_is_of_any_24_hours() -> None:
    assert isinstance(decide(replace(FALLEN, started=tuple(NOW - DAY_S - k for k in range(9)))), Retrain)
