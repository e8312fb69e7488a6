"""The ledger: every decision as a record that seals the one before it with its hash.

An edit, a deletion and a reordering break the chain. A chain cut at its end stays whole, so the verifier
also takes the head that somebody remembers.
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
    """Where a ledger is not what was written. `seq` is the first bad record's number."""

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


def verify(records: Iterable[Record], head: Head | None = None, start: Head | None = None) -> Problem | None:
    """The first problem of a ledger, or None.

    Args:
        records: oldest first, from the one after `start`.
        head: the last record as somebody else remembers it; shows records lost from the end.
        start: the record before the first one given; the beginning of the ledger if None.
    """
    return next(_problems(records, head, start or Head()), None)


def _problems(records: Iterable[Record], head: Head | None, last: Head) -> Iterator[Problem]:
    for record in records:
        expected = last.seq + 1
        if record.seq != expected:
            yield Problem(expected, f"record {expected} is missing; record {record.seq} stands in its place")
        fields = (record.seq, record.at, record.actor, record.kind, record.model, record.detail)
        if record.hash != _digest(*fields, record.prev_hash):
            yield Problem(record.seq, f"record {record.seq} was altered: its hash does not match its content")
        if record.prev_hash != last.hash:
            yield Problem(record.seq, f"record {record.seq} does not follow the record before it")
        last = record.head
        if head is not None and head.seq == last.seq and head.hash != last.hash:
            yield Problem(last.seq, f"record {last.seq} is not the one that was remembered")
    if head is not None and last.seq < head.seq:
        yield Problem(last.seq + 1, f"records {last.seq + 1} to {head.seq} are missing from the end")


def _digest(
    seq: int, at: float, actor: str, kind: str, model: str, detail: Mapping[str, Any], prev_hash: str
) -> str:
    text = canonical([seq, at, actor, kind, model, detail, prev_hash])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
