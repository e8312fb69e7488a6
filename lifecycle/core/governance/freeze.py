"""Times in which nothing that changes traffic begins. Rolling back is always allowed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from gateway.core.patterns import covers

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Freeze:
    """One window of the calendar, once or every week.

    Args:
        begins, ends: the window lies within these moments; None for no bound.
        days: weekdays of the zone, all day; empty for every day.
        models: names, or prefixes that end in `*`; empty for every model.
    """

    name: str
    begins: datetime | None = None
    ends: datetime | None = None
    days: frozenset[str] = frozenset()
    zone: tzinfo = UTC
    models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.begins is None and self.ends is None and not self.days:
            raise ValueError("a freeze needs `from`, `until` or `days`")
        if any(moment is not None and moment.tzinfo is None for moment in (self.begins, self.ends)):
            raise ValueError("`from` and `until` name their zone, e.g. 2026-12-20T00:00:00Z")
        if unknown := self.days - set(DAYS):
            raise ValueError(f"{min(unknown)!r} is not a day; days are {', '.join(DAYS)}")

    def covers(self, model: str) -> bool:
        return covers(self.models, model)

    def holds(self, now: float) -> bool:
        """Whether the window is open at a time, Unix seconds."""
        return self._holds(datetime.fromtimestamp(now, self.zone))

    def over(self, now: float) -> datetime | None:
        """When a window that is open closes; None if it does not, or in more than a year."""
        if not self.days:
            return self.ends
        moment = datetime.fromtimestamp(now, self.zone)
        for _ in range(_MOST_DAYS):
            after = self._midnight(moment.date() + timedelta(days=1))
            if self.ends is not None and self.ends <= after:
                return self.ends
            if not self._holds(after):
                return after
            moment = after
        return None

    def _holds(self, moment: datetime) -> bool:
        if self.begins is not None and moment < self.begins:
            return False
        if self.ends is not None and moment >= self.ends:
            return False
        return not self.days or DAYS[moment.weekday()] in self.days

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)


def frozen(freezes: Iterable[Freeze], model: str, now: float) -> Freeze | None:
    """The freeze that holds a model's traffic at a time, Unix seconds."""
    return next((one for one in freezes if one.covers(model) and one.holds(now)), None)
