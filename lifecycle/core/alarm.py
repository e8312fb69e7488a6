"""An alarm that one odd look does not raise and one good look does not clear."""

from dataclasses import dataclass

LOOKS = 2


@dataclass(frozen=True, slots=True)
class Alarm:
    """The alarm's whole state. `since` is when it was raised, Unix seconds; None while it is silent."""

    since: float | None = None
    against: int = 0

    def look(self, bad: bool, now: float) -> "Alarm":
        """The state after one more look. Two looks in a row that contradict the state change it."""
        if bad == (self.since is not None):
            return Alarm(self.since)
        if self.against + 1 < LOOKS:
            return Alarm(self.since, self.against + 1)
        return Alarm(now if bad else None)
