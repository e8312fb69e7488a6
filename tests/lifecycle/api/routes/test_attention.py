"""What is told to be looked at first."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.core.keys import Key, KeyRole
from lifecycle.api.app import build
from lifecycle.commands.governance.calendar import Calendar
from lifecycle.core.governance.freeze import Freeze
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.change import Fall
from lifecycle.core.rollouts.rollout import Phase
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.estimates import Estimates
from lifecycle.monitor import Monitor, Signals
from tests.lifecycle.api.conftest import Admin
from tests.lifecycle.desk import in_process


async def matters(admin: Admin) -> list[tuple[str, str]]:
    found = (await admin.http.get("/v1/attention")).json()["matters"]
    return [(each["model"], each["matter"]) for each in found]


async def test_a_rollout_that_a_freeze_holds_says_so(admin: Admin) -> None:
    await admin.deployed(2)
    await admin.http.post("/v1/models/fraud/rollouts", json={"version": 2, "plan": "quick"})
    calendar = Calendar(admin.store, [Freeze("audit", ends=datetime(2999, 1, 1, tzinfo=UTC))], time.time)
    async with in_process(build(replace(admin.desk, calendar=calendar))) as http:
        (matter,) = (await http.get("/v1/attention")).json()["matters"]
        rollout = (await http.get("/v1/models/fraud/rollouts/current")).json()
        again = await http.post("/v1/models/fraud/versions/2/deploy")
    assert rollout["frozen"] == "traffic is frozen until 2999-01-01 00:00 UTC (`audit`)"
    assert matter["says"] == f"version 2: loading, INCONCLUSIVE; {rollout['frozen']}"
    assert (again.status_code, "is in a rollout" in again.text) == (409, True)


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
