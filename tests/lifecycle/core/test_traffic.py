"""Changes of a model's split: valid ones make a new revision, senseless ones say why."""

import math

import pytest

from lifecycle.core import traffic
from lifecycle.core.stages import Stage
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.world import version

VERSIONS = {
    1: version(1, Stage.SERVING),
    2: version(2),
    3: version(3),
    4: version(4, Stage.REJECTED),
}
MODEL = Model("m", 7, 0.0, champion=1, previous=3, weights=((1, 100.0),), held=(3,))


def test_the_champion_keeps_its_title_while_it_has_traffic() -> None:
    assert traffic.with_weights(MODEL, VERSIONS, {1: 90, 2: 10}).champion == 1
    grown = traffic.with_weights(MODEL, VERSIONS, {1: 10, 2: 90})
    assert (grown.champion, grown.previous, grown.revision, grown.held) == (1, 3, 8, ())


def test_without_the_champion_the_heaviest_version_takes_over() -> None:
    changed = traffic.with_weights(MODEL, VERSIONS, {2: 40, 3: 60})
    assert (changed.champion, changed.previous) == (3, 1)


def test_a_rollback_ends_a_canary_before_it_changes_the_champion() -> None:
    split = traffic.with_weights(MODEL, VERSIONS, {1: 90, 2: 10})
    back = traffic.rolled_back(split)
    assert (back.champion, back.weights, back.previous) == (1, ((1, 100.0),), 3)


def test_a_version_at_zero_gets_no_traffic() -> None:
    assert traffic.with_weights(MODEL, VERSIONS, {1: 0, 2: 100}).weights == ((2, 100),)


def test_shadows_stay_unless_named() -> None:
    shadowed = traffic.with_weights(MODEL, VERSIONS, {1: 100}, [2, 3])
    assert shadowed.shadows == (2, 3)
    assert traffic.with_weights(shadowed, VERSIONS, {1: 90, 2: 10}).shadows == (3,)
    assert traffic.with_weights(shadowed, VERSIONS, {1: 100}, []).shadows == ()


@pytest.mark.parametrize(
    ("weights", "shadows", "code"),
    [
        ({1: -10, 2: 110}, None, LifecycleCode.INVALID),
        ({1: math.nan, 2: 10}, None, LifecycleCode.INVALID),
        ({1: math.inf}, None, LifecycleCode.INVALID),
        ({1: 90, 2: 9}, None, LifecycleCode.INVALID),
        ({}, None, LifecycleCode.INVALID),
        ({1: 100}, [1], LifecycleCode.INVALID),
        ({9: 100}, None, LifecycleCode.NOT_FOUND),
        ({1: 100}, [9], LifecycleCode.NOT_FOUND),
        ({4: 100}, None, LifecycleCode.CONFLICT),
    ],
)
def test_a_senseless_split_is_refused(
    weights: dict[int, float], shadows: list[int] | None, code: LifecycleCode
) -> None:
    with pytest.raises(LifecycleError) as refused:
        traffic.with_weights(MODEL, VERSIONS, weights, shadows)
    assert refused.value.code is code


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        (Stage.REGISTERED, "next is `headrace version validate m 9`"),
        (Stage.VALIDATED, "next is `headrace version approve m 9`"),
        (Stage.RETIRED, "only approved versions get traffic"),
    ],
)
def test_a_version_that_may_not_serve_yet_is_told_its_next_step(stage: Stage, told: str) -> None:
    with pytest.raises(LifecycleError) as caught:
        traffic.servable("m", {9: version(9, stage)}, 9)
    assert caught.value.code is LifecycleCode.CONFLICT
    assert told in caught.value.message
    assert ("next is" in caught.value.message) == (stage is not Stage.RETIRED)


def test_a_rollback_goes_to_the_champion_before() -> None:
    back = traffic.rolled_back(MODEL)
    assert (back.champion, back.weights, back.previous) == (3, ((3, 100.0),), 0)
    with pytest.raises(LifecycleError, match="no earlier champion"):
        traffic.rolled_back(back)


def test_a_stopped_model_remembers_its_champion_and_a_rollback_brings_it_back() -> None:
    stopped = traffic.stopped(traffic.shadowed(traffic.canaried(MODEL, 2, 10), 3))
    assert (stopped.champion, stopped.loaded(), stopped.previous) == (0, set(), 1)
    assert traffic.stopped(stopped).previous == 1
    assert traffic.rolled_back(stopped).weights == ((1, 100.0),)


def test_a_rollout_leaves_no_trace_when_it_is_undone() -> None:
    steps = traffic.shadowed(traffic.holding(MODEL, (2,)), 2)
    steps = traffic.promoted(traffic.canaried(steps, 2, 10), 2, 1)
    assert (steps.champion, steps.previous, steps.held, steps.shadows) == (2, 1, (1, 2), ())
    undone = traffic.restored(steps, 1, 3, 2)
    assert (undone.champion, undone.previous, undone.weights) == (1, 3, ((1, 100.0),))
    assert undone.loaded() == {1}
