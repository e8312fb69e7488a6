"""What people do with rollouts: start, pause, resume, promote, abort, look."""

import uuid
from collections.abc import Callable
from dataclasses import replace

from lifecycle.commands.governance.calendar import Calendar
from lifecycle.commands.lookup import active_rollout, find_model, find_versions
from lifecycle.commands.perform import perform
from lifecycle.commands.publish import Publisher
from lifecycle.core import traffic
from lifecycle.core.rollouts.effect import resumed, standing
from lifecycle.core.rollouts.plan import Plan, vouched
from lifecycle.core.rollouts.rollout import Action, Kind, Phase, Rollout
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry, Store


class Rollouts:
    """Commands only note what is wanted; the controller's next tick acts on it. Aborting acts at once.

    Args:
        clock: Unix time in seconds, the controller's.
        call: wakes the controller, which rests while there is nothing to look at.

    What changes traffic takes an `override` in a freeze: why it is done all the same, as an admin may. The
    rollout then goes on through every freeze.
    """

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        clock: Callable[[], float],
        calendar: Calendar | None = None,
        call: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._calendar = calendar or Calendar(store, (), clock)
        self._publisher = publisher
        self._clock = clock
        self._call = call

    def start(
        self,
        model: str,
        version: int,
        plan: Plan,
        actor: str,
        *,
        if_revision: int | None = None,
        override: str = "",
    ) -> Rollout:
        """Begin a rollout. Raises NOT_FOUND, STALE, or CONFLICT with what stands in the way, a freeze too."""
        rollout = self.draft(model, version, plan, actor, if_revision=if_revision)
        rollout = self._admitted(rollout, "start", actor, override)
        before = {"champion": rollout.champion, "previous": rollout.previous}
        self._note(rollout, "start", actor, plan=rollout.plan.as_json(), **before)
        self._call()
        return rollout

    def draft(
        self, model: str, version: int, plan: Plan, actor: str, *, if_revision: int | None = None
    ) -> Rollout:
        """The rollout that `start` would begin; keeps nothing. Raises as `start` does, but for a freeze."""
        found = find_model(self._store, model, if_revision)
        if running := active_rollout(self._store, model):
            raise _conflict(f"version {running.version} is in a rollout; promote it or abort it first")
        versions = find_versions(self._store, model)
        traffic.servable(model, versions, version)
        if not found.champion:
            raise _conflict(
                f"model {model!r} has no champion; use `headrace traffic set {model} {version}=100`"
            )
        if version == found.champion:
            raise _conflict(f"version {version} has all traffic already")
        if len(found.weights) != 1:
            raise _conflict("traffic is split by hand; give one version 100 percent first")
        now = self._clock()
        deadline = None if plan.deadline_seconds is None else now + plan.deadline_seconds
        return Rollout(
            uuid.uuid4().hex,
            model,
            version,
            found.champion,
            vouched(plan) if versions[version].proven else plan,
            now,
            actor,
            previous=found.previous,
            deadline_at=deadline,
        )

    def pause(self, model: str, actor: str, *, if_revision: int | None = None) -> Rollout:
        """Hold the present split. A FAIL still rolls back; the deadline waits."""
        rollout = self._active(model, if_revision)
        if rollout.paused:
            return rollout
        return self._note(replace(rollout, paused_at=self._clock()), "pause", actor)

    def resume(
        self, model: str, actor: str, *, if_revision: int | None = None, override: str = ""
    ) -> Rollout:
        """Go on; the deadline moves by the length of the pause.

        Where answers that differ held it, this is the word that they may, and nobody is asked again.
        """
        rollout = self._active(model, if_revision)
        if rollout.paused_at is None:
            return rollout
        rollout = self._admitted(rollout, "resume", actor, override)
        accepted = {"accepted": rollout.asked.reason} if rollout.asked else {}
        after = resumed(rollout, self._clock())
        return self._note(after, "resume", actor, plan=after.plan.as_json(), **accepted)

    def promote(
        self, model: str, actor: str, *, if_revision: int | None = None, override: str = ""
    ) -> Rollout:
        """Give the version all traffic as soon as every worker has it, whatever the steps still ask for.

        A FAIL before that still rolls back.
        """
        rollout = self._active(model, if_revision)
        if rollout.phase is Phase.BAKE:
            raise _conflict(f"version {rollout.version} is promoted already and in its bake time")
        rollout = self._admitted(rollout, "promote", actor, override)
        after = replace(resumed(rollout, self._clock()), promoter=actor)
        return self._note(after, "promote", actor, plan=after.plan.as_json())

    def abort(self, model: str, actor: str, *, if_revision: int | None = None) -> Rollout:
        """Give all traffic back to the champion at once. The version stays approved."""
        rollout = self._active(model, if_revision)
        action = Action(Kind.ABORT, f"aborted by {actor}")
        return perform(self._store, self._publisher, rollout, action, actor, self._clock())

    def show(self, model: str) -> Rollout:
        """The active rollout, or else the last one. Raises NOT_FOUND."""
        find_model(self._store, model)
        found = self._store.rollouts(model)
        if not found:
            raise LifecycleError(LifecycleCode.NOT_FOUND, f"model {model!r} has had no rollout")
        return next((rollout for rollout in found if rollout.active), found[0])

    def _active(self, model: str, if_revision: int | None) -> Rollout:
        find_model(self._store, model, if_revision)
        if rollout := active_rollout(self._store, model):
            return rollout
        raise _conflict(f"model {model!r} has no active rollout; `headrace rollout start` begins one")

    def _admitted(self, rollout: Rollout, doing: str, actor: str, override: str) -> Rollout:
        overrides = self._calendar.admit(rollout.model, f"rollout.{doing}", actor, override)
        return replace(rollout, overrides=rollout.overrides or overrides)

    def _note(self, rollout: Rollout, kind: str, actor: str, **more: object) -> Rollout:
        detail = {"rollout": rollout.id, "version": rollout.version, "phase": str(rollout.phase), **more}
        detail["standing"] = standing(rollout)
        self._store.commit(Entry(actor, f"rollout.{kind}", rollout.model, detail), rollout)
        return rollout


def _conflict(message: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.CONFLICT, message)
