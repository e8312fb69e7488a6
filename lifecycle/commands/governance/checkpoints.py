"""Keeps checkpoints of the ledger coming while the controller runs."""

from lifecycle.core.governance.checkpoint import Rhythm, Statement
from lifecycle.ports import Checkpoints, Store


class Checkpointer:
    """Notes the ledger's head outside its database, in a rhythm.

    What was written since the last checkpoint is not covered by any; the rhythm bounds how much that is.
    """

    def __init__(self, store: Store, checkpoints: Checkpoints, rhythm: Rhythm) -> None:
        self._store = store
        self._checkpoints = checkpoints
        self._rhythm = rhythm
        self._last: Statement | None = None

    def unsealed(self) -> int:
        """How many records the last checkpoint knows nothing of; all of them before the first."""
        return self._store.head().seq - (self._last.head.seq if self._last else 0)

    def tick(self, now: float) -> None:
        """Add a checkpoint if one is due at `now`, Unix seconds. Raises LifecycleError UNAVAILABLE."""
        head = self._store.head()
        if self._last is None or self._rhythm.due(self._last, head, now):
            self.note(now)

    def note(self, now: float) -> None:
        """Add a checkpoint now, unless the last one says the same."""
        head = self._store.head()
        if head.seq and (self._last is None or head != self._last.head):
            self._checkpoints.add(Statement(head, now))
        self._last = Statement(head, now)
