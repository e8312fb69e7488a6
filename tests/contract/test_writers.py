"""Several that write to one registry: whoever is first wins, and the lease says who may at all."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Thread

import pytest
from sqlalchemy import text

from lifecycle.adapters.sql.engine import open_engine
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.core.governance.ledger import verify
from lifecycle.core.lease import Lease
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.contract.stored import ENTRY, MODEL, ROLLOUT, Open, refusal


def together(*acts: Callable[[], object]) -> list[LifecycleCode]:
    """Run all at once; returns the codes of those that were refused."""
    refused: list[LifecycleCode] = []

    def run(act: Callable[[], object]) -> None:
        try:
            act()
        except LifecycleError as error:
            refused.append(error.code)

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


def test_writers_at_once_make_one_chain(opened: Open) -> None:
    def writes(store: SqlStore, name: str) -> Callable[[], object]:
        return lambda: [store.commit(ENTRY, Model(name, revision, 0.0)) for revision in range(1, 6)]

    first, second = opened(), opened()
    assert together(*(writes(store, f"m{i}") for i, store in enumerate([first, second] * 2))) == []
    records = first.records()
    assert (len(records), verify(records, first.head())) == (20, None)
    assert {model.revision for model in second.models()} == {5}


def test_of_changes_of_one_revision_one_wins(opened: Open) -> None:
    stores = opened(), opened()
    stores[0].commit(ENTRY, MODEL)
    change = replace(MODEL, revision=2)
    refused = together(*(partial(store.commit, ENTRY, change) for store in stores * 2))
    assert refused == [LifecycleCode.STALE] * 3
    assert len(stores[1].records()) == 2


def test_of_rollouts_begun_at_once_one_wins(opened: Open) -> None:
    stores = opened(), opened()
    stores[0].commit(ENTRY, MODEL)
    acts = [partial(store.commit, ENTRY, replace(ROLLOUT, id=f"r{i}")) for i, store in enumerate(stores * 2)]
    assert together(*acts) == [LifecycleCode.CONFLICT] * 3
    assert len(stores[1].rollouts("m")) == 1


def test_generations_given_at_once_are_all_different(opened: Open) -> None:
    given: list[int] = []
    stores = opened(), opened()

    def take(store: SqlStore) -> None:
        given.append(store.next_generation())

    assert together(*(partial(take, store) for store in stores * 4)) == []
    assert len(set(given)) == 8


def test_two_that_open_a_new_database_at_once_both_can(opened: Open) -> None:
    assert together(opened, opened, opened) == []


def test_a_lease_has_one_holder_and_a_growing_token(opened: Open) -> None:
    a, b = opened(), opened()
    free = a.lease()
    assert together(*(partial(takes, store, free) for store in (a, b, a, b))) == [LifecycleCode.STALE] * 3
    assert (a.lease().token, b.lease()) == (1, a.lease())
    taken = b.take(b.lease(), "b")
    assert taken == Lease("b", 2)
    assert b.renew(taken) == Lease("b", 2, 1) == a.lease()


def takes(store: SqlStore, seen: Lease) -> None:
    if store.take(seen, "one") is None:
        raise LifecycleError(LifecycleCode.STALE, "another was first")


def test_who_waits_too_long_for_another_is_told_and_can_go_on(
    url: str, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifecycle.adapters.sql.engine.WAIT_S", 0.2)
    store, other = opened(), open_engine(url)
    with other.begin() as holding:
        holding.execute(text("UPDATE heads SET seq = seq"))
        assert refusal(lambda: store.commit(ENTRY, MODEL)) is LifecycleCode.UNAVAILABLE
        assert store.models() == [], "reads wait for nobody"
    other.dispose()
    store.commit(ENTRY, MODEL)
    assert store.models() == [MODEL]


def test_who_lost_the_lease_can_write_nothing(opened: Open) -> None:
    slow, quick = opened(), opened()
    held = slow.take(slow.lease(), "slow")
    assert held is not None
    slow.commit(ENTRY, MODEL, ROLLOUT)
    assert quick.take(quick.lease(), "quick")
    before = quick.records(), quick.rollouts(), quick.lease()
    for write in (
        lambda: slow.commit(ENTRY, replace(MODEL, revision=2)),
        lambda: slow.save(replace(ROLLOUT, reason="too late")),
        slow.next_generation,
        lambda: slow.renew(held),
        lambda: slow.release(held),
    ):
        assert refusal(write) is LifecycleCode.CONFLICT
    assert (quick.records(), quick.rollouts(), quick.lease()) == before
    assert slow.models() == [MODEL]
    assert quick.next_generation() == 1


def test_a_lease_given_back_is_free_and_keeps_its_token(store: SqlStore) -> None:
    held = store.take(store.lease(), "a")
    assert held is not None
    store.release(held)
    assert (store.lease().holder, store.lease().token) == ("", 1)
