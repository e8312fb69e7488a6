"""The seams of the control loop, named by role. Implementations meet only in `app.py`."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from gateway.core.capture import CaptureBlock
from gateway.core.keys import Key
from gateway.core.report import WorkerReport as WorkerReport
from gateway.core.routing import RouteTable
from gateway.core.types import VersionKey
from lifecycle.core.asked import Asked
from lifecycle.core.dedicated import Application, State
from lifecycle.core.governance.checkpoint import Kept, Statement
from lifecycle.core.governance.ledger import Head, Record
from lifecycle.core.governance.retention import StoredFile
from lifecycle.core.inspection import Inspection, Limits
from lifecycle.core.learning.feedback import LabelReceipt as LabelReceipt
from lifecycle.core.lease import Lease
from lifecycle.core.origin import Origin as Origin
from lifecycle.core.origin import ShadowAnswer as ShadowAnswer
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.version import Model, Version


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be written to the ledger with a change; the store adds number, time and hash."""

    actor: str
    kind: str
    model: str
    detail: dict[str, Any] = field(default_factory=dict)


class Store(Protocol):
    """The system of record. All reads are of committed state."""

    def models(self, name: str | None = None) -> list[Model]:
        """By name; only the one of this name if given."""

    def versions(self, model: str) -> list[Version]:
        """By number, lowest first."""

    def version_counts(self) -> dict[str, int]:
        """How many versions each model has, of those that have any."""

    def rollouts(self, model: str | None = None, *, active: bool = False) -> list[Rollout]:
        """Newest first."""

    def api_keys(self) -> list[Key]:
        """Every API key that ever was, by name."""

    def commit(self, entry: Entry, *values: Model | Version | Rollout | Key) -> Record:
        """Write values and their ledger record in one durable transaction.

        Raises LifecycleError STALE if a model's stored revision is not the given one minus 1 (a new
        model has revision 1), CONFLICT if a version number is taken by another digest or if another
        controller has taken the lease.
        """

    def save(self, rollout: Rollout) -> None:
        """Keep what an active rollout has seen so far. No decision, so no ledger record."""

    def records(
        self,
        model: str | None = None,
        *,
        after: int = 0,
        limit: int = 1000,
        scope: Sequence[str] = (),
        kind: str = "",
    ) -> list[Record]:
        """Ledger records, oldest first: of one model if it is given, and of what a key's `models` cover.

        Of a kind if it is given, and of its parts: `rollout` is `rollout.start`, `rollout.promote`…
        """

    def head(self) -> Head:
        """The ledger's last record, as it was noted when it was written."""

    def next_generation(self) -> int:
        """A number higher than any given before, by whoever held the lease."""


class Requests(Protocol):
    """Remembers for a day what was asked for under which idempotency key, and the answer."""

    def ask(self, caller: str, key: str, fingerprint: str, now: float) -> Asked | None:
        """Note a request, durably, before it is carried out; what was noted if the key was used already."""

    def answer(self, caller: str, key: str, asked: Asked) -> None:
        """Keep its answer. Durable on return."""

    def forget(self, caller: str, key: str) -> None:
        """It was not carried out: the key may be used again."""


class Deliveries(Protocol):
    """How far each webhook has come in the ledger."""

    def reached(self, hook: str) -> int | None:
        """Number of the last record that its receiver took; None for a new webhook."""

    def reach(self, hook: str, seq: int) -> None: ...


class Leases(Protocol):
    """Where controllers agree on which of them acts."""

    def lease(self) -> Lease: ...

    def take(self, seen: Lease, holder: str) -> Lease | None:
        """Hold it, unless it has changed since it was seen: then None. Fences off who held it before."""

    def renew(self, held: Lease) -> Lease:
        """Show that its holder lives. Raises LifecycleError CONFLICT if another has taken it."""

    def release(self, held: Lease) -> None:
        """Let others take it at once. Raises as `renew` does."""


class Checkpoints(Protocol):
    """Signed statements about the ledger, kept outside of its database."""

    @property
    def key(self) -> str:
        """The public key that they are checked with, in hexadecimal."""

    def add(self, statement: Statement) -> None:
        """Sign and keep one. Never replaces another."""

    def read(self) -> Kept:
        """All of them, each checked with the key."""


