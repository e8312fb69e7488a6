"""Evidence as it would be on average: the champion's recent traffic, scaled and maybe made worse.

What e-processes say of expected counts is their expected growth, and so about when half of all runs decide.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from gateway.core.summary import LATENCY_EDGES_NS
from lifecycle.core.analysis.evidence import Arm, Counts

_BIN = math.log(float(LATENCY_EDGES_NS[-1]) / float(LATENCY_EDGES_NS[0])) / (len(LATENCY_EDGES_NS) - 1)
"""Width of a latency bin, in natural logarithms."""


@dataclass(frozen=True, slots=True)
class Regression:
    """How much worse than the champion a version is supposed to be.

    Args:
        error_rate: its error rate; None for the champion's.
        slower: factor on its latency.
    """

    error_rate: float | None = None
    slower: float = 1.0


NONE_WORSE = Regression()


def expected(like: Arm, requests: float, worse: Regression = NONE_WORSE) -> Arm:
    """An arm of so many requests in the proportions of another one, rounded to whole events."""
    if not like.requests:
        return Arm.EMPTY
    scale = requests / like.requests
    errors = like.errors * scale if worse.error_rate is None else requests * worse.error_rate
    answered = (requests - errors) / max(like.requests - like.errors, 1)
    slower = replace(like, latency=_slower(like.latency, worse.slower))
    return Arm(
        round(requests),
        round(errors),
        round(like.invalid * scale),
        _scaled(slower.latency, answered),
        _scaled(like.outputs, scale),
    )


def _scaled(counts: Counts, scale: float) -> Counts:
    """Scaled so that every running total, and not every bin, is rounded: few events stay visible."""
    if not len(counts):
        return counts
    totals: Counts = np.rint(np.cumsum(counts) * scale).astype(np.int64)
    return np.diff(totals, prepend=0)


def _slower(latency: Counts, factor: float) -> Counts:
    bins = round(math.log(factor) / _BIN)
    if not len(latency) or not bins:
        return latency
    moved = np.zeros_like(latency)
    moved[bins:] = latency[:-bins]
    moved[-1] += latency[-bins:].sum()
    return moved
