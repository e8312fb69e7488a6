"""The law of a version's stages. Nothing else may change a stage."""

from collections.abc import Mapping
from enum import StrEnum

from lifecycle.errors import LifecycleCode, LifecycleError


class Stage(StrEnum):
    """Where governance stands with a version."""

    REGISTERED = "registered"
    VALIDATED = "validated"
    APPROVED = "approved"
    SERVING = "serving"
    RETIRED = "retired"
    REJECTED = "rejected"


class Event(StrEnum):
    """What happens to a version."""

    VALIDATE = "validate"
    APPROVE = "approve"
    SERVE = "serve"
    STAND_DOWN = "stand down"
    REJECT = "reject"
    RETIRE = "retire"


TRANSITIONS: Mapping[tuple[Stage, Event], Stage] = {
    (Stage.REGISTERED, Event.VALIDATE): Stage.VALIDATED,
    (Stage.REGISTERED, Event.REJECT): Stage.REJECTED,
    (Stage.REGISTERED, Event.RETIRE): Stage.RETIRED,
    (Stage.VALIDATED, Event.APPROVE): Stage.APPROVED,
    (Stage.VALIDATED, Event.REJECT): Stage.REJECTED,
    (Stage.VALIDATED, Event.RETIRE): Stage.RETIRED,
    (Stage.APPROVED, Event.SERVE): Stage.SERVING,
    (Stage.APPROVED, Event.REJECT): Stage.REJECTED,
    (Stage.APPROVED, Event.RETIRE): Stage.RETIRED,
    (Stage.SERVING, Event.STAND_DOWN): Stage.APPROVED,
    (Stage.SERVING, Event.REJECT): Stage.REJECTED,
    (Stage.REJECTED, Event.VALIDATE): Stage.VALIDATED,
    (Stage.REJECTED, Event.RETIRE): Stage.RETIRED,
}
"""The whole law. What is not here cannot happen: nobody retires a version that has traffic."""

SERVABLE = frozenset({Stage.APPROVED, Stage.SERVING})
"""Stages in which a version may get traffic."""


def move(stage: Stage, event: Event) -> Stage:
    """The stage after an event. Raises LifecycleError CONFLICT for an illegal move."""
    try:
        return TRANSITIONS[stage, event]
    except KeyError:
        ways = " or ".join(f"`{way}`" for at, way in TRANSITIONS if at is stage)
        open_to = f"only through {ways}" if ways else "or through anything else"
        message = f"a version that is {stage} cannot go through `{event}`, {open_to}"
        raise LifecycleError(LifecycleCode.CONFLICT, message) from None
