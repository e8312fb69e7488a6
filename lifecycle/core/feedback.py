"""What becomes of a label that arrives late: the rules of the join. Knows no files and no clock.

The first label of a prediction stands. Saying it again changes nothing; saying otherwise is put aside
for a person, because a label that can be overwritten can be poisoned.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

Label = int | float | str


@dataclass(frozen=True, slots=True)
class Sorted:
    """Positions in a batch of labels, by what became of each.

    `fresh` are new and stand from now on; those of them whose prediction is not known yet are also in
    `unknown`: they are kept, for the prediction may still be on its way.
    """

    fresh: tuple[int, ...]
    duplicate: tuple[int, ...]
    conflicting: tuple[int, ...]
    unknown: tuple[int, ...]

    @property
    def joined(self) -> int:
        return len(self.fresh) - len(self.unknown)


def sort(
    ids: Sequence[str], labels: Sequence[Label], standing: Mapping[str, Label], known: Collection[str]
) -> Sorted:
    """Sort a batch, in its order.

    Args:
        ids: prediction ids, one per label.
        standing: labels that stand already, by prediction id.
        known: those of `ids` whose prediction has been captured.
    """
    first: dict[str, Label] = {}
    fresh, duplicate, conflicting, unknown = [], [], [], []
    for position, (prediction, label) in enumerate(zip(ids, labels, strict=True)):
        earlier = standing.get(prediction, first.get(prediction))
        if earlier is None:
            first[prediction] = label
            fresh.append(position)
            if prediction not in known:
                unknown.append(position)
        elif earlier == label:
            duplicate.append(position)
        else:
            conflicting.append(position)
    return Sorted(tuple(fresh), tuple(duplicate), tuple(conflicting), tuple(unknown))
