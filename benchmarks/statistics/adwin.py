"""ADWIN2 (Bifet and Gavalda, "Learning from time-changing data with adaptive windowing", 2007): the peer.

Written from the paper, with the choices that MOA and river share: a look every 32 values, at most 5 buckets
of a size, no cut that leaves fewer than 5 values on a side, none in the first 10.
"""

import math

MOST_OF_A_SIZE = 5
EVERY = 32
FEWEST = 5
GRACE = 10


class Adwin:
    """A window of numbers in [0, 1] that forgets what is unlike the newest.

    Args:
        delta: the chance of a false cut at a look, by the paper's bound.
    """

    def __init__(self, delta: float = 0.002) -> None:
        self._delta = delta
        self._seen = 0
        self._width, self._total, self._spread = 0, 0.0, 0.0
        # By size, 2^k values each: sums and squared deviations, the oldest first.
        self._buckets: list[list[tuple[float, float]]] = [[]]

    @property
    def mean(self) -> float:
        return self._total / self._width if self._width else 0.0

    def update(self, value: float) -> bool:
        """Take one more value; whether the window was cut."""
        self._seen += 1
        if self._width:
            gap = value - self.mean
            self._spread += self._width * gap * gap / (self._width + 1)
        self._width += 1
        self._total += value
        self._buckets[0].append((value, 0.0))
        self._compress()
        return self._seen % EVERY == 0 and self._width > GRACE and self._cut()

    def _compress(self) -> None:
        for power, row in enumerate(self._buckets):
            if len(row) <= MOST_OF_A_SIZE:
                return
            (one, spread), (two, other) = row[:2]
            del row[:2]
            size = 1 << power
            merged = one + two, spread + other + (one - two) ** 2 / (2 * size)
            if power + 1 == len(self._buckets):
                self._buckets.append([])
            self._buckets[power + 1].append(merged)

    def _cut(self) -> bool:
        found = False
        while self._differs():
            found = True
            power = len(self._buckets) - 1
            total, spread = self._buckets[power].pop(0)
            size = 1 << power
            self._width -= size
            self._total -= total
            gap = total / size - self.mean
            self._spread -= spread + size * self._width / (size + self._width) * gap * gap
            while len(self._buckets) > 1 and not self._buckets[-1]:
                self._buckets.pop()
        return found

    def _differs(self) -> bool:
        """Whether some split of the window has two sides whose means are too far apart."""
        old, old_total = 0, 0.0
        log_delta = math.log(2 * math.log(self._width) / self._delta)
        variance = max(self._spread / self._width, 0.0)
        for power in range(len(self._buckets) - 1, -1, -1):
            for total, _ in self._buckets[power]:
                old, old_total = old + (1 << power), old_total + total
                new = self._width - old
                if new < FEWEST + 1:
                    return False
                if old < FEWEST + 1:
                    continue
                share = 1 / (old - FEWEST + 1) + 1 / (new - FEWEST + 1)
                bound = math.sqrt(2 * share * variance * log_delta) + 2 / 3 * log_delta * share
                if abs(old_total / old - (self._total - old_total) / new) > bound:
                    return True
        return False
