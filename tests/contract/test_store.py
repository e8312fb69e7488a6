"""What the store promises, on SQLite and on a real PostgreSQL server."""

from dataclasses import replace

import orjson
import pytest

from gateway.core.keys import Key, KeyRole
from gateway.core.limits import ModelLimits
from lifecycle.adapters.sql.generations import RESERVED
from lifecycle.adapters.sql.schema import CURRENT
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.core.asked import Asked
from lifecycle.core.governance.ledger import verify
from lifecycle.core.lease import Lease
from lifecycle.core.rollouts.rollout import Phase
from lifecycle.core.stages import Stage
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry
from tests.contract.raw import shape, sql
from tests.contract.stored import ENTRY, MODEL, ROLLOUT, Open, refusal
from tests.lifecycle.world import version

KEY = Key("shop", "d1", KeyRole.INFERENCE, ("eu-*",), 5.0, 50.0)


def test_what_is_committed_survives_a_restart(opened: Open) -> None:
    evidence = (Finding("load", Verdict.FAIL, "no", {"ms": float("inf"), "rows": 3.0}),)
    values = (replace(MODEL, weights=((1, 100.0),), champion=1), replace(version(1), evidence=evidence))
    opened().commit(ENTRY, *values, ROLLOUT)
    again = opened()
    assert again.models() == [values[0]]
    assert again.versions("m")[0].evidence[0].verdict is Verdict.FAIL
    assert again.rollouts("m") == [ROLLOUT]
    assert [record.detail for record in again.records()] == [ENTRY.detail]


def test_models_come_by_name_as_python_sorts_it(url: str, store: SqlStore) -> None:
    if url.startswith("postgresql"):  # most servers sort text as people of some language do
        sql(url, 'ALTER TABLE models ALTER COLUMN name TYPE VARCHAR COLLATE "en-x-icu"')
    for name in ("b", "a", "B", "a-b", "aa"):
        store.commit(ENTRY, Model(name, 1, 0.0))
    assert [model.name for model in store.models()] == ["B", "a", "a-b", "aa", "b"]
    assert [model.name for model in store.models("b")] == ["b"]
    assert store.models("c") == []


def test_what_no_database_could_hold_is_the_callers_fault(store: SqlStore) -> None:
    assert refusal(lambda: store.records(after=10**30)) is LifecycleCode.INVALID
    vast = replace(MODEL, limits=ModelLimits(10**30, 0))
    assert refusal(lambda: store.commit(ENTRY, vast)) is LifecycleCode.INVALID
    half = replace(ENTRY, detail={"reason": "half of a pair: \ud800"})
    assert refusal(lambda: store.commit(half, MODEL)) is LifecycleCode.INVALID
    assert store.models() == []


def test_versions_come_by_number(store: SqlStore) -> None:
    store.commit(ENTRY, MODEL, *(version(number) for number in (10, 2, 1)))
    assert [found.number for found in store.versions("m")] == [1, 2, 10]
    assert store.versions("other") == []


def test_a_change_needs_the_present_revision(store: SqlStore) -> None:
    store.commit(ENTRY, MODEL)
    store.commit(ENTRY, replace(MODEL, revision=2, recipe="x"))
    assert refusal(lambda: store.commit(ENTRY, replace(MODEL, revision=2))) is LifecycleCode.STALE
    assert refusal(lambda: store.commit(ENTRY, replace(MODEL, revision=4))) is LifecycleCode.STALE
    assert refusal(lambda: store.commit(ENTRY, MODEL)) is LifecycleCode.STALE
    assert store.models()[0].recipe == "x"


def test_a_number_belongs_to_one_artifact(store: SqlStore) -> None:
    store.commit(ENTRY, MODEL, version(1))
    store.commit(ENTRY, replace(version(1), stage=Stage.SERVING))
    other = replace(version(1), digest="sha256:other")
    assert refusal(lambda: store.commit(ENTRY, other)) is LifecycleCode.CONFLICT
    assert store.versions("m")[0].stage is Stage.SERVING


