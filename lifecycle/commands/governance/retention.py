"""Takes files out of the artifact store that nothing needs any more. What goes is in the ledger first."""

from collections.abc import Callable
from dataclasses import dataclass

from lifecycle.core.governance.retention import Retention, StoredFile, needed, removable
from lifecycle.ports import Artifacts, Entry, Store

_MOST_TOLD = 1_000
"""Digests in one ledger record."""


@dataclass(frozen=True, slots=True)
class Collection:
    """What a collection took, or would take."""

    files: tuple[StoredFile, ...]
    kept: int
    dry_run: bool

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files)


class Collector:
    """Removes files by the rule of retention.

    Args:
        clock: Unix time in seconds, the wall clock's, as file stores have it.
    """

    def __init__(
        self, store: Store, artifacts: Artifacts, retention: Retention, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._retention = retention
        self._clock = clock

    def collect(self, actor: str, *, dry_run: bool = False) -> Collection:
        """Remove what is over its time. Blocks. Repeating it is safe, and so is a crash within.

        Raises:
            LifecycleError: UNAVAILABLE if the artifact store cannot be read or written.
        """
        # Listed before the registry is read: what is stored and registered after that is not in the list.
        stored = tuple(self._artifacts.stored())
        now = self._clock()
        found = removable(stored, self._needed(now), self._retention, now)
        if found and not dry_run:
            for start in range(0, len(found), _MOST_TOLD):
                part = found[start : start + _MOST_TOLD]
                detail = {"digests": [file.digest for file in part], "bytes": sum(file.size for file in part)}
                self._store.commit(Entry(actor, "artifacts.collected", "", detail))
            found = tuple(file for file in found if self._remove(file, now))
        return Collection(found, len(stored) - len(found), dry_run)

    def _needed(self, now: float) -> set[str]:
        models = self._store.models()
        versions = [version for model in models for version in self._store.versions(model.name)]
        return needed(models, versions, self._store.rollouts(active=True), self._retention, now)

    def _remove(self, file: StoredFile, now: float) -> bool:
        # Somebody may register these bytes at this moment: storing them makes the file young again.
        return self._artifacts.remove(file.digest, now - self._retention.unreferenced_s)
