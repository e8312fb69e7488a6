"""Reads the ledger: is it whole, and what had traffic at a time?"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gateway.core.types import Role
from lifecycle.commands.lookup import find_model, find_versions
from lifecycle.commands.trail import trail
from lifecycle.core.governance.checkpoint import Kept, Statement
from lifecycle.core.governance.facts import rows
from lifecycle.core.governance.ledger import Head, Problem, Record
from lifecycle.core.governance.ledger import verify as problem_of
from lifecycle.core.governance.testimony import Comparison, compare
from lifecycle.core.rollouts.rollout import Phase, Rollout
from lifecycle.core.verdict import Finding
from lifecycle.core.version import Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Origin, Store

NONE = Kept()
NOT_COMPARED = Comparison()
JUDGED = frozenset(
    f"version.{kind}" for kind in ("registered", "validated", "judged", "approved", "rejected")
)
"""Kinds of records that say how a version came to serve."""
LATE_S = 60.0
"""How long after a change of the split a worker may still answer by the one before."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What a verification found. Keep `head` elsewhere: it shows later whether records were lost.

    `checkpoints` were compared; records behind the `newest` one are vouched for by their chain only. With a
    problem the `registry` was not looked at: there is nothing to hold it against.
    """

    records: int
    head: Head
    problem: Problem | None
    checkpoints: int = 0
    newest: Statement | None = None
    registry: Comparison = NOT_COMPARED


@dataclass(frozen=True, slots=True)
class Split:
    """Which versions had which share of a model's traffic, and since which record."""

    model: str
    champion: int
    weights: dict[int, float]
    shadows: tuple[int, ...]
    record: Record


@dataclass(frozen=True, slots=True)
class Account:
    """Why a version could give an answer: what it is, who let it serve, and what brought it there.

    `decisions` are the records on that version's approval up to the answer; `rollout` is the last one that
    had begun with it and neither failed nor ended before, None if people gave it its traffic. The version's
    evidence is that of the ledger, as it was then.
    """

    version: Version
    decisions: tuple[Record, ...]
    rollout: Rollout | None
    split: Split


def verify(store: Store, kept: Kept = NONE, *remembered: Head) -> Audit:
    """Check the whole ledger against its hashes, its noted head and its checkpoints; then the registry by it.

    Args:
        kept: checkpoints from outside of the database; a forged one is a problem too.
        remembered: heads that somebody else kept; checked as well.
    """
    heads = [*remembered, *(checkpoint.statement.head for checkpoint in kept.genuine)]
    seen = 0
    last = Head()

    def counted() -> Iterator[Record]:
        nonlocal seen, last
        for record in trail(store):
            seen, last = seen + 1, record.head
            yield record

    # The noted head comes first: a record may be written while this reads.
    problem = problem_of(counted(), store.head(), *heads)
    if problem is None and last.seq > (noted := store.head().seq):
        problem = Problem(noted + 1, f"record {noted + 1} was put behind the end of the ledger")
    if problem is None and kept.forged:
        problem = Problem(0, f"checkpoint {kept.forged[0]} was not signed with this ledger's key")
    newest = kept.genuine[-1].statement if kept.genuine else None
    registry = _compared(store) if problem is None else NOT_COMPARED
    return Audit(seen, last, problem, len(kept.genuine), newest, registry)


def _compared(store: Store) -> Comparison:
    since = store.head().seq
    # Each by its name: the list of all may come from memory, and not show an edit behind the store's back.
    models = [found for model in store.models() for found in store.models(model.name)]
    versions = (version for model in models for version in store.versions(model.name))
    rollouts = (rollout for model in models for rollout in store.rollouts(model.name))
    active = {rollout.id for rollout in store.rollouts(active=True)}
    return compare(trail(store), rows(models, versions, rollouts, store.api_keys(), active), since)


def account(store: Store, origin: Origin) -> Account:
    """What stood behind an answer. Raises NOT_FOUND if the ledger or the registry knows nothing of it."""
    version = find_versions(store, origin.model).get(origin.version)
    if version is None:
        message = f"model {origin.model!r} has no version {origin.version}"
        raise LifecycleError(LifecycleCode.NOT_FOUND, message)
    decisions = tuple(
        record
        for record in trail(store, origin.model)
        if record.at <= origin.at and record.kind in JUDGED and record.detail["version"] == origin.version
    )
    splits = [
        _split(record) for record in _splitting(store, origin.at, origin.model) if record.detail["champion"]
    ]
    if not splits:
        raise _none(origin.model)
    split = _gone_by(splits, origin)
    time = origin.at if split is splits[-1] else split.record.at
    begun = (
        rollout
        for rollout in store.rollouts(origin.model)
        if rollout.version == origin.version
        and rollout.started_at <= time
        and (rollout.phase is Phase.PROMOTED or time < (rollout.decided_at or math.inf))
    )
    judged = [record.detail["findings"] for record in decisions if "findings" in record.detail]
    if judged:
        version = replace(version, evidence=tuple(map(Finding.from_json, judged[-1])))
    return Account(version, decisions, next(begun, None), split)


def _gone_by(splits: Sequence[Split], origin: Origin) -> Split:
    """Of those up to an answer, the one that it was given under.

    A worker may answer a moment after a model's traffic was moved or taken away; what it went by counts.
    """
    for split, ended_at in zip(
        reversed(splits), (math.inf, *(later.record.at for later in reversed(splits))), strict=False
    ):
        if ended_at < origin.at - LATE_S:
            break
        if _lets(split, origin):
            return split
    return splits[-1]


def _lets(split: Split, origin: Origin) -> bool:
    """Whether an answer may have been given under a split."""
    if origin.role == Role.PINNED:
        return True
    if origin.role == Role.SHADOW:
        return origin.version in split.shadows
    return origin.version in split.weights and (origin.role == Role.CHAMPION) == (
        origin.version == split.champion
    )


def at(store: Store, model: str, time: float) -> Split:
    """The split in force at a time, Unix seconds. Raises NOT_FOUND if the model had no traffic then."""
    find_model(store, model)
    if not (found := splits_at(store, time, model)):
        raise _none(model)
    return found[0]


def splits_at(store: Store, time: float, model: str | None = None) -> tuple[Split, ...]:
    """The splits in force at a time, Unix seconds, of every model that had traffic then, by name."""
    last = {record.model: record for record in _splitting(store, time, model)}
    return tuple(_split(last[name]) for name in sorted(last) if last[name].detail["champion"])


def _splitting(store: Store, time: float, model: str | None) -> Iterator[Record]:
    """Records up to a time that tell how traffic was split, also between nobody."""
    return (record for record in trail(store, model) if record.at <= time and "weights" in record.detail)


def _none(model: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.NOT_FOUND, f"model {model!r} had no traffic at that time")


def _split(record: Record) -> Split:
    detail = record.detail
    weights = {int(version): float(weight) for version, weight in detail["weights"].items()}
    return Split(record.model, int(detail["champion"]), weights, tuple(detail["shadows"]), record)
