"""What the ledger's records say of versions and keys, and where the registry's rows say otherwise.

Whoever edits a row in the database has the chain of records against them. Reads and writes nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gateway.core.keys import Key
from lifecycle.core.governance.ledger import Record
from lifecycle.core.version import Version

Facts = Mapping[str, Any]
"""Fields of a row by name, as JSON."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not what the ledger says.

    `field` is empty where a whole row is lost or unknown: what is not there is None.
    """

    row: str
    field: str
    ledger: Any
    registry: Any

    def __str__(self) -> str:
        if not self.field:
            return f"{self.row}: " + (
                "the ledger knows nothing of it" if self.ledger is None else "the registry has lost it"
            )
        ledger, registry = (json.dumps(value, ensure_ascii=False) for value in (self.ledger, self.registry))
        return f"{self.row}: {self.field} is {ledger} in the ledger, {registry} in the registry"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many rows there are, of how many older records tell a part only, and what differs."""

    rows: int = 0
    partial: int = 0
    differences: tuple[Difference, ...] = ()


def compare(
    records: Iterable[Record], versions: Iterable[Version], keys: Iterable[Key], since: int
) -> Comparison:
    """Hold rows against what was told of them.

    Args:
        records: all on versions and on keys, each kind in its order.
        since: number of the last record before the rows were read. A row that a later one speaks of may have
            been read before or after it, and is left out.
    """
    told = _Told(since)
    for record in records:
        told.take(record)
    rows = {_version(row.model, row.number): _of_version(row) for row in versions}
    rows |= {_key(row.name): _of_key(row) for row in keys}
    partial = sum(
        name in told.rows and not row.keys() <= told.rows[name].keys() for name, row in rows.items()
    )
    return Comparison(len(rows), partial, tuple(told.against(rows)))


def _version(model: str, number: int) -> str:
    return f"version {number} of {model!r}"


def _key(name: str) -> str:
    return f"key {name!r}"


def _of_version(version: Version) -> Facts:
    return {
        "submitter": version.submitter,
        "digest": version.digest,
        "lineage": asdict(version.lineage),
        "approvals": [_approval(given.by, given.role, given.comment) for given in version.approvals],
    }


def _approval(by: str, role: str, comment: str) -> Facts:
    return {"by": by, "role": role, "comment": comment}


def _of_key(key: Key) -> Facts:
    told = ("role", "models", "expires_at", "subject", "owner")
    return {name: value for name, value in key.as_json().items() if name in told} | {
        "revoked": bool(key.revoked_at)
    }


@dataclass(slots=True)
class _Told:
    """What records have said so far, by row, and of which rows after `since`."""

    since: int
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    moving: set[str] = field(default_factory=set)

    def take(self, record: Record) -> None:
        detail = record.detail
        about = _key(detail["key"]) if "key" in detail else _version(record.model, detail.get("version", 0))
        known = self.rows.get(about, {})
        match record.kind:
            case "version.registered":
                told = {name: detail[name] for name in ("digest", "lineage") if name in detail}
                self.rows[about] = {"submitter": record.actor, "approvals": []} | told
            case "version.approved" if "approvals" in known:
                given = _approval(record.actor, detail.get("role", ""), detail.get("comment", ""))
                known["approvals"] = [*known["approvals"], given]
            case "version.validated" | "version.rejected" if "findings" in detail:
                known["approvals"] = []  # they were given on other evidence
            case "version.validated" if known.get("approvals"):
                del known["approvals"]  # older releases kept them or not
            case "key.created":
                told = {name: value for name, value in detail.items() if name != "key"}
                self.rows[about] = {"subject": "", "owner": "", "revoked": False} | told
            case "key.revoked":
                known["revoked"] = True
            case _:
                return
        if record.seq > self.since:
            self.moving.add(about)

    def against(self, rows: Mapping[str, Facts]) -> Iterator[Difference]:
        for name in sorted((rows.keys() | self.rows.keys()) - self.moving):
            told, row = self.rows.get(name), rows.get(name)
            if told is None or row is None:
                yield Difference(name, "", told, row)
                continue
            for each, value in row.items():
                if each in told and told[each] != value:
                    yield Difference(name, each, told[each], value)
