"""The ledger answers what had traffic when, and whether it is whole."""

from collections.abc import Callable
from inspect import isawaitable
from typing import Any

import pytest
from sqlalchemy import text

from gateway.core.limits import ModelLimits
from gateway.core.placement import Placement
from lifecycle.commands.governance import audit
from lifecycle.commands.registry.catalogue import Catalogue, Words
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.controller import Controller
from lifecycle.core.governance.checkpoint import Kept
from lifecycle.core.governance.ledger import Head
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.errors import LifecycleError
from lifecycle.ports import Entry, Origin
from tests.lifecycle.one_model import Registry


async def fill(registry: Registry) -> None:
    """At 200 a split by hand, at 300 all on version 2, at 400 back, at 500 a rollout of 3, aborted."""
    traffic = Traffic(registry.store, registry.fleet, registry.publisher, registry.clock)
    for now, weights in ((200.0, {1: 90.0, 2: 10.0}), (300.0, {2: 100.0})):
        registry.now = now
        await traffic.set("m", weights, actor="ann")
    registry.now = 400.0
    await traffic.rollback("m", actor="ann")
    rollouts = Rollouts(registry.store, registry.publisher, registry.clock)
    controller = Controller(registry.store, registry.fleet, registry.publisher)
    registry.now = 500.0
    rollouts.start("m", 3, preset("quick"), "ann")
    for registry.now in (501.0, 502.0):
        controller.tick(registry.now, [])
    rollouts.abort("m", "bob")


@pytest.mark.parametrize(
    ("time", "champion", "weights", "shadows"),
    [
        (100.0, 1, {1: 100}, ()),
        (199.9, 1, {1: 100}, ()),
        (200.0, 1, {1: 90, 2: 10}, ()),
        (350.0, 2, {2: 100}, ()),
        (400.0, 1, {1: 100}, ()),
        (501.5, 1, {1: 100}, ()),
        (9e9, 1, {1: 100}, ()),
    ],
)
async def test_the_past_is_read_from_the_ledger(
    registry: Registry, time: float, champion: int, weights: dict[int, float], shadows: tuple[int, ...]
) -> None:
    await fill(registry)
    split = audit.at(registry.store, "m", time)
    assert (split.champion, split.weights, split.shadows) == (champion, weights, shadows)


async def test_a_model_whose_traffic_was_taken_away_had_none(registry: Registry) -> None:
    await fill(registry)
    traffic = Traffic(registry.store, registry.fleet, registry.publisher, registry.clock)
    registry.now = 600.0
    await traffic.stop("m", actor="ann")
    registry.now = 700.0
    await traffic.set("m", {2: 100.0}, actor="ann")
    assert audit.at(registry.store, "m", 599.0).champion == 1
    for time in (600.0, 699.0):
        assert audit.splits_at(registry.store, time) == ()
        with pytest.raises(LifecycleError, match="no traffic at that time"):
            audit.at(registry.store, "m", time)
    assert audit.at(registry.store, "m", 700.0).champion == 2
    late = audit.account(registry.store, Origin("m", 1, "champion", 600.1))
    assert late.split.champion == 1, "a worker that had not heard of it yet still answered"


async def test_every_kind_of_change_says_what_had_the_traffic_then(registry: Registry) -> None:
    """Settings that leave the traffic alone, too: the past must be readable at any moment."""
    await fill(registry)
    catalogue = Catalogue(registry.store, registry.publisher)
    traffic = Traffic(registry.store, registry.fleet, registry.publisher, registry.clock)
    changes: tuple[Callable[[], Any], ...] = (
        lambda: traffic.set("m", {1: 80.0, 2: 20.0}, [3], actor="ann"),
        lambda: traffic.limit("m", ModelLimits(4, 4), actor="ann"),
        lambda: traffic.cache("m", 8, actor="ann"),
        lambda: traffic.keep("m", True, actor="ann"),
        lambda: traffic.place("m", Placement.POOL, actor="ann"),
        lambda: catalogue.alias("m", "stable", 1, "ann"),
        lambda: catalogue.describe("m", 1, Words(owner="ann"), "ann"),
        lambda: traffic.stop("m", actor="ann"),
        lambda: traffic.set("m", {3: 100.0}, actor="ann"),
    )
    for registry.now, change in enumerate(changes, 600):
        if isawaitable(done := change()):
            await done
        model = registry.store.models("m")[0]
        splits = audit.splits_at(registry.store, registry.now)
        assert [(split.champion, split.weights, split.shadows) for split in splits] == (
            [(model.champion, dict(model.weights), model.shadows)] if model.champion else []
        )


async def test_shadows_are_part_of_the_past(registry: Registry) -> None:
    await fill(registry)
    told = [record for record in registry.store.records("m") if record.kind == "rollout.shadow"]
    assert told[0].detail["shadows"] == [3]


def test_before_its_first_traffic_a_model_had_none(registry: Registry) -> None:
    with pytest.raises(LifecycleError, match="no traffic at that time"):
        audit.at(registry.store, "m", 99.0)
    with pytest.raises(LifecycleError, match="no model"):
        audit.at(registry.store, "x", 99.0)


