"""Did an error rate rise at some unknown time? The Shiryaev-Roberts e-detector on a stream of counts.

Merges do not commute with time: feed it once, in order, from merged windows.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

FACTORS = (1.25, 1.5, 2.0, 3.0, 5.0)
"""Alternatives, as multiples of the odds of the rate before the change."""


@dataclass(frozen=True, slots=True)
class EDetector:
    """The detector's whole state. `feed` gives the next one.

    M_n = (M_{n-1} + 1) L_n with the likelihood ratio L_n of event n, averaged over alternatives. While the
    rate stays at most `p0`, the mean number of events to an alarm is at least `run_length`, with no
    further assumption (Shin, Ramdas and Rinaldo 2024).

    Args:
        p0: highest rate before a change, in (0, 1): an upper confidence bound from the reference.
        run_length: mean number of events between false alarms, at least.
        log_m: ln M by alternative; -inf before the first event.
    """

    p0: float
    run_length: float = 1e6
    log_m: tuple[float, ...] = (-math.inf,) * len(FACTORS)
    events: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.p0 < 1:
            raise ValueError(f"the rate before a change is within 0 and 1, not {self.p0}")

    @property
    def log_evidence(self) -> float:
        """ln M, averaged over the alternatives. An alarm is due from ln(run_length) on."""
        return float(logsumexp(self.log_m)) - math.log(len(self.log_m))

    @property
    def alarm(self) -> bool:
        return self.log_evidence >= math.log(self.run_length)

    def feed(self, bad: int, total: int) -> "EDetector":
        """The state after `total` more events of which `bad` were bad, their order unknown.

        A change is taken to start before the batch or at its first event, once per event of the batch.
        That keeps the run length in events; batches small beside the delay cost next to nothing.
        """
        if total <= 0:
            return self
        odds = np.array(FACTORS) * self.p0 / (1 - self.p0)
        p1 = odds / (1 + odds)
        log_l = bad * np.log(p1 / self.p0) + (total - bad) * np.log((1 - p1) / (1 - self.p0))
        log_m = np.logaddexp(np.array(self.log_m), math.log(total)) + log_l
        return EDetector(self.p0, self.run_length, tuple(log_m.tolist()), self.events + total)

    def as_json(self) -> dict[str, Any]:
        # JSON has no infinity: nothing fed yet is an empty list.
        log_m = list(self.log_m) if self.events else []
        return {"p0": self.p0, "run_length": self.run_length, "log_m": log_m, "events": self.events}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "EDetector":
        fresh = cls(data["p0"], data["run_length"])
        return cls(fresh.p0, fresh.run_length, tuple(data["log_m"]) or fresh.log_m, data["events"])
