"""How high may a rate have been before? Learnt from a reference, if there is one, and from what comes live.

The bound never rises, so what comes after a change does not hide it.
"""

from dataclasses import dataclass, replace

from scipy.special import betaincinv

from lifecycle.core.analysis.bound import CERTAIN, upper_bound

OF_REFERENCE, OF_BOTH, OF_LIVE = 0.01, 0.08, 0.01
"""How likely at most each bound is ever below a rate that stays as it is, one in ten together."""
GROWTH = 1.05
"""The live record is looked at whenever it has grown so much: leaving out looks costs no validity."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The bound and what it rests on. `of` begins, `feed` gives the next one.

    Of the reference the bound is exact (Clopper and Pearson 1934). Live it inverts a Beta mixture likelihood
    ratio (Robbins 1970) and holds at every look. The reference is the mixture's prior: one like the live
    record makes it narrow sooner, and with any it holds. Where the two are unlike, the plain prior is sooner,
    which is tried besides. Of bounds that all hold, the lowest does.

    Args:
        prior: bad and other events of the reference, and one half each.
        bound: the highest rate, in [CERTAIN, 1 - CERTAIN].
        bad: live events, a part of one counting as that much; `total` of them were seen.
        due: live events at which the record is looked at again.
    """

    prior: tuple[float, float]
    bound: float
    bad: float = 0.0
    total: int = 0
    due: float = 1.0

    @classmethod
    def of(cls, bad: float = 0.0, total: int = 0, *, whole: bool = True) -> "Baseline":
        """Before anything came live; of a reference of no events the bound is no bound.

        Args:
            whole: no event was bad in part. Where some were, Robbins's bound is taken of the reference too.
        """
        if whole:
            high = float(betaincinv(bad + 1, total - bad, 1 - OF_REFERENCE)) if bad < total else 1.0
        else:
            high = upper_bound(bad, total, OF_REFERENCE)
        return cls((bad + 0.5, total - bad + 0.5), _sensible(high))

    def feed(self, bad: float, total: int) -> "Baseline":
        """With `total` more live events of which `bad` were bad."""
        bad, total = self.bad + bad, self.total + total
        if total < self.due:
            return replace(self, bad=bad, total=total)
        both, live = upper_bound(bad, total, OF_BOTH, self.prior), upper_bound(bad, total, OF_LIVE)
        return replace(
            self, bound=min(self.bound, _sensible(min(both, live))), bad=bad, total=total, due=total * GROWTH
        )


def _sensible(rate: float) -> float:
    return min(max(rate, CERTAIN), 1 - CERTAIN)
