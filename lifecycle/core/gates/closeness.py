"""Are two sets of answers the same, up to rounding?"""

from collections.abc import Mapping

import numpy as np

from gateway.core.types import FLOAT_KINDS, Array


def difference(got: Mapping[str, Array], wanted: Mapping[str, Array], tolerance: float) -> tuple[str, float]:
    """What differs first, in words, and the largest difference of numbers; empty and small if nothing does.

    Numbers may differ by `tolerance`, and by that part of the wanted one; anything else must be equal. NaN
    equals NaN only.

    Args:
        wanted: the tensors that count; `got` may have more.
    """
    largest = 0.0
    for name, expected in wanted.items():
        if name not in got:
            return f"there is no output {name!r}", np.inf
        answer = got[name]
        if answer.shape != expected.shape:
            return f"output {name!r} has shape {list(answer.shape)}, not {list(expected.shape)}", np.inf
        if answer.dtype.kind in FLOAT_KINDS:
            ours, theirs = answer.astype(np.float64), expected.astype(np.float64)
            close = np.isclose(ours, theirs, rtol=tolerance, atol=tolerance, equal_nan=True)
            known = np.isfinite(ours) & np.isfinite(theirs)
            largest = max(largest, float(np.abs(ours[known] - theirs[known]).max(initial=0.0)))
        else:
            close = np.asarray(answer == expected)
        if not close.all():
            bad = int((~close.reshape(len(close), -1).all(axis=1)).sum()) if close.ndim else 1
            return f"output {name!r} differs in {bad} of {len(answer)} rows", largest
    return "", largest
