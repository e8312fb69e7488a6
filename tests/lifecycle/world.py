"""A small world for tests of rollouts: traffic, workers that follow route tables, versions."""

import math
from collections import Counter
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from statistics import NormalDist

import numpy as np

from gateway.config import GatewayConfig
from gateway.core.placement import Placement
from gateway.core.report import MemoryUse, WorkerReport
from gateway.core.routing import EMPTY, RouteTable
from gateway.core.signature import Signature, TensorSpec
from gateway.core.summary import Counts, Window, latency_histogram
from gateway.core.types import Outcome, Role
from lifecycle.commands.upgrade import Admission
from lifecycle.core.stages import Stage
from lifecycle.core.version import Version
from lifecycle.errors import LifecycleCode, LifecycleError

SIGNATURE = Signature((TensorSpec("x", "FP32", (-1, 4)),), (TensorSpec("y", "FP32", (-1, 1)),))


def version(number: int, stage: Stage = Stage.APPROVED, model: str = "m") -> Version:
    digest = f"sha256:{model}{number}"
    return Version(model, number, stage, f"file:///{number}", digest, SIGNATURE, "ann", 1.0)


def window(
    number: int,
    role: Role,
    generation: int,
    *,
    requests: int = 100,
    errors: int = 0,
    invalid: int = 0,
    refused: int = 0,
    ms: float = 5.0,
    end: float = 1.0,
    model: str = "m",
) -> Window:
    """A second of traffic; `requests` include the failed and the refused ones."""
    ok = requests - errors - invalid - refused
    outcomes = dict(zip(Outcome, (ok, invalid, 0, errors, refused), strict=True))
    latency = latencies(ok + invalid, ms)
    protocols = {("http", outcome): n for outcome, n in outcomes.items()}
    return Window(model, number, role, generation, end - 1, end, outcomes, protocols, latency, ok, {})


@cache
def latencies(answers: int, ms: float) -> Counts:
    """A histogram of lognormal latencies around a median, the same at every call."""
    spread = [NormalDist(0, 0.3).inv_cdf((i + 0.5) / answers) for i in range(answers)]
    return latency_histogram(np.array([ms * 1e6 * math.exp(z) for z in spread], np.int64))


class FakeNodes:
    """The nodes of the workers of a fake fleet.

    `wrong` says what is wrong with a node's settings, `failing` why new workers of one do not stay up.
    """

    def __init__(self, fleet: "FakeFleet") -> None:
        self._fleet = fleet
        self.wrong: dict[str, str] = {}
        self.slow = False
        self.failing: dict[str, str] = {}
        self.rolled: list[str] = []

    def wanted(self) -> dict[str, int]:
        return self._fleet.nodes()

    def renewed(self, node: str) -> GatewayConfig:
        if node in self.wrong:
            raise LifecycleError(LifecycleCode.INVALID, self.wrong[node])
        return GatewayConfig(home=Path("/nowhere"), workers=self.wanted()[node])

    def roll(self, node: str, config: GatewayConfig) -> None:
        del config
        self.rolled.append(node)
        if not self.slow and node not in self.failing:
            self._fleet.roll(node)

    def failure(self, node: str) -> str:
        return self.failing.get(node, "")

    def admission(self) -> Admission:
        return Admission("10.0.0.5:6379", "secret")


def _node(worker: str) -> str:
    return WorkerReport(worker, 0).place.node


class FakeFleet:
    """Workers that load what tables name and say so.

    `broken` versions never load. While `asleep`, workers keep the table they have.
    """

    def __init__(self, workers: int = 2) -> None:
        self.table: RouteTable = EMPTY
        self.published: list[RouteTable] = []
        self.broken: set[tuple[str, int]] = set()
        self.asleep = False
        self.restarts = 0
        self.wanted: dict[str, int] = {}
        """Where it is not as many workers as there are."""
        self._names = [f"worker-{i}-1" for i in range(workers)]
        self._reports: tuple[WorkerReport, ...] = ()
        self.wake()

    def publish(self, table: RouteTable) -> None:
        self.table = table
        self.published.append(table)
        if not self.asleep:
            self.wake()

    def wake(self) -> None:
        """Every worker applies the present table."""
        wanted = {
            (route.name, entry.version) for route in self.table.models.values() for entry in route.versions
        }
        held = frozenset(
            (route.name, version) for route in self.table.models.values() for version in route.held
        )
        failed = dict.fromkeys(wanted & self.broken, "it is broken")
        memory = MemoryUse(
            {Placement.POOL: len(wanted - self.broken)}, held_bytes=5 * 2**20, budget_bytes=50 * 2**20
        )
        told = (self.table.generation, held - self.broken, failed, memory)
        self._reports = tuple(WorkerReport(name, *told) for name in self._names)

    def roll(self, node: str) -> None:
        """New workers in the place of all of a node."""
        self._names = [self._successor(name) if _node(name) == node else name for name in self._names]
        self.wake()

    def join(self, node: str, workers: int = 2) -> None:
        self._names += [f"{node}/worker-{i}-1" for i in range(workers)]
        self.wake()

    @staticmethod
    def _successor(name: str) -> str:
        slot, _, process = name.rpartition("-")
        return f"{slot}-{int(process) + 1}"

    def nodes(self) -> dict[str, int]:
        """How many workers each should have."""
        return dict(Counter(_node(name) for name in self._names)) | self.wanted

    def restart(self) -> None:
        """The controller makes way for another."""
        self.restarts += 1

    def workers(self) -> tuple[WorkerReport, ...]:
        return self._reports

    async def confirmed(
        self, generation: int, timeout_s: float, holding: Collection[tuple[str, int]] = ()
    ) -> bool:
        wanted = frozenset(holding)
        applied = [
            report.generation >= generation and wanted <= report.held | report.failed.keys()
            for report in self._reports
        ]
        return timeout_s > 0 and bool(applied) and all(applied)


def weights(table: RouteTable, model: str = "m") -> dict[int, float]:
    return dict(table.models[model].weights)


def kinds(records: Iterable[object]) -> list[str]:
    return [str(getattr(record, "kind", "")) for record in records]
