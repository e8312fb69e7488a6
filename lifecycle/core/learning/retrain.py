"""Whether a model should be trained again now. Decides only; trains nothing.

A confirmed loss retrains, drift alone never does: inputs often move without harm to the answers.
"""

from dataclasses import dataclass

from lifecycle.core.moments import duration

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class RetrainPlan:
    """When a model is trained again by itself.

    Args:
        margin: loss of accuracy that is tolerated, as a share of rows; see `yardstick` for numbers.
        min_rows: labelled rows of the changed period that training needs.
        cooldown_s: rest after a training began, or a person took a version back; choose it no shorter than
            labels take to arrive.
        per_day: trainings in any 24 hours.
        max_failed_canaries: after so many retrained versions in a row were rolled back, only a person
            starts the next one.
    """

    margin: float = 0.05
    min_rows: int = 300
    cooldown_s: float = 120.0
    per_day: int = 8
    max_failed_canaries: int = 2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the decision rests on. Times are Unix seconds.

    Args:
        fallen_since: when the champion's answers got worse, by their labels; None if they did not.
        drift_since: when a drift alarm was raised; None if none stands.
        rows: labelled rows since `fallen_since`.
        started: when earlier trainings began.
        busy: what is under way that a training must wait for, e.g. `the rollout of version 3`.
        failed_canaries: retrained versions rolled back in a row since a person last asked for a training.
        taken_back_at: when a person last rolled back or aborted; None if nobody did.
    """

    now: float
    plan: RetrainPlan
    fallen_since: float | None = None
    drift_since: float | None = None
    rows: int = 0
    started: tuple[float, ...] = ()
    busy: str = ""
    failed_canaries: int = 0
    taken_back_at: float | None = None


@dataclass(frozen=True, slots=True)
class Retrain:
    """Train on the labelled rows since `since`, together with the champion's reference data."""

    since: float
    rows: int
    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Do not train."""

    reason: str


def decide(snapshot: Snapshot) -> Retrain | Hold:
    """Train, or the first reason not to. The same snapshot always gives the same answer."""
    plan = snapshot.plan
    if snapshot.fallen_since is None:
        if snapshot.drift_since is None:
            return Hold("no loss is confirmed by labels")
        return Hold("inputs drift, but no loss is confirmed by labels")
    if snapshot.busy:
        return Hold(f"waiting for {snapshot.busy}")
    if snapshot.failed_canaries >= plan.max_failed_canaries:
        return Hold(
            f"{snapshot.failed_canaries} retrained versions in a row were rolled back; "
            "look into it, then run `headrace retrain`"
        )
    if snapshot.rows < plan.min_rows:
        return Hold(f"{snapshot.rows} of {plan.min_rows} labelled rows since the change")
    taken_back = () if snapshot.taken_back_at is None else (snapshot.taken_back_at,)
    if (rest := plan.cooldown_s - (snapshot.now - max((*snapshot.started, *taken_back), default=-DAY_S))) > 0:
        return Hold(f"cooling down for {duration(rest)} more")
    if sum(snapshot.now - start < DAY_S for start in snapshot.started) >= plan.per_day:
        return Hold(f"{plan.per_day} trainings in 24 hours are the limit")
    return Retrain(
        snapshot.fallen_since,
        snapshot.rows,
        f"answers got worse; {snapshot.rows} labelled rows since the change",
    )
