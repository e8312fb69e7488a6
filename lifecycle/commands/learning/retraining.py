"""Trains models again, by itself when their answers got worse or when a person asks.

Writes to the ledger before a training starts and after it ends, so that one which a crash cut off is known
as lost. Judges no version: a candidate goes the same way as any other.
"""

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lifecycle.commands.learning.labelled import Reference
from lifecycle.commands.learning.past import ACTOR, Past
from lifecycle.commands.learning.training_set import gather, write
from lifecycle.commands.lookup import find_model
from lifecycle.commands.registry.intake import SignatureFile, Submission
from lifecycle.commands.registry.models import Models
from lifecycle.core.learning.retrain import Hold, Retrain, RetrainPlan, Snapshot, decide
from lifecycle.core.rollouts.rollout import Phase
from lifecycle.core.version import Lineage, Model, Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.monitor import Monitor
from lifecycle.ports import CaptureLog, Entry, Store, Trainer, TrainingJob
from lifecycle.signing import sign

LOOK_S = 1.0
"""Between two looks at all models. One takes 2 ms of a thousand models, and no signal comes more often."""
MOST_REASONS = 20
"""Why rows were left out, in one ledger record."""

_log = logging.getLogger(__name__)

Deploy = Callable[[str, int, str], Awaitable[object]]
"""Validates a version and starts its rollout: (model, version, actor)."""


@dataclass(frozen=True, slots=True)
class Status:
    """Where retraining of a model stands. `started` are Unix seconds of all trainings so far."""

    recipe: str
    running: bool
    reason: str
    started: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        names = ("recipe", "running", "reason", "started")
        return {name: getattr(self, name) for name in names}


