"""The guard on shadow pairs: how often does the version answer otherwise than the champion, row for row?

Two versions may answer alike on the whole (`outputs`) and still differ on most requests. A difference is
not harm: this guard fails a version only where the plan says so. But one that names other classes more often
than a better version would is no matter of course either, and only a person or labels know which is right.
"""

import math

from lifecycle.core.analysis.bound import log_e_above, log_e_below
from lifecycle.core.analysis.evidence import Evidence
from lifecycle.core.verdict import Finding, Verdict

NAME = "disagreement"


def judge_disagreement(
    evidence: Evidence, limit: float, hold: float, alpha_harm: float, alpha_clear: float
) -> Finding | None:
    """None without a shadow's traffic. Its numbers are `pairs`, `differing` and `rate`.

    Args:
        limit: share of the pairs that may differ, past which it fails; 1 for never.
        hold: share of the answers that may name another class, past which it `asks`; 1 for never.
    """
    shadows = [segment.canary for segment in evidence.segments if segment.paired]
    pairs, differing = sum(arm.pairs for arm in shadows), sum(arm.differing for arm in shadows)
    classed, apart = sum(arm.classed for arm in shadows), sum(arm.apart for arm in shadows)
    if not pairs:
        if limit == 1 or not shadows:
            return None
        return Finding(NAME, Verdict.INCONCLUSIVE, "no pair has been compared yet", {"progress": 0.0})
    found = _differ(pairs, differing, limit, alpha_harm, alpha_clear)
    if hold == 1 or not classed or found.verdict is Verdict.FAIL:
        return found
    other = _name_others(classed, apart, hold, alpha_clear)
    if limit < 1 and other.verdict is Verdict.PASS:
        return found
    return Finding(NAME, other.verdict, other.reason, {**found.numbers, **other.numbers})


def asks(finding: Finding) -> bool:
    """Whether it is shown that so many answers name another class, which only a person can judge."""
    shown = finding.numbers.get("log_e", 0.0) >= finding.numbers.get("threshold", math.inf)
    return finding.name == NAME and finding.verdict is Verdict.INCONCLUSIVE and shown


def question(asked: Finding, model: str, version: int) -> str:
    """What `asks` of a person, and what they may do."""
    return (
        f"{asked.name}: {asked.reason}: send labels (`headrace feedback {model} FILE`) and have it judged by "
        f"them (`headrace version validate {model} {version}`); then `headrace rollout resume {model}`, "
        "`promote` or `abort`"
    )


def _differ(pairs: int, differing: int, limit: float, alpha_harm: float, alpha_clear: float) -> Finding:
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
    return _cleared(reason, below, clearing, limit, numbers)


def _name_others(pairs: int, apart: float, hold: float, alpha: float) -> Finding:
    """`apart` sums parts of events, which the tests of rates take as they are: a^x <= 1 + x (a - 1)."""
    reason = f"{apart / pairs:.1%} of {pairs} shadow answers name another class than the champion's"
    above, below = (float(log_e(apart, pairs, hold)) for log_e in (log_e_above, log_e_below))
    threshold = math.log(1 / alpha)
    if above >= threshold:
        reason += f", more than {hold:.0%}; only labels or a person can tell which is right"
        numbers = {"log_e": above, "threshold": threshold, "progress": 0.0}
        return Finding(NAME, Verdict.INCONCLUSIVE, reason, numbers)
    return _cleared(reason, below, threshold, hold, {})


def _cleared(reason: str, log_e: float, threshold: float, limit: float, numbers: dict[str, float]) -> Finding:
    """What is not above the limit is shown to be below it, or takes more pairs."""
    told = numbers | {
        "log_e": log_e,
        "threshold": threshold,
        "progress": min(max(log_e / threshold, 0.0), 1.0),
    }
    if log_e >= threshold:
        return Finding(NAME, Verdict.PASS, f"{reason}, less than {limit:.0%}", told)
    more = f"{reason}; more pairs are needed to compare with {limit:.0%}"
    return Finding(NAME, Verdict.INCONCLUSIVE, more, told)
