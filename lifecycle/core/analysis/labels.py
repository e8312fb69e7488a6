"""The guard on late labels: does the version lose more by its answers than the champion did at the same time?

A loss is a wrong answer, or the error of a number as a part of a scale. A part counts as that much of an
event: the tests of rates stay valid, see `noninferiority`.
"""

import math
from collections.abc import Iterable, Sequence
from functools import reduce

import numpy as np

from lifecycle.core.analysis.late import Labelled, Labels
from lifecycle.core.analysis.noninferiority import within_margin
from lifecycle.core.analysis.ratio import log_e_worse
from lifecycle.core.analysis.weighing import EValues, few
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.yardstick import Yardstick
from lifecycle.core.verdict import Finding, Verdict

NAME = "labels"


def judge_labels(
    steps: Sequence[Labels],
    margin: float,
    alpha_harm: float,
    alpha_clear: float,
    independence: float = 1.0,
    yardstick: Yardstick | None = None,
) -> Finding | None:
    """None without labels, unless the plan asks for them.

    Fails when the canary loses more: of what is lost, an equal canary's share is its share of the labels.
    Each step is compared with itself: what is harder for everybody later in the day is nobody's fault, though
    more of the canary's answers than of the champion's are from then. Passes when it is shown to lose at most
    the margin more than the champion, see `noninferiority`.

    Args:
        steps: labels of the version and of the champion, by step of the rollout.
        margin: mean loss that the version may have more; 1 to tell only.
        independence: independent observations per label; see `clusters`.
        yardstick: what losses are parts of; by default answers are right or wrong.
    """
    yardstick = yardstick or Yardstick.CLASSES
    canary, champion = (_total(step[side] for step in steps) for side in (0, 1))
    if margin == 1:
        return _told(canary, champion, yardstick) if canary.rows and champion.rows else None
    if not canary.rows or not champion.rows:
        who = "the champion" if canary.rows else "the version"
        reason = f"no answer of {who} has a label yet; the plan asks for them"
        return Finding(NAME, Verdict.INCONCLUSIVE, reason, {"log_e": 0.0, "progress": 0.0, "requests": 0.0})
    rate, usual = canary.loss / canary.rows, champion.loss / champion.rows
    units = canary.rows * independence
    counts = np.array([[(each.rows, each.loss) for each in step] for step in steps]) * independence
    shown = within_margin(counts[:, 0], counts[:, 1], margin, alpha_clear / 2)
    both = [step for step in steps if step[0].rows and step[1].rows]
    ours = [step[0].loss * independence for step in both]
    theirs = [step[1].loss * independence for step in both]
    share = [step[0].rows / (step[0].rows + step[1].rows) for step in both]
    e_values = EValues(
        float(log_e_worse(ours, theirs, share)),
        math.log(1 / alpha_harm),
        shown.log_e,
        math.log(2 / alpha_clear),
    )
    numbers = {
        "requests": float(canary.rows),
        "canary_rate": rate,
        "champion_rate": usual,
        "limit_rate": shown.limit,
        "units": units,
        **_scale(yardstick),
    }
    under = yardstick.say(shown.limit)
    missing = f"more labels are needed to show that it is under {under}{few(units, canary.rows)}"
    return e_values.finding(NAME, _said(canary, champion, yardstick), f"within {under}", missing, numbers)


def _total(labels: Iterable[Labelled]) -> Labelled:
    return reduce(Labelled.merge, labels, Labelled())


def _told(canary: Labelled, champion: Labelled, yardstick: Yardstick) -> Finding:
    rate, usual = canary.loss / canary.rows, champion.loss / champion.rows
    numbers = {"canary_rate": rate, "champion_rate": usual, "requests": float(canary.rows), "progress": 1.0}
    reason = f"{_said(canary, champion, yardstick)}; the plan only tells of it"
    return Finding(NAME, Verdict.PASS, reason, numbers | _scale(yardstick))


def _said(canary: Labelled, champion: Labelled, yardstick: Yardstick) -> str:
    """In the label's unit. Errors beyond the scale count as the scale, so this is no mean of all of them."""
    ours, theirs = (yardstick.say(each.loss / each.rows) for each in (canary, champion))
    what = "wrong answers" if yardstick.measure is Measure.ACCURACY else "mean error"
    return f"{what}: canary {ours} of {canary.rows}, champion {theirs} of {champion.rows}"


def _scale(yardstick: Yardstick) -> dict[str, float]:
    """What a rate of 1 means, where it is no share of the answers."""
    return {} if yardstick.measure is Measure.ACCURACY else {"scale": yardstick.scale}
