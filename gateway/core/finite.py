"""Whether an answer holds NaN or infinity. On the hot path of every request."""

from math import isfinite

import numpy as np

from gateway.core.types import FLOAT_KINDS, Tensors

_SMALL = 16


def nonfinite(outputs: Tensors) -> bool:
    """True if any float output holds NaN or an infinity."""
    for array in outputs.values():
        if array.dtype.kind not in FLOAT_KINDS:
            continue
        # NaN and infinity survive a sum: 0.3 µs for a small array. A sum may also overflow by itself.
        if array.size <= _SMALL and isfinite(sum(array.ravel().tolist())):
            continue
        # Looking for a zero byte takes 0.7 µs, `.all()` 2 µs.
        if b"\0" in np.isfinite(array).tobytes():
            return True
    return False
