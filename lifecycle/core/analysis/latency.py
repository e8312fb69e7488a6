"""The guards on latency: is a quantile of the canary's above the champion's, by more than is tolerated?"""

import math
from collections.abc import Iterable

import numpy as np

from gateway.core.callers import REQUESTS
from gateway.core.summary import LATENCY_EDGES_NS, quantile
from lifecycle.core.analysis.bound import log_e_below, upper_bound
from lifecycle.core.analysis.evidence import Arm, Counts, Evidence, Segment
from lifecycle.core.analysis.rates import CERTAIN, exposed, shared_fate
from lifecycle.core.analysis.ratio import log_e_exceeds, log_e_no_worse
from lifecycle.core.analysis.weighing import EValues, Weighed
from lifecycle.core.verdict import Finding, Verdict

COLD_NS = 50_000
"""What is never called slower. A version with a small share finds its memory gone from the processor's
caches at nearly every request, its champion at few: identical models at 10 % and 90 % differed by 30 µs at
the median and by 50 µs at p95, for as long as one looked."""

KNOWN = 10
"""Times the fewest answers from which the champion's quantile of the same minutes replaces the one before."""


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
    latencies; the slack is at least `COLD_NS`. So the canary's exceedances of the raised threshold are
    compared with the champion's of its own, in the same minutes, by the same tests as errors are.

    Fails only if the canary's own quantile is above the raised threshold, too.
    """
    name = f"latency_p{q * 100:g}"
    live = tuple(segment for segment in evidence.segments if not segment.paired)
    canary = _together(segment.canary for segment in live)
    baseline = _together(segment.baseline for segment in live)
    champion = evidence.reference.latency
    needed = math.ceil(5 / (1 - q))
    if champion.sum() < needed:
        champion = _together([evidence.reference, *(segment.baseline for segment in live)])
    answers, champion_answers, baseline_answers = (int(arm.sum()) for arm in (canary, champion, baseline))
    if not answers:
        return _waiting(name, "the canary has answered no live requests yet")
    if (missing := needed - champion_answers) > 0:
        return _waiting(name, f"the champion's p{q * 100:g} is not known; {missing} more answers are needed")
    own = _own(champion, baseline, q, needed)
    raised = _raised(own, tolerance, slack_ms)
    own_ms, raised_ms = (float(LATENCY_EDGES_NS[edge]) / 1e6 for edge in (own, raised))
    over, over_baseline = _over(canary, raised), _over(baseline, own)
    baseline_rate = over_baseline / baseline_answers if baseline_answers else 1 - q
    rate_margin = max(margin, tolerance * (1 - q))
    # The level for clearing is split in three: the baseline's bound and two tests. As for errors, doubt about
    # how often the champion exceeds its threshold clears nobody.
    low = 1 - upper_bound(baseline_answers - over_baseline, baseline_answers, alpha_clear / 3)
    usual = max(1 - q, low)
    # At most half way to always, so that there is a rate that breaks the limit.
    limit = min(usual + rate_margin, (1 + usual) / 2, CERTAIN)
    worse, no_worse = _compare(live, raised, own, q, 1 + rate_margin / (1 - q))
    harm = worse if over / answers > 1 - q else 0.0
    clear = max(no_worse, float(log_e_below(over, answers, limit)))
    return Weighed(
        name,
        EValues(harm, math.log(1 / alpha_harm), clear, math.log(3 / alpha_clear)),
        over / answers,
        baseline_rate,
        limit,
        answers,
        of_canary=f" slower than {raised_ms:.3g} ms",
        of_champion=f" than {own_ms:.3g} ms",
    ).finding(
        {
            "threshold_ms": raised_ms,
            "canary_ms": quantile(canary, q) / 1e6,
            "champion_ms": quantile(champion, q) / 1e6,
        }
    )


def _own(champion: Counts, baseline: Counts, q: float, needed: int) -> int:
    """The bin of the champion's quantile: as it was before, until enough is seen of it beside the canary."""
    before, answers = _bin_of(champion, q), int(baseline.sum())
    if answers < needed:
        return before
    # A load that slows both arms for good must not leave every answer above the threshold, nor one that
    # is gone leave all below it.
    now = _bin_of(baseline, q)
    return now if answers >= KNOWN * needed else max(before, now)


def _compare(
    live: tuple[Segment, ...], raised: int, own: int, q: float, tolerated: float
) -> tuple[float, float]:
    """The logs of two e-values: that the canary exceeds its threshold more often than the champion does its
    own, and that it does so less than `tolerated` times as often.
    """
    arms = exposed(live, lambda arm: int(arm.latency.sum()))
    over = np.array([_over(segment.canary.latency, raised) for segment, _ in arms])
    over_baseline = np.array([_over(segment.baseline.latency, own) for segment, _ in arms])
    share = np.array([part for _, part in arms])
    # A few callers with large requests must fail nobody. For clearing every request counts: how long it
    # takes is the version's doing more than its caller's.
    single = np.array([shared_fate(segment, REQUESTS, lambda arm: arm.requests) for segment, _ in arms])
    rest = np.array([int(segment.canary.latency.sum()) for segment, _ in arms]) - over
    rest_baseline = np.array([int(segment.baseline.latency.sum()) for segment, _ in arms]) - over_baseline
    worse = log_e_exceeds(
        (over * single, rest * single), (over_baseline * single, rest_baseline * single), share, 1 - q
    )
    return float(worse), float(log_e_no_worse(over, over_baseline, share, tolerated))


def _together(arms: Iterable[Arm]) -> Counts:
    return sum(
        (arm.latency for arm in arms if len(arm.latency)), np.zeros(len(LATENCY_EDGES_NS) + 1, np.int64)
    )


def _bin_of(latency: Counts, q: float) -> int:
    """The bin of a quantile. Its upper edge is the threshold, so a count above it is exact."""
    at = int(np.searchsorted(np.cumsum(latency), q * int(latency.sum())))
    return min(at, len(LATENCY_EDGES_NS) - 1)


def _raised(own: int, tolerance: float, slack_ms: float) -> int:
    """The bin whose upper edge is the raised threshold, rounded up to an edge."""
    wanted = float(LATENCY_EDGES_NS[own]) * (1 + tolerance) + max(slack_ms * 1e6, COLD_NS)
    return min(int(np.searchsorted(LATENCY_EDGES_NS, wanted)), len(LATENCY_EDGES_NS) - 1)


def _over(latency: Counts, edge: int) -> int:
    return int(latency[edge + 1 :].sum())


def _waiting(name: str, reason: str) -> Finding:
    return Finding(name, Verdict.INCONCLUSIVE, reason, {"log_e": 0.0, "progress": 0.0, "requests": 0.0})
