"""Holds the registry's rows against what the ledger's records say must stand.

Whoever edits a row in the database has the chain of records against them. Reads and writes nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lifecycle.core.governance.facts import Facts
from lifecycle.core.governance.ledger import Record
from lifecycle.core.governance.replay import Replay

MOST_SAID = 300
"""Characters of a value in a sentence."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that is not what the ledger says.

    `field` is empty where a whole row is lost or unknown: what is not there is None. `record` is the number
    of the record that says otherwise, 0 for a row that no record knows.
    """

    row: str
    field: str
    ledger: Any
    registry: Any
    record: int = 0

    def __str__(self) -> str:
        if self.field:
            told, found = _text(self.ledger), _text(self.registry)
            return f"{self.row}: {self.field} is {told} by record {self.record}, {found} in the registry"
        if self.ledger is None:
            return f"{self.row}: the ledger knows nothing of it"
        return f"{self.row}: record {self.record} tells of it, the registry has lost it"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many rows there are, of how many older records tell a part only, and what differs."""

    rows: int = 0
    partial: int = 0
    differences: tuple[Difference, ...] = ()


def compare(records: Iterable[Record], rows: Mapping[str, Facts], since: int) -> Comparison:
    """Hold rows against what was told of them.

    Args:
        records: the whole ledger, oldest first.
        rows: by name, as `facts` has them.
        since: number of the last record before the rows were read. A row that a later one speaks of may have
            been read before or after it, and is left out.
    """
    replay = Replay(since)
    for record in records:
        replay.take(record)
    told = replay.rows
    partial = sum(name in told and not row.keys() <= told[name].keys() for name, row in rows.items())
    return Comparison(len(rows), partial, tuple(_differences(replay, rows)))


def _differences(replay: Replay, rows: Mapping[str, Facts]) -> Iterator[Difference]:
    for name in sorted((rows.keys() | replay.rows.keys()) - replay.moving):
        told, row = replay.rows.get(name), rows.get(name)
        if told is None or row is None:
            known = {fact: said.value for fact, said in told.items()} if told else None
            newest = max((said.record for said in told.values()), default=0) if told else 0
            yield Difference(name, "", known, row, newest)
            continue
        for fact, value in row.items():
            if (said := told.get(fact)) and said.value != value:
                yield Difference(name, fact, said.value, value, said.record)


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_SAID else f"{text[:MOST_SAID]}…"
