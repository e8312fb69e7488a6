"""Is a version no worse than the champion on the same labelled rows? Judged on three sets of them.

A paired test with a margin: FAIL is evidence of a loss beyond it, PASS evidence that there is none. Running
it again with more labels is safe, since the test holds at every look.
"""

import math
from collections.abc import Mapping

from gateway.core.types import Array
from lifecycle.core.analysis.paired import log_e_better, log_e_no_worse_than, log_e_worse_than
from lifecycle.core.gates.gain import Gain, gain
from lifecycle.core.inspection import Answers
from lifecycle.core.performance.answers import Measure, errors
from lifecycle.core.performance.interval import mean, root_mean_square
from lifecycle.core.performance.score import Score, score
from lifecycle.core.performance.yardstick import Yardstick
from lifecycle.core.verdict import Finding, Verdict

MARGIN = 0.005
"""How much the mean score may be below the champion's: half a point of accuracy, or a fiftieth of the
champion's usual error (`yardstick`)."""
FEWEST_LABELS = 100
ALPHA = 0.05
THRESHOLD = math.log(1 / ALPHA)


def accuracy(name: str, answers: Answers, yardstick: Yardstick | None = None) -> Finding:
    """The gate `name` over one set of rows.

    Args:
        yardstick: of the champion's reference, if it has one.
    """
    if answers.labels is None or not len(answers.labels):
        return Finding(name, Verdict.INCONCLUSIVE, "there are no labelled rows")
    own = score(answers.outputs, answers.labels)
    if own is None or not math.isfinite(own.value):
        return Finding(name, Verdict.INCONCLUSIVE, "no output can be compared with the labels")
    rows = len(answers.labels)
    said, off = _said(answers.outputs, answers.labels, own)
    words, numbers = f"{said} on {rows} rows", {"rows": float(rows), "candidate": own.value} | off
    gained = gain(answers, yardstick)
    theirs = score(answers.beside, answers.labels)
    if gained is None or theirs is None:
        return Finding(name, Verdict.PASS, f"{words}; there is no champion to compare with", numbers)
    said, off = _said(answers.beside, answers.labels, theirs)
    numbers |= {"champion": theirs.value, "margin": MARGIN}
    numbers |= {f"champion_{figure}": value for figure, value in off.items() if figure != "loss"}
    words += f"; the champion's {said}"
    if len(gained.rows) < FEWEST_LABELS:
        more = max(gained.first + FEWEST_LABELS - rows, 1)
        reason = f"{words}; {more} more labels are needed to judge at all"
        return Finding(name, Verdict.INCONCLUSIVE, reason, numbers)
    return _judged(name, gained, words, numbers)


def _said(outputs: Mapping[str, Array], labels: Array, known: Score) -> tuple[str, dict[str, float]]:
    """How good answers are, in words, and of numbers also how far they are off."""
    off = errors(outputs, labels)
    if off is None or off.measure is Measure.ACCURACY:
        return f"{known.measure} is {known.value:.4f}", {}
    mae, rmse = mean(off.rows).value, root_mean_square(off.rows).value
    loss = float(Yardstick.of(off.measure, mae).losses(off.rows).mean())
    words = f"mean absolute error is {mae:.4g} (R² {known.value:.4f})"
    return words, {"mae": mae, "rmse": rmse, "loss": loss}


def _judged(name: str, gained: Gain, words: str, numbers: dict[str, float]) -> Finding:
    worse = log_e_worse_than(gained.rows, MARGIN)
    sound = log_e_no_worse_than(gained.rows, MARGIN)
    won, lost = int((gained.rows > 0).sum()), int((gained.rows < 0).sum())
    better = float(log_e_better(won, lost))
    numbers |= {"gain": float(gained.rows.mean()), "scale": gained.yardstick.scale}
    numbers |= {"log_e": sound, "log_e_harm": worse, "log_e_better": better, "threshold": THRESHOLD}
    numbers |= {"better": float(won), "worse": float(lost)}
    if worse >= THRESHOLD:
        beyond = gained.yardstick.say(MARGIN)
        return Finding(name, Verdict.FAIL, f"{words}; it is worse by more than {beyond}", numbers)
    if sound >= THRESHOLD:
        shown = "better" if better >= THRESHOLD else "no worse"
        return Finding(name, Verdict.PASS, f"{words}; it is {shown}", numbers)
    if sound <= 0:
        return Finding(name, Verdict.INCONCLUSIVE, f"{words}; neither shown to be worse nor not", numbers)
    more = math.ceil(len(gained.rows) * (THRESHOLD / sound - 1))
    reason = f"{words}; about {more} more labels are needed to show that it is no worse"
    return Finding(name, Verdict.INCONCLUSIVE, reason, numbers)
