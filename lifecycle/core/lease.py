"""Who may act: one controller at a time, known by a token that only grows.

The token fences: a write that carries an older one is refused, so a controller that slept through its end can
harm nothing. Cf. Gray and Cheriton, "Leases" (SOSP 1989), and the sequencers of Chubby (OSDI 2006).
"""

from dataclasses import dataclass, replace

TERM_S = 10.0
"""How long a lease must stand still before another may take it."""

RENEW_S = 2.0
"""How often its holder shows that it lives."""


@dataclass(frozen=True, slots=True)
class Lease:
    """`token` grows with every taking, `beat` with each sign of life. Without a holder it is free."""

    holder: str = ""
    token: int = 0
    beat: int = 0

    def taken(self, holder: str) -> "Lease":
        return Lease(holder, self.token + 1)

    def renewed(self) -> "Lease":
        return replace(self, beat=self.beat + 1)

    def released(self) -> "Lease":
        return Lease("", self.token, self.beat)


@dataclass(frozen=True, slots=True)
class Watch:
    """A lease as one who wants it last saw it, and since when it has not changed.

    Time is the watcher's own monotonic clock, in seconds: clocks that differ or jump end no lease early.
    """

    lease: Lease
    since: float

    def seen(self, lease: Lease, now: float) -> "Watch":
        return self if lease == self.lease else Watch(lease, now)

    def free(self, holder: str, now: float) -> bool:
        """Whether `holder` may take it. One that was started again need not wait for its former self."""
        return self.lease.holder in ("", holder) or now - self.since >= TERM_S
