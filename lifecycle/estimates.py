"""Follows how good every champion's answers should be before any label comes. Tells of a loss only.

What it learns from are the champion's answers to its own labelled reference rows.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gateway.core.types import Array
from lifecycle.core.alarm import Alarm
from lifecycle.core.estimation.estimating import Estimator
from lifecycle.core.estimation.expectation import Expecting, Method
from lifecycle.core.estimation.loss import LossEstimator
from lifecycle.core.inspection import Answers
from lifecycle.core.performance.answers import Measure, errors
from lifecycle.core.performance.interval import mean
from lifecycle.core.performance.rows import Rows, estimable
from lifecycle.core.performance.series import Estimate, estimate
from lifecycle.core.version import Version
from lifecycle.errors import LifecycleError
from lifecycle.monitor import ACTOR
from lifecycle.ports import CaptureLog, Entry, Store
from lifecycle.tensors import to_array

log = logging.getLogger(__name__)

FEWEST_ROWS, MOST_ROWS = 300, 1_000
"""New rows that an estimate takes; of more, the newest."""
REFERENCE_ROWS = 5_000
REST_S = 0.5
"""Between two looks at anything: with thousands of models even their list takes time."""
KEPT = 360
"""Estimates kept per model: three hours of steady traffic."""


@dataclass(slots=True)
class _Champion:
    """What is known of one model's champion. A new champion starts afresh.

    Args:
        since: predictions made later are new, Unix seconds.
        asked: whether it is known if there can be an estimate, which is left until there is traffic.
        estimator: None if nothing can be estimated.
        reference: accuracy or mean absolute error on the reference rows.
    """

    version: int
    since: float
    asked: bool = False
    estimator: Expecting | None = None
    reference: float = 0.0
    alarm: Alarm = field(default_factory=Alarm)
    series: deque[Estimate] = field(default_factory=lambda: deque(maxlen=KEPT))


class Estimates:
    """Let it look every now and then; it works beside the control loop, on one model at a time.

    Args:
        answer: a version's answers to its labelled reference rows; empty without such rows.
        every_s: time between two looks at a model.
        margin: loss of accuracy that is tolerated; of numbers see `yardstick`.
    """

    def __init__(
        self,
        store: Store,
        captures: CaptureLog,
        answer: Callable[[Version], Awaitable[Answers]],
        every_s: float = 30.0,
        margin: float = 0.05,
    ) -> None:
        self._store = store
        self._captures = captures
        self._answer = answer
        self._every_s = every_s
        self._margin = margin
        self._champions: dict[str, _Champion] = {}
        self._began: dict[str, float] = {}
        self._look: asyncio.Task[None] | None = None
        self._next = 0.0

    def observe(self, now: float) -> None:
        """Begin the next look if one is due. Unix seconds."""
        if now < self._next or (self._look is not None and not self._look.done()):
            return
        self._next = now + REST_S
        for model in self._store.models():
            if model.champion and now - self._began.get(model.name, 0.0) >= self._every_s:
                self._began[model.name] = now
                self._look = asyncio.create_task(self._looked(model.name, model.champion, now))
                return

    async def finish(self) -> None:
        """Wait for the look under way."""
        if self._look is not None:
            await self._look

    def series(self, model: str) -> tuple[Estimate, ...]:
        """The champion's estimates, oldest first."""
        return tuple(self._champions[model].series) if model in self._champions else ()

    def fell_at(self, model: str) -> float | None:
        """Since when an alarm stands, Unix seconds; None while none does."""
        return self._champions[model].alarm.since if model in self._champions else None

    def fallen(self) -> dict[str, float]:
        """Since when an alarm stands, Unix seconds, by model; models without one are left out."""
        alarms = {model: champion.alarm.since for model, champion in self._champions.items()}
        return {model: since for model, since in alarms.items() if since is not None}

    async def _looked(self, model: str, number: int, now: float) -> None:
        try:
            champion = self._champions.get(model)
            if champion is None or champion.version != number:
                champion = self._champions[model] = _Champion(number, now - self._every_s)
            if not champion.asked or champion.estimator is not None:
                await self._estimate(model, champion, now)
        except LifecycleError as error:
            log.warning("model %s: what its answers are worth could not be estimated: %s", model, error)
        except Exception:
            log.exception("model %s: what its answers are worth could not be estimated", model)

    async def _ask(self, model: str, champion: _Champion) -> None:
        version = next(each for each in self._store.versions(model) if each.number == champion.version)
        answers = await self._answer(version)
        champion.estimator, champion.reference = await asyncio.to_thread(_learn, answers)

    def _made(self, model: str, since: float) -> pa.Table:
        return self._captures.made(model, math.nextafter(since, math.inf), tensors=True)

    async def _estimate(self, model: str, champion: _Champion, now: float) -> None:
        made = await asyncio.to_thread(self._made, model, champion.since)
        new = await asyncio.to_thread(_newest, made, champion.version)
        if new is None:
            return
        champion.since = new.end
        if not champion.asked and any(new.rows(measure) is not None for measure in Measure):
            await self._ask(model, champion)
        champion.asked = True
        rows = new.rows(champion.estimator.measure) if champion.estimator is not None else None
        if champion.estimator is None or rows is None:
            return
        found = await asyncio.to_thread(_estimated, champion.estimator, rows, new.start, new.end)
        champion.series.append(found)
        if found.method is Method.NONE:
            return
        before = champion.alarm
        champion.alarm = before.look(found.worse(champion.reference, self._margin), now)
        if (before.since is None) != (champion.alarm.since is None):
            kind = "estimate.fell" if champion.alarm.since is not None else "estimate.recovered"
            detail: dict[str, Any] = {"version": champion.version, "reference": champion.reference}
            self._store.commit(Entry(ACTOR, kind, model, detail | found.as_json()))


