"""The seams of the data path, named by role. Implementations meet only in `app.py` and `local.py`."""

from collections.abc import Mapping
from typing import Protocol

from gateway.core.routing import RouteTable, VersionEntry
from gateway.core.signature import Signature
from gateway.core.types import Array, InferRequest, InferResponse, Outcome, Role


class LoadedVersion(Protocol):
    """A version in memory, warmed and ready to answer."""

    @property
    def entry(self) -> VersionEntry: ...

    @property
    def signature(self) -> Signature: ...

    async def run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], deadline_ns: int
    ) -> dict[str, Array]:
        """Outputs by name, in the graph's order; `outputs` empty means all.

        Does not suspend when it runs inline. Raises GatewayError OVERLOADED, DEADLINE or INTERNAL.
        """
        ...


class Loader(Protocol):
    """Brings versions into memory and lets them go."""

    async def load(self, model: str, entry: VersionEntry) -> LoadedVersion:
        """Load and warm. Raises GatewayError INTERNAL if the artifact is missing, altered or broken."""
        ...

    async def unload(self, version: LoadedVersion) -> None:
        """Release a version that no request will be routed to again."""
        ...


class Tap(Protocol):
    """Sees every answered request. Must cost a few microseconds and never raise or wait."""

    def record(
        self,
        request: InferRequest,
        version: int,
        role: Role,
        outcome: Outcome,
        latency_ns: int,
        outputs: Mapping[str, Array] | None,
        prediction_id: str,
    ) -> None: ...


class Shadow(Protocol):
    """Copies requests to shadow versions after their answer. Full queues drop and count."""

    def submit(self, request: InferRequest, response: InferResponse, shadows: tuple[int, ...]) -> None: ...


class Routes(Protocol):
    """Where the pipeline finds the current table and what is loaded for it."""

    @property
    def table(self) -> RouteTable: ...

    def loaded(self, model: str, version: int) -> LoadedVersion:
        """Raises GatewayError NOT_READY while the version is not in memory."""
        ...


class Engine(Protocol):
    """What a server calls: the pipeline, seen from a protocol."""

    async def infer(self, request: InferRequest) -> InferResponse: ...

    @property
    def routes(self) -> Routes: ...
