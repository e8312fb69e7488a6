"""Plans are read strictly, and the presets are what their names say."""

import json
import tomllib

import pytest

from lifecycle.core.analysis.metrics import MetricGuard
from lifecycle.core.rollouts.plan import PRESETS, Plan, correcting, preset
from lifecycle.errors import LifecycleCode, LifecycleError

MINE = """
name = "mine"
bake_seconds = 60
deadline_seconds = 3600

[guards]
error_slo = 0.02

[[steps]]
shadow = true
min_seconds = 10

[[steps]]
weight = 12.5
min_requests = 500
"""


def written(text: str) -> Plan:
    return Plan.from_json(tomllib.loads(text))


def test_a_plan_is_read_as_people_write_it() -> None:
    plan = written(MINE)
    assert [step.weight for step in plan.steps] == [0, 12.5]
    assert (plan.name, plan.bake_seconds, plan.deadline_seconds, plan.manual) == ("mine", 60, 3600, False)
    assert plan.guards.error_slo == 0.02


@pytest.mark.parametrize("name", list(PRESETS))
def test_presets_survive_json(name: str) -> None:
    assert Plan.from_json(json.loads(json.dumps(preset(name).as_json()))) == preset(name)


def test_the_default_plan_needs_less_than_half_a_minute() -> None:
    quick = preset("quick")
    assert sum(step.min_seconds for step in quick.steps) + quick.bake_seconds < 30


def test_only_the_manual_plan_waits_for_a_person() -> None:
    assert [name for name, plan in PRESETS.items() if plan.manual] == ["manual"]
    assert preset("manual").deadline_seconds is None


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (("bake_seconds", "bake_time"), "no key 'bake_time'"),
        (("min_seconds", "min_second"), "no key 'min_second'"),
        (("error_slo", "slo"), "no key 'slo'"),
        (("weight = 12.5", "weight = 100"), "under 100"),
        (("weight = 12.5", "weight = nan"), "under 100"),
        (("weight = 12.5", 'weight = "ten"'), "is a number"),
        (("weight = 12.5", "weight = 0"), "shadow"),
        (("shadow = true", "weight = 50"), "growing"),
        (("shadow = true", "shadow = 1"), "true or false"),
        (("min_seconds = 10", "min_seconds = inf"), "not negative"),
        (("min_requests = 500", "min_requests = -1"), "not negative"),
        (("bake_seconds = 60", "bake_seconds = -1"), "not negative"),
        (("deadline_seconds = 3600", "deadline_seconds = 0"), "above 0"),
        (("error_slo = 0.02", "error_slo = -1"), "error_slo"),
        (("[guards]\nerror_slo = 0.02", "guards = 1"), "is a table"),
    ],
)
def test_a_mistake_is_refused_with_its_place(edit: tuple[str, str], says: str) -> None:
    with pytest.raises(LifecycleError, match=says) as refused:
        written(MINE.replace(*edit))
    assert refused.value.code is LifecycleCode.INVALID


def test_a_version_that_corrects_the_champion_may_answer_as_differently_as_it_will() -> None:
    guards = correcting(preset("quick")).guards
    assert (guards.output_effect_fail, guards.disagreement_hold) == (1, 1)


def test_a_plan_needs_a_step() -> None:
    with pytest.raises(LifecycleError, match="has steps"):
        written('name = "empty"')


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(LifecycleError, match="quick, cautious, shadow-first, manual") as missing:
        preset("fast")
    assert missing.value.code is LifecycleCode.NOT_FOUND


GUARDED = (
    MINE
    + """
[[guard]]
metric = "feedback.revenue"
direction = "higher"
bounds = [0, 200]
margin = 1.5
"""
)


def test_a_plan_guards_business_metrics() -> None:
    plan = written(GUARDED)
    assert plan.guard == (MetricGuard("feedback.revenue", "higher", (0.0, 200.0), 1.5),)
    assert Plan.from_json(json.loads(json.dumps(plan.as_json()))) == plan


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (("feedback.revenue", "revenue"), "metric is `feedback.NAME`"),
        (("higher", "up"), "higher or lower"),
        (("[0, 200]", "[200, 0]"), "the lower one first"),
        (("[0, 200]", "[0]"), "bounds"),
        (("[0, 200]", "[0, inf]"), "bounds"),
        (("margin = 1.5", "margin = 200"), "margin is above 0"),
        (("margin = 1.5", ""), "has no 'margin'"),
        (("margin = 1.5", "slack = 1"), "no key 'slack'"),
    ],
)
def test_a_mistaken_metric_is_refused(edit: tuple[str, str], says: str) -> None:
    with pytest.raises(LifecycleError, match=says):
        written(GUARDED.replace(*edit))


@pytest.mark.parametrize(
    ("step", "more", "says"),
    [
        ({"weight": None}, {}, "a step: 'weight' is a number"),
        ({"weight": 10, "min_seconds": None}, {}, "a step: 'min_seconds' is a number"),
        ({"weight": 10, "min_requests": 2.5}, {}, "`min_requests` is a whole number, not 2.5"),
        ({"weight": 10**400}, {}, "a step: 'weight' is too large a number"),
        ({"weight": 10}, {"bake_seconds": None}, "the plan: 'bake_seconds' is a number"),
        ({"weight": 10}, {"guards": {"error_slo": None}}, "'error_slo' is a number"),
        (
            {"weight": 10},
            {
                "guard": [
                    {"metric": "feedback.x", "direction": "up", "bounds": [0, 10**400], "margin": 1},
                ]
            },
            "int too large",
        ),
    ],
)
def test_what_json_can_say_and_toml_cannot(
    step: dict[str, object], more: dict[str, object], says: str
) -> None:
    with pytest.raises(LifecycleError, match=says) as refused:
        Plan.from_json({"steps": [step], **more})
    assert refused.value.code is LifecycleCode.INVALID
