"""Asks the calendar before traffic changes. Only an admin's recorded word goes over it."""

from collections.abc import Callable, Sequence

from lifecycle.core.governance.freeze import Freeze, frozen
from lifecycle.core.rollouts.rollout import Phase, Rollout
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry, Store


class Calendar:
    """The freezes of a node, and who went over one.

    Args:
        clock: Unix time in seconds.
    """

    def __init__(self, store: Store, freezes: Sequence[Freeze], clock: Callable[[], float]) -> None:
        self._store = store
        self._freezes = freezes
        self._clock = clock

    def freeze(self, model: str) -> Freeze | None:
        """What holds a model's traffic now."""
        return frozen(self._freezes, model, self._clock())

    def holds(self, rollout: Rollout) -> str:
        """Why a freeze keeps the rollout where it is; empty if none does."""
        if not rollout.active or rollout.overrides or rollout.phase is Phase.BAKE:
            return ""
        freeze = self.freeze(rollout.model)
        return self.says(freeze) if freeze else ""

    def says(self, freeze: Freeze) -> str:
        """A freeze in words: which one, and until when."""
        over = freeze.over(self._clock())
        until = f" until {over:%Y-%m-%d %H:%M %Z}" if over else ""
        return f"traffic is frozen{until} (`{freeze.name}`)"

    def admit(self, model: str, doing: str, actor: str, override: str) -> bool:
        """Whether a freeze was overridden, which is then in the ledger.

        Args:
            doing: what is to be done, for the ledger.
            override: why it is done in spite of a freeze; empty for not at all. The caller checks the role.

        Raises:
            LifecycleError: CONFLICT in a freeze that nobody overrides.
        """
        if (freeze := self.freeze(model)) is None:
            return False
        if not override:
            message = f"{self.says(freeze)}; an admin may go ahead with `headrace --override REASON …`"
            raise LifecycleError(LifecycleCode.CONFLICT, message)
        detail = {"freeze": freeze.name, "doing": doing, "reason": override}
        self._store.commit(Entry(actor, "freeze.overridden", model, detail))
        return True
