"""The guards of a rollout: their limits, and the judgement of all the evidence so far. Read this first.

Pure and stateless: the same evidence always gives the same findings, however often one looks.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.core.callers import ERRORS, INVALID, REQUESTS
from lifecycle.core.analysis.clusters import late_independence
from lifecycle.core.analysis.disagreement import judge_disagreement
from lifecycle.core.analysis.evidence import Evidence, Segment
from lifecycle.core.analysis.labels import judge_labels
from lifecycle.core.analysis.latency import judge_latency
from lifecycle.core.analysis.metrics import MetricGuard, judge_metric
from lifecycle.core.analysis.outputs import effect, log_e_differ
from lifecycle.core.analysis.rates import judge_rate, shared_fate
from lifecycle.core.verdict import LIVE_GUARDS, Finding, Verdict

QUANTILES = (0.5, 0.9, 0.95, 0.99)
WEIGHTS = {"errors": 3, "invalid_outputs": 1, "latency": 3, "outputs": 1, "disagreement": 1, "labels": 1}
"""How the guards that can fail share the level of a false rollback, beside 1 for each business metric of the
plan. What goes wrong most often, and hurts callers at once, gets most of it."""
UNCOMPARED = "not compared: that takes reference data of both versions, and an output that both have"


@dataclass(frozen=True, slots=True)
class Guards:
    """Limits of a rollout. The defaults suit a service with few errors.

    Args:
        alpha: the most likely a healthy canary is failed, over all guards; and the most likely a harmful
            one is passed. All guards must pass, so the latter needs no split among them.
        error_slo: error rate under which, with `error_margin` on top, a canary may pass. Being worse than
            the champion fails it even there.
        invalid_slo: the same for answers with NaN or infinity, and `invalid_margin`.
        latency_tolerance: how much slower a canary may be, relative, and `latency_slack_ms` on top.
        latency_margin: how much more often, absolute, it may exceed a latency threshold.
        output_effect_fail: total variation distance of the answers past which a rollout fails; 1 for never.
        disagreement_fail: share of shadow pairs that may differ, past which it fails; 1 for never.
        disagreement_hold: share of shadow answers that may name another class, past which it holds for a
            person; 1 for never.
        label_margin: accuracy that a canary may lack, absolute; of numbers, how much larger its mean error
            may be, as a part of four times the champion's usual one (`performance.yardstick`). Below 1 late
            labels judge it, and it holds until there are enough of them.
    """

    alpha: float = 0.05
    error_slo: float = 0.01
    error_margin: float = 0.005
    invalid_slo: float = 0.002
    invalid_margin: float = 0.002
    latency_tolerance: float = 0.25
    latency_slack_ms: float = 1.0
    latency_margin: float = 0.01
    output_effect_fail: float = 0.25
    disagreement_fail: float = 1.0
    disagreement_hold: float = 0.2
    label_margin: float = 1.0

    def __post_init__(self) -> None:
        for name in ("output_effect_fail", "disagreement_fail", "disagreement_hold"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} is above 0 and at most 1, not {getattr(self, name)}")
        if not 0 < self.label_margin <= 1:
            raise ValueError(f"label_margin is above 0 and at most 1, not {self.label_margin}")
        for name in ("alpha", "error_margin", "invalid_margin", "latency_margin"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} is within 0 and 1, not {getattr(self, name)}")
        for name in ("error_slo", "invalid_slo", "latency_tolerance", "latency_slack_ms"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is 0 or more, not {getattr(self, name)}")


def judge(evidence: Evidence, guards: Guards, metrics: Sequence[MetricGuard] = ()) -> tuple[Finding, ...]:
    """One finding per guard: `errors`, `invalid_outputs`, `latency_p50|p90|p95|p99`, `outputs`, after a
    shadow's traffic `disagreement`, `labels` once there are any, and one of each metric."""
    alpha, late = _levels(guards, metrics), evidence.late
    single = late_independence(evidence)
    labels = judge_labels(
        late.labels, guards.label_margin, alpha["labels"], guards.alpha, single, late.yardstick
    )
    pairs = judge_disagreement(
        evidence, guards.disagreement_fail, guards.disagreement_hold, alpha["disagreement"], guards.alpha
    )
    return (
        judge_rate(
            "errors",
            lambda arm: arm.errors,
            ERRORS,
            evidence,
            slo=guards.error_slo,
            margin=guards.error_margin,
            alpha_harm=alpha["errors"],
            alpha_clear=guards.alpha,
        ),
        judge_rate(
            "invalid_outputs",
            lambda arm: arm.invalid,
            INVALID,
            evidence,
            slo=guards.invalid_slo,
            margin=guards.invalid_margin,
            alpha_harm=alpha["invalid_outputs"],
            alpha_clear=guards.alpha,
        ),
        *(
            judge_latency(
                q,
                evidence,
                tolerance=guards.latency_tolerance,
                slack_ms=guards.latency_slack_ms,
                margin=guards.latency_margin,
                alpha_harm=alpha["latency"] / len(QUANTILES),
                alpha_clear=guards.alpha,
            )
            for q in QUANTILES
        ),
        _judge_outputs(evidence, guards.output_effect_fail, alpha["outputs"], guards.alpha),
        *(finding for finding in (pairs, labels) if finding),
        *(
            judge_metric(asked, late.metrics.get(asked.name, ()), alpha[asked.metric], guards.alpha, single)
            for asked in metrics
        ),
    )


