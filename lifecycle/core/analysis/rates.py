"""The guards on a rate of bad requests: errors and invalid outputs."""

import math
from collections.abc import Callable
from functools import reduce

import numpy as np

from lifecycle.core.analysis.bound import log_e_above, log_e_below, upper_bound
from lifecycle.core.analysis.evidence import Arm, Evidence, Segment
from lifecycle.core.analysis.ratio import log_e_no_worse, log_e_worse
from lifecycle.core.analysis.weighing import Weighed
from lifecycle.core.verdict import Finding, Verdict


def judge_rate(
    name: str,
    what: str,
    bad: Callable[[Arm], int],
    evidence: Evidence,
    *,
    slo: float,
    margin: float,
    ratio_margin: float,
    alpha_harm: float,
    alpha_clear: float,
) -> Finding:
    """Judge one kind of bad request.

    Fails when the canary's rate is above the contemporaneous champion's, or above the absolute bound.
    Passes when it is under the absolute bound, max(slo, champion's upper bound) + margin, or under
    (1 + ratio_margin) times the champion's. Shadow pairs count as independent arms: what a pair shares
    only narrows the spread, so the tests stay on the safe side.
    """
    canary = reduce(Arm.merge, (segment.canary for segment in evidence.segments), Arm.EMPTY)
    champion = reduce(Arm.merge, (segment.baseline for segment in evidence.segments), evidence.reference)
    requests, found = canary.requests, bad(canary)
    if not requests:
        return Finding(name, Verdict.INCONCLUSIVE, "the canary has had no requests yet", _nothing())
    rate = found / requests
    champion_rate = bad(champion) / champion.requests if champion.requests else 0.0
    # The level for clearing is split in three: champion's bound, absolute test, ratio test.
    high = upper_bound(bad(champion), champion.requests, alpha_clear / 3)
    # A bound wider than the margin says how little was seen, not how bad the champion is. Doubt about
    # the champion must not loosen what clears a canary, nor tighten what fails it.
    known = high - champion_rate <= margin
    limit = max(slo, high if known else 0.0) + margin
    harm_limit = max(slo, high if known else min(champion_rate, 0.5)) + margin
    arms = exposed(evidence.segments, lambda arm: arm.requests)
    bad_canary = np.array([bad(segment.canary) for segment, _ in arms])
    bad_baseline = np.array([bad(segment.baseline) for segment, _ in arms])
    share = np.array([part for _, part in arms])
    harm = max(
        float(log_e_worse(bad_canary, bad_baseline, share)), float(log_e_above(found, requests, harm_limit))
    )
    clear = max(
        float(log_e_no_worse(bad_canary, bad_baseline, share, 1 + ratio_margin)),
        float(log_e_below(found, requests, limit)),
    )
    return Weighed(
        name,
        what,
        harm,
        math.log(2 / alpha_harm),
        clear,
        math.log(3 / alpha_clear),
        rate,
        champion_rate,
        limit,
        requests,
    ).finding()


def exposed(segments: tuple[Segment, ...], count: Callable[[Arm], int]) -> list[tuple[Segment, float]]:
    """Segments with traffic in both arms, each with the share of it that the canary really had.

    The share that was drawn is the planned one; pinned callers, heavy sticky keys and shadow copies that
    were dropped move it. A bad request is judged by the traffic that could have gone bad.
    """
    pairs = ((segment, count(segment.canary), count(segment.baseline)) for segment in segments)
    return [(segment, c / (c + b)) for segment, c, b in pairs if c and b]


def _nothing() -> dict[str, float]:
    return {"log_e": 0.0, "progress": 0.0, "requests": 0.0}
