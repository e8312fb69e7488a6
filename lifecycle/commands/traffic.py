"""Traffic set by people: load everywhere first, then switch, then see it confirmed."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakValueDictionary

from gateway.core.limits import ModelLimits
from gateway.core.placement import Placement
from lifecycle.commands.governance.calendar import Calendar
from lifecycle.commands.loading import LOAD_TIMEOUT_S, Loading
from lifecycle.commands.lookup import active_rollout, find_model, find_versions
from lifecycle.commands.perform import perform
from lifecycle.commands.publish import Publisher
from lifecycle.core import traffic
from lifecycle.core.rollouts.rollout import Action, Kind
from lifecycle.core.stages import TRANSITIONS, Event
from lifecycle.core.version import Model, Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry, Fleet, Store

CONFIRM_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Change:
    """A model after a change of its traffic.

    Args:
        load_seconds: until every worker held what was to get traffic.
        confirm_seconds: from the switch until every worker had confirmed it.
        confirmed: False if some worker had not by the time limit; it still will, or it is gone.
    """

    model: Model
    load_seconds: float = 0.0
    confirm_seconds: float = 0.0
    confirmed: bool = False


class Traffic:
    """One per process, so that two changes of one model wait for each other; going back waits for none.

    Args:
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        publisher: Publisher,
        clock: Callable[[], float],
        calendar: Calendar | None = None,
    ) -> None:
        self._store = store
        self._calendar = calendar or Calendar(store, (), clock)
        self._fleet = fleet
        self._publisher = publisher
        self._clock = clock
        self.loading = Loading(store, fleet, publisher)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def _changing(self, model: str) -> asyncio.Lock:
        """Held by whoever changes this model; gone when nobody does."""
        return self._locks.setdefault(model, asyncio.Lock())

    def show(self, model: str) -> Model:
        return find_model(self._store, model)

    async def set(
        self,
        model: str,
        weights: Mapping[int, float],
        shadows: Collection[int] | None = None,
        *,
        if_revision: int | None = None,
        dry_run: bool = False,
        override: str = "",
        actor: str,
    ) -> Change:
        """Split live traffic by hand.

        Args:
            weights: percent by version, summing to 100.
            shadows: versions that get copies; None leaves them as they are.
            if_revision: refuse unless the model is at this revision.
            dry_run: say what would be, change nothing.
            override: why it is done in spite of a freeze, as an admin may.

        Raises:
            LifecycleError: INVALID, NOT_FOUND, STALE; CONFLICT while a rollout is active or in a freeze;
                REFUSED if a worker cannot load a version; UNAVAILABLE if workers do not answer. Nothing
                has then changed.
        """
        async with self._changing(model):
            before = find_model(self._store, model, if_revision)
            self._refuse_during_rollout(model)
            after = traffic.with_weights(before, find_versions(self._store, model), weights, shadows)
            if dry_run:
                return Change(after)
            self._calendar.admit(model, "traffic.set", actor, override)
            return await self._change(before, after, "traffic.set", actor)

    async def stop(self, model: str, *, actor: str) -> Change:
        """Take all traffic away. Raises LifecycleError NOT_FOUND, or CONFLICT in a rollout or a freeze."""
        async with self._changing(model):
            before = find_model(self._store, model)
            self._refuse_during_rollout(model)
            self._calendar.admit(model, "traffic.stop", actor, "")
            return await self._change(before, traffic.stopped(before), "traffic.stop", actor)

    async def rollback(self, model: str, *, if_revision: int | None = None, actor: str) -> Change:
        """Go back: end the active rollout, or else return to the champion before this one.

        Waits for no other change: one that is still loading is overtaken and refused as STALE.
        """
        before = find_model(self._store, model, if_revision)
        if rollout := active_rollout(self._store, model):
            action = Action(Kind.ROLL_BACK, f"rolled back by {actor}")
            perform(self._store, self._publisher, rollout, action, actor, self._clock())
            return await self._confirm(find_model(self._store, model), 0.0)
        after = traffic.rolled_back(before)
        traffic.servable(model, find_versions(self._store, model), after.champion)
        return await self._change(before, after, "traffic.rollback", actor)

    async def limit(
        self, model: str, limits: ModelLimits, *, if_revision: int | None = None, actor: str
    ) -> Change:
        """Set what a model may take of each worker, also while a rollout is active."""
        async with self._changing(model):
            before = find_model(self._store, model, if_revision)
            after = replace(before, revision=before.revision + 1, limits=limits)
            return await self._settle(after, "limits.set", {"limits": limits.as_json()}, actor)

    async def place(
        self, model: str, placement: Placement, *, if_revision: int | None = None, actor: str
    ) -> Change:
        """Say where all versions of a model run, also while a rollout is active.

        Each stays where it is until it is ready where it goes; `load_seconds` is until then.

        Raises LifecycleError NOT_FOUND, STALE, or REFUSED if a version does not load there; nothing has then
        changed.
        """
        async with self._changing(model):
            before = find_model(self._store, model, if_revision)
            after = replace(before, revision=before.revision + 1, placement=placement)
            change = await self._settle(after, "placement.set", {"placement": placement}, actor)
            try:
                self.loading.refuse_unloaded(model, frozenset(after.loaded()), True)
            except LifecycleError as error:
                present = find_model(self._store, model)
                back = replace(present, revision=present.revision + 1, placement=before.placement)
                detail = {"placement": back.placement, "reason": error.message}
                await self._settle(back, "placement.undo", detail, actor)
                raise
            return change

    async def cache(self, model: str, max_mb: int, *, if_revision: int | None = None, actor: str) -> Change:
        """Have each worker keep so many MiB of the model's answers for requests that come again; 0: none."""
        async with self._changing(model):
            before = find_model(self._store, model, if_revision)
            after = replace(before, revision=before.revision + 1, cache_mb=max_mb)
            return await self._settle(after, "cache.set", {"max_mb": max_mb}, actor)

    async def _settle(self, model: Model, kind: str, detail: dict[str, Any], actor: str) -> Change:
        """Write a change of how a model is served, and see every worker follow it."""
        started = _now()
        self._publisher.commit(Entry(actor, kind, model.name, traffic.split(model) | detail), model)
        await self._publisher.settled(model.name, LOAD_TIMEOUT_S)
        return await self._confirm(model, _now() - started)

    async def keep(self, model: str, resident: bool, *, if_revision: int | None = None, actor: str) -> Change:
        """Have every worker keep what the model serves in memory, whatever its budget, or load it by demand.

        Raises LifecycleError NOT_FOUND, STALE, REFUSED if a worker has no room, or UNAVAILABLE if workers
        do not answer. Nothing has then changed.
        """
        async with self._changing(model):
            before = find_model(self._store, model, if_revision)
            wanted = frozenset(before.loaded()) if resident else frozenset[int]()
            async with self.loading.loaded(before, wanted, "memory", actor) as present:
                after = replace(present, revision=present.revision + 1, resident=resident, held=before.held)
                return await self._settle(after, "memory.set", {"resident": resident}, actor)

    async def _change(self, before: Model, after: Model, kind: str, actor: str) -> Change:
        started = _now()
        async with self.loading.loaded(before, self.loading.missing(before, after), kind, actor) as present:
            load_seconds = _now() - started
            self._refuse_during_rollout(after.name)
            after = replace(after, revision=present.revision + 1)
            moved = list(_restaged(find_versions(self._store, after.name), before, after))
            detail = traffic.split(after) | {"stages": traffic.stages(moved)}
            self._publisher.commit(Entry(actor, kind, after.name, detail), after, *moved)
        return await self._confirm(after, load_seconds)

    async def _confirm(self, model: Model, load_seconds: float) -> Change:
        started = _now()
        confirmed = await self._fleet.confirmed(self._fleet.table.generation, CONFIRM_TIMEOUT_S)
        confirmed = confirmed and await self._publisher.settled(model.name, 0)
        return Change(model, load_seconds, _now() - started, confirmed)

    def _refuse_during_rollout(self, model: str) -> None:
        if rollout := active_rollout(self._store, model):
            raise LifecycleError(
                LifecycleCode.CONFLICT,
                f"version {rollout.version} of model {model!r} is in a rollout; "
                f"promote it, abort it, or use `headrace rollback {model}`",
            )


def _restaged(versions: Mapping[int, Version], before: Model, after: Model) -> Iterator[Version]:
    """Versions whose stage follows the change: serving while they have live traffic."""
    served, serving = (dict(model.weights).keys() for model in (before, after))
    events = dict.fromkeys(served - serving, Event.STAND_DOWN)
    events |= dict.fromkeys(serving, Event.SERVE)
    for number, event in events.items():
        stage = TRANSITIONS.get((versions[number].stage, event))
        if stage is not None:
            yield replace(versions[number], stage=stage)


def _now() -> float:
    return asyncio.get_running_loop().time()