def _levels(guards: Guards, metrics: Sequence[MetricGuard]) -> dict[str, float]:
    """The level of a false rollback by guard, `alpha` over those that can fail."""
    limits = {"outputs": guards.output_effect_fail, "disagreement": guards.disagreement_fail}
    never = {name for name, limit in (limits | {"labels": guards.label_margin}).items() if limit == 1}
    weights = WEIGHTS | {asked.metric: 1 for asked in metrics}
    whole = sum(weight for name, weight in weights.items() if name not in never)
    return {name: guards.alpha * weight / whole for name, weight in weights.items()}


def counted(findings: Iterable[Finding], *, shadow: bool) -> tuple[Finding, ...]:
    """The findings that a step waits for."""
    return tuple(f for f in findings if not (shadow and f.name.startswith(LIVE_GUARDS)))


def _judge_outputs(evidence: Evidence, limit: float, alpha_harm: float, alpha_clear: float) -> Finding:
    seen = [s for s in evidence.segments if s.canary.outputs.any() and s.baseline.outputs.any()]
    if not seen:
        known = any(len(segment.canary.outputs) for segment in evidence.segments)
        verdict = Verdict.INCONCLUSIVE if known else Verdict.PASS
        reason = "the champion's outputs have not been seen yet" if known else UNCOMPARED
        return Finding("outputs", verdict, reason, {"log_e": 0.0, "progress": float(not known)})
    canary = np.stack([segment.canary.outputs for segment in seen]).astype(np.float64)
    baseline = np.stack([segment.baseline.outputs for segment in seen]).astype(np.float64)
    weights = np.array([_independence(segment) for segment in seen])
    log_e = 0.0
    for c, b, weight in zip(canary, baseline, weights, strict=True):
        share = float(c.sum() / (c.sum() + b.sum()))
        log_e += float(log_e_differ(c * weight, b * weight, share))
    threshold = math.log(1 / alpha_harm)
    distance = effect(canary, baseline, weights, alpha_clear)
    requests = sum(segment.canary.requests for segment in seen)
    numbers = {
        "log_e": log_e,
        "threshold": threshold,
        "requests": float(requests),
        "distance": distance.distance,
        "distance_low": distance.low,
        "distance_high": distance.high,
        "progress": min((1 - distance.high) / (1 - limit), 1.0) if limit < 1 else 1.0,
    }
    if limit == 1:
        reason = (
            f"{distance.distance:.1%} of the answers would have to change; the plan allows any difference"
        )
        return Finding("outputs", Verdict.PASS, reason, numbers)
    differ = "differ" if log_e >= threshold else "do not differ clearly"
    reason = f"the answers {differ}; {distance.distance:.1%} of them would have to change"
    if log_e >= threshold and distance.low > limit:
        return Finding("outputs", Verdict.FAIL, f"{reason}, more than {limit:.0%}", numbers)
    if distance.high < limit:
        return Finding("outputs", Verdict.PASS, f"{reason}, less than {limit:.0%}", numbers)
    reason += (
        f" ({distance.low:.0%} to {distance.high:.0%}); more requests are needed to compare with {limit:.0%}"
    )
    return Finding("outputs", Verdict.INCONCLUSIVE, reason, numbers)


def _independence(segment: Segment) -> float:
    """Independent observations per row: rows of one request share its fate, and so do those of one key."""
    rows = int(segment.canary.outputs.sum() + segment.baseline.outputs.sum())
    per_row = min((segment.canary.requests + segment.baseline.requests) / rows, 1.0)
    return per_row * shared_fate(segment, REQUESTS, lambda arm: arm.requests)