def test_a_refused_change_leaves_nothing_behind(store: SqlStore) -> None:
    store.commit(ENTRY, MODEL)
    stale = replace(MODEL, revision=7)
    assert refusal(lambda: store.commit(ENTRY, version(1), ROLLOUT, stale)) is LifecycleCode.STALE
    assert (store.versions("m"), store.rollouts(), len(store.records())) == ([], [], 1)


def test_one_rollout_of_a_model_is_active(store: SqlStore) -> None:
    store.commit(ENTRY, MODEL, ROLLOUT)
    second = replace(ROLLOUT, id="r2", started_at=20.0)
    assert refusal(lambda: store.commit(ENTRY, second)) is LifecycleCode.CONFLICT
    store.commit(ENTRY, replace(ROLLOUT, phase=Phase.ABORTED))
    store.commit(ENTRY, second, replace(ROLLOUT, id="r3", model="n"))
    assert [rollout.id for rollout in store.rollouts("m")] == ["r2", "r1"]
    assert {rollout.id for rollout in store.rollouts(active=True)} == {"r2", "r3"}
    assert [rollout.id for rollout in store.rollouts("m", active=True)] == ["r2"]


def test_evidence_is_kept_without_a_record(store: SqlStore) -> None:
    store.commit(ENTRY, MODEL, ROLLOUT)
    store.save(replace(ROLLOUT, reason="looking"))
    assert (store.rollouts()[0].reason, len(store.records())) == ("looking", 1)


def test_evidence_that_comes_late_does_not_revive_a_rollout(store: SqlStore) -> None:
    ended = replace(ROLLOUT, phase=Phase.ROLLED_BACK)
    store.commit(ENTRY, MODEL, ended)
    store.save(ROLLOUT)
    assert store.rollouts() == [ended]


def test_records_of_what_a_key_covers(store: SqlStore) -> None:
    for model in ("eu-1", "EU-2", "fraud", "eu", "", "eu-%"):
        store.commit(Entry("ann", "kind", model))

    def of(*scope: str, model: str | None = None) -> list[str]:
        return [record.model for record in store.records(model, scope=scope)]

    assert of("eu-*") == ["eu-1", "eu-%"]
    assert of("fraud", "eu-*") == ["eu-1", "fraud", "eu-%"]
    assert of("eu-%*") == ["eu-%"]
    assert (of("eu-*", model="fraud"), of("fraud", model="fraud")) == ([], ["fraud"])
    assert len(of()) == 6


def test_records_of_a_kind(store: SqlStore) -> None:
    for kind in ("rollout.start", "rollout", "rolloutless", "Rollout.start", "rollout.undo"):
        store.commit(Entry("ann", kind, "m"))

    def of(kind: str, after: int = 0, limit: int = 10) -> list[str]:
        return [record.kind for record in store.records(kind=kind, after=after, limit=limit)]

    assert of("rollout") == ["rollout.start", "rollout", "rollout.undo"]
    assert (of("rollout.start"), of("roll"), of("rollout.*")) == (["rollout.start"], [], [])
    assert of("rollout", after=1, limit=1) == ["rollout"]


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
    store = opened()
    given = [store.next_generation() for _ in range(RESERVED + 2)]
    assert given == list(range(1, RESERVED + 3))
    assert opened().next_generation() > given[-1]


OLD_BODY = orjson.dumps(
    {
        "model": "m",
        "number": 1,
        "stage": "approved",
        "artifact": "file:///1",
        "digest": "sha256:m1",
        "signature": version(1).signature.as_json(),
        "submitter": "ann",
        "created_at": 1.0,
        "profile": "",
        "profile_digest": "",
        "evidence": [],
        "approvers": ["bob", "cleo"],
        "placement": "auto",
        "reference": "",
        "reference_digest": "",
        "lineage": {"parent": None, "recipe": "", "data_digest": "", "cause": "by hand"},
    }
).decode()
"""A version as it was stored before schema 4."""

