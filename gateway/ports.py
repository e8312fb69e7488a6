"""The seams of the data path, named by role. Implementations meet only in `worker.py`."""

from array import array
from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from gateway.core.batching import Batching
from gateway.core.placement import Device, Placed
from gateway.core.routing import RouteTable, VersionEntry
from gateway.core.signature import Signature
from gateway.core.types import Array, InferRequest, InferResponse, Outcome, Role, VersionKey


class LoadedVersion(Protocol):
    """A version in memory, warmed and ready to answer."""

    @property
    def entry(self) -> VersionEntry: ...

    @property
    def signature(self) -> Signature: ...

    @property
    def size_bytes(self) -> int:
        """Memory that it takes, as measured when it was loaded."""
        ...

    @property
    def running(self) -> int:
        """Runs under way on other threads; while there are any, it must stay in memory."""
        ...

    @property
    def batching(self) -> Batching:
        """What sharing runs with other requests does to an answer."""
        ...

    @property
    def device(self) -> Device: ...

    @property
    def placed(self) -> Placed: ...

    async def run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], deadline_ns: int
    ) -> dict[str, Array]:
        """Outputs by name, in the graph's order; `outputs` empty means all.

        Does not suspend when it runs inline. Raises GatewayError OVERLOADED, DEADLINE or INTERNAL.
        """
        ...


@runtime_checkable
class Bindable(LoadedVersion, Protocol):
    """One that can also run inline on arrays that stay in their place.

    `plans` is what servers keep of it; emptied when it leaves memory.
    """

    plans: dict[object, object]

    def bind(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Callable[[], None] | None:
        """A run from these inputs to these outputs, whatever the inputs hold when it is called.

        None where such a request would not run inline. The run raises if the model fails, or gives outputs of
        another shape.
        """
        ...


class Loader(Protocol):
    """Brings versions into memory and lets them go."""

    async def load(self, model: str, entry: VersionEntry) -> LoadedVersion:
        """Load and warm. Raises GatewayError INTERNAL if the artifact is missing, altered or broken."""
        ...

    def unload(self, model: str, version: LoadedVersion) -> None:
        """Release a version; it may be loaded again later."""
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


MeterKey = tuple[str, int, Role, str]
"""Model, version, role and protocol."""


class Meter(Protocol):
    """Sound answers of one kind that nobody recorded one by one. Each call is one step to other threads."""

    generation: int
    """Of the table in force."""
    share: float
    """Of the requests, those whose tensors are kept."""

    @property
    def key(self) -> MeterKey: ...

    @property
    def waiting(self) -> int:
        """Answers that nobody has taken yet."""
        ...

    def fresh(self) -> int:
        """Answers since the last call; `take` counts as one."""
        ...

    def take(self) -> "tuple[int, array[int], int]":
        """The generation, a latency in ns for each answer and the sum of their rows, since the last call."""
        ...


class Keep(Protocol):
    """Takes the tensors of an answered request, or drops and counts them."""

    def __call__(
        self,
        model: str,
        version: int,
        role: Role,
        inputs: Mapping[str, Array],
        outputs: Mapping[str, Array],
        prediction_id: str,
        rows: int,
    ) -> None: ...


class Shadow(Protocol):
    """Copies requests to shadow versions after their answer. Full queues drop and count."""

    def submit(self, request: InferRequest, response: InferResponse, shadows: tuple[int, ...]) -> None: ...


class Routes(Protocol):
    """Where the pipeline finds the current table and what is loaded for it."""

    @property
    def table(self) -> RouteTable: ...

    @property
    def failed(self) -> Mapping[VersionKey, str]:
        """Versions of the table that did not load when last tried or cannot run now, with the reason."""
        ...

    def loaded(self, model: str, version: int) -> LoadedVersion | None:
        """The version, which counts as used now; None while it is not in memory."""
        ...

    async def load(self, model: str, version: int, deadline_ns: int) -> LoadedVersion:
        """Bring a version into memory for a request that waits.

        Raises GatewayError NOT_READY if that takes too long or there is no room, DEADLINE, or what the
        load raises.
        """
        ...


class Repository(Protocol):
    """Where models are loaded and unloaded by people's rules: the lifecycle controller."""

    async def change(self, verb: str, model: str, actor: str) -> None:
        """`load` or `unload`; returns when all workers have done it.

        Raises GatewayError NOT_READY if nobody answers, else what the registry says.
        """
        ...


class Engine(Protocol):
    """What a server calls: the pipeline, seen from a protocol."""

    def check_room(self, model: str) -> None:
        """Raise GatewayError OVERLOADED if a request for the model would be refused, whatever is in it."""
        ...

    async def infer(self, request: InferRequest) -> InferResponse: ...

    @property
    def routes(self) -> Routes: ...
