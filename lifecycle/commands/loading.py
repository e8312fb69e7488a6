"""Has every worker load versions before they get traffic, and lets go of those that then get none.

Outside of rollouts a version is held only meanwhile: whoever holds one here must release it.
"""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lifecycle.commands.lookup import active_rollout, find_model
from lifecycle.commands.perform import CONTROLLER
from lifecycle.commands.publish import Publisher
from lifecycle.core import traffic
from lifecycle.core.rollouts.decision import MAKE_ROOM
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry, Fleet, Store

LOAD_TIMEOUT_S = 120.0


class Loading:
    """One per process: it knows which changes are loading."""

    def __init__(self, store: Store, fleet: Fleet, publisher: Publisher) -> None:
        self._store = store
        self._fleet = fleet
        self._publisher = publisher
        self._changes: Counter[str] = Counter()

    def resume(self) -> None:
        """After a start: let go of what a change was loading when the controller before this one ended."""
        rolling = {rollout.model for rollout in self._store.rollouts(active=True)}
        for model in self._store.models():
            if model.held and model.name not in rolling:
                self._release(model, CONTROLLER, "traffic.undo", "the controller ended while it was loaded")

    def missing(self, before: Model, after: Model) -> frozenset[int]:
        """Versions that may not be ready on some live worker; all of them while there is no worker."""
        wanted, reports = frozenset(after.loaded()), self._fleet.workers()
        failed = {number for number in wanted for report in reports if (after.name, number) in report.failed}
        # What is only held may still be on its way: another change asked for it.
        served = frozenset(version for version, _ in before.weights) | frozenset(before.shadows)
        return wanted - served | failed if reports else wanted

    @asynccontextmanager
    async def loaded(
        self, model: Model, missing: frozenset[int], kind: str, actor: str
    ) -> AsyncIterator[Model]:
        """The model once every worker has loaded versions that are to get traffic in what follows.

        They are let go of again if they do not load, or if what follows fails.
        """
        if not missing:
            yield model
            return
        loading = traffic.holding(model, {*model.held, *missing})
        entry = Entry(actor, f"{kind}.load", model.name, traffic.split(loading))
        self._changes[model.name] += 1
        try:
            table = self._publisher.commit(entry, loading)
            holding = {(model.name, version) for version in missing}
            applied = await self._fleet.confirmed(table.generation, LOAD_TIMEOUT_S, holding)
            self.refuse_unloaded(model.name, missing, applied)
            yield loading
        except BaseException as error:
            self._let_go(model.name, actor, f"{kind}.undo", str(error) or type(error).__name__)
            raise
        finally:
            self._changes -= Counter((model.name,))

    def refuse_unloaded(self, model: str, missing: frozenset[int], applied: bool) -> None:
        """Raises LifecycleError: REFUSED if a worker could not load one, UNAVAILABLE if not all `applied`."""
        for version in sorted(missing):
            for report in self._fleet.workers():
                if reason := report.failed.get((model, version)):
                    if (model, version) in report.no_room:
                        reason += f"; {MAKE_ROOM}"
                    raise LifecycleError(
                        LifecycleCode.REFUSED,
                        f"a worker cannot load version {version} ({reason}); all stays as it was",
                    )
        if missing and not applied:
            raise LifecycleError(
                LifecycleCode.UNAVAILABLE,
                f"not every worker loaded version {min(missing)} in time; all stays as it was. "
                "See `headrace status` and repeat",
            )

    def _let_go(self, name: str, actor: str, kind: str, reason: str) -> None:
        """Of changes at the same time the last one lets go, of everything."""
        model = find_model(self._store, name)
        if model.held and self._changes[name] == 1 and active_rollout(self._store, name) is None:
            self._release(model, actor, kind, reason)

    def _release(self, model: Model, actor: str, kind: str, reason: str) -> None:
        undone = traffic.holding(model, ())
        detail = traffic.split(undone) | {"reason": reason}
        self._publisher.commit(Entry(actor, kind, model.name, detail), undone)
