"""The guards on a rate of bad requests: errors and invalid outputs."""

import math
from collections.abc import Callable, Iterable

import numpy as np

from gateway.core.callers import REQUESTS
from lifecycle.core.analysis.bound import log_e_above, log_e_below, upper_bound
from lifecycle.core.analysis.clusters import independence
from lifecycle.core.analysis.evidence import Arm, Evidence, Segment
from lifecycle.core.analysis.ratio import log_e_no_worse, log_e_worse
from lifecycle.core.analysis.weighing import EValues, Weighed
from lifecycle.core.verdict import Finding, Verdict

CERTAIN = 1 - 1e-6
"""The highest limit: above it there is nothing to test."""
OF_BOUNDS = 0.1
"""Part of the level for clearing that the champion's bounds get; many requests make them narrow anyway."""


def judge_rate(
    name: str,
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
    Passes when it is under max(slo, champion's rate) + margin, wherever that rate may be, so that doubt about
    it clears nobody: by its own rate, or beside a champion that is itself above the slo, by the ratio.
    The champion's bounds and the two tests share the level for clearing. Shadow pairs count as independent
    arms: what a pair shares only narrows the spread, so the tests stay on the safe side.

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
    low, high = _bounds(evidence, bad, alpha_clear * OF_BOUNDS)
    limit = min(max(slo, low) + margin, CERTAIN)
    # A bound wider than the margin says how little was seen, not how bad the champion is: of one that was
    # never seen, or is shown to be below the limit, the observed rate counts. Of any other the canary has to
    # be above all that it may be, or an equal one fails where the champion is bad and its few requests were
    # fine. An incident that hits both arms at once is nobody's fault either.
    own_limit = min(max(slo, champion_rate) + margin, CERTAIN)
    shown = float(log_e_below(champion_found, champion_requests, own_limit)) >= math.log(1 / alpha_harm)
    trusted = (shown or not champion_requests) and high - champion_rate > margin
    usual = champion_rate if trusted else high
    harm_limit = min(max(slo, usual, baseline_rate) + margin, CERTAIN)
    arms = exposed(evidence.segments, lambda arm: arm.requests)
    bad_canary = np.array([bad(segment.canary) for segment, _ in arms])
    bad_baseline = np.array([bad(segment.baseline) for segment, _ in arms])
    share = np.array([part for _, part in arms])
    single = np.array([shared_fate(segment, row, bad) for segment, _ in arms])
    # The mean of two e-values is one itself, and never less than half of the larger.
    worse = log_e_worse(bad_canary * single, bad_baseline * single, share)
    harm = float(np.logaddexp(worse, log_e_above(found, requests, harm_limit))) - math.log(2)
    alone = [(each.canary, 1.0 if each.paired else _alone(each.canary)) for each in evidence.segments]
    units = sum(arm.requests * weight for arm, weight in alone)
    if low > slo:  # the champion itself is above; what both see at the same time tells soonest
        clear = float(log_e_no_worse(bad_canary * single, bad_baseline * single, share, 1 + margin / high))
    else:
        clear = float(log_e_below(sum(bad(arm) * weight for arm, weight in alone), units, limit))
    clearing = math.log(2 / (alpha_clear * (1 - OF_BOUNDS)))
    return Weighed(
        name,
        EValues(harm, math.log(1 / alpha_harm), clear, clearing),
        rate,
        baseline_rate,
        limit,
        requests,
        units,
    ).finding()


def _bounds(evidence: Evidence, bad: Callable[[Arm], int], alpha: float) -> tuple[float, float]:
    """The champion's rate lies between these, whenever one looks. Where keys stick, its requests are few."""
    arms = [
        (arm, _alone(arm)) for arm in (*(each.baseline for each in evidence.segments), evidence.reference)
    ]
    known = sum(arm.requests * weight for arm, weight in arms)
    known_bad = sum(bad(arm) * weight for arm, weight in arms)
    return 1 - upper_bound(known - known_bad, known, alpha / 2), upper_bound(known_bad, known, alpha / 2)


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


def _alone(arm: Arm) -> float:
    """The same for the requests of one arm by themselves."""
    return independence((arm,), REQUESTS, arm.requests)


def _sums(arms: Iterable[Arm], bad: Callable[[Arm], int]) -> tuple[int, int]:
    pairs = [(arm.requests, bad(arm)) for arm in arms]
    return sum(requests for requests, _ in pairs), sum(found for _, found in pairs)


def _nothing() -> dict[str, float]:
    return {"log_e": 0.0, "progress": 0.0, "requests": 0.0}
