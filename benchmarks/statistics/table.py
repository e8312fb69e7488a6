"""A table of what was measured beside what was published, which knows whether each bar is met."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOLERANCE = 0.10
"""How far above the published one a median may be. Sooner is no fault."""


@dataclass(slots=True)
class Table:
    """Rows are printed as they come; `missed` names those that do not meet their bar."""

    missed: list[str] = field(default_factory=list)
    judged: int = 0

    def heading(self, title: str, beside: str = "published", measured: str = "measured") -> None:
        print(f"\n{title}\n  {'':<46}{beside:>20}{measured:>42}")

    def note(self, case: str, published: str, measured: str) -> None:
        """A row without a bar."""
        print(f"  {case:<46}{published:>20}{measured:>42}", flush=True)

    def median(self, case: str, published: tuple[float, ...], times: Floats) -> None:
        """A row whose bar is the published median, and 10 % more.

        Args:
            published: median, and 90th percentile where there is one.
            times: by run; infinity for a run that never ended.
        """
        met = bool(np.quantile(times, 0.5, method="lower") <= published[0] * (1 + TOLERANCE))
        self.check(case, _both(published), _found(times), met)

    def compared(self, case: str, published: tuple[float, ...], times: Floats) -> None:
        """The same without a bar."""
        self.note(case, _both(published), f"{_found(times)}        ")

    def rate(self, case: str, published: str, alarms: Floats, most: float = 0.05) -> None:
        """A row whose bar is the most that a rate may be, less what chance alone may add at that rate.

        Args:
            alarms: by run; infinity for a run without one.
        """
        rate = float(np.isfinite(alarms).mean())
        chance = 1.645 * np.sqrt(most * (1 - most) / len(alarms))
        self.check(case, published, f"{rate:.2%}", bool(rate <= most + chance))

    def error(self, case: str, constant: float, published: float, measured: float, slack: float) -> None:
        """A row whose bar is the published error, to the digits it is known to (`slack`).

        Args:
            constant: the error of an estimate that never changes.
        """
        words = f"{constant:.4f}, {published:.4f}"
        self.check(case, words, f"{measured:.4f}", measured <= published + slack)

    def check(self, case: str, published: str, measured: str, met: bool) -> None:
        """A row that is met or is not, as its caller says."""
        self.judged += 1
        if not met:
            self.missed.append(case)
        self.note(case, published, f"{measured}  {'met   ' if met else 'MISSED'}")

    def end(self) -> int:
        """Print the sum of it; returns an exit status."""
        print(f"\n{self.judged - len(self.missed)} of {self.judged} bars are met")
        for case in self.missed:
            print(f"  missed: {case}")
        return 1 if self.missed else 0


def _both(published: tuple[float, ...]) -> str:
    return " / ".join(f"{value:,.0f}" for value in published)


def _found(times: Floats) -> str:
    middle, high = np.quantile(times, (0.5, 0.9), method="lower")
    lost = float(np.isinf(times).mean())
    return f"{middle:,.0f} / {high:,.0f}" + (f" ({1 - lost:.1%} found)" if lost else "")
