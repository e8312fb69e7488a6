"""What a rollout would do with the traffic of now: how long each step takes and which harm it would see.

A forecast for a version that is exactly as good as the champion; the guards themselves judge it.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from lifecycle.core.analysis.evidence import Arm, Evidence, Segment
from lifecycle.core.analysis.expected import NONE_WORSE, Regression, expected
from lifecycle.core.analysis.guards import counted, judge
from lifecycle.core.moments import duration
from lifecycle.core.rollouts.plan import Plan, Step
from lifecycle.core.verdict import Finding, Verdict, combine

LONGEST_S = 30 * 86_400.0
"""A step that takes longer is as good as endless."""
PRECISION = 0.02
"""Relative; a forecast from a minute of traffic is no better."""
WORST_ERRORS = 1.0
WORST_LATENCY = 20.0


@dataclass(frozen=True, slots=True)
class StepForecast:
    """One step of a plan under the traffic of now.

    Args:
        weight: percent; 0 for a shadow.
        requests_per_s: the version's.
        seconds: until the step is over; None if its guards would never all pass.
        waits_for: what takes that long: `min_seconds`, `min_requests` or the names of guards.
        error_rate: the lowest one that would be rolled back, as likely as not, by the end of the step;
            None if none would.
        slower: the smallest factor on the latency that would be, likewise; None in a shadow step.
    """

    weight: float
    requests_per_s: float
    seconds: float | None
    waits_for: tuple[str, ...]
    error_rate: float | None
    slower: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """A whole plan under the traffic of now.

    Args:
        requests_per_s: the model's traffic now.
        error_rate: the champion's now.
        steps: the plan's, up to the first that would not end.
        seconds: from the first step to promotion; None if it would not come to that, `reason` says why.
    """

    plan: Plan
    requests_per_s: float
    error_rate: float
    steps: tuple[StepForecast, ...]
    seconds: float | None
    reason: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"plan": self.plan.as_json(), "steps": [asdict(step) for step in self.steps]}


def forecast(plan: Plan, champion: Arm, requests_per_s: float) -> Forecast:
    """What the plan would do.

    Args:
        champion: its recent traffic; the reference that a rollout would start with.
        requests_per_s: of the model, both arms together.
    """
    steps, passed = [], list[tuple[Step, float]]()
    for step in plan.steps:
        told = _forecast(plan, step, passed, champion, requests_per_s)
        steps.append(told)
        if told.seconds is None:
            break
        passed.append((step, told.seconds * requests_per_s))
    rate = champion.errors / champion.requests if champion.requests else 0.0
    took = [step.seconds for step in steps if step.seconds is not None]
    whole = len(took) == len(plan.steps)
    reason = _reason(plan, steps, sum(took), champion)
    return Forecast(plan, requests_per_s, rate, tuple(steps), sum(took) if whole else None, reason)


def _forecast(
    plan: Plan, step: Step, passed: list[tuple[Step, float]], champion: Arm, rate: float
) -> StepForecast:
    own = rate if step.shadow else rate * step.weight / 100

    def findings(seconds: float, worse: Regression = NONE_WORSE) -> tuple[Finding, ...]:
        traffic = [*passed, (step, seconds * rate)]
        # Labels come when they come: a forecast leaves them out.
        guards = replace(plan.guards, label_margin=1.0)
        return judge(Evidence(tuple(_segments(traffic, champion, worse)), champion), guards)

    def clear(seconds: float) -> bool:
        return combine(counted(findings(seconds), shadow=step.shadow)) is Verdict.PASS

    if not own or not champion.requests:
        return StepForecast(step.weight, own, None, ("traffic",), None, None)
    floor = max(step.min_seconds, step.min_requests / own)
    seconds = _smallest(clear, floor, LONGEST_S)
    if seconds is None or seconds > floor:
        late = counted(findings(floor if seconds is None else seconds * (1 - PRECISION)), shadow=step.shadow)
        waits = tuple(finding.name for finding in late if finding.verdict is not Verdict.PASS)
    else:
        waits = ("min_requests",) if step.min_requests / own > step.min_seconds else ("min_seconds",)
    span = floor if seconds is None else seconds

    def rolled_back(worse: Regression) -> bool:
        return combine(findings(span, worse)) is Verdict.FAIL

    lowest = max(champion.errors / champion.requests, 1e-5)
    error_rate = _smallest(lambda p: rolled_back(Regression(error_rate=p)), lowest, WORST_ERRORS)
    slower = _smallest(lambda f: rolled_back(Regression(slower=f)), 1.0, WORST_LATENCY)
    return StepForecast(step.weight, own, seconds, waits, error_rate, None if step.shadow else slower)


def _segments(traffic: list[tuple[Step, float]], champion: Arm, worse: Regression) -> Iterator[Segment]:
    for step, requests in traffic:
        share = 0.5 if step.shadow else step.weight / 100
        own, others = (requests, requests) if step.shadow else (requests * share, requests * (1 - share))
        canary = expected(champion, own, worse)
        if step.shadow:  # an equal version answers as the champion does
            canary = replace(canary, pairs=canary.requests)
        yield Segment(share, step.shadow, canary, expected(champion, others))


def _smallest(true: Callable[[float], bool], low: float, high: float) -> float | None:
    """About the smallest value from `low` on for which something holds; None if it never does."""
    if true(low):
        return low
    step = max(low, PRECISION)
    above = low
    while not true(above):
        if above >= high:
            return None
        low, above, step = above, min(above + step, high), step * 2
    while above - low > PRECISION * above:
        middle = (low + above) / 2
        low, above = (low, middle) if true(middle) else (middle, above)
    return above


def _reason(plan: Plan, steps: list[StepForecast], seconds: float, champion: Arm) -> str:
    last = steps[-1]
    if not champion.requests:
        return "the champion has had no traffic in the last minute, and without any nothing is decided"
    if last.seconds is None:
        where = "the shadow step" if not last.weight else f"the step at {last.weight:g} %"
        return f"{where} would hold: {', '.join(last.waits_for)} would not pass, even for an equal version"
    if plan.deadline_seconds is not None and seconds > plan.deadline_seconds:
        return f"it would not be promoted by its deadline of {duration(plan.deadline_seconds)}"
    if plan.manual:
        return "after the last step a person promotes it"
    promoted = "a version as good as the champion would be promoted"
    late = [*(["labels"] if plan.guards.label_margin < 1 else []), *(asked.metric for asked in plan.guard)]
    if late:
        return f"{promoted}, once {', '.join(late)} pass too; how soon what they need comes is not foreseen"
    return promoted
