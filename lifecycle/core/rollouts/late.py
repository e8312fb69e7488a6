"""Counts what labels and numbers say of a rollout as they come, by step of its live traffic.

Each counts for the step in which its prediction was made. What came a while ago is settled: a sum that is
kept with the rollout. So a look costs what came since, however long the rollout is, and a restart loses none.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.analysis.late import Labelled, Late, Numbers
from lifecycle.core.analysis.metrics import MetricGuard
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.numbers import Series
from lifecycle.core.performance.reference import Reference
from lifecycle.core.performance.standing import Answers, Arrived
from lifecycle.core.performance.yardstick import FEWEST, Yardstick, learnt
from lifecycle.core.rollouts.rollout import Rollout

UNSETTLED_S = 600.0
"""What came within this time is counted anew at each look: its prediction may not have been known before."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def count(rollout: Rollout, arrived: Arrived, reference: Reference | None, now: float) -> Late:
    """All that is known by now of a rollout whose version has answered live traffic.

    Args:
        arrived: at least what came after `unsettled(rollout)`.
        reference: the champion's. Without one, errors of numbers are measured by the champion's first ones,
            and only what came after these counts.
    """
    before, since = rollout.evidence.late, unsettled(rollout)
    until, answers = max(since, now - UNSETTLED_S), arrived.answers
    yardstick = before.yardstick or (reference.yardstick if reference else None)
    if yardstick is None and (own := answers.get(rollout.champion)) is not None:
        yardstick = learnt(own.errors)
        if yardstick is None:
            until = since  # what cannot be measured yet will be
        elif yardstick.measure is Measure.MAE:
            taken = float(own.came[FEWEST - 1])
            arrived = replace(arrived, answers={of: each.after(taken) for of, each in answers.items()})
            until = max(until, taken)
    settled = (before.settled or Late()).merge(_between(rollout, arrived, yardstick, since, until))
    late = settled.merge(_between(rollout, arrived, yardstick, until, np.inf))
    return replace(late, yardstick=yardstick, until=until, settled=settled)


def unsettled(rollout: Rollout) -> float:
    """Since when what came is counted anew, Unix seconds."""
    if rollout.canary_first_at is None:
        return np.inf
    return max(rollout.evidence.late.until, rollout.canary_first_at - UNSETTLED_S)  # clocks are apart


def _between(
    rollout: Rollout, arrived: Arrived, yardstick: Yardstick | None, since: float, until: float
) -> Late:
    """What came after a time and up to another."""
    both = (rollout.version, rollout.champion)
    steps = _Steps(rollout, since, until)
    labels = [steps.labelled(arrived.answers.get(number), yardstick) for number in both]
    metrics = {}
    for guard in rollout.plan.guard:
        series = arrived.metrics.get(guard.name, {})
        ours, theirs = (steps.numbers(series.get(number), guard) for number in both)
        metrics[guard.name] = tuple(zip(ours, theirs, strict=True))
    made = [arrived.made[number] for number in both if number in arrived.made]
    first = max(since, rollout.canary_first_at or 0.0)
    kept = sum(int(((at > first) & (at <= until)).sum()) for at in made)
    return Late(tuple(zip(*labels, strict=True)), metrics, kept)


class _Steps:
    """The steps of a rollout's live traffic, and what came for them after a time and up to another."""

    def __init__(self, rollout: Rollout, since: float, until: float) -> None:
        self._edges = [start for start, _ in rollout.live_steps] + [end for _, end in rollout.live_steps[-1:]]
        self._count, self._since, self._until = len(rollout.live_steps), since, until

    def labelled(self, own: Answers | None, yardstick: Yardstick | None) -> tuple[Labelled, ...]:
        if own is None or yardstick is None or own.errors.measure is not yardstick.measure:
            return (Labelled(),) * self._count
        sums = self._sums(own.at, own.came, yardstick.losses(own.errors.rows), own.drawn)
        return tuple(Labelled(rows, loss) for rows, loss in sums)

    def numbers(self, own: Series | None, guard: MetricGuard) -> tuple[Numbers, ...]:
        if own is None:
            return (Numbers(),) * self._count
        sums = self._sums(own.at, own.came, guard.gains(own.values), np.ones(len(own.at), np.bool_))
        return tuple(Numbers(rows, total) for rows, total in sums)

    def _sums(self, at: Floats, came: Floats, values: Floats, counts: Bools) -> Iterable[tuple[int, float]]:
        """How many values there are by step, and their sum."""
        step = np.searchsorted(self._edges, at, side="right") - 1
        seen = counts & (came > self._since) & (came <= self._until) & (step >= 0) & (step < self._count)
        rows = np.bincount(step[seen], minlength=self._count)
        return zip(rows.tolist(), np.bincount(step[seen], values[seen], self._count).tolist(), strict=True)
