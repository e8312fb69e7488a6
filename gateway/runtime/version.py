"""A version in memory: small requests run in the event loop, others on the pool, joined where they may be."""

import time
from collections.abc import Callable, Mapping
from copy import copy

from onnxruntime import RunOptions

from gateway.config import Serving
from gateway.core.batching import Batching, permitted
from gateway.core.figures import Run
from gateway.core.placement import Device, Placed, Placement
from gateway.core.routing import VersionEntry
from gateway.core.signature import Signature
from gateway.core.types import Array
from gateway.errors import late
from gateway.runtime.batcher import Batcher
from gateway.runtime.placement import inline_elements
from gateway.runtime.pool import Pool
from gateway.runtime.session import Session
from gateway.runtime.stages import Note
from gateway.runtime.warmup import Warmth


class OnnxVersion:
    """Implements `ports.LoadedVersion`.

    Args:
        warmth: what warming found: from it come where a request runs, and whether rows may be joined.
        size_bytes: memory that the session takes.
        note: is told of every run on the pool.
    """

    def __init__(
        self,
        entry: VersionEntry,
        session: Session,
        pool: Pool,
        *,
        warmth: Warmth,
        size_bytes: int,
        serving: Serving,
        note: Note,
    ) -> None:
        self.entry = entry
        self.signature: Signature = entry.signature
        self.size_bytes = size_bytes
        self._session = session
        self._pool = pool
        self._inline = inline_elements(entry.placement, warmth.cost)
        place = Placement.POOL if self._inline < 0 else Placement.INLINE
        self.placed = Placed(place, warmth.cost.row_ns)
        self._note = note
        self.plans: dict[object, object] = {}
        self.batching = permitted(warmth.batching, serving.batching)
        self._batcher = None
        if self.batching is not Batching.OFF:
            self._batcher = Batcher(session, pool, warmth.cost, serving.max_batch_ms * 1e6, note)

    @property
    def running(self) -> int:
        return self._session.running  # of all that share it

    @property
    def device(self) -> Device:
        return self._session.device

    def renewed(self, entry: VersionEntry) -> "OnnxVersion":
        """The same in memory under another entry of the same file."""
        version = copy(self)
        version.entry = entry
        version.plans = {}
        return version

    def bind(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Callable[[], None] | None:
        if sum(array.size for array in inputs.values()) > self._inline:
            return None
        return self._session.bind(inputs, outputs)

    async def run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], deadline_ns: int
    ) -> dict[str, Array]:
        elements = 0
        for array in inputs.values():
            elements += array.size
        if elements <= self._inline:
            if deadline_ns and time.monotonic_ns() >= deadline_ns:
                raise late()
            return self._session.run(inputs, outputs)
        self._session.running += 1
        try:
            if self._batcher is not None:
                return await self._batcher.run(inputs, outputs, deadline_ns)

            arrived_ns = time.monotonic_ns()

            def job(options: RunOptions) -> dict[str, Array]:
                started_ns = time.monotonic_ns()
                try:
                    return self._session.run(inputs, outputs, options)
                finally:
                    ended_ns = time.monotonic_ns()
                    self._note(Run((arrived_ns,), arrived_ns, started_ns, ended_ns, _rows(inputs)))

            return await self._pool.submit(job, deadline_ns, self._session)
        finally:
            self._session.running -= 1


def _rows(inputs: Mapping[str, Array]) -> int:
    first = next(iter(inputs.values()))
    return len(first) if first.ndim else 1
