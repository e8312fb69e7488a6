"""The workers as the controller sees them: they pull the route table by long poll and report back.

Lives in the controller's event loop. Workers that fall silent stop counting after a few seconds.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import reduce

from gateway.core.capture import CaptureBlock
from gateway.core.delta import RouteDelta, difference
from gateway.core.placement import Placed
from gateway.core.report import Place, WorkerReport
from gateway.core.routing import EMPTY, RouteTable
from gateway.core.summary import Window
from gateway.core.types import VersionKey

SILENT_AFTER_S = 4.0
"""Workers report every second; one that missed several is gone."""
FORGOTTEN_AFTER_S = 600.0
"""A worker has a name of its own, and one that was killed says no farewell."""

MOST_DELTAS = 256
"""Changes of the table that are remembered; a worker that missed more gets all of it."""


class WorkerFleet:
    """Implements `ports.Fleet`, and the calls that workers make.

    Args:
        clock: Unix time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._reports: dict[str, WorkerReport] = {}
        self._placed: dict[str, Mapping[VersionKey, Placed]] = {}
        self._windows: list[Window] = []
        self._captures: list[CaptureBlock] = []
        self._published = asyncio.Event()
        self._reported = asyncio.Event()
        self._deltas: deque[RouteDelta] = deque(maxlen=MOST_DELTAS)
        self._sent: dict[str, int] = {}
        self.table: RouteTable = EMPTY
        self.starts: Counter[Place] = Counter()
        """How often a worker came up, by place."""

    def publish(self, table: RouteTable) -> None:
        self._deltas.append(difference(self.table, table))
        self.table = table
        self._published.set()
        self._published = asyncio.Event()

    def workers(self) -> tuple[WorkerReport, ...]:
        horizon = self._clock() - SILENT_AFTER_S
        return tuple(report for report in self._reports.values() if report.seen_at >= horizon)

    def placed(self, model: str, version: int) -> tuple[Placed, ...]:
        """Where it runs, of each live worker that has it in memory; as of the last second."""
        key = (model, version)
        known = (self._placed.get(report.worker, {}) for report in self.workers())
        return tuple(placed[key] for placed in known if key in placed)

    async def confirmed(
        self, generation: int, timeout_s: float, holding: Collection[VersionKey] = ()
    ) -> bool:
        """False as well when no worker is alive: nobody confirmed anything then."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not self._all_applied(generation, frozenset(holding)):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            try:
                await asyncio.wait_for(self._reported.wait(), min(left, 0.5))
            except TimeoutError:
                continue  # a silent worker may have stopped counting
        return True

    def _all_applied(self, generation: int, holding: frozenset[VersionKey]) -> bool:
        workers = self.workers()
        return bool(workers) and all(
            report.generation >= generation and holding <= report.held | report.failed.keys()
            for report in workers
        )

    async def watch(self, report: WorkerReport, timeout_s: float) -> RouteTable | RouteDelta | None:
        """What leads to the table, once it is another than the worker's; None if it stayed the same.

        A worker gets only what changed since the table that it had from here; all of it if that is too
        long ago.
        """
        self._note(report)
        if self.table.generation == report.generation:
            try:
                await asyncio.wait_for(self._published.wait(), timeout_s)
            except TimeoutError:
                return None
        if self.table.generation == 0:
            return None
        known = self._sent.get(report.worker) == report.generation
        self._sent[report.worker] = self.table.generation
        return (known and self._since(report.generation)) or self.table

    def _since(self, generation: int) -> RouteDelta | None:
        found = [delta for delta in self._deltas if delta.base >= generation]
        if not found or found[0].base != generation:
            return None
        return reduce(RouteDelta.then, found)

    def observe(
        self,
        report: WorkerReport,
        windows: Sequence[Window],
        captures: Sequence[CaptureBlock],
        placed: Mapping[VersionKey, Placed] | None = None,
    ) -> None:
        """Take in what a worker saw since its last call, and where its versions run if it says so."""
        self._note(report)
        if placed is not None:
            self._placed[report.worker] = placed
        self._windows.extend(windows)
        self._captures.extend(captures)

    def leave(self, worker: str) -> None:
        """A worker that drained and is about to end: nobody waits for it any more."""
        self._forget(worker)
        self._wake()

    def drain(self) -> tuple[list[Window], list[CaptureBlock]]:
        """Everything observed since the last call."""
        windows, self._windows = self._windows, []
        captures, self._captures = self._captures, []
        return windows, captures

    def _note(self, report: WorkerReport) -> None:
        now = self._clock()
        if report.worker not in self._reports:
            self.starts[report.place] += 1
            for name in [
                name for name, last in self._reports.items() if now - last.seen_at >= FORGOTTEN_AFTER_S
            ]:
                self._forget(name)
        self._reports[report.worker] = replace(report, seen_at=now)
        self._wake()

    def _forget(self, worker: str) -> None:
        self._reports.pop(worker, None)
        self._placed.pop(worker, None)
        self._sent.pop(worker, None)

    def _wake(self) -> None:
        self._reported.set()
        self._reported = asyncio.Event()
