"""Performs an action of a rollout: one durable write of everything it changes, then the new table.

The write is the journal: it holds the action, its reasons and the state to reach. A crash after it costs
nothing, because whoever starts next publishes the stored state.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lifecycle.commands.lookup import find_model, find_versions
from lifecycle.commands.publish import Publisher
from lifecycle.core import traffic
from lifecycle.core.rollouts.effect import begun, effect, stages, standing
from lifecycle.core.rollouts.rollout import Action, Rollout
from lifecycle.core.stages import TRANSITIONS, Event
from lifecycle.core.version import Model, Version
from lifecycle.ports import Entry, Store

CONTROLLER = "controller"
"""The ledger's name for decisions that no person made."""


def perform(
    store: Store, publisher: Publisher, rollout: Rollout, action: Action, actor: str, now: float
) -> Rollout:
    """Journal the action and publish its effect; returns the rollout after it. Never waits for a worker."""
    model = effect(action, rollout, find_model(store, rollout.model))
    # Taken before the write: every table that carries the new split has a higher generation.
    after = begun(action, rollout, now, store.next_generation())
    moved = list(_moved(store, rollout, action))
    told = {"standing": standing(after), "stages": traffic.stages(moved)}
    detail = _detail(rollout, action, model) | told
    publisher.commit(Entry(actor, f"rollout.{action.kind}", rollout.model, detail), model, after, *moved)
    return after


def _moved(store: Store, rollout: Rollout, action: Action) -> Iterator[Version]:
    versions = find_versions(store, rollout.model)
    for number, event in stages(action, rollout).items():
        version = versions[number]
        # A move that the law does not know is one already made; it must never stand in a rollback's way.
        stage = TRANSITIONS.get((version.stage, event), version.stage)
        evidence = rollout.findings if event is Event.REJECT else version.evidence
        if (stage, evidence) != (version.stage, version.evidence):
            yield replace(version, stage=stage, evidence=evidence)


def _detail(rollout: Rollout, action: Action, model: Model) -> dict[str, Any]:
    return traffic.split(model) | {
        "rollout": rollout.id,
        "version": rollout.version,
        "action": action.as_json(),
        "reason": action.reason,
        "findings": [finding.as_json() for finding in rollout.findings],
    }
