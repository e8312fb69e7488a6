"""What the demo measured, second by second and in sum. No I/O."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Second:
    """One second of traffic as the callers saw it. `at` is Unix time in seconds."""

    at: float
    sent: int
    failed: int
    served: Mapping[int, int]
    invalid: Mapping[int, int]
    unseen: int
    unseen_right: int
    reasons: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "Second":
        by_version = {name: {int(k): n for k, n in line[name].items()} for name in ("served", "invalid")}
        return cls(**{**line, **by_version})


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened. `what` is a sentence for people; charts mark a `turn` of the story."""

    at: float
    what: str
    turn: bool = False


@dataclass(slots=True)
class Facts:
    """Grows through the demo; the report and the closing table are drawn from it."""

    started_at: float
    seconds: list[Second] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    drift: list[tuple[float, float]] = field(default_factory=list)
    """(Unix time, largest population stability index over all features)."""
    moved: list[tuple[str, float]] = field(default_factory=list)
    """Features that drifted, by effect, largest first."""
    totals: dict[str, str] = field(default_factory=dict)

    def accuracy(self, since: float, until: float = float("inf")) -> float:
        """Share of right answers on scans whose labels nobody learns; NaN without any."""
        span = [second for second in self.seconds if since <= second.at < until]
        asked = sum(second.unseen for second in span)
        return sum(second.unseen_right for second in span) / asked if asked else float("nan")

    @property
    def sent(self) -> int:
        return sum(second.sent for second in self.seconds)

    @property
    def failed(self) -> int:
        return sum(second.failed for second in self.seconds)

    @property
    def reasons(self) -> Counter[str]:
        total: Counter[str] = Counter()
        for second in self.seconds:
            total.update(second.reasons)
        return total