def _estimated(estimator: Expecting, rows: Rows, start: float, end: float) -> Estimate:
    import_module("sklearn.ensemble")  # a library that loads later than the limit would not heed it
    with threadpool_limits(1):  # several threads wait for each other wherever the cores are busy
        return estimate(estimator, rows, start, end)


def _learn(answers: Answers) -> tuple[Expecting | None, float]:
    """An estimator and the measure's value on its rows; None without labels to compare answers with."""
    labels = answers.labels
    if labels is None or len(labels) < FEWEST_ROWS or labels.dtype.kind not in "biuf":
        return None, 0.0
    off = errors(answers.outputs, labels)
    few = np.linspace(0, len(labels) - 1, min(len(labels), REFERENCE_ROWS)).astype(np.int64)
    if off is not None and off.measure is Measure.MAE:
        rows = estimable(answers.inputs, answers.outputs, Measure.MAE)
        if rows is None:
            return None, 0.0
        with threadpool_limits(1):
            truth = labels.astype(np.float64)
            estimator = LossEstimator(rows.features[few], rows.scores[few, 0], truth[few])
        return estimator, mean(off.rows[few]).value
    return _of_classes(answers, labels, few)


def _of_classes(answers: Answers, labels: Array, few: NDArray[np.int64]) -> tuple[Expecting | None, float]:
    """None without probabilities of the labels' classes."""
    rows = estimable(answers.inputs, answers.outputs)
    if rows is None or labels.dtype.kind == "f":
        return None, 0.0
    truth = labels.astype(np.int64)
    if truth.min() < 0 or truth.max() >= rows.scores.shape[1]:
        return None, 0.0
    features, scores, truth = rows.features[few], rows.scores[few], truth[few]
    return Estimator(features, scores, truth), float((scores.argmax(axis=1) == truth).mean())


class _Newest(NamedTuple):
    """The newest of a version's predictions, and when the first and the last of them were made."""

    made: pa.Table
    start: float
    end: float

    def rows(self, measure: Measure) -> Rows | None:
        """None if they are of several shapes, or hold nothing to estimate by."""
        try:
            return estimable(_side(self.made, "inputs."), _side(self.made, "outputs."), measure)
        except ValueError:
            return None


def _newest(made: pa.Table, version: int) -> _Newest | None:
    """None for too few."""
    own = made.filter(pa.array(np.asarray(to_array(made["version"])) == version))
    if own.num_rows < FEWEST_ROWS:
        return None
    own = own.slice(max(0, own.num_rows - MOST_ROWS))
    at = to_array(own["at"])
    return _Newest(own, float(at[0]), float(at[-1]))


def _side(rows: pa.Table, prefix: str) -> dict[str, Array]:
    return {name: to_array(rows[name]) for name in rows.column_names if name.startswith(prefix)}