async def test_a_ledger_as_written_is_whole(registry: Registry) -> None:
    await fill(registry)
    found = audit.verify(registry.store)
    assert (found.problem, found.records) == (None, found.head.seq)
    assert audit.verify(registry.store, audit.NONE, found.head).problem is None


@pytest.mark.parametrize(
    ("damage", "seq"),
    [
        ("UPDATE records SET actor = 'eve' WHERE seq = 3", 3),
        ("UPDATE records SET detail = '{}' WHERE seq = 2", 2),
        ("DELETE FROM records WHERE seq = 4", 4),
        ("DELETE FROM records WHERE seq >= 6", 6),
        ("DELETE FROM records", 1),
    ],
)
async def test_damage_names_the_first_bad_record(registry: Registry, damage: str, seq: int) -> None:
    await fill(registry)
    with registry.store._engine.begin() as connection:
        connection.execute(text(damage))
    problem = audit.verify(registry.store).problem
    assert problem is not None
    assert problem.seq == seq


async def test_a_head_kept_elsewhere_shows_a_cut_that_was_covered_up(registry: Registry) -> None:
    await fill(registry)
    remembered = audit.verify(registry.store).head
    kept = registry.store.records()[4]
    with registry.store._engine.begin() as connection:
        connection.execute(text("DELETE FROM records WHERE seq > 5"))
        connection.execute(text("UPDATE heads SET seq = 5, hash = :hash"), {"hash": kept.hash})
    assert audit.verify(registry.store).problem is None
    problem = audit.verify(registry.store, audit.NONE, remembered).problem
    assert problem is not None
    assert problem.seq == 6
    assert audit.verify(registry.store, audit.NONE, Head(5, "f" * 64)).problem is not None


async def test_a_forged_checkpoint_is_a_problem_of_a_ledger_that_is_whole(registry: Registry) -> None:
    await fill(registry)
    problem = audit.verify(registry.store, Kept(forged=("x.json",))).problem
    assert problem is not None
    assert "x.json" in problem.reason


async def test_text_that_is_no_json_names_its_record(registry: Registry) -> None:
    await fill(registry)
    with registry.store._engine.begin() as connection:
        connection.execute(text("UPDATE records SET detail = 'x' WHERE seq = 3"))
    problem = audit.verify(registry.store).problem
    assert problem is not None
    assert problem.seq == 3


@pytest.mark.parametrize(("at", "brought"), [(499.0, False), (501.5, True), (9e9, False)])
async def test_a_rollout_that_had_ended_badly_brought_nothing(
    registry: Registry, at: float, brought: bool
) -> None:
    await fill(registry)
    registry.now = 503.0
    Controller(registry.store, registry.fleet, registry.publisher).tick(503.0, [])
    account = audit.account(registry.store, Origin("m", 3, "shadow", at))
    assert (account.rollout is not None) == brought
    assert account.split.champion == 1


@pytest.mark.parametrize(
    ("origin", "weights"),
    [
        (Origin("m", 2, "canary", 299.9), {1: 90, 2: 10}),
        (Origin("m", 2, "canary", 300.2), {1: 90, 2: 10}),
        (Origin("m", 1, "champion", 300.2), {1: 90, 2: 10}),
        (Origin("m", 2, "champion", 300.2), {2: 100}),
        (Origin("m", 2, "champion", 400.2), {2: 100}),
        (Origin("m", 2, "pinned", 400.2), {1: 100}),
        (Origin("m", 2, "canary", 9e9), {1: 100}),
    ],
)
async def test_a_late_answer_is_accounted_for_by_the_split_it_was_given_under(
    registry: Registry, origin: Origin, weights: dict[int, float]
) -> None:
    await fill(registry)
    assert audit.account(registry.store, origin).split.weights == weights


async def test_an_answer_just_after_a_rollout_was_ended_names_it(registry: Registry) -> None:
    rollouts = Rollouts(registry.store, registry.publisher, registry.clock)
    controller = Controller(registry.store, registry.fleet, registry.publisher)
    registry.now = 500.0
    rollouts.start("m", 3, preset("quick"), "ann")
    for registry.now in (501.0, 502.0):
        controller.tick(registry.now, [])
    registry.now = 503.0
    rollouts.abort("m", "bob")
    account = audit.account(registry.store, Origin("m", 3, "shadow", 503.2))
    assert account.rollout is not None
    assert account.split.shadows == (3,)


async def test_an_answers_evidence_is_that_of_the_ledger_at_the_time(registry: Registry) -> None:
    await fill(registry)
    sound, later = (Finding("holdout", verdict, "") for verdict in (Verdict.PASS, Verdict.FAIL))
    for registry.now, finding in ((700.0, sound), (800.0, later)):
        detail = {"version": 1, "stage": "serving", "findings": [finding.as_json()]}
        registry.store.commit(Entry("ann", "version.judged", "m", detail))
    evidence = [
        audit.account(registry.store, Origin("m", 1, "champion", at)).version.evidence
        for at in (750.0, 850.0)
    ]
    assert evidence == [(sound,), (later,)]


def test_an_unknown_version_has_no_account(registry: Registry) -> None:
    with pytest.raises(LifecycleError, match="no version 9"):
        audit.account(registry.store, Origin("m", 9, "champion", 100.0))
