"""What is told to be looked at first."""

from dataclasses import replace

import pytest

from gateway.core.keys import Key, KeyRole
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.change import Fall
from lifecycle.core.rollouts.rollout import Phase
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.estimates import Estimates
from lifecycle.monitor import Monitor, Signals
from tests.lifecycle.api.conftest import Admin


async def matters(admin: Admin) -> list[tuple[str, str]]:
    found = (await admin.http.get("/v1/attention")).json()["matters"]
    return [(each["model"], each["matter"]) for each in found]


async def test_a_quiet_cluster_has_nothing_to_look_at(admin: Admin) -> None:
    await admin.deployed()
    assert await matters(admin) == []


async def test_a_rollout_comes_before_the_alarms(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    await admin.deployed(2)
    await admin.http.post("/v1/models/fraud/rollouts", json={"version": 2, "plan": "quick"})
    fall = Fall(60.0, 900, Measure.ACCURACY, 0.71, 0.75, 0.9)
    monkeypatch.setattr(Monitor, "alarms", lambda _: {"churn": Signals(9.0, fall), "spam": Signals(5.0)})
    monkeypatch.setattr(Estimates, "fallen", lambda _: {"spam": 7.0})
    told = (await admin.http.get("/v1/attention")).json()["matters"]
    assert [(each["model"], each["matter"]) for each in told] == [
        *(("fraud", "rollout"), ("churn", "accuracy"), ("spam", "estimate")),
        *(("spam", "drift"), ("churn", "drift")),
    ]
    assert "version 2: loading" in told[0]["says"]
    assert told[1]["says"] == "accuracy 71.0%, was 90.0%"
    assert told[1]["since"] == 60.0


async def test_a_rollout_that_asks_a_person_says_what(admin: Admin) -> None:
    await admin.deployed(2)
    await admin.http.post("/v1/models/fraud/rollouts", json={"version": 2, "plan": "quick"})
    (rollout,) = admin.store.rollouts("fraud")
    asked = Finding("disagreement", Verdict.INCONCLUSIVE, "half differ", {"log_e": 9.0, "threshold": 3.0})
    admin.store.save(replace(rollout, phase=Phase.SHADOW, step=0, paused_at=1.0, findings=(asked,)))
    (told,) = (await admin.http.get("/v1/attention")).json()["matters"]
    assert told["says"] == "version 2: shadow 1 of 3, INCONCLUSIVE, paused; half differ"


async def test_only_what_the_caller_may_see_is_told(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Monitor, "alarms", lambda _: {"eu-spam": Signals(1.0), "us-spam": Signals(2.0)})
    key = Key("ann", "", KeyRole.VIEWER, models=("eu-*",))
    monkeypatch.setattr("lifecycle.api.desk.ANYONE", key)
    assert await matters(admin) == [("eu-spam", "drift")]
