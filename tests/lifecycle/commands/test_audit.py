"""The ledger answers what had traffic when, and whether it is whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from lifecycle.commands import audit
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.controller import Controller
from lifecycle.core.checkpoint import Kept
from lifecycle.core.ledger import Head
from lifecycle.core.plan import preset
from lifecycle.errors import LifecycleError
from lifecycle.ports import Origin
from tests.lifecycle.one_model import Registry, opened


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with opened(tmp_path) as made:
        yield made


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
        await controller.tick(registry.now, [])
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
    await Controller(registry.store, registry.fleet, registry.publisher).tick(503.0, [])
    account = audit.account(registry.store, Origin("m", 3, "shadow", at))
    assert (account.rollout is not None) == brought
    assert account.split.champion == 1


def test_an_unknown_version_has_no_account(registry: Registry) -> None:
    with pytest.raises(LifecycleError, match="no version 9"):
        audit.account(registry.store, Origin("m", 9, "champion", 100.0))