class Fleet(Protocol):
    """All gateway workers, as the controller sees them."""

    def publish(self, table: RouteTable) -> None:
        """Make this the table that workers pull. Returns at once."""

    @property
    def table(self) -> RouteTable: ...

    def workers(self) -> tuple[WorkerReport, ...]:
        """Live workers only."""

    async def confirmed(
        self, generation: int, timeout_s: float, holding: Collection[VersionKey] = ()
    ) -> bool:
        """Whether every live worker applied this generation in time.

        Args:
            holding: versions to be held that each worker must also have in memory, or have failed to load.
        """


class Applications(Protocol):
    """The Serve applications of dedicated versions. Every call blocks."""

    def states(self) -> Mapping[str, State]:
        """Every such application, by name."""

    def start(self, application: Application) -> None:
        """Ask for one; it runs later."""

    def renew(self, application: Application) -> str:
        """Ask for new processes of one that there is, which end the old ones once they run.

        Nothing is asked if they could never come, or the old ones would have no successor either: says why.
        """

    def end(self, name: str) -> None:
        """Ask for its end; requests that it has got are answered first."""


class Artifacts(Protocol):
    """Immutable files by digest."""

    def put(self, source: Path) -> tuple[str, str]:
        """Store a file; returns (URI, `sha256:<hex>` digest). Storing it again changes nothing."""

    def held(self, digest: str) -> bool: ...  # by this machine, so that `fetch` asks no store

    def fetch(self, uri: str, digest: str) -> Path:
        """A local, verified copy. Raises LifecycleError REFUSED if the bytes do not match."""

    def stored(self) -> Iterator[StoredFile]: ...

    def remove(self, digest: str, before: float) -> bool:
        """Whether a file was removed: not one that was stored (again) since `before`, Unix seconds."""


class Sandbox(Protocol):
    """Loads and runs an artifact in a disposable process."""

    async def inspect(
        self,
        artifact: Path,
        limits: Limits,
        rows: Mapping[str, Path] | None = None,
        beside: Path | None = None,
    ) -> Inspection:
        """Never raises for what the artifact does: a crash or a hang is a FAIL finding.

        Args:
            rows: Parquet files of rows to run through the artifact, by the name of the row set.
            beside: the champion's artifact, to answer the labelled ones and be measured in the same process.
        """


class CaptureLog(Protocol):
    """Predictions kept whole, and the labels and numbers that arrive for them."""

    def append(self, blocks: Iterable[CaptureBlock]) -> None: ...

    def label(
        self, model: str, labels: pa.Table, received_at: float, metric: str = "", source: str = ""
    ) -> LabelReceipt:
        """Add labels: columns `prediction_id` (string) and `label`, and maybe `at`. Durable on return.

        `at`, Unix seconds, is when the label became known; null for now. `source` is who says so. With the
        name of a business metric, `label` holds its numbers (float64) and no labels.
        """

    def labelled(
        self, model: str, since: float = 0.0, *, came_since: float = 0.0, inputs: bool = True
    ) -> pa.Table:
        """Joined rows: prediction_id, at, version, role, inputs.<tensor>, outputs.<tensor>, label, source
        and labelled_at, when the label came, Unix seconds.

        Of predictions made since a time, and labels that came since one. Oldest first, without shadows.
        `inputs=False` leaves out the input tensors, most of the bytes.
        """

    def made(self, model: str, since: float = 0.0, *, tensors: bool = False) -> pa.Table:
        """Columns at and version of every captured prediction, labelled or not, without shadows.

        Oldest first. With `tensors` also inputs.<tensor> and outputs.<tensor>.
        """

    def numbers(self, model: str, *, came_since: float = 0.0) -> Mapping[str, pa.Table]:
        """By metric, columns at, version, value and came, when the number came, Unix seconds.

        Of every captured prediction with a number that came since a time, oldest first. Without shadows, and
        without pinned requests: those are evidence for nothing.
        """

    def labels_count(self, model: str) -> int:
        """Labels and numbers that stand. While it is the same, nothing is new but late captures."""


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """`recipe` is `module:function`; `data` a Parquet file with columns `inputs.<tensor>` and `label`."""

    model: str
    recipe: str
    data: Path
    output: Path
    cause: str


class Trainer(Protocol):
    """Runs recipes."""

    async def train(self, job: TrainingJob) -> Sequence[Path]:
        """Run the recipe at low priority; returns the ONNX file and its reference data file.

        Raises LifecycleError REFUSED with the recipe's error.
        """
