"""Has versions judged, keeps the evidence, and moves them by it. Also keeps the rows all are judged on.

Never gives a version traffic, nor takes any from one.
"""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from lifecycle.commands.learning.labelled import Reference, held_out
from lifecycle.commands.lookup import find_model, in_use
from lifecycle.commands.registry.models import POLICY, Models
from lifecycle.commands.registry.trial import Trial
from lifecycle.core.gates.accuracy import FEWEST_LABELS
from lifecycle.core.inspection import HOLDOUT, Answers
from lifecycle.core.stages import SERVABLE, Event, Stage, move
from lifecycle.core.validation import Standards, stopped
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Model, Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Artifacts, Entry, Store

PASSED = SERVABLE | {Stage.VALIDATED}


class Validation:
    """Judges versions by their gates, and keeps the evidence.

    Args:
        read: gives a version's reference data.
    """

    def __init__(
        self,
        store: Store,
        artifacts: Artifacts,
        models: Models,
        trial: Trial,
        read: Reference,
        standards: Standards | None = None,
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._models = models
        self._trial = trial
        self._read = read
        self._standards = standards or Standards()

    async def validate(
        self,
        name: str,
        number: int,
        actor: str,
        *,
        again: bool = False,
        change_allowed: bool = False,
        if_revision: int | None = None,
    ) -> Version:
        """Judge a version by all gates and keep the evidence.

        Where no person has to approve, a version that passes is approved at once. One that passed before is
        returned as it is, or with `again` judged anew: if it fails now it is rejected, unless it is in use.

        Args:
            change_allowed: its signature may differ from the champion's.

        Raises:
            LifecycleError: REFUSED, naming the gate that failed (CONFLICT for a changed signature), once the
                rejection is committed; CONFLICT if a required gate could not be judged, with the evidence
                kept; UNAVAILABLE if the inspection itself broke (nothing is changed then).
        """
        find_model(self._store, name, if_revision)
        version = self._models.version(name, number)
        if version.stage in PASSED and not again:
            return version
        if version.stage not in PASSED:
            move(version.stage, Event.VALIDATE)
        if self._models.policy(name).signed and version.package_signature is None:
            message = (
                f"version {number} of {name!r} must be signed: register its file again with `--signature`"
            )
            raise LifecycleError(LifecycleCode.REFUSED, message)
        model = find_model(self._store, name)
        champion = self._models.version(name, model.champion) if model.champion else None
        findings = await self._trial.judge(
            version, champion, model, self._standards, change_allowed=change_allowed
        )
        stop, hold = stopped(findings), self._models.policy(name).unmet(findings)
        if stop is not None and stop.verdict is Verdict.ERROR:
            raise LifecycleError(LifecycleCode.UNAVAILABLE, f"{stop.name}: {stop.reason}; try again")
        if stop is not None:
            raise self._rejected(name, number, actor, findings, stop)
        if hold is not None:
            raise self._held(name, number, actor, findings, hold)
        frozen = None if model.holdout else await asyncio.to_thread(self._own_rows, version)
        return self._passed(name, number, actor, findings, frozen)

    def _rejected(
        self, name: str, number: int, actor: str, findings: tuple[Finding, ...], stop: Finding
    ) -> LifecycleError:
        # People may have decided on the version meanwhile; what they decided stands.
        current = self._models.version(name, number)
        reason = f"it does not pass the gate `{stop.name}`: {stop.reason}"
        code = LifecycleCode.CONFLICT if stop.name == "signature" else LifecycleCode.REFUSED
        if in_use(self._store, name, number):
            self._keep(actor, replace(current, evidence=findings), "judged", reason)
            return LifecycleError(code, f"version {number} of {name!r} is in use and {reason}")
        stage = current.stage if current.stage is Stage.REJECTED else move(current.stage, Event.REJECT)
        self._keep(actor, replace(current, stage=stage, evidence=findings), str(stage), reason)
        return LifecycleError(code, f"version {number} of {name!r} is rejected: {reason}")

    def _held(
        self, name: str, number: int, actor: str, findings: tuple[Finding, ...], hold: Finding
    ) -> LifecycleError:
        current = self._models.version(name, number)
        reason = f"the gate `{hold.name}` is required and {hold.verdict}: {hold.reason}"
        self._keep(actor, replace(current, evidence=findings), "held", reason)
        return LifecycleError(
            LifecycleCode.CONFLICT,
            f"version {number} of {name!r} waits: {reason}; then `headrace version validate {name} {number}`",
        )

    def _passed(
        self,
        name: str,
        number: int,
        actor: str,
        findings: tuple[Finding, ...],
        frozen: tuple[str, str] | None,
    ) -> Version:
        model, current = find_model(self._store, name), self._models.version(name, number)
        kept = replace(current, evidence=findings)
        holdout = _frozen(model, frozen) if frozen is not None and not model.holdout else None
        if current.stage in PASSED:
            return self._keep(actor, kept, "judged", model=holdout)
        # Whoever approved it before it was rejected did so on other evidence.
        kept = replace(kept, stage=move(current.stage, Event.VALIDATE), approvals=())
        judged = self._keep(actor, kept, str(kept.stage), model=holdout)
        return self._models.approve(name, number, POLICY) if self._models.automatic(name) else judged

    def _keep(
        self, actor: str, version: Version, kind: str, reason: str = "", *, model: Model | None = None
    ) -> Version:
        # In full: nobody may alter afterwards what a version was let through on.
        findings = [finding.as_json() for finding in version.evidence]
        detail: dict[str, object] = {
            "version": version.number,
            "stage": str(version.stage),
            "findings": findings,
        }
        if reason:
            detail["reason"] = reason
        if model is not None:
            detail["holdout"] = model.holdout_digest
        entry = Entry(actor, f"version.{kind}", version.model, detail)
        self._store.commit(entry, *([model] if model is not None else []), version)
        return version

    def _own_rows(self, version: Version) -> tuple[str, str] | None:
        """Store the rows that a version was kept from, if they are enough to judge others by."""
        rows = held_out(version, self._read)
        if rows is None or rows.num_rows < FEWEST_LABELS:
            return None
        with tempfile.TemporaryDirectory(prefix="headrace-holdout-") as folder:
            path = Path(folder) / "holdout.parquet"
            pq.write_table(rows, path)
            return self._artifacts.put(path)

    async def freeze(self, name: str, rows: Path, actor: str, *, if_revision: int | None = None) -> Model:
        """Make these labelled rows the ones that all versions of a model are judged on from now on.

        Raises:
            LifecycleError: INVALID if the rows cannot be run or have too few labels, NOT_FOUND, STALE.
        """
        find_model(self._store, name, if_revision)
        model, versions = self._models.show(name)
        stored = await asyncio.to_thread(self._artifacts.put, rows)
        path = await asyncio.to_thread(self._artifacts.fetch, *stored)
        chosen = next((v for v in versions if v.number == model.champion), versions[-1])
        seen = await self._trial.run(chosen, {HOLDOUT: path})
        if (stop := stopped(seen.findings)) is not None:
            code = LifecycleCode.UNAVAILABLE if stop.verdict is Verdict.ERROR else LifecycleCode.INVALID
            raise LifecycleError(
                code, f"the rows cannot be run through version {chosen.number}: {stop.reason}"
            )
        labels = seen.sets.get(HOLDOUT, Answers()).labels
        if labels is None or len(labels) < FEWEST_LABELS:
            raise LifecycleError(
                LifecycleCode.INVALID, f"a holdout needs {FEWEST_LABELS} rows with a column `label` at least"
            )
        frozen = _frozen(find_model(self._store, name), stored)
        detail = {"digest": frozen.holdout_digest, "rows": len(labels)}
        self._store.commit(Entry(actor, "holdout.frozen", name, detail), frozen)
        return frozen


def _frozen(model: Model, stored: tuple[str, str]) -> Model:
    return replace(model, revision=model.revision + 1, holdout=stored[0], holdout_digest=stored[1])
