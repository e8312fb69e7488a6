"""The workers as the controller sees them: they pull the route table by long poll and report back.

Lives in the controller's event loop. Workers that fall silent stop counting after a few seconds.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from gateway.core.capture import CaptureBlock
from gateway.core.report import WorkerReport
from gateway.core.routing import EMPTY, RouteTable
from gateway.core.summary import Window

SILENT_AFTER_S = 4.0
"""Workers report every second; one that missed several is gone."""


class WorkerFleet:
    """Implements `ports.Fleet`, and the calls that workers make.

    Args:
        clock: Unix time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._reports: dict[str, WorkerReport] = {}
        self._windows: list[Window] = []
        self._captures: list[CaptureBlock] = []
        self._published = asyncio.Event()
        self._reported = asyncio.Event()
        self.table: RouteTable = EMPTY

    def publish(self, table: RouteTable) -> None:
        self.table = table
        self._published.set()
        self._published = asyncio.Event()

    def workers(self) -> tuple[WorkerReport, ...]:
        horizon = self._clock() - SILENT_AFTER_S
        return tuple(report for report in self._reports.values() if report.seen_at >= horizon)

    async def confirmed(
        self, generation: int, timeout_s: float, holding: Collection[tuple[str, int]] = ()
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

    def _all_applied(self, generation: int, holding: frozenset[tuple[str, int]]) -> bool:
        wanted = {
            (route.name, version) for route in self.table.models.values() for version, _ in route.weights
        }
        workers = self.workers()
        return bool(workers) and all(
            report.generation >= generation
            and wanted <= report.loaded
            and holding <= report.loaded | report.failed
            for report in workers
        )

    async def watch(self, report: WorkerReport, timeout_s: float) -> RouteTable | None:
        """The table, once it is another than the one the worker has; None if it stayed the same."""
        self._note(report)
        if self.table.generation == report.generation:
            try:
                await asyncio.wait_for(self._published.wait(), timeout_s)
            except TimeoutError:
                return None
        return self.table if self.table.generation > 0 else None

    def observe(
        self, report: WorkerReport, windows: Sequence[Window], captures: Sequence[CaptureBlock]
    ) -> None:
        """Take in what a worker saw since its last call."""
        self._note(report)
        self._windows.extend(windows)
        self._captures.extend(captures)

    def leave(self, worker: str) -> None:
        """A worker that drained and is about to end: nobody waits for it any more."""
        self._reports.pop(worker, None)
        self._wake()

    def drain(self) -> tuple[list[Window], list[CaptureBlock]]:
        """Everything observed since the last call."""
        windows, self._windows = self._windows, []
        captures, self._captures = self._captures, []
        return windows, captures

    def _note(self, report: WorkerReport) -> None:
        self._reports[report.worker] = replace(report, seen_at=self._clock())
        self._wake()

    def _wake(self) -> None:
        self._reported.set()
        self._reported = asyncio.Event()
