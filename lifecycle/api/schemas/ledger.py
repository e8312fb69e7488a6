"""The admin API's JSON of the ledger: records, the past they tell of, and what stood behind an answer."""

import math
from typing import Any, Self

import numpy as np
from pydantic import BaseModel

from lifecycle.api.schemas.versions import VersionOut
from lifecycle.commands.governance.audit import Account, Audit, Split
from lifecycle.core.governance.ledger import Record
from lifecycle.core.governance.testimony import Difference
from lifecycle.ports import Origin, ShadowAnswer


class RecordOut(BaseModel):
    """One ledger record. `seq` counts from 1; `at` is Unix time in seconds."""

    seq: int
    at: float
    actor: str
    kind: str
    model: str
    detail: dict[str, Any]
    prev_hash: str
    hash: str

    @classmethod
    def of(cls, record: Record) -> Self:
        return cls.model_validate(record.as_json())


class RecordsOut(BaseModel):
    records: list[RecordOut]


class SplitOut(BaseModel):
    """A model's traffic at a time, Unix seconds, and the record that had set it."""

    model: str
    at: float
    champion: int
    weights: dict[int, float]
    shadows: list[int]
    record: RecordOut

    @classmethod
    def of(cls, split: Split, at: float) -> Self:
        return cls(
            model=split.model,
            at=at,
            champion=split.champion,
            weights=split.weights,
            shadows=list(split.shadows),
            record=RecordOut.of(split.record),
        )


class SplitsOut(BaseModel):
    """By model."""

    splits: list[SplitOut]


class BroughtOut(BaseModel):
    """The rollout that brought a version to its traffic; times are Unix seconds."""

    id: str
    plan: str
    phase: str
    started_at: float
    started_by: str
    decided_at: float | None
    reason: str
    promoter: str


class ShadowAnswerOut(BaseModel):
    """What a shadow answered to the same request: its outputs without the batch dimension (text as UTF-8),
    and how far they are from the caller's answer. A distance is null where only one of the two is a number.
    """

    version: int
    at: float
    outputs: dict[str, Any]
    differs: bool
    distances: dict[str, float | None]

    @classmethod
    def of(cls, answer: ShadowAnswer) -> Self:
        distances = {name: v if math.isfinite(v) else None for name, v in answer.distances.items()}
        outputs = {name: _plain(array[0]) for name, array in answer.outputs.items()}
        return cls(
            version=answer.version,
            at=answer.at,
            outputs=outputs,
            differs=answer.differs,
            distances=distances,
        )


def _plain(value: Any) -> Any:
    """As JSON has it: lists and numbers, null for what is not finite, text for bytes."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if isinstance(value, float) and not math.isfinite(value) else value


class PredictionOut(BaseModel):
    """Where an answer came from, the traffic at that moment, and what stood behind it.

    `made_by` holds the version's lineage and the evidence of its gates; `decisions` are the ledger's records
    of who registered, validated and approved it before the answer; `rollout` is None if it had none;
    `shadows` are other versions' answers to the same request, which nobody saw.
    """

    prediction: str
    model: str
    version: int
    role: str
    at: float
    made_by: VersionOut
    decisions: list[RecordOut]
    rollout: BroughtOut | None
    split: SplitOut
    shadows: list[ShadowAnswerOut]

    @classmethod
    def of(cls, prediction: str, origin: Origin, account: Account) -> Self:
        rollout = account.rollout
        brought = rollout and BroughtOut(
            id=rollout.id,
            plan=rollout.plan.name,
            phase=str(rollout.phase),
            started_at=rollout.started_at,
            started_by=rollout.started_by,
            decided_at=rollout.decided_at,
            reason=rollout.reason,
            promoter=rollout.promoter,
        )
        return cls(
            prediction=prediction,
            model=origin.model,
            version=origin.version,
            role=origin.role,
            at=origin.at,
            made_by=VersionOut.of(account.version),
            decisions=[RecordOut.of(record) for record in account.decisions],
            rollout=brought,
            split=SplitOut.of(account.split, origin.at),
            shadows=[ShadowAnswerOut.of(answer) for answer in origin.shadows],
        )


class DifferenceOut(BaseModel):
    """A fact of a model, version, rollout or key that is not what the ledger says.

    `field` is empty where all is lost or unknown; `record` is the number of the record that says otherwise, 0
    if none knows the row.
    """

    row: str
    field: str
    ledger: Any
    registry: Any
    record: int
    reason: str

    @classmethod
    def of(cls, found: Difference) -> Self:
        return cls(
            row=found.row,
            field=found.field,
            ledger=found.ledger,
            registry=found.registry,
            record=found.record,
            reason=str(found),
        )


class LedgerOut(BaseModel):
    """Whether the ledger is whole, and the registry what it says; `reason` is why not.

    Keep `seq` and `hash` elsewhere: they show later if its end was cut. `sealed` is the last record that a
    checkpoint vouches for, 0 without any. Of the `rows` of the registry, records of older releases tell
    of the `partial` ones in part only. A ledger that is not whole is held against nothing.
    """

    ok: bool
    records: int
    seq: int
    hash: str
    checkpoints: int
    sealed: int
    rows: int
    partial: int
    differences: list[DifferenceOut]
    reason: str

    @classmethod
    def of(cls, found: Audit) -> Self:
        return cls(
            ok=not (reason := _reason(found)),
            records=found.records,
            seq=found.head.seq,
            hash=found.head.hash,
            checkpoints=found.checkpoints,
            sealed=found.newest.head.seq if found.newest else 0,
            rows=found.registry.rows,
            partial=found.registry.partial,
            differences=[DifferenceOut.of(each) for each in found.registry.differences],
            reason=reason,
        )


def _reason(found: Audit) -> str:
    if found.problem is not None:
        return f"the ledger is not whole: {found.problem.reason}"
    if not (differing := found.registry.differences):
        return ""
    more = f", and {len(differing) - 1} more" if differing[1:] else ""
    return f"the registry is not what the ledger says: {differing[0]}{more}"


class KeyOut(BaseModel):
    """The public key of the ledger's checkpoints (Ed25519), in hexadecimal."""

    key: str
