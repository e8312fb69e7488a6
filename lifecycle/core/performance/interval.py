"""How sure a share is that was seen in a number of rows."""

import math

Z_95 = 1.959963984540054


def wilson(found: int, rows: int) -> tuple[float, float, float]:
    """The share, and Wilson's 95 % interval of it (Wilson 1927); NaN, 0 and 1 without rows."""
    if not rows:
        return math.nan, 0.0, 1.0
    share, z2 = found / rows, Z_95**2
    centre = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = Z_95 / (1 + z2 / rows) * math.sqrt(share * (1 - share) / rows + z2 / (4 * rows * rows))
    return share, max(centre - half, 0.0), min(centre + half, 1.0)
