"""Whether an answer holds NaN or infinity. On the hot path of every request."""

import numpy as np

from gateway.core.types import Tensors


def nonfinite(outputs: Tensors) -> bool:
    """True if any float output holds NaN or an infinity."""
    # Looking for a zero byte takes 0.7 µs for a small array; `.all()` takes 2 µs.
    return any(
        array.dtype.kind == "f" and b"\0" in np.isfinite(array).tobytes() for array in outputs.values()
    )
