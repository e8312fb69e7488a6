"""Where the runs of pools leave their times, this process's and others': for the next window, and summed.

Runs inline pay nothing for it.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from gateway.core.figures import Run
from gateway.core.types import VersionKey

MOST_RUNS = 50_000
_TOLD_ALONE = 128
Note = Callable[[Run], None]


@dataclass(slots=True)
class RunTotals:
    """The pool's runs of one version since it is served, those that failed and copies for shadows included.

    `waited_ns` and `ran_ns` are summed over requests: all that share a run take as long as it does.
    `by_rows` has (runs, ns) by their rows; above 128 these are rounded up to a power of two.
    """

    runs: int = 0
    requests: int = 0
    waited_ns: int = 0
    ran_ns: int = 0
    by_rows: dict[int, tuple[int, int]] = field(default_factory=dict)

    def add(self, run: Run) -> None:
        requests, took_ns = len(run.arrived), run.ended - run.started
        self.runs += 1
        self.requests += requests
        self.waited_ns += requests * run.started - sum(run.arrived)
        self.ran_ns += requests * took_ns
        rows = run.rows if run.rows <= _TOLD_ALONE else 1 << (run.rows - 1).bit_length()
        runs, ns = self.by_rows.get(rows, (0, 0))
        self.by_rows[rows] = (runs + 1, ns + took_ns)


class StageLog:
    """Threads of the pool append, a draining thread takes; runs beyond `MOST_RUNS` push out the oldest."""

    def __init__(self) -> None:
        self.wedged_elsewhere = 0
        """Runs of other processes that were ended because they took too long, since the start."""
        self._runs: deque[tuple[VersionKey, Run]] = deque(maxlen=MOST_RUNS)
        self._totals: dict[VersionKey, RunTotals] = {}
        self._adding = threading.Lock()

    def of(self, key: VersionKey) -> Note:
        """What notes the runs of one version."""
        return partial(self._note, key)

    def _note(self, key: VersionKey, run: Run) -> None:
        self._runs.append((key, run))
        with self._adding:
            self._totals.setdefault(key, RunTotals()).add(run)

    def drain(self) -> Iterator[tuple[VersionKey, Run]]:
        """What was noted since the last call."""
        for _ in range(len(self._runs)):
            yield self._runs.popleft()

    def keep(self, wanted: Callable[[VersionKey], bool]) -> None:
        """Let go of the sums of all other versions."""
        with self._adding:
            for key in [key for key in self._totals if not wanted(key)]:
                del self._totals[key]

    def totals(self, key: VersionKey) -> RunTotals:
        """Of one version, as of now."""
        with self._adding:
            held = self._totals.get(key, RunTotals())
            return RunTotals(held.runs, held.requests, held.waited_ns, held.ran_ns, dict(held.by_rows))
