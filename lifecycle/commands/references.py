"""Takes the reference profile of a version that came without data from its first live traffic.

What a version first sees as champion then counts as normal: drift is told from that. Must never replace a
profile, nor act on a model in a rollout, whose two versions are being compared.
"""

import asyncio
import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from gateway.core.capture import CaptureBlock
from gateway.core.profile import Profile
from gateway.core.types import Array, Role, VersionKey
from lifecycle.commands.lookup import active_rollout, find_model, find_version
from lifecycle.commands.perform import CONTROLLER
from lifecycle.commands.publish import Publisher
from lifecycle.core.version import Version
from lifecycle.errors import LifecycleError
from lifecycle.ports import Artifacts, Entry, Store
from lifecycle.tensors import to_array

log = logging.getLogger(__name__)

MOST_FOLLOWED = 10_000
"""Versions whose captures are counted at a time."""


class LiveReferences:
    """Counts what champions without a profile have answered, and takes profiles that are due.

    Args:
        first: the first so many predictions of a version as champion, as columns of the capture log.
        taken: told the model and version of each profile that was taken.
        rows: so many make a profile; 0: none are made.
    """

    def __init__(
        self,
        store: Store,
        artifacts: Artifacts,
        publisher: Publisher,
        first: Callable[[str, int, int], pa.Table],
        taken: Callable[[str, int], None],
        rows: int,
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._publisher = publisher
        self._first = first
        self._taken = taken
        self._rows = rows
        self._seen: Counter[VersionKey] = Counter()
        self._over: set[VersionKey] = set()

    def count(self, captures: Iterable[CaptureBlock]) -> None:
        """Captures that have just been added to the log."""
        for block in captures:
            key = (block.model, block.version)
            followed = key in self._seen or (key not in self._over and len(self._seen) < MOST_FOLLOWED)
            if block.role is Role.CHAMPION and followed:
                self._seen[key] += len(block.ids) * _rows_each(block)

    async def tick(self) -> None:
        """Take the profiles that are due. A failure is tried again with as many rows more."""
        if not self._rows:
            self._seen.clear()
        # Copied at once: captures are counted in a thread meanwhile.
        for model, number in [key for key, rows in list(self._seen.items()) if rows >= self._rows]:
            del self._seen[model, number]
            try:
                if await self._take(model, number):
                    self._over.add((model, number))
            except LifecycleError as error:
                log.warning("no reference for version %d of %s: %s", number, model, error)

    async def _take(self, model: str, number: int) -> bool:
        """Whether nothing is left to do for this version."""
        if find_version(self._store, model, number).profile:
            return True
        if active_rollout(self._store, model) or find_model(self._store, model).champion != number:
            return False
        rows = await asyncio.to_thread(self._first, model, number, self._rows)
        stored = await asyncio.to_thread(self._stored, find_version(self._store, model, number), rows)
        # People and rollouts may have gone ahead meanwhile; what is held is about to get traffic from them.
        current, version = find_model(self._store, model), find_version(self._store, model, number)
        if stored is None or version.profile or current.held or active_rollout(self._store, model):
            return False
        version = replace(version, profile=stored[0], profile_digest=stored[1], live_rows=rows.num_rows)
        detail = {"version": number, "source": "live", "rows": rows.num_rows, "digest": stored[1]}
        entry = Entry(CONTROLLER, "reference.taken", model, detail)
        self._publisher.commit(entry, replace(current, revision=current.revision + 1), version)
        self._taken(model, number)
        return True

    def _stored(self, version: Version, rows: pa.Table) -> tuple[str, str] | None:
        sides = {
            side: {
                spec.name: array
                for spec in specs
                if (array := _stacked(rows, f"{side}.{spec.name}")) is not None
            }
            for side, specs in (("inputs", version.signature.inputs), ("outputs", version.signature.outputs))
        }
        profile = Profile.of(sides["inputs"], sides["outputs"])
        if rows.num_rows < self._rows or not profile.keys():
            return None
        with tempfile.NamedTemporaryFile() as file:
            file.write(profile.to_bytes())
            file.flush()
            return self._artifacts.put(Path(file.name))


def _rows_each(block: CaptureBlock) -> int:
    """Rows of each request, which the log keeps one by one; 1 where tensors share no batch dimension."""
    lengths = {array.shape[1] if array.ndim > 1 else -1 for array in block.inputs.values()}
    return lengths.pop() if len(lengths) == 1 and -1 not in lengths else 1


def _stacked(rows: pa.Table, column: str) -> Array | None:
    """A tensor of all rows; None if they lack it or differ in its shape."""
    if column not in rows.column_names:
        return None
    try:
        return to_array(rows[column])
    except ValueError:
        return None
