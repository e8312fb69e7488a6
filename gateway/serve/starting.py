"""What a process of a version's own needs of Ray, and why one that was asked for will not come."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ray
from ray import serve
from ray.serve.schema import ApplicationStatus, ApplicationStatusOverview

from gateway.config import Dedicated
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.failures import NoRoom
from gateway.runtime.session import offers_cuda

Resources = Mapping[str, float]
"""Amounts by Ray's names, such as CPU."""

_NOT_PLACED = "to be scheduled"
"""Serve's words for replicas for which Ray has found no node in half a minute."""

_FAILS = "REPLICA_STARTUP_FAILED"
"""Serve's word for a deployment whose processes ended three times in a row before they took requests."""

_SERVES = "RUNNING"
"""Serve's word for a replica that takes requests."""


def needs(own: Dedicated, gpus: float) -> dict[str, float]:
    """What Ray sets aside for one replica.

    Args:
        gpus: that Ray has; none are asked for if there are none or the runtime cannot use them.
    """
    return {"CPU": own.cpus, "GPU": own.gpus if gpus and offers_cuda() else 0.0}


def answers(found: ApplicationStatusOverview | None) -> bool:
    """Whether some process of an application serves, be it an old one whose successor does not come."""
    deployments = found.deployments.values() if found else ()
    counts = (count for each in deployments for count in each.replica_states.items())
    return any(count and state == _SERVES for state, count in counts)


def served(name: str) -> bool:
    """Whether an application `answers` now. Blocks."""
    return answers(serve.status().applications.get(name))


def given_up(found: ApplicationStatusOverview | None, own: Dedicated) -> GatewayError | None:
    """Why nobody should wait for an application's newest processes any longer; None if they run or may come.

    Blocks. It is a `NoRoom` if the version may be sound: where no node is as large as a replica, at once, and
    where others hold what it needs, when Ray has looked for half a minute.
    """
    if found is None or found.status in (ApplicationStatus.RUNNING, ApplicationStatus.DELETING):
        return None  # one that ends says nothing of its successor
    fails = any(deployment.status_trigger == _FAILS for deployment in found.deployments.values())
    if found.status is ApplicationStatus.DEPLOY_FAILED or fails:
        message = "the version's own process does not start; `headrace logs` or the logs of Ray Serve say why"
        return GatewayError(ErrorCode.INTERNAL, message)
    told = [deployment.message for deployment in found.deployments.values()]
    if reason := refusal(own, waited=any(_NOT_PLACED in message for message in told)):
        return NoRoom(ErrorCode.NOT_READY, reason)
    return None


def refusal(own: Dedicated, *, waited: bool = False) -> str:
    """`no_room` on the nodes that there are. Blocks."""
    present: Callable[[], list[dict[str, Any]]] = ray.nodes
    nodes = [node["Resources"] for node in present() if node["Alive"]]
    wanted = needs(own, sum(node.get("GPU", 0.0) for node in nodes))
    return no_room(wanted, nodes, waited=waited)


def no_room(wanted: Resources, nodes: Iterable[Resources], *, waited: bool) -> str:
    """Why there is no room for a replica, or nothing.

    Args:
        nodes: all that each has, in use or not.
        waited: Ray has looked for room for long.
    """
    said = " and ".join(f"{amount:g} {name}" for name, amount in wanted.items() if amount)
    if not any(all(node.get(name, 0.0) >= amount for name, amount in wanted.items()) for node in nodes):
        return f"its own process needs {said}, and no node has as much"
    return f"its own process waits for {said}, which others hold" if waited else ""
