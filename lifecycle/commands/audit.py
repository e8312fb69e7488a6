"""Reads the ledger: is it whole, and what had traffic at a time?"""

from collections.abc import Iterator
from dataclasses import dataclass

from lifecycle.commands.lookup import find_model
from lifecycle.commands.trail import trail
from lifecycle.core.ledger import Head, Problem, Record
from lifecycle.core.ledger import verify as problem_of
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Store


@dataclass(frozen=True, slots=True)
class Audit:
    """What a verification found. Keep `head` elsewhere: it shows later whether records were lost."""

    records: int
    head: Head
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class Split:
    """Which versions had which share of a model's traffic, and since which record."""

    model: str
    champion: int
    weights: dict[int, float]
    shadows: tuple[int, ...]
    record: Record


def verify(store: Store, remembered: Head | None = None) -> Audit:
    """Check the whole ledger against its hashes and its noted head.

    Args:
        remembered: a head kept elsewhere; checked as well.
    """
    seen = 0
    last = Head()

    def counted() -> Iterator[Record]:
        nonlocal seen, last
        for record in trail(store):
            seen, last = seen + 1, record.head
            yield record

    problem = problem_of(counted(), store.head())
    if problem is None and remembered is not None:
        problem = problem_of(trail(store), remembered)
    return Audit(seen, last, problem)


def at(store: Store, model: str, time: float) -> Split:
    """The split in force at a time, Unix seconds. Raises NOT_FOUND if the model had no traffic then."""
    find_model(store, model)
    found = None
    for record in trail(store, model):
        if record.at <= time and record.detail.get("champion"):
            found = record
    if found is None:
        raise LifecycleError(LifecycleCode.NOT_FOUND, f"model {model!r} had no traffic at that time")
    detail = found.detail
    weights = {int(version): float(weight) for version, weight in detail["weights"].items()}
    return Split(model, int(detail["champion"]), weights, tuple(detail["shadows"]), found)
