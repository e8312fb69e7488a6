"""The ledger: every decision as a record that seals the one before it with its hash.

An edit, a deletion and a reordering break the chain. A chain that was cut at its end, or chained anew, is
whole in itself, so the verifier also takes the heads that somebody remembers.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64
"""`prev_hash` of the first record."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a ledger, as much as is needed to notice that it is gone."""

    seq: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Record:
    """One decision. `seq` counts from 1; `at` is Unix time in seconds; `detail` is JSON."""

    seq: int
    at: float
    actor: str
    kind: str
    model: str
    detail: Mapping[str, Any]
    prev_hash: str
    hash: str

    @property
    def head(self) -> Head:
        return Head(self.seq, self.hash)

    def as_json(self) -> dict[str, Any]:
        fields = ("seq", "at", "actor", "kind", "model", "detail", "prev_hash", "hash")
        return {name: getattr(self, name) for name in fields}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Record":
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Problem:
    """Where a ledger is not what was written. `seq` is the first bad record's number.

    Where records were chained anew it is the first one behind the last head that still stands; 0 if the
    records are well and a checkpoint is not.
    """

    seq: int
    reason: str


def canonical(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no blanks, no NaN or infinity.

    Raises:
        ValueError: a number is not finite.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def seal(prev: Head, at: float, actor: str, kind: str, model: str, detail: Mapping[str, Any]) -> Record:
    """The record that follows `prev`."""
    content: Mapping[str, Any] = json.loads(canonical(detail))
    fields = (prev.seq + 1, at, actor, kind, model, content, prev.hash)
    return Record(*fields, _digest(*fields))


def verify(records: Iterable[Record], *remembered: Head, start: Head | None = None) -> Problem | None:
    """The first problem of a ledger, or None.

    Args:
        records: oldest first, from the one after `start`.
        remembered: last records as somebody else remembers them from different times, in any order. They
            show records lost from the end, and records that were chained anew.
        start: the record before the first one given; the beginning of the ledger if None.
    """
    return next(_problems(records, remembered, start or Head()), None)


def _problems(records: Iterable[Record], remembered: Iterable[Head], last: Head) -> Iterator[Problem]:
    wanted: dict[int, set[str]] = {}
    for head in remembered:
        wanted.setdefault(head.seq, set()).add(head.hash)
    if wanted.get(0, {GENESIS}) != {GENESIS}:
        yield Problem(1, "a remembered head of no records has a hash")
    vouched = last.seq
    for record, after in _with_the_next(records):
        expected = last.seq + 1
        if record.seq != expected:
            yield Problem(expected, f"record {expected} is missing; record {record.seq} stands in its place")
        if not _sealed(record):
            yield Problem(record.seq, f"record {record.seq} was altered: its hash does not match its content")
        if record.prev_hash != last.hash:
            # Who seals a changed record anew leaves it sound in itself. What follows tells which one it was.
            known = last.seq <= vouched or last.hash in wanted.get(last.seq, ())
            followed = after is not None and after.prev_hash == record.hash
            if not known and (followed or record.hash in wanted.get(record.seq, ())):
                reason = f"record {last.seq} was altered and sealed anew: record {record.seq} follows another"
                yield Problem(last.seq, reason)
            yield Problem(record.seq, f"record {record.seq} does not follow the record before it")
        last = record.head
        if last.seq in wanted:
            if wanted[last.seq] != {last.hash}:
                between = f"{vouched + 1} to {last.seq}" if last.seq > vouched + 1 else f"{last.seq}"
                yield Problem(
                    vouched + 1, f"record {between} is not what was remembered: it was written anew"
                )
            vouched = last.seq
    if (newest := max(wanted, default=0)) > last.seq:
        yield Problem(last.seq + 1, f"records {last.seq + 1} to {newest} are missing from the end")


def _with_the_next(records: Iterable[Record]) -> Iterator[tuple[Record, Record | None]]:
    left = iter(records)
    record = next(left, None)
    while record is not None:
        after = next(left, None)
        yield record, after
        record = after


def _sealed(record: Record) -> bool:
    fields = (record.seq, record.at, record.actor, record.kind, record.model, record.detail)
    try:
        return record.hash == _digest(*fields, record.prev_hash)
    except ValueError:  # a number that is none was put in
        return False


def _digest(
    seq: int, at: float, actor: str, kind: str, model: str, detail: Mapping[str, Any], prev_hash: str
) -> str:
    text = canonical([seq, at, actor, kind, model, detail, prev_hash])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
