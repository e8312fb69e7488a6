"""How many independent observations requests are worth, when routing keeps each key on one arm.

What one key's requests have in common (a bad payload, a slow account) is then the arm's, and no fault of it.
"""

from collections.abc import Iterable
from functools import reduce

from gateway.core.callers import BUCKETS, NO_KEYS, REQUESTS, added
from lifecycle.core.analysis.evidence import Arm, Evidence


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


def late_independence(evidence: Evidence) -> float:
    """The same for labels and numbers, which name no key: by the keys of the requests that they may come for.

    Of n requests with Kish's d = sum of m² / n a uniform choice of the part p keeps 1 + p (d - 1). The part
    that was kept is such a choice; who of it gets labelled may not be (all of one customer's or none), so it
    does not count.
    """
    live = [segment for segment in evidence.segments if not segment.paired]
    arms = [_together(segment.canary for segment in live), _together(segment.baseline for segment in live)]
    requests = sum(arm.requests for arm in arms)
    if not requests:
        return 1.0
    design, part = 1 / independence(arms, REQUESTS, requests), evidence.late.kept / requests
    return 1 / (1 + part * design - min(part, 1.0))  # above 1, rows of one request share its fate as well


def _together(arms: Iterable[Arm]) -> Arm:
    seen = tuple(arms)
    return Arm(sum(arm.requests for arm in seen), keyed=reduce(added, (arm.keyed for arm in seen), NO_KEYS))
