"""The guard on shadow pairs: how often does the version answer otherwise than the champion, row for row?

Two versions may answer alike on the whole (`outputs`) and still differ on most requests. A difference is
not harm, so by default this guard only tells.
"""

import math

from lifecycle.core.analysis.bound import log_e_above, log_e_below
from lifecycle.core.analysis.evidence import Evidence
from lifecycle.core.verdict import Finding, Verdict

NAME = "disagreement"


def judge_disagreement(
    evidence: Evidence, limit: float, alpha_harm: float, alpha_clear: float
) -> Finding | None:
    """None without a shadow's traffic. Its numbers are `pairs`, `differing` and `rate`.

    Args:
        limit: share of the pairs that may differ; 1 to tell only.
    """
    shadows = [segment.canary for segment in evidence.segments if segment.paired]
    pairs, differing = sum(arm.pairs for arm in shadows), sum(arm.differing for arm in shadows)
    if not pairs:
        if limit == 1 or not shadows:
            return None
        return Finding(NAME, Verdict.INCONCLUSIVE, "no pair has been compared yet", {"progress": 0.0})
    rate = differing / pairs
    numbers = {"pairs": float(pairs), "differing": float(differing), "rate": rate, "progress": 1.0}
    reason = f"{rate:.1%} of {pairs} shadow answers differ from the champion's"
    if limit == 1:
        return Finding(NAME, Verdict.PASS, f"{reason}; the plan allows any difference", numbers)
    above, below = (float(log_e(differing, pairs, limit)) for log_e in (log_e_above, log_e_below))
    failing, clearing = math.log(1 / alpha_harm), math.log(1 / alpha_clear)
    if above >= failing:
        numbers |= {"log_e": above, "threshold": failing}
        return Finding(NAME, Verdict.FAIL, f"{reason}, more than {limit:.0%}", numbers)
    numbers |= {"log_e": below, "threshold": clearing, "progress": min(max(below / clearing, 0.0), 1.0)}
    if below >= clearing:
        return Finding(NAME, Verdict.PASS, f"{reason}, less than {limit:.0%}", numbers)
    more = f"{reason}; more pairs are needed to compare with {limit:.0%}"
    return Finding(NAME, Verdict.INCONCLUSIVE, more, numbers)
