"""What the ledger says of a model's trainings, and of versions that people took back from live traffic."""

from dataclasses import dataclass, field
from typing import Self

from lifecycle.commands.perform import CONTROLLER
from lifecycle.commands.trail import trail
from lifecycle.core.governance.ledger import Record
from lifecycle.ports import Store

ACTOR = "retraining"
"""Who submits retrained versions."""
_TAKES_BACK = ("traffic.rollback", "rollout.roll_back", "rollout.abort")


@dataclass(slots=True)
class Past:
    """Times are Unix seconds.

    Args:
        started: when each training began.
        asked_at: when a person last asked for one.
        unfinished: no record says what came of the last one.
        taken_back_at: when a person last rolled back or aborted; None if nobody did.
        taken_back: versions that had traffic until a person rolled back, and have had none since.
    """

    started: tuple[float, ...] = ()
    asked_at: float = 0.0
    unfinished: bool = False
    taken_back_at: float | None = None
    taken_back: set[int] = field(default_factory=set)
    _served: set[int] = field(default_factory=set)
    _seq: int = 0

    @classmethod
    def of(cls, store: Store, model: str) -> Self:
        """All of it; trainings from here on are for the caller to note."""
        past = cls()
        for record in trail(store, model):
            past._train(record)
            past._split(record)
        return past

    def follow(self, store: Store, model: str) -> None:
        """What people took back since the last look."""
        for record in trail(store, model, after=self._seq):
            self._split(record)

    def _train(self, record: Record) -> None:
        if record.kind == "retrain.started":
            self.started = (*self.started, record.at)
            self.asked_at = self.asked_at if record.actor == ACTOR else record.at
        if record.kind.startswith("retrain."):
            self.unfinished = record.kind == "retrain.started"

    def _split(self, record: Record) -> None:
        self._seq = record.seq
        if "weights" not in record.detail:
            return
        served = {int(version) for version in record.detail["weights"]}
        if record.kind in _TAKES_BACK and record.actor != CONTROLLER:
            self.taken_back_at = record.at
            self.taken_back |= self._served - served
        self.taken_back -= served
        self._served = served
