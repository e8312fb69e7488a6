"""The nodes of a cluster as the controller knows them: its own, and those that joined and say so."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import ray
from ray import serve
from ray.serve.schema import ApplicationStatus

from gateway.app import application, application_name, resource
from gateway.config import GatewayConfig
from gateway.server.edge.metrics import read
from gateway.server.run_dir import stats_socket
from lifecycle.commands.upgrade import Admission
from lifecycle.config import LifecycleConfig, renewed
from lifecycle.errors import LifecycleCode, LifecycleError

SILENT_AFTER_S = 5.0
"""A node that missed several seconds is gone, or cut off."""


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What a node that joined says of itself.

    Args:
        name: no other node's, and the same after a restart.
        config: as it started.
        edge: what its HAProxy counts, as `gateway.server.edge.metrics.read` reads it.
    """

    name: str
    config: GatewayConfig
    edge: str
    seen_at: float = 0.0


class ClusterNodes:
    """Implements `upgrade.Nodes`.

    Args:
        config: of the node that the controller runs on, as it began; what an upgrade made of it outlives this
            process, until the node goes down.
        name: of that node; empty if it stands alone.
        clock: monotonic seconds.
    """

    def __init__(self, config: LifecycleConfig, name: str, clock: Callable[[], float]) -> None:
        self.own = config.gateway
        if self.own.rolled.exists():
            self.own = GatewayConfig.model_validate_json(self.own.rolled.read_bytes())
        self._name = name
        self._shares_artifacts = bool(config.artifacts)
        self._clock = clock
        self._joined: dict[str, NodeReport] = {}

    def tell(self, report: NodeReport) -> None:
        self._joined[report.name] = replace(report, seen_at=self._clock())

    def leave(self, name: str) -> None:
        self._joined.pop(name, None)

    def wanted(self) -> dict[str, int]:
        return {self._name: self.own.workers} | {node.name: node.config.workers for node in self._alive()}

    def edges(self) -> dict[str, str]:
        """What each node's HAProxy counts. Blocks for this node's."""
        here = read(stats_socket(self.own.run_dir))
        return {self._name: here} | {node.name: node.edge for node in self._alive()}

    def renewed(self, node: str) -> GatewayConfig:
        if node == self._name:
            return renewed(self.own)
        remote = cast("Callable[[Callable[..., Any]], Any]", ray.remote(**_there(node)))(renewed)
        try:
            return cast(GatewayConfig, ray.get(remote.remote(self._joined[node].config), timeout=60.0))
        except ray.exceptions.RayTaskError as error:
            fault = (
                error.cause
                if isinstance(error.cause, LifecycleError)
                else LifecycleError(LifecycleCode.INVALID, "its code does not start")
            )
            raise LifecycleError(fault.code, f"node {node}: {fault.message}") from None
        except (KeyError, ray.exceptions.RayError):
            raise LifecycleError(LifecycleCode.UNAVAILABLE, f"node {node} has gone away; try again") from None

    def roll(self, node: str, config: GatewayConfig) -> None:
        if node == self._name:
            self.own = config
            partial_file = config.rolled.with_suffix(".partial")
            partial_file.write_text(config.model_dump_json(), encoding="utf-8")
            partial_file.replace(config.rolled)
        start(application(config, node), application_name(node))

    def failure(self, node: str) -> str:
        found = serve.status().applications.get(application_name(node))
        if found is None or found.status is not ApplicationStatus.DEPLOY_FAILED:
            return ""
        told = "\n".join(deployment.message for deployment in found.deployments.values()).split("\n")
        return next((line for line in reversed(told) if line.strip()), "Ray Serve does not say why")

    def admission(self) -> Admission:
        if not self._name:
            message = (
                "this node takes no others: start it with `headrace up --address` and its own IP address"
            )
            raise LifecycleError(LifecycleCode.CONFLICT, message)
        if not self._shares_artifacts:
            message = (
                "other nodes cannot read the artifacts in this node's home: set `artifacts` in its "
                "headrace.toml to object storage, or to a folder that all nodes share"
            )
            raise LifecycleError(LifecycleCode.CONFLICT, message)
        return Admission(ray.get_runtime_context().gcs_address, os.environ["RAY_AUTH_TOKEN"])

    def _alive(self) -> list[NodeReport]:
        horizon = self._clock() - SILENT_AFTER_S
        return [node for node in self._joined.values() if node.seen_at >= horizon]


def start(target: serve.Application, name: str) -> None:
    """Have Serve start an application, or replace the one of this name. Does not wait for it."""
    serve.run_many(
        [serve.RunTarget(target, name=name, route_prefix=None)],
        wait_for_ingress_deployment_creation=False,
        wait_for_applications_running=False,
    )


def _there(node: str) -> dict[str, Any]:
    return {"num_cpus": 0, "max_retries": 0, "resources": {resource(node): 0.001}}