FOURTH = ("DROP TABLE requests", "DROP TABLE deliveries", "UPDATE schema SET number = 4")
THIRD = (
    *FOURTH,
    f"UPDATE versions SET body = '{OLD_BODY}'".replace(":", "\\:"),
    "UPDATE schema SET number = 3",
)
SECOND = (*THIRD, "DROP TABLE keys", "UPDATE schema SET number = 2")
FIRST = (*SECOND, "DROP TABLE leases", "DROP TABLE schema")


@pytest.mark.parametrize("older", [FIRST, SECOND, THIRD], ids=["first", "second", "third"])
def test_a_registry_of_an_older_schema_is_brought_up_to_date(
    url: str, opened: Open, older: tuple[str, ...]
) -> None:
    first = opened()
    first.commit(ENTRY, MODEL, version(1), ROLLOUT)
    fresh = shape(url)
    sql(url, *older)
    second = opened()
    assert (second.models(), second.rollouts()) == ([MODEL], [ROLLOUT])
    assert verify(second.records(), second.head()) is None
    assert [yes.by for yes in second.versions("m")[0].approvals] == ["bob", "cleo"]
    assert second.lease() == Lease()
    assert shape(url) == fresh
    second.commit(ENTRY, KEY)
    second.commit(ENTRY, replace(KEY, revoked_at=60.0))
    assert opened().api_keys() == [replace(KEY, revoked_at=60.0)]


def test_a_registry_of_a_newer_headrace_is_left_alone(url: str, opened: Open) -> None:
    opened()
    sql(url, f"UPDATE schema SET number = {CURRENT + 1}")
    with pytest.raises(LifecycleError, match=f"schema {CURRENT + 1}, made by a newer Headrace") as refused:
        opened()
    assert refused.value.code is LifecycleCode.UNAVAILABLE


def test_a_key_is_asked_once_and_its_answer_kept(opened: Open) -> None:
    store = opened()
    asked = Asked("print", 201, '"3"', '{"a": 1}')
    assert store.requests.ask("ann", "k", "print", 100.0) is None
    assert store.requests.ask("ann", "k", "other", 101.0) == Asked("print")
    store.requests.answer("ann", "k", asked)
    store.close()
    again = opened()
    assert again.requests.ask("ann", "k", "print", 102.0) == asked
    assert again.requests.ask("bob", "k", "print", 102.0) is None
    again.requests.forget("ann", "k")
    assert again.requests.ask("ann", "k", "new", 103.0) is None
    assert again.requests.ask("ann", "k", "newer", 103.0 + 2 * 86_400) is None


def test_a_webhook_goes_on_where_it_was(opened: Open) -> None:
    store = opened()
    assert store.deliveries.reached("pager") is None
    store.deliveries.reach("pager", 5)
    store.deliveries.reach("pager", 9)
    store.close()
    assert opened().deliveries.reached("pager") == 9


def test_models_are_as_they_were_stored_last_however_many_changed(store: SqlStore) -> None:
    names = [f"model-{number:04}" for number in range(700)]
    store.commit(ENTRY, *(Model(name, 1, 0.0) for name in names))
    assert [model.name for model in store.models()] == names
    changed = replace(store.models(names[3])[0], revision=2, champion=1, weights=((1, 100.0),))
    store.commit(ENTRY, changed)
    store.commit(ENTRY, Model("a-new-one", 1, 0.0))
    assert store.models()[:5] == [
        Model("a-new-one", 1, 0.0),
        *(Model(name, 1, 0.0) for name in names[:3]),
        changed,
    ]


def test_versions_are_counted(store: SqlStore) -> None:
    store.commit(ENTRY, Model("m", 1, 0.0), version(1), version(2))
    store.commit(ENTRY, Model("n", 1, 0.0))
    assert store.version_counts() == {"m": 2}
