"""Did a rate rise at some unknown time, and when? The Shiryaev-Roberts e-detector on a stream of counts.

Merges do not commute with time: feed it once, in order. It keeps a few numbers, however long the stream.
"""

import math
from dataclasses import dataclass

FACTORS = (1.3, 1.8, 3.5)
"""Alternatives, as multiples of the odds of the rate before the change."""
RUN_LENGTH = 1e6


@dataclass(frozen=True, slots=True)
class Alternative:
    """What speaks for one rate after the change.

    Args:
        log_m: ln M; -inf before the first event.
        log_ratio: the log-likelihood ratio of the events since `began`, at least 0: Page's CUSUM.
        began: where the likeliest change to this rate starts.
    """

    log_m: float = -math.inf
    log_ratio: float = 0.0
    began: float = 0.0


@dataclass(frozen=True, slots=True)
class EDetector:
    """The detector's whole state. `feed` gives the next one.

    M_n = (M_{n-1} + 1) L_n with the likelihood ratio L_n of event n, averaged over alternatives. While the
    rate stays at most `p0`, the mean number of events to an alarm is at least `run_length`, with no
    further assumption (Shin, Ramdas and Rinaldo 2024). No M grows far above an alarm's, which lowers M only:
    so an alarm ends as soon as it began, once the rate is back.

    Args:
        p0: highest rate before a change, in (0, 1). Between batches it may be replaced by what is known by
            then (`Baseline`).
        run_length: mean number of events between false alarms, at least.
        alarm: from evidence of `run_length` on, until it is down to the square root of that.
    """

    p0: float
    run_length: float = RUN_LENGTH
    alternatives: tuple[Alternative, ...] = (Alternative(),) * len(FACTORS)
    events: int = 0
    alarm: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.p0 < 1:
            raise ValueError(f"the rate before a change is within 0 and 1, not {self.p0}")

    @property
    def log_evidence(self) -> float:
        """ln M, averaged over the alternatives. An alarm is due from ln(run_length) on."""
        return _log_mean([each.log_m for each in self.alternatives])

    @property
    def began(self) -> float:
        """The likeliest start of a change: where the likelihood ratio is largest, or last; see `feed`."""
        return max(self.alternatives, key=lambda each: (each.log_ratio, each.began)).began

    def feed(self, bad: float, total: int, at: float | None = None) -> "EDetector":
        """The state after `total` more events of which `bad` were bad, their order unknown.

        A change that starts with them is dated `at`; by default, by the number of events before them.

        A change is taken to start before the batch or at its first event, once per event of the batch.
        That keeps the run length in events; batches small beside the delay cost next to nothing. A loss in
        [0, 1] counts as that much of a bad event (Hoeffding 1963).
        """
        if total <= 0:
            return self
        most = math.log(self.run_length) + math.log(len(FACTORS))
        at = float(self.events) if at is None else at
        fed = []
        for factor, each in zip(FACTORS, self.alternatives, strict=True):
            p1 = factor * self.p0 / (1 - self.p0 + factor * self.p0)
            log_l = bad * math.log(p1 / self.p0) + (total - bad) * math.log((1 - p1) / (1 - self.p0))
            log_m = min(_log_sum(each.log_m, math.log(total)) + log_l, most)
            began = each.began if each.log_ratio > 0 else at
            fed.append(Alternative(log_m, min(max(each.log_ratio + log_l, 0.0), most), began))
        log_evidence = _log_mean([each.log_m for each in fed])
        due = math.log(self.run_length) * (0.5 if self.alarm else 1.0)
        return EDetector(self.p0, self.run_length, tuple(fed), self.events + total, log_evidence >= due)


def _log_sum(left: float, right: float) -> float:
    high, low = max(left, right), min(left, right)
    return high + math.log1p(math.exp(low - high))


def _log_mean(logs: list[float]) -> float:
    high = max(logs)
    if high == -math.inf:
        return high
    return high + math.log(sum(math.exp(log - high) for log in logs) / len(logs))
