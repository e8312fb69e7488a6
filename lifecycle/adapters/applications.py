"""What the controller asks of Serve: applications of dedicated versions, and new workers. Blocks."""

from collections.abc import Callable

import ray
from ray import serve
from ray.serve.schema import ApplicationStatus

from gateway.app import APPLICATION as GATEWAY
from gateway.app import application as workers
from gateway.config import GatewayConfig
from gateway.core.placement import APPLICATIONS
from gateway.serve.replica import application as application_of
from gateway.serve.starting import given_up
from lifecycle.core.dedicated import Application


class ServeApplications:
    """Implements `ports.Applications`. Serve must be up: it would be started with proxies otherwise.

    Args:
        config: as the node began; what an upgrade made of it outlives this process, until the node goes down.
    """

    def __init__(self, config: GatewayConfig) -> None:
        self._config = config
        if config.rolled.exists():
            self._config = GatewayConfig.model_validate_json(config.rolled.read_bytes())

    def states(self) -> dict[str, bool]:
        return {
            name: found.status is ApplicationStatus.RUNNING
            or given_up(found, self._config.dedicated) is not None
            for name, found in serve.status().applications.items()
            if name.startswith(APPLICATIONS)
        }

    def start(self, application: Application) -> None:
        resources: Callable[[], dict[str, float]] = ray.cluster_resources
        gpus = resources().get("GPU", 0.0)
        target = application_of(application.model, application.entry, self._config, gpus)
        _run(target, application.name)

    def roll(self, config: GatewayConfig) -> None:
        """Replace every worker; dedicated versions that are started from here on have these settings too."""
        self._config = config
        partial = config.rolled.with_suffix(".partial")
        partial.write_text(config.model_dump_json(), encoding="utf-8")
        partial.replace(config.rolled)
        _run(workers(config), GATEWAY)

    def end(self, name: str) -> None:
        serve.delete(name, _blocking=False)


def _run(target: serve.Application, name: str) -> None:
    serve.run_many(
        [serve.RunTarget(target, name=name, route_prefix=None)],
        wait_for_ingress_deployment_creation=False,
        wait_for_applications_running=False,
    )
