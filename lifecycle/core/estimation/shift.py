"""How much more common is a reference row among new rows? A classifier that tells the two apart says so.

With p the probability that a row is new, p / (1 - p) is the ratio of densities (Bickel et al. 2009). Each
row's comes from a classifier that did not see it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FOLDS = 3
LEAF_ROWS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """How new rows differ from reference rows.

    Args:
        weights: how much more common each reference row is among new ones, about 1 on average, [rows].
        auc: how well new rows are told from reference rows; 0.5 is not at all.
    """

    weights: Floats
    auc: float

    @property
    def effective_rows(self) -> float:
        """Kish's effective size: how many equally weighted rows say as much."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())


def shift(reference: Floats, new: Floats) -> Shift:
    """Compare rows of features, [rows, features] each; NaN is missing. Categories are told by their codes."""
    rows = np.concatenate([reference, new])
    is_new = np.arange(len(rows)) >= len(reference)
    # Every third row of both: order in time must not separate the folds.
    fold = np.arange(len(rows)) % FOLDS
    # Here and below only when something is estimated: a controller starts a second sooner without, and
    # takes 80 MB less.
    from sklearn.ensemble import HistGradientBoostingClassifier

    chance = np.empty(len(rows))
    for out in range(FOLDS):
        seen = fold != out
        model = HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=15, min_samples_leaf=LEAF_ROWS, l2_regularization=1.0, random_state=0
        )
        chance[~seen] = model.fit(rows[seen], is_new[seen]).predict_proba(rows[~seen])[:, 1]
    old = np.minimum(chance[: len(reference)], 1 - 1e-6)
    return Shift(old / (1 - old) * len(reference) / len(new), auc(chance, is_new))


def auc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve (Mann and Whitney), ties counted half."""
    from scipy.stats import rankdata

    ranks = rankdata(scores)
    n = int(positive.sum())
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(scores) - n)))
