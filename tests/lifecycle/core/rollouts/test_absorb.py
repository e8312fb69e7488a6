"""Which traffic is evidence, and which is not."""

import json
from dataclasses import replace

import pytest

from gateway.core.types import Role
from lifecycle.core.analysis.evidence import Evidence
from lifecycle.core.analysis.late import Labelled, Late, Numbers
from lifecycle.core.analysis.metrics import MetricGuard
from lifecycle.core.rollouts.absorb import absorb
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Phase, Rollout
from lifecycle.core.verdict import Verdict
from tests.lifecycle.world import window

LOADING = Rollout("r", "m", 2, 1, preset("quick"), 0.0, "ann", generation=3)
SHADOW = replace(LOADING, phase=Phase.SHADOW, step=0, generation=4)
STEP = replace(LOADING, phase=Phase.STEP, step=1, generation=5)


def arms(rollout: Rollout) -> tuple[int, int]:
    """Requests of the canary and the baseline under the present split."""
    split = rollout.split
    found = [s for s in rollout.evidence.segments if (s.share, s.paired) == split]
    return sum(s.canary.requests for s in found), sum(s.baseline.requests for s in found)


def test_the_champion_is_the_reference_before_anything_else_has_traffic() -> None:
    seen = absorb(LOADING, [window(1, Role.CHAMPION, 1), window(1, Role.CHAMPION, 3)])
    assert seen.evidence.reference.requests == 200
    assert seen.findings == ()


def test_shadow_copies_are_paired_with_the_champion() -> None:
    seen = absorb(SHADOW, [window(1, Role.CHAMPION, 4), window(2, Role.SHADOW, 4)])
    assert arms(seen) == (100, 100)
    assert seen.evidence.segments[0].paired
    assert seen.canary_first_at is None


def test_the_canarys_share_is_the_steps() -> None:
    seen = absorb(STEP, [window(1, Role.CHAMPION, 5, requests=900), window(2, Role.CANARY, 5, end=8.0)])
    assert arms(seen) == (100, 900)
    assert seen.evidence.segments[0].share == 0.1
    assert seen.canary_first_at == 7.0


@pytest.mark.parametrize(
    ("number", "role", "generation", "model"),
    [
        (1, Role.CHAMPION, 4, "m"),
        (2, Role.CANARY, 4, "m"),
        (2, Role.PINNED, 5, "m"),
        (1, Role.PINNED, 5, "m"),
        (3, Role.SHADOW, 5, "m"),
        (2, Role.SHADOW, 5, "m"),
        (2, Role.CANARY, 5, "other"),
    ],
)
def test_older_splits_other_roles_and_other_models_do_not_count(
    number: int, role: Role, generation: int, model: str
) -> None:
    assert absorb(STEP, [window(number, role, generation, model=model)]) is STEP


def test_a_table_published_for_another_model_changes_nothing() -> None:
    seen = absorb(STEP, [window(2, Role.CANARY, 5), window(2, Role.CANARY, 9)])
    assert arms(seen) == (200, 0)


def test_windows_may_come_in_any_grouping() -> None:
    windows = [window(2, Role.CANARY, 5, errors=n) for n in range(4)]
    one_by_one = STEP
    for seen in windows:
        one_by_one = absorb(one_by_one, [seen])
    assert one_by_one.evidence == absorb(STEP, windows[::-1]).evidence


def test_a_bake_time_is_judged_by_itself() -> None:
    before = absorb(
        STEP, [window(1, Role.CHAMPION, 5, requests=90_000), window(2, Role.CANARY, 5, requests=10_000)]
    )
    assert before.verdict is Verdict.PASS
    bake = replace(before, phase=Phase.BAKE, generation=6)
    fine = absorb(bake, [window(2, Role.CHAMPION, 6)])
    assert fine.findings == before.findings
    broken = absorb(fine, [window(2, Role.CHAMPION, 6, errors=30)])
    assert broken.verdict is Verdict.FAIL


def test_a_rollout_that_ended_sees_nothing() -> None:
    ended = replace(STEP, phase=Phase.ROLLED_BACK)
    assert absorb(ended, [window(2, Role.CANARY, 5)]) is ended


def test_labels_are_judged_as_a_whole_each_time() -> None:
    asking = replace(STEP, plan=replace(STEP.plan, guards=replace(STEP.plan.guards, label_margin=0.05)))
    seen = absorb(asking, [window(1, Role.CHAMPION, 5), window(2, Role.CANARY, 5)])
    late = Late(((Labelled(500, 200), Labelled(2_000, 200)),))
    worse = absorb(seen, [], late=late)
    assert [finding.name for finding in worse.findings if finding.verdict is Verdict.FAIL] == ["labels"]
    assert absorb(worse, [], late=worse.evidence.late) is worse
    assert absorb(worse, []).evidence.late == late
    assert Rollout.from_json(worse.as_json()).evidence == worse.evidence


def test_labels_that_were_kept_as_one_pair_are_those_of_one_step() -> None:
    older = Evidence().as_json() | {"labels": [{"rows": 5, "wrong": 2}, {"rows": 9, "wrong": 1}]}
    assert Evidence.from_json(older).late.labels == ((Labelled(5, 2), Labelled(9, 1)),)


def test_a_metric_that_the_plan_guards_fails_its_version_and_survives_a_restart() -> None:
    guard = MetricGuard("feedback.revenue", "higher", (0.0, 50.0), 1.0)
    asking = replace(STEP, plan=replace(STEP.plan, guard=(guard,)), splits_at=(5.0,))
    seen = absorb(asking, [window(1, Role.CHAMPION, 5), window(2, Role.CANARY, 5)])
    assert seen.findings[-1].verdict is Verdict.INCONCLUSIVE
    late = Late(metrics={"revenue": ((Numbers(2_000, 400.0), Numbers(8_000, 2_400.0)),)})
    worse = absorb(seen, [], late=late)
    assert [finding.name for finding in worse.findings if finding.verdict is Verdict.FAIL] == [guard.metric]
    again = Rollout.from_json(json.loads(json.dumps(worse.as_json())))
    assert (again.evidence, again.plan, again.splits_at) == (worse.evidence, worse.plan, (5.0,))
