"""What the admin API works with: the services, gathered once by whoever wires the controller."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, cast

from fastapi import Depends, Header, Path, Request
from pydantic import AfterValidator, StringConstraints

from gateway.core.keys import Key, KeyRole
from gateway.core.placement import Placed
from lifecycle.commands.deploy import Deploy
from lifecycle.commands.governance.calendar import Calendar
from lifecycle.commands.governance.keys import Keys
from lifecycle.commands.governance.retention import Collector
from lifecycle.commands.learning.feedback import Feedback
from lifecycle.commands.learning.retraining import Retraining
from lifecycle.commands.lookup import find_number
from lifecycle.commands.registry.catalogue import Catalogue
from lifecycle.commands.registry.models import Models
from lifecycle.commands.registry.validation import Validation
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.commands.upgrade import Nodes, Upgrade
from lifecycle.core.analysis.evidence import Arm
from lifecycle.core.recent import Rates
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.estimates import Estimates
from lifecycle.monitor import Monitor
from lifecycle.ports import Checkpoints, Fleet, Origin, Requests, Store


@dataclass(frozen=True, slots=True)
class Desk:
    """The services behind the admin API. All of them live in the API's event loop.

    Args:
        find: where the answer with a prediction id came from; None if it was not captured.
        rates: what the versions of a model did of late.
        placed: where a model's version runs, of each worker that has it in memory.
        champion_now: what a champion did of late and its requests per second, for a rollout to come.
        metrics: the Prometheus text of `/metrics`.
        info: what the node says of itself in `/v1/status`.
        default_plan: preset of a rollout that names no plan.
        hosts: names besides loopback by which the API may be addressed.
        identity: whether every request needs a key.
        certificates: whether the edge verifies client certificates, so that one can stand for a key.
    """

    store: Store
    requests: Requests
    fleet: Fleet
    nodes: Nodes
    models: Models
    catalogue: Catalogue
    calendar: Calendar
    validation: Validation
    collector: Collector
    deploy: Deploy
    traffic: Traffic
    upgrade: Upgrade
    rollouts: Rollouts
    feedback: Feedback
    retraining: Retraining
    monitor: Monitor
    estimates: Estimates
    keys: Keys
    checkpoints: Checkpoints
    metrics: Callable[[], bytes]
    find: Callable[[str], Origin | None]
    rates: Callable[[str], Sequence[Rates]]
    placed: Callable[[str, int], tuple[Placed, ...]]
    champion_now: Callable[[Rollout], tuple[Arm, float]]
    info: Mapping[str, Any] = field(default_factory=dict)
    default_plan: str = "quick"
    hosts: frozenset[str] = frozenset()
    identity: bool = False
    certificates: bool = False


def _desk(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


ANYONE = Key("", "", KeyRole.ADMIN)
"""Whoever asks while identity is off."""


def _caller(request: Request) -> Key:
    return cast(Key, getattr(request.state, "key", ANYONE))


def covered(caller: Key, model: str) -> None:
    """Raises LifecycleError NOT_FOUND for a model that is not the caller's."""
    if not caller.covers(model):
        raise LifecycleError(LifecycleCode.NOT_FOUND, f"there is no model {model!r}")


def _text(header: str) -> str:
    """What a header says in UTF-8, which HTTP hands on as Latin-1."""
    try:
        text = header.encode("latin-1").decode()
    except UnicodeError:
        raise ValueError("must be UTF-8") from None
    if not text.isprintable():
        raise ValueError("must be one line of printable text")
    return text


def _actor(
    request: Request,
    x_headrace_actor: Annotated[
        str, Header(), StringConstraints(min_length=1, max_length=200), AfterValidator(_text)
    ] = "local",
) -> str:
    return _caller(request).name or x_headrace_actor


def _override(
    request: Request,
    x_headrace_override: Annotated[
        str, Header(), StringConstraints(max_length=1000), AfterValidator(_text)
    ] = "",
) -> str:
    caller = _caller(request)
    if x_headrace_override and not caller.may(KeyRole.ADMIN):
        message = (
            f"the key {caller.name!r} has the role {caller.role}; going over a freeze takes the role admin"
        )
        raise LifecycleError(LifecycleCode.FORBIDDEN, message)
    return x_headrace_override.strip()


AtDesk = Annotated[Desk, Depends(_desk)]


def _numbered(
    model: str, number: Annotated[str, Path(description="A version's number or alias.")], desk: AtDesk
) -> int:
    return find_number(desk.store, model, number)


Numbered = Annotated[int, Depends(_numbered)]
"""The version that the path names, by number or alias."""
Actor = Annotated[str, Depends(_actor)]
"""Who asks, for the ledger: the key's name, or without identity the `x-headrace-actor` header."""
Override = Annotated[str, Depends(_override)]
"""Why an admin does it in spite of a freeze; empty for not at all."""
Caller = Annotated[Key, Depends(_caller)]
"""The key that asks, for what shows several models: only those that it covers."""
