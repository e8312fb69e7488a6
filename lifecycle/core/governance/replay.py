"""What must stand now by the ledger: each fact that its records told, and the record that told it last.

A fact that a record of an older release may have changed without telling it is forgotten: nothing is said of
what cannot be known. Reads and writes nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gateway.core.keys import subject_digest
from gateway.core.limits import UNLIMITED, ModelLimits
from lifecycle.core.governance.facts import Facts, approval, key_row, model_row, rollout_row, version_row
from lifecycle.core.governance.ledger import Record
from lifecycle.core.rollouts.plan import Plan
from lifecycle.core.rollouts.rollout import ENDS
from lifecycle.core.version import Approval, Description, Lineage

_NEW: Facts = {
    "champion": 0,
    "previous": 0,
    "weights": {},
    "shadows": [],
    "held": [],
    "limits": UNLIMITED.as_json(),
    "resident": False,
    "cache_mb": 0,
    "aliases": {},
    "holdout": "",
}
"""A model that was just made."""
_SPLIT = ("champion", "previous", "weights", "shadows", "held")
_SETTINGS = {"limits": "limits", "placement": "placement", "resident": "resident", "max_mb": "cache_mb"}
"""What records call a setting of a model that people change, and what the model does."""
_STANDING = ("phase", "step", "paused", "promoter", "overrides", "plan", "active")
_SPLITTING = ("traffic.set", "traffic.stop", "traffic.rollback")


@dataclass(frozen=True, slots=True)
class Said:
    """A fact, and the number of the record that told it last."""

    value: Any
    record: int


@dataclass(slots=True)
class Replay:
    """The rows that must stand after the records taken so far.

    Args:
        since: number of the last record before the registry was read.
        rows: by a row's name, its facts by theirs.
        moving: rows that records behind `since` speak of: they may have been read before or after.
    """

    since: int
    rows: dict[str, dict[str, Said]] = field(default_factory=dict)
    moving: set[str] = field(default_factory=set)

    def take(self, record: Record) -> None:
        """The next record, in the ledger's order, of any kind."""
        detail = record.detail
        match record.kind.partition(".")[0]:
            case "key":
                self._key(record)
            case "version":
                self._version(record)
            case "rollout" if "rollout" in detail:
                self._rollout(record)
            case "alias":
                self._alias(record)
            case "holdout":
                self._say(model_row(record.model), record, {"holdout": detail["digest"]})
        if "weights" in detail:
            self._split(record)

    def _key(self, record: Record) -> None:
        told = dict(record.detail)
        row = key_row(told.pop("key"))
        if record.kind == "key.created":
            if subject := told.get("subject"):
                told["digest"] = subject_digest(subject)
            self._add(row, record, {"subject": "", "owner": "", "revoked": False} | told)
        elif record.kind == "key.revoked":
            self._say(row, record, {"revoked": True})

    def _version(self, record: Record) -> None:
        detail, row = record.detail, version_row(record.model, record.detail.get("version", 0))
        told = {name: detail[name] for name in ("stage", "signer") if name in detail}
        if "findings" in detail:
            told["evidence"] = detail["findings"]
        match record.kind:
            case "version.registered":
                self._registered(row, record)
                return
            case "version.approved" if before := self._known(row, "approvals"):
                given = Approval(record.actor, record.at, detail.get("role", ""), detail.get("comment", ""))
                told["approvals"] = [*before.value, approval(given)]
            case "version.validated" if "findings" in detail:
                told["approvals"] = []  # they were given on other evidence
            case "version.validated" if (before := self._known(row, "approvals")) and before.value:
                self._forget(row, record, "approvals")  # older releases kept them or not
            case "version.described" if before := self._known(row, "description"):
                words = {name: value for name, value in detail.items() if name != "version"}
                told["description"] = before.value | words
        self._say(row, record, told)
        if "holdout" in detail:
            self._say(model_row(record.model), record, {"holdout": detail["holdout"]})

    def _registered(self, row: str, record: Record) -> None:
        detail, model = record.detail, model_row(record.model)
        told = {"submitter": record.actor, "stage": "registered", "digest": detail["digest"]}
        if "lineage" in detail:
            told["lineage"] = asdict(Lineage(**detail["lineage"]))
        empty = {"signer": detail.get("signer", ""), "evidence": [], "approvals": []}
        self._add(row, record, told | empty | {"description": asdict(Description())})
        settings = detail.get("settings", {})
        if model in self.rows:
            self._say(model, record, settings)
        else:
            self._add(model, record, _NEW | settings)

    def _rollout(self, record: Record) -> None:
        detail, row = record.detail, rollout_row(record.model, record.detail["rollout"])
        if record.kind == "rollout.start":
            told = {name: detail[name] for name in ("version", "champion", "previous") if name in detail}
            self._add(row, record, told | {"started_by": record.actor})
        if "standing" not in detail:
            self._forget(row, record, *_STANDING)
        told = dict(detail.get("standing", {}))
        if "phase" in told:
            told["active"] = told["phase"] not in ENDS
        if "plan" in detail:
            told["plan"] = Plan.from_json(detail["plan"]).as_json()
        self._say(row, record, told)

    def _alias(self, record: Record) -> None:
        row, alias = model_row(record.model), record.detail["alias"]
        if before := self._known(row, "aliases"):
            others = {name: number for name, number in before.value.items() if name != alias}
            named = {alias: record.detail["version"]} if "version" in record.detail else {}
            self._say(row, record, {"aliases": others | named})

    def _split(self, record: Record) -> None:
        detail, row = record.detail, model_row(record.model)
        before = self._known(row, "weights")
        self._stages(record, {*detail["weights"], *(before.value if before else ())})
        told = {name: detail[name] for name in _SPLIT if name in detail}
        told |= {fact: detail[name] for name, fact in _SETTINGS.items() if name in detail}
        if "limits" in told:
            told["limits"] = ModelLimits.from_json(told["limits"]).as_json()
        self._forget(row, record, *(name for name in _SPLIT if name not in detail))
        self._say(row, record, told)

    def _stages(self, record: Record, served: set[str]) -> None:
        """Of versions that a change of the split moved; `served` are those with traffic before or after."""
        detail = record.detail
        moves = record.kind.startswith("rollout.") or record.kind in _SPLITTING
        if moves and "stages" not in detail:
            for number in (*served, detail.get("version", 0)):
                self._forget(version_row(record.model, number), record, "stage")
        for number, stage in detail.get("stages", {}).items():
            self._say(version_row(record.model, number), record, {"stage": stage})
        if detail.get("action", {}).get("rejects"):
            rejected = version_row(record.model, detail["version"])
            self._say(rejected, record, {"evidence": detail["findings"]})

    def _add(self, row: str, record: Record, facts: Mapping[str, Any]) -> None:
        self.rows[row] = {}
        self._say(row, record, facts)

    def _say(self, row: str, record: Record, facts: Mapping[str, Any]) -> None:
        # Of what was never told to begin, a part is no account.
        if row in self.rows:
            self.rows[row].update({name: Said(value, record.seq) for name, value in facts.items()})
        self._touch(row, record)

    def _forget(self, row: str, record: Record, *facts: str) -> None:
        for name in facts:
            self.rows.get(row, {}).pop(name, None)
        self._touch(row, record)

    def _touch(self, row: str, record: Record) -> None:
        if record.seq > self.since:
            self.moving.add(row)

    def _known(self, row: str, fact: str) -> Said | None:
        return self.rows.get(row, {}).get(fact)
