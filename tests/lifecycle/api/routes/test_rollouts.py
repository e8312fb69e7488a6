"""Rollouts over HTTP."""

from dataclasses import replace
from threading import get_ident

import pytest

from lifecycle.api.app import build
from lifecycle.core.analysis.evidence import Arm
from lifecycle.core.rollouts.rollout import Rollout
from tests.lifecycle.api.conftest import Admin
from tests.lifecycle.desk import in_process

PATH = "/v1/models/fraud/rollouts"


async def test_a_rollout_starts_and_is_shown(admin: Admin) -> None:
    await admin.deployed(versions=2)
    started = await admin.http.post(PATH, json={"version": 2})
    shown = (await admin.http.get(f"{PATH}/current")).json()

    assert started.status_code == 201
    assert shown == started.json()
    assert (shown["phase"], shown["plan"]["name"], shown["weight"]) == ("loading", "quick", 0.0)
    assert [rollout["id"] for rollout in (await admin.http.get(PATH)).json()["rollouts"]] == [shown["id"]]


async def test_people_step_in(admin: Admin) -> None:
    await admin.deployed(versions=2)
    await admin.http.post(PATH, json={"version": 2, "plan": "manual"})
    paused = [
        (await admin.http.post(f"{PATH}/current/{verb}")).json()["paused"] for verb in ("pause", "resume")
    ]
    promoted = await admin.http.post(f"{PATH}/current/promote")
    aborted = await admin.http.post(f"{PATH}/current/abort")

    assert paused == [True, False]
    assert promoted.status_code == 200
    assert (aborted.json()["phase"], aborted.json()["active"]) == ("aborted", False)


async def test_a_forecast_reads_the_control_loops_figures_in_its_own_thread(admin: Admin) -> None:
    asked: list[int] = []

    def champion_now(_: Rollout) -> tuple[Arm, float]:
        asked.append(get_ident())
        return Arm(60_000, 300), 1_000.0

    await admin.deployed(versions=2)
    async with in_process(build(replace(admin.desk, champion_now=champion_now))) as http:
        assert (await http.post(f"{PATH}/forecast", json={"version": 2})).status_code == 200
    assert asked == [get_ident()]


async def test_a_forecast_starts_nothing(admin: Admin) -> None:
    await admin.deployed(versions=2)
    told = (await admin.http.post(f"{PATH}/forecast", json={"version": 2, "plan": "quick"})).json()
    same = await admin.http.post(f"{PATH}/forecast", json={"version": 1})
    assert (told["requests_per_s"], told["error_rate"]) == (1_000, 0.005)
    assert told["steps"][0]["error_rate"] > 0.005
    assert same.status_code == 409
    assert (await admin.http.get(PATH)).json()["rollouts"] == []


async def test_a_plan_may_be_given_whole(admin: Admin) -> None:
    await admin.deployed(versions=2)
    plan = {"name": "mine", "steps": [{"weight": 20, "min_requests": 10}]}
    answer = await admin.http.post(PATH, json={"version": 2, "plan": plan})
    assert answer.json()["plan"]["name"] == "mine"


async def test_a_plan_that_makes_no_sense_is_refused(admin: Admin) -> None:
    await admin.deployed(versions=2)
    bad = await admin.http.post(PATH, json={"version": 2, "plan": {"steps": []}})
    unknown = await admin.http.post(PATH, json={"version": 2, "plan": "hasty"})
    assert (bad.status_code, unknown.status_code) == (400, 404)


async def test_without_a_rollout_there_is_none(admin: Admin) -> None:
    await admin.deployed()
    assert (await admin.http.get(f"{PATH}/current")).status_code == 404
    assert (await admin.http.post(f"{PATH}/current/pause")).status_code == 409
    assert (await admin.http.get("/v1/models/none/rollouts")).status_code == 404


async def test_77_a_promotion_on_a_stale_etag(admin: Admin) -> None:
    await admin.deployed(versions=2)
    await admin.http.post(PATH, json={"version": 2, "plan": "manual"})
    stale = await admin.http.post(f"{PATH}/current/promote", headers={"if-match": '"1"'})
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "STALE")
    assert admin.desk.rollouts.show("fraud").promoter == ""
    tag = (await admin.http.get("/v1/models/fraud/traffic")).headers["etag"]
    fresh = await admin.http.post(f"{PATH}/current/promote", headers={"if-match": tag})
    assert fresh.status_code == 200


async def test_78_a_promotion_of_what_was_rolled_back(admin: Admin) -> None:
    await admin.deployed(versions=2)
    await admin.http.post(PATH, json={"version": 2, "plan": "manual"})
    assert (await admin.http.post("/v1/models/fraud/rollback")).status_code == 200
    late = await admin.http.post(f"{PATH}/current/promote")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "CONFLICT")
    assert (await admin.http.get("/v1/models/fraud/traffic")).json()["weights"] == {"1": 100.0}


@pytest.mark.parametrize(
    "plan",
    [
        '{"name": "\\ud800", "steps": [{"weight": 50}]}',
        '{"name": "a\\u0000b", "steps": [{"weight": 50}]}',
        '{"name": "", "steps": [{"weight": 50}]}',
        f'{{"name": "{"x" * 101}", "steps": [{{"weight": 50}}]}}',
        '{"steps": [{"weight": 50, "min_requests": 1' + "0" * 400 + "}]}",
        '{"steps": {"weight": 50}}',
        '{"steps": [{"weight": 50}], "guard": 5}',
        """{"steps": [{"weight": 50}], "guard":
            [{"metric": "feedback.\\ud800", "direction": "higher", "bounds": [0, 1], "margin": 0.5}]}""",
    ],
    ids=[
        "half a pair",
        "a NUL",
        "no name",
        "a long name",
        "a vast number",
        "no list",
        "no table",
        "a metric",
    ],
)
async def test_a_plan_that_nobody_could_keep_is_the_callers_fault(admin: Admin, plan: str) -> None:
    await admin.deployed(versions=2)
    headers = {"content-type": "application/json"}
    body = f'{{"version": 2, "plan": {plan}}}'
    answer = await admin.http.post("/v1/models/fraud/rollouts", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID")
    assert admin.store.rollouts() == []
