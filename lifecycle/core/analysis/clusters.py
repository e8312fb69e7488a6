"""How many independent observations requests are worth, when routing keeps each key on one arm.

What one key's requests have in common (a bad payload, a slow account) is then the arm's, and no fault of it.
"""

from collections.abc import Iterable

from gateway.core.callers import BUCKETS
from lifecycle.core.analysis.evidence import Arm


def independence(arms: Iterable[Arm], row: int, total: int) -> float:
    """Independent observations per event, in (0, 1]: requests of one key count as one.

    Kish's effective size, n² / sum of m², over keys with m events each, as a part of n; an unkeyed event is a
    key of its own. The sum of squares comes from the counts by bucket (as in Thorup and Zhang, SODA 2004): a
    bucket's square also holds products of different keys, of which chance puts n² / BUCKETS into one bucket.

    Args:
        arms: both sides, whose keys differ.
        row: of the counts, e.g. `callers.ERRORS`.
        total: events of both sides, with and without a key.
    """
    keyed, squares = 0, 0.0
    for arm in arms:
        if arm.keyed.size:
            counts = arm.keyed[row].astype(float)
            n = float(counts.sum())
            keyed += int(n)
            squares += max(n, (float((counts**2).sum()) - n * n / BUCKETS) / (1 - 1 / BUCKETS))
    return total / (squares + total - keyed) if total and keyed else 1.0
