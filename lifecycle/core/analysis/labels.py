"""The guard on late labels: is the version wrong more often than the champion was at the same time?"""

import math
from collections.abc import Iterable, Sequence

from lifecycle.core.analysis.bound import CERTAIN, log_e_under, upper_bound
from lifecycle.core.analysis.evidence import Labelled, Labels
from lifecycle.core.analysis.ratio import log_e_worse
from lifecycle.core.analysis.weighing import EValues, few
from lifecycle.core.verdict import Finding, Verdict

NAME = "labels"


def judge_labels(
    steps: Sequence[Labels],
    margin: float,
    alpha_harm: float,
    alpha_clear: float,
    independence: float = 1.0,
) -> Finding | None:
    """None without labels, unless the plan asks for them.

    Fails when the canary is wrong more often: among wrong answers with a label, an equal canary's share is
    its share of the labels. Each step is compared with itself: what is harder for everybody later in the day
    is nobody's fault, though more of the canary's answers than of the champion's are from then. Passes when
    it is shown to be under the champion's rate plus the margin, wherever that rate may be: the limit is its
    lower bound and the margin, so that doubt about it clears nobody.

    Args:
        steps: labels of the version and of the champion, by step of the rollout.
        margin: accuracy that the version may lack; 1 to tell only.
        independence: independent observations per label; see `clusters`.
    """
    canary, champion = (_total(step[side] for step in steps) for side in (0, 1))
    if margin == 1:
        return _told(canary, champion) if canary.rows and champion.rows else None
    if not canary.rows or not champion.rows:
        who = "the champion" if canary.rows else "the version"
        reason = f"no answer of {who} has a label yet; the plan asks for them"
        return Finding(NAME, Verdict.INCONCLUSIVE, reason, {"log_e": 0.0, "progress": 0.0, "requests": 0.0})
    rate, usual = canary.wrong / canary.rows, champion.wrong / champion.rows
    units = canary.rows * independence
    known = champion.rows * independence
    low = 1 - upper_bound(known - champion.wrong * independence, known, alpha_clear / 2)
    limit = min(max(low + margin, CERTAIN), 1 - CERTAIN)
    both = [step for step in steps if step[0].rows and step[1].rows]
    ours = [step[0].wrong * independence for step in both]
    theirs = [step[1].wrong * independence for step in both]
    share = [step[0].rows / (step[0].rows + step[1].rows) for step in both]
    e_values = EValues(
        float(log_e_worse(ours, theirs, share)),
        math.log(1 / alpha_harm),
        log_e_under(canary.wrong * independence, units, limit),
        math.log(2 / alpha_clear),
    )
    numbers = {
        "requests": float(canary.rows),
        "canary_rate": rate,
        "champion_rate": usual,
        "limit_rate": limit,
        "units": units,
    }
    said = f"wrong answers: canary {rate:.3%} of {canary.rows}, champion {usual:.3%} of {champion.rows}"
    missing = f"more labels are needed to show that it is under {limit:.3%}{few(units, canary.rows)}"
    return e_values.finding(NAME, said, f"within {limit:.3%}", missing, numbers)


def _total(labels: Iterable[Labelled]) -> Labelled:
    seen = tuple(labels)
    return Labelled(sum(each.rows for each in seen), sum(each.wrong for each in seen))


def _told(canary: Labelled, champion: Labelled) -> Finding:
    rate, usual = canary.wrong / canary.rows, champion.wrong / champion.rows
    reason = f"wrong answers: canary {rate:.1%} of {canary.rows}, champion {usual:.1%} of {champion.rows}"
    numbers = {"canary_rate": rate, "champion_rate": usual, "requests": float(canary.rows), "progress": 1.0}
    return Finding(NAME, Verdict.PASS, f"{reason}; the plan only tells of it", numbers)
