"""What every store promises. A second implementation joins the fixture's list."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lifecycle.adapters.store import SqlStore
from lifecycle.core.ledger import verify
from lifecycle.core.plan import preset
from lifecycle.core.rollout import Phase, Rollout
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Model, Stage
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry, Store
from tests.lifecycle.world import version

ENTRY = Entry("ann", "test", "m", {"why": "a test"})
MODEL = Model("m", 1, 5.0)
ROLLOUT = Rollout("r1", "m", 2, 1, preset("quick"), 10.0, "ann")

Open = Callable[[], Store]


@pytest.fixture(params=["sqlite"])
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens the same stored state again and again, as restarts do."""
    stores: list[SqlStore] = []

    def open_it() -> Store:
        stores.append(SqlStore(f"sqlite:///{tmp_path}/registry.db", lambda: 100.0 + len(stores)))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Open) -> Store:
    return opened()


def refusal(act: Callable[[], object]) -> LifecycleCode:
    with pytest.raises(LifecycleError) as refused:
        act()
    return refused.value.code


def test_what_is_committed_survives_a_restart(opened: Open) -> None:
    evidence = (Finding("load", Verdict.FAIL, "no", {"ms": float("inf"), "rows": 3.0}),)
    values = (replace(MODEL, weights=((1, 100.0),), champion=1), replace(version(1), evidence=evidence))
    opened().commit(ENTRY, *values, ROLLOUT)
    again = opened()
    assert again.models() == [values[0]]
    assert again.versions("m")[0].evidence[0].verdict is Verdict.FAIL
    assert again.rollouts("m") == [ROLLOUT]
    assert [record.detail for record in again.records()] == [ENTRY.detail]


def test_models_come_by_name(store: Store) -> None:
    for name in ("b", "a"):
        store.commit(ENTRY, Model(name, 1, 0.0))
    assert [model.name for model in store.models()] == ["a", "b"]
    assert [model.name for model in store.models("b")] == ["b"]
    assert store.models("c") == []


def test_versions_come_by_number(store: Store) -> None:
    store.commit(ENTRY, MODEL, *(version(number) for number in (10, 2, 1)))
    assert [found.number for found in store.versions("m")] == [1, 2, 10]
    assert store.versions("other") == []


def test_a_change_needs_the_present_revision(store: Store) -> None:
    store.commit(ENTRY, MODEL)
    store.commit(ENTRY, replace(MODEL, revision=2, recipe="x"))
    assert refusal(lambda: store.commit(ENTRY, replace(MODEL, revision=2))) is LifecycleCode.STALE
    assert refusal(lambda: store.commit(ENTRY, replace(MODEL, revision=4))) is LifecycleCode.STALE
    assert refusal(lambda: store.commit(ENTRY, MODEL)) is LifecycleCode.STALE
    assert store.models()[0].recipe == "x"


def test_a_number_belongs_to_one_artifact(store: Store) -> None:
    store.commit(ENTRY, MODEL, version(1))
    store.commit(ENTRY, replace(version(1), stage=Stage.SERVING))
    other = replace(version(1), digest="sha256:other")
    assert refusal(lambda: store.commit(ENTRY, other)) is LifecycleCode.CONFLICT
    assert store.versions("m")[0].stage is Stage.SERVING


def test_a_refused_change_leaves_nothing_behind(store: Store) -> None:
    store.commit(ENTRY, MODEL)
    stale = replace(MODEL, revision=7)
    assert refusal(lambda: store.commit(ENTRY, version(1), ROLLOUT, stale)) is LifecycleCode.STALE
    assert (store.versions("m"), store.rollouts(), len(store.records())) == ([], [], 1)


def test_one_rollout_of_a_model_is_active(store: Store) -> None:
    store.commit(ENTRY, MODEL, ROLLOUT)
    second = replace(ROLLOUT, id="r2", started_at=20.0)
    assert refusal(lambda: store.commit(ENTRY, second)) is LifecycleCode.CONFLICT
    store.commit(ENTRY, replace(ROLLOUT, phase=Phase.ABORTED))
    store.commit(ENTRY, second, replace(ROLLOUT, id="r3", model="n"))
    assert [rollout.id for rollout in store.rollouts("m")] == ["r2", "r1"]
    assert {rollout.id for rollout in store.rollouts(active=True)} == {"r2", "r3"}
    assert [rollout.id for rollout in store.rollouts("m", active=True)] == ["r2"]


def test_evidence_is_kept_without_a_record(store: Store) -> None:
    store.commit(ENTRY, MODEL, ROLLOUT)
    store.save(replace(ROLLOUT, reason="looking"))
    assert (store.rollouts()[0].reason, len(store.records())) == ("looking", 1)


def test_evidence_that_comes_late_does_not_revive_a_rollout(store: Store) -> None:
    ended = replace(ROLLOUT, phase=Phase.ROLLED_BACK)
    store.commit(ENTRY, MODEL, ended)
    store.save(ROLLOUT)
    assert store.rollouts() == [ended]


def test_the_ledger_is_one_chain(opened: Open) -> None:
    for i in range(5):
        record = opened().commit(replace(ENTRY, model=f"m{i % 2}"), Model(f"model{i}", 1, 0.0))
        assert record.seq == i + 1
    store = opened()
    records = store.records()
    assert verify(records, store.head()) is None
    assert [record.seq for record in store.records("m1")] == [2, 4]
    assert [record.seq for record in store.records(after=2, limit=2)] == [3, 4]


def test_generations_only_grow(opened: Open) -> None:
    assert [opened().next_generation() for _ in range(3)] == [1, 2, 3]
