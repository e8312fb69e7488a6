"""What the admin API works with: the services, gathered once by whoever wires the controller."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, cast

from fastapi import Depends, Header, Request
from pydantic import StringConstraints

from lifecycle.commands.deploy import Deploy
from lifecycle.commands.feedback import Feedback
from lifecycle.commands.models import Models
from lifecycle.commands.retraining import Retraining
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.monitor import Monitor
from lifecycle.ports import Checkpoints, Fleet, Origin, Store


@dataclass(frozen=True, slots=True)
class Desk:
    """The services behind the admin API. All of them live in the API's event loop.

    Args:
        find: where the answer with a prediction id came from; None if it was not captured.
        metrics: the Prometheus text of `/metrics`.
        info: what the node says of itself in `/v1/status`; `workers` there is how many are wanted.
        default_plan: preset of a rollout that names no plan.
        hosts: names besides loopback by which the API may be addressed.
    """

    store: Store
    fleet: Fleet
    models: Models
    deploy: Deploy
    traffic: Traffic
    rollouts: Rollouts
    feedback: Feedback
    retraining: Retraining
    monitor: Monitor
    checkpoints: Checkpoints
    metrics: Callable[[], bytes]
    find: Callable[[str], Origin | None]
    info: Mapping[str, Any] = field(default_factory=dict)
    default_plan: str = "quick"
    hosts: frozenset[str] = frozenset()


def _desk(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


def _actor(
    x_headrace_actor: Annotated[
        str, Header(), StringConstraints(min_length=1, max_length=200, pattern=r"^[ -~]+$")
    ] = "local",
) -> str:
    return x_headrace_actor


AtDesk = Annotated[Desk, Depends(_desk)]
Actor = Annotated[str, Depends(_actor)]
"""Who asks, for the ledger: the `x-headrace-actor` header."""
