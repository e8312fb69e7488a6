"""The guards on latency: is a quantile of the canary's above the champion's, by more than is tolerated?"""

import math
from functools import reduce

import numpy as np

from gateway.core.summary import LATENCY_EDGES_NS, quantile
from lifecycle.core.analysis.bound import log_e_below, upper_bound
from lifecycle.core.analysis.evidence import Arm, Counts, Evidence
from lifecycle.core.analysis.rates import exposed
from lifecycle.core.analysis.ratio import log_e_no_worse, log_e_worse
from lifecycle.core.analysis.weighing import Weighed
from lifecycle.core.verdict import Finding, Verdict


def judge_latency(
    q: float,
    evidence: Evidence,
    *,
    tolerance: float,
    slack_ms: float,
    margin: float,
    alpha_harm: float,
    alpha_clear: float,
) -> Finding:
    """Judge the q-quantile by counts above two thresholds.

    The champion exceeds its own quantile x with probability 1 - q. A canary that is slower by no more
    than the tolerance exceeds x (1 + tolerance) + slack at most that often, whatever the shape of the
    latencies. So the canary's exceedances of the raised threshold are compared with the champion's of
    its own, in the same minutes, by the same tests as errors are.

    Fails only if the canary's own quantile is above the raised threshold, too.
    """
    name = f"latency_p{q * 100:g}"
    live = tuple(segment for segment in evidence.segments if not segment.paired)
    canary = reduce(Arm.merge, (segment.canary for segment in live), Arm.EMPTY)
    baseline = reduce(Arm.merge, (segment.baseline for segment in live), Arm.EMPTY)
    needed = math.ceil(5 / (1 - q))
    champion = evidence.reference
    if _answers(champion) < needed:
        champion = champion.merge(baseline)
    if not _answers(canary):
        return _waiting(name, "the canary has answered no live requests yet")
    if (missing := needed - _answers(champion)) > 0:
        return _waiting(name, f"the champion's p{q * 100:g} is not known; {missing} more answers are needed")
    own, raised, raised_ns = _thresholds(champion.latency, q, tolerance, slack_ms)
    over, answers = _over(canary, raised), _answers(canary)
    over_baseline = _over(baseline, own)
    baseline_rate = over_baseline / _answers(baseline) if _answers(baseline) else 1 - q
    rate_margin = max(margin, tolerance * (1 - q))
    high = upper_bound(over_baseline, _answers(baseline), alpha_clear / 3)
    # As for errors: a bound wider than the margin only says how little was seen of the champion.
    limit = max(1 - q, high if high - baseline_rate <= rate_margin else 0.0) + rate_margin
    arms = exposed(live, _answers)
    bad_canary = np.array([_over(segment.canary, raised) for segment, _ in arms])
    bad_baseline = np.array([_over(segment.baseline, own) for segment, _ in arms])
    share = np.array([part for _, part in arms])
    harm = float(log_e_worse(bad_canary, bad_baseline, share)) if over / answers > 1 - q else 0.0
    clear = max(
        float(log_e_no_worse(bad_canary, bad_baseline, share, 1 + rate_margin / (1 - q))),
        float(log_e_below(over, answers, limit)),
    )
    return Weighed(
        name,
        f"slower than {raised_ns / 1e6:.3g} ms",
        harm,
        math.log(1 / alpha_harm),
        clear,
        math.log(3 / alpha_clear),
        over / answers,
        baseline_rate,
        limit,
        answers,
    ).finding(
        {
            "threshold_ms": raised_ns / 1e6,
            "canary_ms": quantile(canary.latency, q) / 1e6,
            "champion_ms": quantile(champion.latency, q) / 1e6,
        }
    )


def _thresholds(latency: Counts, q: float, tolerance: float, slack_ms: float) -> tuple[int, int, float]:
    """Bins whose upper edges are the champion's quantile and the raised threshold; the latter in ns.

    Both are rounded up to an edge, so a count above either is exact.
    """
    own = int(np.searchsorted(np.cumsum(latency), q * int(latency.sum())))
    own = min(own, len(LATENCY_EDGES_NS) - 1)
    wanted = float(LATENCY_EDGES_NS[own]) * (1 + tolerance) + slack_ms * 1e6
    raised = min(int(np.searchsorted(LATENCY_EDGES_NS, wanted)), len(LATENCY_EDGES_NS) - 1)
    return own, raised, float(LATENCY_EDGES_NS[raised])


def _over(arm: Arm, edge: int) -> int:
    return int(arm.latency[edge + 1 :].sum())


def _answers(arm: Arm) -> int:
    return int(arm.latency.sum())


def _waiting(name: str, reason: str) -> Finding:
    return Finding(name, Verdict.INCONCLUSIVE, reason, {"log_e": 0.0, "progress": 0.0, "requests": 0.0})
