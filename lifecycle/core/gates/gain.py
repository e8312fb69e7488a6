"""How much better a version did than the champion, row by row, on labelled rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.inspection import Answers
from lifecycle.core.performance.answers import errors
from lifecycle.core.performance.yardstick import FEWEST, Yardstick, learnt


@dataclass(frozen=True, slots=True)
class Gain:
    """Differences of losses, by the yardstick that live performance goes by too.

    Args:
        yardstick: the champion's.
        rows: [rows - first] in [-1, 1]; above 0 where the version did better.
        first: so many rows set the yardstick and do not count.
    """

    yardstick: Yardstick
    rows: NDArray[np.float64]
    first: int = 0


def gain(answers: Answers, yardstick: Yardstick | None = None) -> Gain | None:
    """None where no output of both can be compared with the labels.

    Args:
        yardstick: of the champion's reference; without one its first errors set it.
    """
    if answers.labels is None or not answers.beside:
        return None
    measure = None if yardstick is None else yardstick.measure
    own, champion = (errors(each, answers.labels, measure) for each in (answers.outputs, answers.beside))
    if own is None or champion is None or own.measure is not champion.measure:
        return None
    known = yardstick or learnt(champion)
    if known is None:
        return Gain(Yardstick(own.measure), np.zeros(0), FEWEST)
    first = 0 if yardstick is not None or known is Yardstick.CLASSES else FEWEST
    return Gain(known, known.losses(champion.rows[first:]) - known.losses(own.rows[first:]), first)
