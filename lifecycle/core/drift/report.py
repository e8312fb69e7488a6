"""The drift report of one stretch of live traffic against the reference profile.

Drift is a change of inputs or outputs, not a loss: it raises attention, and alone retrains nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.core.binning import Bin
from lifecycle.core.drift.fdr import e_bh, e_from_p
from lifecycle.core.drift.tests import chi_square_p_value, ks_p_value, psi
from lifecycle.core.verdict import Verdict

MIN_ROWS = 500
"""With fewer live rows nothing is judged: the index is then mostly chance."""

ENDS = (Bin.ABOVE, Bin.POS_INF, Bin.NAN, Bin.MISSING, Bin.OTHER, Bin.UNSEEN)
"""Columns that follow the last value bin when an ordered feature's bins are put in order."""


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """One feature. `effect` is the PSI less its chance part; `statistic` is the KS distance or chi-square."""

    name: str
    p_value: float
    effect: float
    statistic: float
    drifted: bool

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("name", "p_value", "effect", "statistic", "drifted")}


@dataclass(frozen=True, slots=True)
class DriftReport:
    """All features, in the order given. PASS: no drift; FAIL: drift; INCONCLUSIVE: too few rows."""

    verdict: Verdict
    reason: str
    n: int
    features: tuple[FeatureDrift, ...]

    @property
    def drifted(self) -> tuple[FeatureDrift, ...]:
        """The drifted features, largest effect first."""
        return tuple(sorted((f for f in self.features if f.drifted), key=lambda f: -f.effect))

    def as_json(self) -> dict[str, Any]:
        features = [feature.as_json() for feature in self.features]
        return {"verdict": str(self.verdict), "reason": self.reason, "n": self.n, "features": features}


def judge(
    reference: NDArray[np.int64],
    live: NDArray[np.int64],
    ordered: NDArray[np.bool_],
    names: Sequence[str],
    alpha: float = 0.05,
    floor: float = 0.03,
) -> DriftReport:
    """Compare live counts with the reference's.

    A feature drifted when its change is both significant (e-BH over all features at `alpha`) and large
    enough to matter (`floor`): with many rows everything is significant, with few everything looks large.

    Args:
        reference: counts, [features, bins], with the columns of `gateway.core.binning.Bin` first; unused
            bins of a feature are 0 in both.
        live: like `reference`.
        ordered: whether a feature's bins have an order (KS) or not (chi-square), [features].
        names: the features' names, in the order of the rows.
        floor: PSI from which a change counts.
    """
    n = int(live.sum(axis=1).max(initial=0))
    line = np.array([Bin.NEG_INF, Bin.BELOW, *range(Bin.FIRST, reference.shape[1]), *ENDS])
    tests = [
        ks_p_value(was[line], now[line]) if in_order else chi_square_p_value(was, now)
        for was, now, in_order in zip(reference, live, ordered, strict=True)
    ]
    effects = np.array([psi(was, now) for was, now in zip(reference, live, strict=True)])
    p_values = np.array([p_value for _, p_value in tests])
    drifted = e_bh(e_from_p(p_values), alpha) & (effects >= floor) & (live.sum(axis=1) >= MIN_ROWS)
    features = tuple(
        FeatureDrift(name, p_value, float(effect), statistic, bool(alarm))
        for name, (statistic, p_value), effect, alarm in zip(names, tests, effects, drifted, strict=True)
    )
    if n < MIN_ROWS:
        reason = f"{n} rows seen; {MIN_ROWS - n} more are needed"
        return DriftReport(Verdict.INCONCLUSIVE, reason, n, features)
    count = int(drifted.sum())
    verdict = Verdict.FAIL if count else Verdict.PASS
    return DriftReport(verdict, f"drift on {count} of {len(features)} features", n, features)