class Retraining:
    """One training per model at a time.

    Args:
        deploy: brings a registered version into service, by the default plan.
        workdir: for files of trainings under way; emptied after each.
        reference: reads a version's reference data.
        clock: Unix time in seconds, the controller's.
        trusted: whose labels are never suspect as a whole.
    """

    def __init__(
        self,
        store: Store,
        monitor: Monitor,
        captures: CaptureLog,
        trainer: Trainer,
        models: Models,
        deploy: Deploy,
        workdir: Path,
        *,
        reference: Reference,
        plan: RetrainPlan | None = None,
        clock: Callable[[], float] = time.time,
        trusted: Collection[str] = (),
    ) -> None:
        self._store = store
        self._monitor = monitor
        self._captures = captures
        self._trainer = trainer
        self._models = models
        self._deploy = deploy
        self._workdir = workdir
        self._reference = reference
        self._plan = plan or RetrainPlan()
        self._clock = clock
        self._trusted = trusted
        self._past: dict[str, Past] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._decisions: dict[str, Retrain | Hold] = {}
        self._next = 0.0

    async def tick(self, now: float) -> None:
        """Decide for every model that has a recipe and traffic, and start what is decided."""
        if now < self._next:
            return
        self._next = now + LOOK_S
        for model in self._store.models():
            if not model.recipe or not model.champion:
                continue
            past = self._remember(model.name)
            decision = decide(self._snapshot(model, past, now))
            self._decisions[model.name] = decision
            if isinstance(decision, Retrain):
                self._begin(model, decision.since, decision.reason, ACTOR)

    async def start(self, name: str, reason: str, actor: str, *, if_revision: int | None = None) -> None:
        """Train now, whatever the limits say; returns when the training is under way.

        Raises:
            LifecycleError: NOT_FOUND, STALE, INVALID without a recipe, CONFLICT without a champion or while a
                training or a rollout is under way.
        """
        model = find_model(self._store, name, if_revision)
        if not model.recipe:
            raise LifecycleError(
                LifecycleCode.INVALID, f"model {name!r} has no recipe; register a version with `--recipe`"
            )
        if not model.champion:
            raise LifecycleError(LifecycleCode.CONFLICT, f"model {name!r} has no champion to train again")
        self._refuse_unsigned(name)
        self._remember(name)
        if busy := self._busy(name):
            raise LifecycleError(LifecycleCode.CONFLICT, f"wait for {busy}, then try again")
        fall = self._monitor.signals(name).fall
        # Without a known change, what was labelled under this champion is what the version is for.
        since = fall.since if fall else self._models.version(name, model.champion).created_at
        self._begin(model, since, reason or f"asked for by {actor}", actor)

    async def settled(self, name: str) -> None:
        """Returns when no training of the model is under way."""
        if name in self._running:
            await asyncio.wait({self._running[name]})

    def status(self, name: str) -> Status:
        """Raises LifecycleError NOT_FOUND."""
        model = self._models.show(name)[0]
        decision = self._decisions.get(name, Hold("nothing was decided yet"))
        return Status(model.recipe, name in self._running, decision.reason, self._remember(name).started)

    async def close(self) -> None:
        """End trainings under way; the next controller finds them lost."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _snapshot(self, model: Model, past: Past, now: float) -> Snapshot:
        signals = self._monitor.signals(model.name)
        # What follows is read only when it matters: of very many models few have fallen.
        if signals.fall:
            past.follow(self._store, model.name)
        return Snapshot(
            now,
            self._plan,
            fallen_since=signals.fall.since if signals.fall else None,
            drift_since=signals.drift_since,
            rows=signals.fall.rows if signals.fall else 0,
            started=past.started,
            taken_back_at=past.taken_back_at,
            busy=self._busy(model.name) if signals.fall else "",
            failed_canaries=self._failed_canaries(model.name, past) if signals.fall else 0,
        )

    def _busy(self, name: str) -> str:
        if name in self._running:
            return "the training under way"
        active = self._store.rollouts(name, active=True)
        return f"the rollout of version {active[0].version}" if active else ""

    def _failed_canaries(self, name: str, past: Past) -> int:
        """Retrained versions rolled back in a row, also once promoted, since a person last asked for one."""
        own = {version.number for version in self._store.versions(name) if version.submitter == ACTOR}
        failed = 0
        for rollout in self._store.rollouts(name):
            if rollout.version not in own or rollout.active:
                continue
            undone = rollout.phase is Phase.PROMOTED and rollout.version in past.taken_back
            if rollout.started_at < past.asked_at or (rollout.phase is Phase.PROMOTED and not undone):
                break
            failed += undone or rollout.phase is Phase.ROLLED_BACK
        return failed

    def _remember(self, name: str) -> Past:
        """A model's trainings; the first time, from the ledger, noting one that was cut off as lost."""
        if name not in self._past:
            past = self._past[name] = Past.of(self._store, name)
            if past.unfinished:
                self._record("retrain.lost", name, {"reason": "the controller ended while it ran"})
        return self._past[name]

    def _begin(self, model: Model, since: float, reason: str, actor: str) -> None:
        detail = {"parent": model.champion, "recipe": model.recipe, "reason": reason, "since": since}
        record = self._store.commit(Entry(actor, "retrain.started", model.name, detail))
        # Not the record's time: that is the wall clock's, which may jump.
        past, now = self._past[model.name], self._clock()
        past.started = (*past.started, now)
        past.asked_at = past.asked_at if actor == ACTOR else now
        folder = self._workdir / f"{model.name}-{record.seq}"
        cause = Lineage(model.champion, model.recipe, cause=reason, run=folder.name, record=record.seq)
        self._running[model.name] = asyncio.create_task(self._run(model, since, cause, folder))

    async def _run(self, model: Model, since: float, cause: Lineage, folder: Path) -> None:
        try:
            version, rows = await self._train(model, since, cause, folder)
            await self._deploy(model.name, version.number, ACTOR)
        except LifecycleError as error:
            self._record("retrain.failed", model.name, {"reason": error.message})
        except Exception:
            _log.exception("training of %r broke", model.name)
            self._record("retrain.failed", model.name, {"reason": "an internal error; the log has it"})
        else:
            detail = {"version": version.number, "rows": rows, "data_digest": version.lineage.data_digest}
            self._record("retrain.finished", model.name, detail)
        finally:
            del self._running[model.name]
            shutil.rmtree(folder, ignore_errors=True)

    async def _train(self, model: Model, since: float, cause: Lineage, folder: Path) -> tuple[Version, int]:
        self._refuse_unsigned(model.name)
        versions = {version.number: version for version in self._store.versions(model.name)}
        champion, data = versions[model.champion], folder / "data.parquet"
        rows, asides = await asyncio.to_thread(
            gather, champion, versions, self._captures, self._reference, self._trusted
        )
        if asides:
            reasons = [f"{aside.count} rows: {aside.reason}" for aside in asides]
            self._record("retrain.screened", model.name, {"reason": "; ".join(reasons[:MOST_REASONS])})
        digest = await asyncio.to_thread(write, rows, since, data)
        job = TrainingJob(model.name, model.recipe, data, folder / "output", cause.cause)
        artifact, reference = await self._trainer.train(job)
        signed = await asyncio.to_thread(self._signed, model.name, artifact, folder / "signature")
        version = await self._models.register(
            model.name,
            artifact,
            actor=ACTOR,
            given=Submission(
                reference=reference, lineage=replace(cause, data_digest=digest), signature=signed
            ),
        )
        if version.number in versions:
            raise LifecycleError(LifecycleCode.REFUSED, f"training gave version {version.number} once more")
        return version, rows.num_rows

    def _refuse_unsigned(self, name: str) -> None:
        """No training is worth its time whose version would be refused."""
        policy = self._models.policy(name)
        if policy.signed and not policy.key:
            raise LifecycleError(
                LifecycleCode.CONFLICT,
                f"versions of {name!r} must be signed: give retraining a key, `retraining_key` of "
                "`[governance]`, or register what was trained and signed elsewhere",
            )

    def _signed(self, name: str, artifact: Path, signature: Path) -> SignatureFile | None:
        if not (key := self._models.policy(name).key):
            return None
        sign(artifact, signature, Path(key))
        return SignatureFile(signature, artifact.name)

    def _record(self, kind: str, name: str, detail: dict[str, Any]) -> None:
        self._store.commit(Entry(ACTOR, kind, name, detail))
