"""What becomes of a label that arrives late: the rules of the join. Knows no files and no clock.

The first label of a prediction stands. Saying it again changes nothing; saying otherwise is put aside
for a person, because a label that can be overwritten can be poisoned. So is a label of the wrong time: one
from before its prediction tells nothing of it, and one from long after is not like the others.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Label = int | float | str
SKEW_S = 300.0
"""So far clocks may be apart before a time counts as wrong."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """Positions in a batch of labels, by what became of each.

    `fresh` are new and stand from now on; those of them whose prediction is not known yet are also in
    `unknown`: they are kept, for the prediction may still be on its way. `early` are from before their
    prediction, `late` from beyond the horizon.
    """

    fresh: tuple[int, ...]
    duplicate: tuple[int, ...]
    conflicting: tuple[int, ...]
    unknown: tuple[int, ...]
    early: tuple[int, ...]
    late: tuple[int, ...]

    @property
    def joined(self) -> int:
        return len(self.fresh) - len(self.unknown)

    @property
    def aside(self) -> tuple[int, ...]:
        return (*self.conflicting, *self.early, *self.late)


@dataclass(frozen=True, slots=True)
class LabelReceipt:
    """What became of a batch of labels."""

    joined: int
    duplicate: int
    conflicting: int
    unknown: int
    early: int = 0
    late: int = 0

    @property
    def aside(self) -> int:
        """So many stand nowhere: they wait in quarantine for a person."""
        return self.conflicting + self.early + self.late


def sort(
    ids: Sequence[str],
    labels: Sequence[Label],
    said_at: Sequence[float | None],
    *,
    now: float,
    standing: Mapping[str, Label],
    made_at: Mapping[str, float],
    horizon_s: float = math.inf,
) -> Sorted:
    """Sort a batch, in its order. Times are Unix seconds.

    Args:
        ids: prediction ids, one per label.
        said_at: when each label became known, by the word of who sent it; None if they say nothing. Only
            their word makes one early: what comes now is later than its prediction, whatever clocks say.
        now: when they arrived.
        standing: labels that stand already, by prediction id.
        made_at: when the predictions were made, of those of `ids` that have been captured.
        horizon_s: how long after its prediction a label still counts.
    """
    first: dict[str, Label] = {}
    fresh, duplicate, conflicting, unknown = list[int](), list[int](), list[int](), list[int]()
    early, late = list[int](), list[int]()
    for position, (prediction, label, at) in enumerate(zip(ids, labels, said_at, strict=True)):
        earlier, made = standing.get(prediction, first.get(prediction)), made_at.get(prediction)
        if earlier == label:
            duplicate.append(position)
        elif made is not None and at is not None and at < made - SKEW_S:
            early.append(position)
        elif made is not None and (now if at is None else at) > made + horizon_s:
            late.append(position)
        elif earlier is not None:
            conflicting.append(position)
        else:
            first[prediction] = label
            fresh.append(position)
            if made is None:
                unknown.append(position)
    return Sorted(*map(tuple, (fresh, duplicate, conflicting, unknown, early, late)))
