"""Which output of two versions can be compared, and how each version's bins map to common ones.

Each version counts into the bins of its own profile, so equal columns need not mean equal values.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.core.binning import Bin, Categorical, Feature, Ordered
from gateway.core.profile import Profile


@dataclass(frozen=True, slots=True, eq=False)
class OutputBins:
    """Where a version's counts of one output feature go.

    Args:
        key: the profile's key, e.g. `outputs.label`.
        row: the feature's row in the counts of that key.
        columns: int64 [bins of the feature]; the common bin of each of its own bins.
        width: number of common bins.
    """

    key: str
    row: int
    columns: NDArray[np.int64]
    width: int

    def count(self, table: NDArray[np.int64]) -> NDArray[np.int64]:
        """Common counts, int64 [width], from a window's counts of this key, [features, bins]."""
        common = np.zeros(self.width, np.int64)
        np.add.at(common, self.columns, table[self.row, : len(self.columns)])
        return common


def common_bins(champion: Profile, canary: Profile) -> tuple[OutputBins, OutputBins] | None:
    """Bins for the champion and the canary; None when no output can be compared.

    Prefers the first categorical output that both profiles have. A score is compared only when both
    profiles cut it at the same edges.
    """
    theirs = {feature.name: (key, row, feature) for key, row, feature in _outputs(canary)}
    pairs = [
        ((key, row, feature), theirs[feature.name])
        for key, row, feature in _outputs(champion)
        if feature.name in theirs
    ]
    for (key, row, ours), (other_key, other_row, other) in sorted(
        pairs, key=lambda pair: isinstance(pair[0][2], Ordered)
    ):
        columns = _common_columns(ours, other)
        if columns is not None:
            width = 1 + max(int(columns[0].max()), int(columns[1].max()))
            return OutputBins(key, row, columns[0], width), OutputBins(
                other_key, other_row, columns[1], width
            )
    return None


def _outputs(profile: Profile) -> list[tuple[str, int, Feature]]:
    return [
        (key, row, feature)
        for key, features in profile.features.items()
        if key.startswith("outputs.")
        for row, feature in enumerate(features)
    ]


def _common_columns(ours: Feature, other: Feature) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    if isinstance(ours, Categorical) and isinstance(other, Categorical):
        shared = {value: Bin.FIRST + i for i, value in enumerate(v for v in ours.values if v in other.values)}
        return _categories(ours, shared), _categories(other, shared)
    if isinstance(ours, Ordered) and isinstance(other, Ordered):
        same = ours.low == other.low and np.array_equal(ours.edges, other.edges)
        return (np.arange(ours.width), np.arange(other.width)) if same else None
    return None


def _categories(feature: Categorical, shared: dict[int | bytes, int]) -> NDArray[np.int64]:
    # A value that only one profile names is OTHER or UNSEEN to the other one; here all three are OTHER.
    special = [int(Bin.OTHER) if place is Bin.UNSEEN else int(place) for place in Bin if place < Bin.FIRST]
    return np.array(special + [shared.get(value, int(Bin.OTHER)) for value in feature.values], np.int64)
