"""The guards on a rate of bad requests: errors and invalid outputs."""

import math
from collections.abc import Callable, Iterable

import numpy as np

from gateway.core.callers import REQUESTS
from lifecycle.core.analysis.bound import log_e_above, log_e_below, upper_bound
from lifecycle.core.analysis.clusters import independence
from lifecycle.core.analysis.evidence import Arm, Evidence, Segment
from lifecycle.core.analysis.ratio import log_e_worse
from lifecycle.core.analysis.weighing import EValues, Weighed
from lifecycle.core.verdict import Finding, Verdict

CERTAIN = 1 - 1e-6
"""The highest limit: above it there is nothing to test."""


def judge_rate(
    name: str,
    what: str,
    bad: Callable[[Arm], int],
    row: int,
    evidence: Evidence,
    *,
    slo: float,
    margin: float,
    alpha_harm: float,
    alpha_clear: float,
) -> Finding:
    """Judge one kind of bad request.

    Fails when the canary's rate is above the contemporaneous champion's, or above the absolute bound.
    Passes when it is under the absolute bound, max(slo, champion's upper bound) + margin: being no worse
    than a champion in trouble clears nothing. Shadow pairs count as independent arms: what a pair shares
    only narrows the spread, so the tests stay on the safe side.

    Where keys stick to their arm, requests of one key count as one: in the comparison, so that one bad caller
    fails nobody, and in clearing. A rate above the absolute bound is harm to whoever calls, so there they
    count in full.

    Args:
        row: of `Arm.keyed`, the counts of this kind of bad request.
    """
    requests, found = _sums((segment.canary for segment in evidence.segments), bad)
    baseline_requests, baseline_found = _sums((segment.baseline for segment in evidence.segments), bad)
    champion_requests = baseline_requests + evidence.reference.requests
    champion_found = baseline_found + bad(evidence.reference)
    if not requests:
        return Finding(name, Verdict.INCONCLUSIVE, "the canary has had no requests yet", _nothing())
    rate = found / requests
    champion_rate = champion_found / champion_requests if champion_requests else 0.0
    baseline_rate = baseline_found / baseline_requests if baseline_requests else champion_rate
    # The level for clearing is split in two: the champion's bound and the test.
    high = upper_bound(champion_found, champion_requests, alpha_clear / 2)
    # A bound wider than the margin says how little was seen, not how bad the champion is. Doubt about
    # the champion must not loosen what clears a canary, nor tighten what fails it.
    known = high - champion_rate <= margin
    limit = min(max(slo, high if known else 0.0) + margin, CERTAIN)
    # An incident that hits both arms at once is not the canary's fault.
    harm_limit = min(max(slo, high if known else champion_rate, baseline_rate) + margin, CERTAIN)
    arms = exposed(evidence.segments, lambda arm: arm.requests)
    bad_canary = np.array([bad(segment.canary) for segment, _ in arms])
    bad_baseline = np.array([bad(segment.baseline) for segment, _ in arms])
    share = np.array([part for _, part in arms])
    single = np.array([shared_fate(segment, row, bad) for segment, _ in arms])
    # The mean of two e-values is one itself, and never less than half of the larger.
    worse = log_e_worse(bad_canary * single, bad_baseline * single, share)
    harm = float(np.logaddexp(worse, log_e_above(found, requests, harm_limit))) - math.log(2)
    alone = [(segment.canary, _alone(segment)) for segment in evidence.segments]
    units = sum(arm.requests * weight for arm, weight in alone)
    clear = float(log_e_below(sum(bad(arm) * weight for arm, weight in alone), units, limit))
    return Weighed(
        name,
        what,
        EValues(harm, math.log(1 / alpha_harm), clear, math.log(2 / alpha_clear)),
        rate,
        baseline_rate,
        limit,
        requests,
        units,
    ).finding()


def exposed(segments: tuple[Segment, ...], count: Callable[[Arm], int]) -> list[tuple[Segment, float]]:
    """Segments with traffic in both arms, each with the share of it that the canary really had.

    The share that was drawn is the planned one; pinned callers, heavy sticky keys and shadow copies that
    were dropped move it. A bad request is judged by the traffic that could have gone bad.
    """
    pairs = ((segment, count(segment.canary), count(segment.baseline)) for segment in segments)
    return [(segment, c / (c + b)) for segment, c, b in pairs if c and b]


def shared_fate(segment: Segment, row: int, count: Callable[[Arm], int]) -> float:
    """What an event of a segment is worth beside others of its key; 1 for a shadow, which sees every key."""
    if segment.paired:
        return 1.0
    both = (segment.canary, segment.baseline)
    return independence(both, row, sum(count(arm) for arm in both))


def _alone(segment: Segment) -> float:
    """The same for the canary's requests by themselves."""
    if segment.paired:
        return 1.0
    return independence((segment.canary,), REQUESTS, segment.canary.requests)


def _sums(arms: Iterable[Arm], bad: Callable[[Arm], int]) -> tuple[int, int]:
    pairs = [(arm.requests, bad(arm)) for arm in arms]
    return sum(requests for requests, _ in pairs), sum(found for _, found in pairs)


def _nothing() -> dict[str, float]:
    return {"log_e": 0.0, "progress": 0.0, "requests": 0.0}
