"""The Serve applications of dedicated versions. Blocks: call it from a thread."""

from collections.abc import Callable

import ray
from ray import serve
from ray.serve.schema import ApplicationStatus

from gateway.config import GatewayConfig
from gateway.core.placement import APPLICATIONS
from gateway.serve.replica import application as application_of
from lifecycle.core.dedicated import Application


class ServeApplications:
    """Implements `ports.Applications`. Serve must be up: it would be started with proxies otherwise."""

    def __init__(self, config: GatewayConfig) -> None:
        self._config = config

    def states(self) -> dict[str, bool]:
        return {
            name: found.status is ApplicationStatus.RUNNING
            for name, found in serve.status().applications.items()
            if name.startswith(APPLICATIONS)
        }

    def start(self, application: Application) -> None:
        resources: Callable[[], dict[str, float]] = ray.cluster_resources
        gpus = resources().get("GPU", 0.0)
        target = application_of(application.model, application.entry, self._config, gpus)
        serve.run_many(
            [serve.RunTarget(target, name=application.name, route_prefix=None)],
            wait_for_ingress_deployment_creation=False,
            wait_for_applications_running=False,
        )

    def end(self, name: str) -> None:
        serve.delete(name, _blocking=False)
